"""The page of a team's guards: everybody reads what is set, administrators change it."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.forms.guards_form import GuardsForm
from workflows.guards import settings


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def the_guards(request: HttpRequest) -> HttpResponse:
    """What each guard does, and setting it."""
    if request.method == "POST":
        return _save(request)
    return _show(request, GuardsForm(settings=settings.of_team(team_of(request).pk)))


@allow(Can.ADMINISTER)
def _save(request: HttpRequest) -> HttpResponse:
    team, person = team_of(request), request.user
    assert isinstance(person, User)
    form = GuardsForm(request.POST, settings=settings.of_team(team.pk))
    if not form.is_valid():
        return _show(request, form)
    if settings.save(team, form.settings(), by=person):
        messages.success(request, "Saved. It counts from the next write on.")
    else:
        messages.info(request, "Nothing was different, so nothing is changed.")
    return redirect("guards")


def _show(request: HttpRequest, form: GuardsForm) -> HttpResponse:
    known = settings.of_team(team_of(request).pk)
    context = {
        "form": form,
        "may_change": may(request, Can.ADMINISTER),
        "words": settings.in_words(known).items(),
        "are_off": known.are_off,
    }
    return page(request, "guards/guards.html", context, title="Guards")
