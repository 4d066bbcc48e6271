"""Holds: new runs that wait for a person, because there are too many of them or because workflows start each other.

A wrong filter, or a bulk import at the provider, must not fill the books before anybody has checked. If one poll or one
hour brings more new runs that would write than a workflow's safeguards allow, they are stored and held: they write
nothing until a person releases them, and nothing is lost if nobody does.

The same happens with a circle: what a workflow wrote started another one, whose write would now start the first again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.utils import timezone

from integrations.core.clock import DatabaseNow, DatabaseNowOnce, seconds
from integrations.framework import registry
from integrations.framework.base import Effect
from integrations.models import Connection
from workflows.definitions.mapping_context import context_of
from workflows.definitions.plans import called_workflow, each_step
from workflows.language import conditions
from workflows.language.mapping import MappingContext
from workflows.lookup_tables.lookup import Reader
from workflows.models import Notice, Run, Safeguards, Step, TriggerState, Workflow, WorkflowVersion
from workflows.notifications import notify

#: A chain of workflows that start one another, none of them twice, is held if it is longer than this.
LONGEST_CHAIN = 10
_HOUR = 3600


@dataclass
class PollSoFar:
    """What one poll has started so far, by workflow, and the workflows whose runs it holds."""

    started: dict[int, list[Run]] = field(default_factory=lambda: defaultdict(list))
    holding: set[int] = field(default_factory=set)


def judge(state: TriggerState, runs: Sequence[Run], look: PollSoFar) -> None:
    """Hold those of the new runs that a person has to release. They are not stored yet; earlier ones of the same poll
    that no worker has claimed are held with them. Called within the transaction that stores them."""
    by_workflow: dict[int, list[Run]] = defaultdict(list)
    for run in _outside_circles(runs):
        by_workflow[run.workflow_id].append(run)
    limits = {each.workflow_id: each for each in Safeguards.objects.filter(workflow__in=list(by_workflow))}
    for pk, its in by_workflow.items():
        workflow, version = its[0].workflow, its[0].version
        if writes(version):
            _judge_number(state, workflow, its, look, limits.get(pk) or Safeguards(workflow=workflow))


def _judge_number(
    state: TriggerState, workflow: Workflow, runs: list[Run], look: PollSoFar, limits: Safeguards
) -> None:
    earlier = look.started[workflow.pk]
    is_held = workflow.pk in look.holding
    reason = _too_many(state, limits) if is_held else ""
    known = [*earlier, *runs]
    if not is_held and limits.hold_above and len(known) > limits.hold_above:
        # Runs that do not pass the filters are not checked again with the next page.
        known = _writing(known)
        reason = _too_many(state, limits) if len(known) > limits.hold_above else ""
    if not reason and limits.most_per_hour and _is_above(workflow, limits.most_per_hour, len(runs)):
        reason = (
            f"More than {limits.most_per_hour:,} runs of this workflow that would write began within an hour. "
            "Held until a person releases it."
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
        _notify(workflow, Notice.Kind.HELD, "runs are held", reason, times=0 if is_held else 1)


def _too_many(state: TriggerState, limits: Safeguards) -> str:
    return (
        f"One check of {state.connection.name} found more than {limits.hold_above:,} new items for which this workflow "
        "would write. Held until a person releases it."
    )


def _is_above(workflow: Workflow, most: int, more: int) -> bool:
    """Whether more than `most` runs that passed the filters began within the hour, with `more` that are about to."""
    skipped = (Run.Status.FILTERED, Run.Status.CANCELLED)
    if more > most:
        return True
    begun = Run.objects.filter(workflow=workflow, created_at__gt=DatabaseNowOnce() - seconds(_HOUR))
    begun = begun.exclude(status__in=skipped).order_by("-created_at")
    # Not exists(): it drops the order, and with it the use of the index that finds the newest.
    return bool(begun.values_list("pk")[most - more : most - more + 1])


def hold(runs: Iterable[Run], reason: str) -> None:
    """Make runs that are not stored yet wait for a person."""
    for run in runs:
        run.status, run.wait_reason = Run.Status.WAITING, Run.WaitReason.HOLD
        run.waiting_since, run.error = timezone.now(), reason


def _notify(workflow: Workflow, kind: Notice.Kind, words: str, text: str, *, times: int = 1) -> None:
    matter = notify.Matter(workflow.team_id, kind, title=f"{workflow.name}: {words}", text=text, workflow=workflow)
    notify.notify(matter, times=times)


# --- circles --------------------------------------------------------------------------------------------------------


def _outside_circles(runs: Sequence[Run]) -> list[Run]:
    """The runs that are not part of a circle; the others are held."""
    known: dict[int, tuple[int | None, int]] = {}
    outside = []
    notified: set[int] = set()
    for run in runs:
        reason = _circle(run, known) if run.caused_by_id is not None else ""
        if not reason:
            outside.append(run)
            continue
        hold([run], reason)
        if run.workflow_id not in notified:
            notified.add(run.workflow_id)
            _notify(run.workflow, Notice.Kind.LOOP, "it was started by what it led to", reason)
    return outside


def _circle(run: Run, known: dict[int, tuple[int | None, int]]) -> str:
    """Why the run must not start by itself: its workflow is among those that led to it, or the chain is too long."""
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
        if called_workflow(step) is not None:
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
    """Those of one workflow's runs that pass the filters at the beginning, or for which that cannot be known yet."""
    if not runs:
        return []
    context = _context(runs[0])
    return [run for run in runs if would_write(run, context)]


def would_write(run: Run, context: MappingContext) -> bool:
    """Whether the run passes the filters at the beginning; True if that cannot be known beforehand."""
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
    """The mapping context of the organisation that the run writes to: dates, time zone, tables."""
    found = Connection.objects.filter(pk=run.connection_id).first() if run.connection_id else None
    return context_of(found, now=timezone.now(), tables=Reader(run.team_id))
