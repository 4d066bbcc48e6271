"""What waits for a person's approval, and finding requests that were decided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, Q, QuerySet

from integrations.models import Team
from workflows.approvals import deciding
from workflows.approvals.quorum import Right, standing
from workflows.models import ApprovalRequest

#: More that wait than a person can look through at once are left for the next time the list is opened.
MOST_OPEN = 200
SORTS: dict[str, tuple[str, tuple[Any, ...]]] = {
    "asked": ("Longest waiting first", ("pk",)),
    "-asked": ("Newest first", ("-pk",)),
    "expires": ("Expires first", ("expires_at", "pk")),
    "-amount": ("Largest amount first", (F("amount").desc(nulls_last=True), "pk")),
}


@dataclass(frozen=True)
class Waiting:
    """A request that waits, and what the person may do with it."""

    request: ApprovalRequest
    right: Right

    @property
    def is_mine(self) -> bool:
        """Whether it waits for this person."""
        return not self.right.obstacle


def with_everything(requests: QuerySet[ApprovalRequest]) -> QuerySet[ApprovalRequest]:
    """With all that lists and rights read, in a few queries for all of them."""
    return requests.select_related("workflow", "connection", "run").prefetch_related(
        "exclusions__user", "approvals__by", "approvals__on_behalf_of"
    )


def waiting(team: Team, user: User, *, sort: str = "asked", text: str = "") -> list[Waiting]:
    """The team's open requests, those that wait for this person first."""
    order = SORTS.get(sort, SORTS["asked"])[1]
    found = with_everything(find(team, text)).filter(status=ApprovalRequest.Status.OPEN).order_by(*order)
    rows = [Waiting(each, right) for each, right in rights(found[:MOST_OPEN], team, user)]
    return sorted(rows, key=lambda each: not each.is_mine)


def rights(requests: Iterable[ApprovalRequest], team: Team, user: User) -> list[tuple[ApprovalRequest, Right]]:
    """Each request with what the person may do with it, roles and delegations being read once."""
    rows: Sequence[ApprovalRequest] = list(requests)
    days = {each.pk: deciding.today_of(each) for each in rows}
    known = {day: standing(team.pk, user, today=day) for day in set(days.values())}
    return [(each, deciding.right(each, user, known=known[days[each.pk]])) for each in rows]


def decided(team: Team, text: str = "") -> QuerySet[ApprovalRequest]:
    """Requests that do not wait any more, the newest first."""
    return with_everything(find(team, text)).exclude(status=ApprovalRequest.Status.OPEN).order_by("-pk")


def find(team: Team, text: str) -> QuerySet[ApprovalRequest]:
    """Those whose document, contact, organisation or workflow has the text."""
    found: QuerySet[ApprovalRequest] = ApprovalRequest.objects.filter(team=team.pk)
    if text:
        named = Q(title__icontains=text) | Q(contact__icontains=text) | Q(organisation__icontains=text)
        found = found.filter(named | Q(workflow__name__icontains=text))
    return found
