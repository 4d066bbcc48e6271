"""Holds: new runs that wait for a person, because there are too many of them or because workflows start each other.

A filter set wrong, or a bulk import at the provider, must not fill the books before anybody has looked. So more new
runs that would write than a workflow's safeguards allow, from one look at the provider or within an hour, are stored
and held: nothing of them is written until a person lets them go, and nothing is lost if nobody does.

The same is done with a circle: what a workflow wrote started another, whose writing would now start the first again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from integrations import registry
from integrations.base import Effect
from integrations.clock import DatabaseNow, seconds
from integrations.models import Connection
from workflows import conditions, notices
from workflows.lookups import Reader
from workflows.mapping import MappingContext
from workflows.models import Notice, Run, Safeguards, Step, TriggerState, Workflow, WorkflowVersion
from workflows.organisation import context_of
from workflows.plans import each_step

#: A chain of workflows that start one another, none of them twice, is held when it is longer than this.
LONGEST_CHAIN = 10
_HOUR = 3600


@dataclass
class Look:
    """What one look at the provider has started so far, by workflow, and which workflows it holds back."""

    started: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    holding: set[int] = field(default_factory=set)


def judge(state: TriggerState, runs: Sequence[Run], look: Look) -> None:
    """Make those of the new runs wait that a person has to let go. They are not stored yet; earlier ones of the same
    look that no worker has taken up are held with them. Called within the transaction that stores them."""
    by_workflow: dict[int, list[Run]] = defaultdict(list)
    for run in _outside_circles(runs):
        by_workflow[run.workflow_id].append(run)
    limits = {each.workflow_id: each for each in Safeguards.objects.filter(workflow__in=list(by_workflow))}
    for pk, its in by_workflow.items():
        workflow, version = its[0].workflow, its[0].version
        if writes(version):
            _judge_number(state, workflow, its, look, limits.get(pk) or Safeguards(workflow=workflow))


def _judge_number(state: TriggerState, workflow: Workflow, runs: list[Run], look: Look, limits: Safeguards) -> None:
    earlier = look.started[workflow.pk]
    is_held = workflow.pk in look.holding
    reason = _too_many(state, limits) if is_held else ""
    known = [*earlier, *runs]
    if not is_held and limits.hold_above and len(known) > limits.hold_above:
        # What does not get past the filters need not be looked at again with the next page.
        known = _writing(known)
        reason = _too_many(state, limits) if len(known) > limits.hold_above else ""
    if not reason and limits.most_per_hour and _is_above(workflow, limits.most_per_hour, len(runs)):
        reason = (
            f"More than {limits.most_per_hour:,} runs of this workflow that would write began within an hour. "
            "Held until a person lets it go."
        )
    if not reason:
        look.started[workflow.pk] = known if limits.hold_above else []
        return
    held = _writing(runs)
    hold(held, reason)
    before = [run.pk for run in _writing(earlier)]
    unclaimed = Run.objects.filter(pk__in=before, status=Run.Status.QUEUED, claims=0)
    caught_up = unclaimed.update(
        status=Run.Status.WAITING, wait_reason=Run.WaitReason.HOLD, waiting_since=DatabaseNow(), error=reason
    )
    look.started[workflow.pk] = []
    look.holding.add(workflow.pk)
    if held or caught_up:
        _tell(workflow, Notice.Kind.HELD, "runs are held", reason, times=0 if is_held else 1)


def _too_many(state: TriggerState, limits: Safeguards) -> str:
    return (
        f"One look at {state.connection.name} found more than {limits.hold_above:,} new items for which this workflow "
        "would write. Held until a person lets it go."
    )


def _is_above(workflow: Workflow, most: int, more: int) -> bool:
    """Whether more than so many runs that were not filtered began within the hour, with those that are to begin."""
    skipped = (Run.Status.FILTERED, Run.Status.CANCELLED)
    if more > most:
        return True
    begun = Run.objects.filter(workflow=workflow, created_at__gt=DatabaseNow() - seconds(_HOUR))
    return begun.exclude(status__in=skipped).order_by("-pk").values("pk")[most - more : most - more + 1].exists()


def hold(runs: Iterable[Run], reason: str) -> None:
    """Make runs that are not stored yet wait for a person."""
    for run in runs:
        run.status, run.wait_reason = Run.Status.WAITING, Run.WaitReason.HOLD
        run.waiting_since, run.error = timezone.now(), reason


def _tell(workflow: Workflow, kind: Notice.Kind, words: str, text: str, *, times: int = 1) -> None:
    matter = notices.Matter(workflow.team_id, kind, title=f"{workflow.name}: {words}", text=text, workflow=workflow)
    notices.tell(matter, times=times)


# --- circles --------------------------------------------------------------------------------------------------------


def _outside_circles(runs: Sequence[Run]) -> list[Run]:
    """Those that no circle leads to; the others are held."""
    known: dict[int, tuple[int | None, int]] = {}
    outside = []
    told: set[int] = set()
    for run in runs:
        reason = _circle(run, known) if run.caused_by_id is not None else ""
        if not reason:
            outside.append(run)
            continue
        hold([run], reason)
        if run.workflow_id not in told:
            told.add(run.workflow_id)
            _tell(run.workflow, Notice.Kind.LOOP, "it was started by what it led to", reason)
    return outside


def _circle(run: Run, known: dict[int, tuple[int | None, int]]) -> str:
    """Why the run must not start by itself: its workflow is among those that led to it, or they are too many."""
    chain: list[int] = []
    at = run.caused_by_id
    while at is not None and len(chain) <= LONGEST_CHAIN:
        if at not in known:
            row = Run.objects.filter(pk=at).values_list("caused_by_id", "called_by_id", "workflow_id").first()
            known[at] = (None, 0) if row is None else (row[0] or row[1], row[2])
        at, workflow = known[at]
        chain.append(workflow)
    if run.workflow_id in chain:
        between = list(dict.fromkeys(each for each in chain if each != run.workflow_id))
        names = dict(Workflow.objects.filter(pk__in=between).values_list("pk", "name"))
        others = ", ".join(f"“{names[each]}”" for each in reversed(between) if each in names)
        return (
            f"This workflow wrote something that started {others or 'another workflow'}, and what that wrote would "
            "start this one again. Held, so that they do not go on for ever: let it go if it is meant, else cancel it "
            "and tell them apart by a filter."
        )
    if len(chain) > LONGEST_CHAIN:
        return (
            f"More than {LONGEST_CHAIN} workflows in a row have started each other to get here. Held until a person "
            "lets it go."
        )
    return ""


# --- what a run would do ---------------------------------------------------------------------------------------------


def writes(version: WorkflowVersion) -> bool:
    """Whether any step of the version may write."""
    for step, _ in each_step(version.plan):
        if step["kind"] == Step.Kind.CALL:
            return True
        if step["kind"] != Step.Kind.ACTION:
            continue
        try:
            if registry.action(step["operation"]).effect is not Effect.READS:
                return True
        except registry.UnknownOperationError:
            continue
    return False


def _writing(runs: Sequence[Run]) -> list[Run]:
    """Those of one workflow's runs that get past the filters which come first, and those that cannot be told."""
    if not runs:
        return []
    context = _context(runs[0])
    return [run for run in runs if would_write(run, context)]


def would_write(run: Run, context: MappingContext) -> bool:
    """Whether the run gets past the filters that come first; True where that cannot be told beforehand."""
    data = {"trigger": run.event.data, "steps": {}}
    for step in run.version.plan["steps"]:
        if step["kind"] != Step.Kind.FILTER:
            return True
        try:
            if not conditions.evaluate(step["conditions"], data, context).passed:
                return False
        except (conditions.ConditionError, KeyError, TypeError):
            return True
    return True


def _context(run: Run) -> MappingContext:
    """Dates, zones and tables as the organisation that is written to sees them."""
    found = Connection.objects.filter(pk=run.connection_id).first() if run.connection_id else None
    return context_of(found, now=timezone.now(), tables=Reader(run.team_id))
