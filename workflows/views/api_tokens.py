"""The page of API tokens: made here, shown once, revoked here."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.api import tokens
from workflows.forms.page_forms import PlainForm
from workflows.models import ApiToken

_SHOWN = 100


class TokenForm(PlainForm):
    """What a token is for, what it may do, and for how long."""

    name = forms.CharField(
        label="What is it for?",
        max_length=100,
        error_messages={"required": "Say what it is for, so that you can tell it from the others."},
        widget=forms.TextInput(attrs={"autocomplete": "off", "placeholder": "Shop server"}),
    )
    scope = forms.ChoiceField(label="What may it do?", choices=ApiToken.Scope.choices, initial=ApiToken.Scope.READ)
    days = forms.TypedChoiceField(
        label="For how long?",
        coerce=int,
        choices=[(30, "30 days"), (90, "90 days"), (365, "One year"), (0, "Until it is revoked")],
        initial=365,
    )


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def api_tokens_page(request: HttpRequest) -> HttpResponse:
    """One's own tokens, for builders all of the team's; a new one is shown in full only once."""
    team = team_of(request)
    assert isinstance(request.user, User)
    form = TokenForm(request.POST or None)
    made, text = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            given = form.cleaned_data
            made, text = tokens.make(
                team, request.user, name=given["name"], scope=given["scope"], days=given["days"] or None
            )
        except tokens.TokenError as error:
            form.add_error("scope", error.message)
        else:
            form = TokenForm()
    context = {
        "form": form,
        "made": made,
        "text": text,
        "tokens": _visible(request).select_related("user", "revoked_by")[:_SHOWN],
        "now": timezone.now(),
        "base": f"{settings.BASE_URL}/api",
        "shows_all": may(request, Can.BUILD),
    }
    response = page(request, "workflows/api_tokens.html", context, title="API tokens")
    response["Cache-Control"] = "no-store"
    return response


@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def revoke_token(request: HttpRequest, token_id: int) -> HttpResponse:
    """Explain what revoking means, then revoke it."""
    token = get_object_or_404(_visible(request), pk=token_id)
    assert isinstance(request.user, User)
    if request.method == "POST":
        tokens.revoke(token, by=request.user)
        messages.success(request, f"The token {token.name} is revoked.")
        return redirect("api_tokens")
    return page(request, "workflows/revoke_token.html", {"token": token}, title="Revoke a token")


def _visible(request: HttpRequest) -> QuerySet[ApiToken]:
    mine = Q() if may(request, Can.BUILD) else Q(user=request.user)
    found: QuerySet[ApiToken] = ApiToken.objects.for_team(team_of(request)).filter(mine)
    return found
