"""Taking back what a run has written: what there is to take back, and starting the run that does it.

That run is of the same workflow and version, with a step for each posting, the newest first. It writes as all runs do:
by the step protocol, and past the same policies and guards. Callers check permissions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.core.errors import IntegrationError
from integrations.framework import registry
from integrations.framework.base import Action
from integrations.transport.call_budget import Purpose
from workflows.books.undo import looking
from workflows.books.undo.looking import Prospect
from workflows.models import Decision, Event, Posting, Run, Undo
from workflows.models.execution import UNDO
from workflows.publishing.activation import NotAllowedNowError
from workflows.runtime.broker import wake_worker
from workflows.triggers import intake

#: So many are looked at and taken back at once: each costs the provider a call or two while a person waits.
MOST = 20
_SECONDS_OF_A_CALL = 8.0


def written(run: Run, *, iteration: str = "", posting: int | None = None) -> QuerySet[Posting]:
    """The run's postings, or those of one iteration of its loop and of loops inside it, or one; the newest first."""
    found = Posting.objects.filter(run=run)
    if iteration:
        found = found.filter(Q(iteration=iteration) | Q(iteration__startswith=f"{iteration}."))
    if posting is not None:
        found = found.filter(pk=posting)
    found = found.select_related("step_run", "connection__grant", "workflow").prefetch_related("lines")
    return found.order_by("-step_run_id")


def at_once(found: QuerySet[Posting]) -> tuple[list[Posting], bool]:
    """As many of the postings as are looked at together, and whether there are more. Of too many, those that are taken
    back already and those that never can be are left out."""
    first = list(found[: MOST + 1])
    if len(first) > MOST:
        lacking = [key for key in set(found.order_by().values_list("operation", flat=True)) if not _can_undo(key)]
        left = found.exclude(undos__state=Undo.State.DONE).exclude(operation__in=lacking)
        first = list(left[: MOST + 1])
    return first[:MOST], len(first) > MOST


def _can_undo(key: str) -> bool:
    action = registry.operation_or_none(key)
    return isinstance(action, Action) and not action.no_undo


def last_undos(postings: Iterable[Posting]) -> dict[int, Undo]:
    """The undo of each posting that is done or under way, with its run, by the posting's key."""
    rows = Undo.objects.filter(posting__in=list(postings), state__in=[Undo.State.ASKED, Undo.State.DONE])
    return {each.posting_id: each for each in rows.select_related("run") if each.is_done or is_under_way(each)}


def is_under_way(undo: Undo) -> bool:
    """Whether its run still works on it, or waits for a person to say what became of it."""
    return undo.state == Undo.State.ASKED and (undo.run.is_open or undo.run.status == Run.Status.NEEDS_REVIEW)


@dataclass
class Looked:
    """What was found out about some postings, by key; `trouble` says why nothing was about the others."""

    prospects: dict[int, Prospect] = field(default_factory=dict)
    trouble: dict[int, str] = field(default_factory=dict)


def look(postings: Iterable[Posting]) -> Looked:
    """Read each as it is now, and what would be sent to take it back. Sends nothing. Raises none of the providers'
    errors."""
    found = Looked()
    groups: dict[tuple[str, int | None], list[Posting]] = {}
    for each in postings:
        groups.setdefault((each.operation, each.connection_id), []).append(each)
    for (operation, _), group in groups.items():
        action = registry.operation_or_none(operation)
        if not isinstance(action, Action):
            found.trouble |= {each.pk: "The action that wrote it is not available here any more." for each in group}
            continue
        found.trouble |= {each.pk: why for each in group if (why := looking.reason_against(action, each))}
        group = [each for each in group if each.pk not in found.trouble]
        if group:
            _look(action, group, found)
    return found


def _look(action: Action, group: list[Posting], found: Looked) -> None:
    connection = group[0].connection
    api = action.connector.client_class(connection, purpose=Purpose.PERSON, longest=_SECONDS_OF_A_CALL)
    try:
        found.prospects |= {each.posting.pk: each for each in looking.look(action, api, group)}
    except IntegrationError as error:
        found.trouble |= {each.pk: f"It cannot be looked at now: {error.message}" for each in group}


def take_back(run: Run, accepted: Mapping[int, str], *, by: User, reason: str) -> Run:
    """Start the run that takes back these postings of the run, given by key with the digest of the changes that the
    person has seen and accepts, "" where there are none. Raises NotAllowedNowError."""
    if not reason.strip():
        raise NotAllowedNowError("Say why it is taken back.")
    try:
        with transaction.atomic():
            return _take_back(run, accepted, by, reason.strip())
    except IntegrityError:
        raise NotAllowedNowError("Somebody else has just asked for the same. Look at the run again.") from None


def _take_back(run: Run, accepted: Mapping[int, str], by: User, reason: str) -> Run:
    locked = Run.objects.select_for_update(of=("self",)).select_related("workflow", "version", "event").get(pk=run.pk)
    if locked.is_open:
        raise NotAllowedNowError("The run is still under way; cancel it or let it end first.")
    chosen = list(written(locked).filter(pk__in=list(accepted)))
    if not chosen or len(chosen) < len(accepted):
        raise NotAllowedNowError("Choose at least one document of this run." if not accepted else "It is not there.")
    if len(chosen) > MOST:
        raise NotAllowedNowError(f"At most {MOST} documents are taken back at once.")
    for undo in last_undos(chosen).values():
        done = "has been taken back" if undo.is_done else "is being taken back"
        raise NotAllowedNowError(f"{undo.posting} {done} by run {undo.run_id}. Look at the run again.")
    Undo.objects.filter(posting__in=chosen, state=Undo.State.ASKED).update(state=Undo.State.DROPPED)
    made = _undo_run(locked, chosen, by, reason)
    Undo.objects.bulk_create(
        Undo(run=made, posting=each, step=f"undo_{number}", position=number, accepts=accepted[each.pk])
        for number, each in enumerate(chosen, start=1)
    )
    Decision.objects.create(run=locked, what=Decision.What.UNDO, by=by, reason=reason)
    about = About("run", locked.pk, f"Run {locked.pk} of {locked.workflow.name}")
    names = ", ".join(str(each) for each in chosen)
    after = {"Taken back by": f"Run {made.pk}", "Documents": names[:1000]}
    record(Audited.RUN_UNDO, team_id=locked.team_id, about=about, by=by, reason=reason, after=after)
    wake_worker()
    return made


def _undo_run(run: Run, chosen: list[Posting], by: User, reason: str) -> Run:
    count = Event.objects.filter(starts=run.workflow_id, key__startswith=f"undo:{run.pk}:").count()
    event = Event.objects.create(
        team_id=run.team_id,
        starts=run.workflow,
        operation=UNDO,
        key=f"undo:{run.pk}:{count + 1}",
        data={"reason": reason, "run": run.pk, "documents": [str(each) for each in chosen]},
        by=by,
    )
    made = intake.new_run(run.workflow, run.version, event)
    made.title = _title(chosen, run)
    made.connection_id = chosen[0].connection_id
    made.save()
    return made


def _title(chosen: list[Posting], run: Run) -> str:
    what = str(chosen[0]) if len(chosen) == 1 else f"{len(chosen)} documents of run {run.pk}"
    return f"Take back {what}"[:200]
