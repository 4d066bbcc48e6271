"""The pages about a team's people: everybody of the team reads them, administrators change."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.models import Membership
from integrations.people import holdings, invitations, members, sessions
from integrations.people.members import NotAllowedError
from integrations.teams.access import Can, allow, may, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from integrations.views.people_forms import MemberForm, ReasonForm, SecondFactorForm
from pinxero.pages import page


def _mine(request: HttpRequest) -> QuerySet[Membership]:
    of_team: QuerySet[Membership] = Membership.objects.in_force().for_team(team_of(request))
    return of_team.select_related("user", "team")


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


@require_GET
@allow(Can.LOOK)
def people(request: HttpRequest) -> HttpResponse:
    """Who belongs to the team, and who is invited."""
    team = team_of(request)
    waiting = [(each, members.role_name(each.role), invitations.expires(each)) for each in invitations.unanswered(team)]
    shown = members.members(team)
    context = {
        "members": shown,
        "invitations": waiting,
        "may_administer": may(request, Can.ADMINISTER),
        "has_administrator": any(each.membership.role == "administrator" for each in shown),
    }
    return page(request, "people/list.html", context, title="People")


@require_GET
@allow(Can.LOOK)
def person(request: HttpRequest, membership_id: int) -> HttpResponse:
    """One of them: the role, and what they hold."""
    found = members.member(get_object_or_404(_mine(request), pk=membership_id))
    context = {"shown": found, "may_administer": may(request, Can.ADMINISTER), "is_self": found.user == request.user}
    return page(request, "people/person.html", context, title=str(found.user))


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def change_person(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Another role, another end."""
    found = get_object_or_404(_mine(request), pk=membership_id)
    initial = {"role": found.role, "until": members.last_day(found.ends_at)}
    form = MemberForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            has_changed = members.change(
                found, role=given["role"], until=given["until"], by=_person(request), reason=given["reason"]
            )
        except NotAllowedError as error:
            form.add_error(None, error.message)
        else:
            said = f"{found.user} is changed." if has_changed else f"Nothing was different, so {found.user} stays."
            messages.success(request, said)
            return redirect("person", found.pk)
    return _asked(request, "people/change.html", found, form, title=f"Change {found.user}")


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def remove_person(request: HttpRequest, membership_id: int) -> HttpResponse:
    """Explain what it means to leave the team, and do it when confirmed with a reason."""
    found = get_object_or_404(_mine(request), pk=membership_id)
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            members.remove(found, by=_person(request), reason=form.cleaned_data["reason"])
        except NotAllowedError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{found.user} does not belong to the team any more.")
            return redirect("people")
    return _asked(request, "people/remove.html", found, form, title=f"Remove {found.user}")


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def sign_person_out(request: HttpRequest, membership_id: int) -> HttpResponse:
    """End one session of somebody, or all of them."""
    found = get_object_or_404(_mine(request), pk=membership_id)
    name = request.GET.get("session", "")
    if request.method == "POST":
        count = sessions.end(found.user, name, team_id=found.team_id, by=_person(request))
        said = "1 session was" if count == 1 else f"{count} sessions were"
        messages.success(request, f"{said} ended." if count else "No session was open any more.")
        return redirect("person", found.pk)
    return _asked(request, "people/sign_out.html", found, None, title=f"Sign {found.user} out", one=bool(name))


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def end_holding(request: HttpRequest, membership_id: int, kind: str, held_id: int) -> HttpResponse:
    """End one thing that somebody holds, such as an API token."""
    found = get_object_or_404(_mine(request), pk=membership_id)
    its = members.member(found).holdings
    holding = next((each for each in its if (each.kind, each.id) == (kind, held_id)), None)
    held = holdings.kind(kind)
    if holding is None or held is None:
        raise Http404("There is no such thing any more.")
    if request.method == "POST":
        held.end(found.team_id, held_id, _person(request))
        messages.success(request, f"The {held.label} {holding.name} is ended.")
        return redirect("person", found.pk)
    title = f"End {holding.name}"
    return _asked(request, "people/end_holding.html", found, None, title=title, holding=holding, label=held.label)


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.ADMINISTER)
def second_factor(request: HttpRequest) -> HttpResponse:
    """Which roles need a second factor in this team."""
    team = team_of(request)
    form = SecondFactorForm(request.POST or None, initial={"roles": team.second_factor_roles})
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        members.choose_second_factor(team, given["roles"], by=_person(request), reason=given["reason"])
        messages.success(request, "Saved.")
        return redirect("people")
    days = settings.SECOND_FACTOR_GRACE_DAYS
    return page(request, "people/second_factor.html", {"form": form, "days": days}, title="Second factor")


def _asked(
    request: HttpRequest, template: str, found: Membership, form: Any, *, title: str, **more: Any
) -> HttpResponse:
    context = {"membership": found, "form": form, "role": members.role_name(found.role), **more}
    return page(request, template, context, title=title)
