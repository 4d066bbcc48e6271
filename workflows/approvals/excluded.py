"""Who is involved in a run, and so may neither approve its writes nor, where the team says so, let it go."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from integrations.audit.actions import Audited
from integrations.models import AuditEntry, Membership
from workflows.definitions.kinds import MOST_CALLS
from workflows.models import Decision, PublicationRequest, Run, WorkflowVersion

_EDITS = (Audited.WORKFLOW_EDITED, Audited.WORKFLOW_CREATED)
_STARTS = (Decision.What.REPLAY, Decision.What.RUN_AGAIN)


def involved(run: Run) -> dict[int, str]:
    """The ids of the people, each with the reason as a key of `ApprovalExclusion.WHY`.

    They published its version, edited the workflow since the version before, started it or the run that called it, or
    had it run once more; or they have the mail address of somebody who did: one person with two accounts.
    """
    found = authors(run.version)
    for pk in _starters(run):
        found.setdefault(pk, "started")
    for pk in _same_address(run.team_id, found):
        found.setdefault(pk, "same_address")
    return found


def authors(version: WorkflowVersion) -> dict[int, str]:
    """Who published the version, and who edited the workflow between the version before and it."""
    found = {version.published_by_id: "published"} if version.published_by_id else {}
    asked = PublicationRequest.objects.filter(version=version.pk, asked_by__isnull=False)
    found |= dict.fromkeys(asked.values_list("asked_by", flat=True), "published")
    before = WorkflowVersion.objects.filter(workflow=version.workflow_id, number__lt=version.number)
    since = before.order_by("-number").values_list("published_at", flat=True).first()
    for pk in editors(version.workflow_id, since=since, until=version.published_at):
        found.setdefault(pk, "edited")
    return found


def editors(workflow: int, *, since: object = None, until: object = None) -> list[int]:
    """Who edited the workflow between two moments, or since the first, by the audit trail."""
    edits = AuditEntry.objects.filter(
        action__in=_EDITS, object_type="workflow", object_id=str(workflow), person__isnull=False
    )
    if since is not None:
        edits = edits.filter(at__gte=since)
    if until is not None:
        edits = edits.filter(at__lte=until)
    return [pk for pk in edits.order_by().values_list("person", flat=True).distinct() if pk is not None]


def same_person(one: User, other: User) -> bool:
    """Whether two accounts are one person's, as far as their addresses tell."""
    return one.pk == other.pk or bool(one.email and plain_address(one.email) == plain_address(other.email))


def plain_address(address: str) -> str:
    """The mailbox that an address leads to: without what follows a plus sign, and without case."""
    name, at, host = address.strip().lower().rpartition("@")
    return f"{name.partition('+')[0]}{at}{host}"


def _starters(run: Run) -> list[int]:
    """Who started the run at the top of the calls that led here, or had it run once more."""
    top = run
    for _ in range(MOST_CALLS + 1):
        if top.called_by is None:
            break
        top = top.called_by
    once_more = Decision.objects.filter(
        run__event=top.event_id, run__workflow=top.workflow_id, what__in=_STARTS, by__isnull=False
    )
    began = [top.event.by_id] if top.event.by_id else []
    return [*began, *once_more.order_by("pk").values_list("by", flat=True)]


def _same_address(team: int, known: Iterable[int]) -> list[int]:
    people = User.objects.filter(pk__in=list(known)).exclude(email="")
    addresses = {plain_address(address) for address in people.values_list("email", flat=True)}
    if not addresses:
        return []
    members = Membership.objects.filter(team=team).exclude(user__email="").values_list("user", "user__email")
    return [pk for pk, address in members if plain_address(address) in addresses]
