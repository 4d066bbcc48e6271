"""How strict a team is with itself, and deciding in another's place."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods, require_POST

from integrations.models import Team
from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.approvals import controls, delegating
from workflows.forms.control_forms import ControlsForm, DelegationForm
from workflows.models import ControlsChange
from workflows.publishing.activation import NotAllowedNowError


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def team_controls(request: HttpRequest) -> HttpResponse:
    """The controls in force; administrators change them, and a second person agrees to what is less strict."""
    team, person, problem = team_of(request), _person(request), ""
    now, proposed = controls.of_team(team), controls.proposed(team)
    do = request.POST.get("do", "") if request.method == "POST" else ""
    fields = ("second_person_publishes", "builders_release", "approval_days")
    initial = {name: getattr(now, name) for name in fields}
    form = ControlsForm(request.POST if do == "save" else None, initial=initial)
    if do == "save" and not may(request, Can.ADMINISTER):
        raise PermissionDenied("Your role in this team does not allow this; it needs: administrator.")
    try:
        if do == "save" and form.is_valid():
            _save(request, team, form.cleaned_data, person)
            return redirect("team_controls")
        if do not in ("", "save"):
            messages.success(request, _decide(proposed, do, person, request.POST.get("reason", "").strip()[:2000]))
            return redirect("team_controls")
    except NotAllowedNowError as error:
        problem = error.message
    context = {
        "form": form,
        "now": now,
        "words": controls.in_words(initial),
        "proposed": proposed,
        "proposed_words": controls.in_words(proposed.values) if proposed else {},
        "obstacle": controls.obstacle(proposed, person) if proposed else "",
        "is_author": proposed is not None and proposed.asked_by_id == person.pk,
        "is_superuser": person.is_superuser,
        "may_change": may(request, Can.ADMINISTER),
        "problem": problem,
    }
    return page(request, "policies/controls.html", context, title="Controls")


def _save(request: HttpRequest, team: Team, given: dict[str, Any], person: User) -> None:
    asked = controls.change(team, given, by=person, reason=given["reason"])
    if asked is None:
        messages.success(request, "Saved.")
    else:
        messages.success(request, "What is stricter holds now. What is less strict waits for a second person.")


def _decide(asked: ControlsChange | None, do: str, person: User, reason: str) -> str:
    if asked is None:
        raise NotAllowedNowError("Nothing waits for a decision any more.")
    if do == "agree":
        controls.decide(asked, by=person, agrees=True, reason=reason)
        return "Agreed. It holds from now on."
    if do == "refuse":
        controls.decide(asked, by=person, agrees=False, reason=reason)
        return "Refused. Nothing changes."
    if do == "withdraw":
        controls.withdraw(asked, by=person)
        return "Withdrawn. Nothing changes."
    if do == "break_glass":
        controls.break_glass(asked, by=person, reason=reason)
        return "It holds without a second person. Everybody of the team hears of it."
    raise NotAllowedNowError("Choose what is to be done with it.")


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def away(request: HttpRequest) -> HttpResponse:
    """Who decides in whose place; one sets it up for oneself, administrators for everybody."""
    team, person, problem = team_of(request), _person(request), ""
    only = None if may(request, Can.ADMINISTER) else person
    people = {each.pk: each for each in delegating.possible(team)}
    form = DelegationForm(request.POST if request.method == "POST" else None, people=people.values(), only=only)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = delegating.make(
                team,
                away=people[int(given["away"])],
                stand_in=people[int(given["stand_in"])],
                first=given["first_day"],
                last=given["last_day"],
                by=person,
            )
        except NotAllowedNowError as error:
            problem = error.message
        else:
            messages.success(request, f"{made.stand_in} decides in the place of {made.away} on these days.")
            return redirect("away")
    found = [(each, only is None or each.away_id == person.pk) for each in delegating.of_team(team)]
    context = {"form": form, "found": found, "problem": problem}
    return page(request, "approvals/away.html", context, title="While away")


@recently_signed_in
@require_POST
@allow(Can.LOOK)
def end_delegation(request: HttpRequest, delegation_id: int) -> HttpResponse:
    """End one before its last day."""
    made = get_object_or_404(delegating.of_team(team_of(request)), pk=delegation_id)
    if not may(request, Can.ADMINISTER) and made.away_id != request.user.pk:
        raise PermissionDenied("Only the person who is away, or an administrator, ends it.")
    delegating.end(made, by=_person(request))
    messages.success(request, f"{made.stand_in} does not decide in the place of {made.away} any more.")
    return redirect("away")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
