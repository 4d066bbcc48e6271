"""The page that freezes an organisation, and the button that thaws it."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from integrations.framework import freezing
from integrations.models import Connection
from integrations.teams.access import Can, allow, team_of
from pinxero.pages import page


class FreezeForm(forms.Form):
    """Why nothing may be written."""

    reason = forms.CharField(
        label="Why?",
        max_length=300,
        error_messages={"required": "Say why; it is shown with every run that waits."},
        help_text="Such as “Month end” or “The auditor is at work”. Shown to everybody who looks at what waits.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def freeze(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Say what freezing does, and do it when the person confirms with a reason."""
    found = _mine(request, connection_id)
    if found.frozen_at is not None:
        messages.info(request, f"{found.name} is frozen already.")
        return redirect("connection", found.pk)
    form = FreezeForm(request.POST or None, label_suffix="", use_required_attribute=False)
    if request.method == "POST" and form.is_valid():
        freezing.freeze(found, by=request.user, reason=form.cleaned_data["reason"])
        messages.success(request, f"{found.name} is frozen: nothing is written to it until you thaw it.")
        return redirect("connection", found.pk)
    return page(request, "connections/freeze.html", {"connection": found, "form": form}, title=f"Freeze {found.name}")


@require_POST
@allow(Can.BUILD)
def thaw(request: HttpRequest, connection_id: int) -> HttpResponse:
    """Allow writes again."""
    found = _mine(request, connection_id)
    if freezing.thaw(found, by=request.user):
        messages.success(request, f"{found.name} may be written to again. What waited goes on by itself.")
    else:
        messages.info(request, f"{found.name} is not frozen.")
    return redirect("connection", found.pk)


def _mine(request: HttpRequest, connection_id: int) -> Connection:
    found: Connection = get_object_or_404(Connection.objects.for_team(team_of(request)), pk=connection_id)
    return found
