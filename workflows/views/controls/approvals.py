"""The inbox of approvals: what waits, the page of a request, and deciding on one or on several that were looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.core.address_values import number_of
from integrations.teams.access import Can, allow, team_of
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.approvals import deciding, inbox
from workflows.approvals.inbox import Waiting
from workflows.models import ApprovalRequest
from workflows.presenters import approval_cards
from workflows.presenters.presentation import labelled_values
from workflows.publishing.activation import NotAllowedNowError

PER_PAGE = 50
#: In the session: the fingerprints of the requests that were opened, by id.
_LOOKED_AT = "approvals_looked_at"


@require_GET
@allow(Can.LOOK)
def approvals(request: HttpRequest) -> HttpResponse:
    """What waits, this person's first; with `?show=decided` what does not any more, a page at a time."""
    team, person = team_of(request), _person(request)
    text, sort = request.GET.get("q", "")[:200].replace("\x00", ""), request.GET.get("sort", "asked")
    is_decided = request.GET.get("show") == "decided"
    waiting = [] if is_decided else inbox.waiting(team, person, sort=sort, text=text)
    decided: list[ApprovalRequest] = []
    if is_decided:
        found = inbox.decided(team, text)
        last = number_of(request.GET.get("from", ""))
        decided = list((found.filter(pk__lt=last) if last is not None else found)[: PER_PAGE + 1])
    query = request.GET.copy()
    query.pop("from", None)
    context = {
        "mine": [_line(request, each) for each in waiting if each.is_mine],
        "others": [_line(request, each) for each in waiting if not each.is_mine],
        "is_decided": is_decided,
        "decided": [(each, approval_cards.tone_of(each)) for each in decided[:PER_PAGE]],
        "next": decided[PER_PAGE - 1].pk if len(decided) > PER_PAGE else "",
        "query": query.urlencode(),
        "q": text,
        "sort": sort,
        "sorts": [(key, label) for key, (label, _) in inbox.SORTS.items()],
        "most": inbox.MOST_OPEN if len(waiting) == inbox.MOST_OPEN else 0,
    }
    return page(request, "approvals/list.html", context, title="Approvals")


@dataclass(frozen=True)
class _Line:
    """A row of the inbox. `is_looked_at` says that this person has opened exactly what it asks for."""

    waiting: Waiting
    is_looked_at: bool


def _line(request: HttpRequest, each: Waiting) -> _Line:
    return _Line(each, _is_looked_at(request, each.request))


def _look(request: HttpRequest, shown: ApprovalRequest) -> None:
    """Remember in the session that this person was shown the request with the content that it has now."""
    known = dict(request.session.get(_LOOKED_AT, {}))
    known.pop(str(shown.pk), None)
    known[str(shown.pk)] = shown.fingerprint
    request.session[_LOOKED_AT] = dict(list(known.items())[-inbox.MOST_OPEN :])


def _is_looked_at(request: HttpRequest, shown: ApprovalRequest) -> bool:
    found: bool = request.session.get(_LOOKED_AT, {}).get(str(shown.pk)) == shown.fingerprint
    return found


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def approval(request: HttpRequest, approval_id: int) -> HttpResponse:
    """One request: the document as it will be written, the checks, what started it, what differs; and deciding."""
    shown, person = _approval_or_404(request, approval_id), _person(request)
    problem = ""
    if request.method == "POST":
        try:
            messages.success(request, _decide(request, shown, person))
            return redirect(_next(request, person))
        except NotAllowedNowError as error:
            problem = error.message
            shown = _approval_or_404(request, approval_id)
    right = deciding.right(shown, person)
    is_open = shown.status == ApprovalRequest.Status.OPEN
    if is_open and not problem:
        _look(request, shown)
    run = shown.run
    context = {
        "shown": shown,
        "card": approval_cards.approval_card(shown),
        "is_open": is_open,
        "right": right,
        "may_decide": is_open and not right.obstacle,
        "is_superuser": person.is_superuser,
        "event": run.event if run is not None else None,
        "event_facts": labelled_values(run.event.data) if run is not None else [],
        "problem": problem,
        "reason": request.POST.get("reason", ""),
    }
    return page(request, "approvals/approval.html", context, title=str(shown))


def _decide(request: HttpRequest, shown: ApprovalRequest, person: User) -> str:
    """Returns what is said afterwards. Raises NotAllowedNowError."""
    do, seen = request.POST.get("do", ""), request.POST.get("shown", "")
    reason = request.POST.get("reason", "").strip()[:2000]
    if do == "approve":
        is_last = deciding.approve(shown, by=person, shown=seen, reason=reason)
        return f"{shown} is approved{'; it is being written' if is_last else ', and waits for the next approval'}."
    if do == "refuse":
        deciding.refuse(shown, by=person, shown=seen, reason=reason)
        return f"{shown} is refused; nothing is sent."
    if do == "break_glass":
        deciding.break_glass(shown, by=person, shown=seen, reason=reason)
        return f"{shown} is let go without its approvals. Everybody of the team hears of it."
    raise NotAllowedNowError("Choose whether to approve or to refuse it.")


def _next(request: HttpRequest, person: User) -> str:
    """The next request that waits for the person, else the list."""
    mine = next((each for each in inbox.waiting(team_of(request), person) if each.is_mine), None)
    return reverse("approval", args=[mine.request.pk]) if mine is not None else reverse("approvals")


@recently_signed_in
@require_POST
@allow(Can.LOOK)
def approve_several(request: HttpRequest) -> HttpResponse:
    """Ask whether to approve all those that were chosen, and do it once that is confirmed, one by one."""
    team, person = team_of(request), _person(request)
    wanted = {pk for each in request.POST.getlist("approval") if (pk := number_of(each)) is not None}
    chosen = [
        each
        for each in inbox.waiting(team, person)
        if each.request.pk in wanted and each.is_mine and _is_looked_at(request, each.request)
    ]
    if not chosen:
        messages.warning(request, "Choose those that you have looked at and that wait for you.")
        return redirect("approvals")
    if request.POST.get("confirmed") != "yes":
        context = {
            "chosen": [each.request for each in chosen],
            "totals": _totals(chosen),
            "left_out": len(wanted) - len(chosen),
        }
        return page(request, "approvals/several.html", context, title="Approve several")
    reason, done = request.POST.get("reason", "").strip()[:2000], 0
    for each in chosen:
        seen = request.POST.get(f"shown_{each.request.pk}", "")
        try:
            deciding.approve(each.request, by=person, shown=seen, reason=reason)
        except NotAllowedNowError as error:
            messages.warning(request, f"{each.request} is not approved. {error.message}")
        else:
            done += 1
    if done:
        messages.success(request, f"{done} {'is' if done == 1 else 'are'} approved.")
    return redirect("approvals")


def _totals(chosen: list[Waiting]) -> list[tuple[str, Any]]:
    """What those with an amount come to, by currency."""
    found: dict[str, Any] = {}
    for each in chosen:
        if each.request.amount is not None:
            found[each.request.currency] = found.get(each.request.currency, 0) + each.request.amount
    return sorted(found.items())


def _approval_or_404(request: HttpRequest, approval_id: int) -> ApprovalRequest:
    mine = inbox.with_everything(ApprovalRequest.objects.filter(team=team_of(request).pk))
    mine = mine.select_related("workflow", "connection", "run__event__connection", "run__event__by", "version")
    found: ApprovalRequest = get_object_or_404(mine, pk=approval_id)
    return found


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
