"""What action steps give: fetched while building, else given in the last run, else invented."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from integrations.framework.base import Effect
from integrations.framework.registry import operation_or_none
from workflows.definitions.samples.cutting import cut
from workflows.definitions.samples.origin import Origin
from workflows.definitions.step_rows import step_inputs
from workflows.models import FetchedOutput, Run, Step, StepRun, Workflow

#: How many of the newest runs are searched for what a step gave.
_RUNS_OF_WORKFLOW, _RUNS_OF_TEAM = 20, 200


@dataclass(frozen=True)
class StepSample:
    """What an action step gives. `at` is when it gave that; None for an invented output."""

    output: dict[str, Any]
    origin: Origin
    at: datetime | None = None


def step_sample(step: Step) -> StepSample:
    """What this action step gives: fetched, else from the last run, else invented."""
    return step_samples(step.workflow, [step])[step.pk]


def step_samples(workflow: Workflow, steps: Iterable[Step]) -> dict[int, StepSample]:
    """The same for many action steps at once, by their ids; at most five queries however many they are."""
    wanted = {step.pk: step for step in steps if operation_or_none(step.operation) is not None}
    found = _fetched(wanted)
    for known in (_from_own_runs, _from_the_team):
        lacking = [step for pk, step in wanted.items() if pk not in found]
        found |= known(workflow, lacking) if lacking else {}
    return {pk: found.get(pk) or _invented_output(step) for pk, step in wanted.items()}


def keep_fetched(step: Step, output: Mapping[str, Any]) -> None:
    """Keep what a reading step gave just now as its sample."""
    kept, is_cut = cut(dict(output))
    _note_fetched(step, output=kept, is_cut=is_cut, fetched_at=timezone.now(), error="")


def note_not_fetched(step: Step, error: str) -> None:
    """Note why a reading step could not be fetched; what it gave before stays, unless it did something else then."""
    known = FetchedOutput.objects.filter(step=step).first()
    kept = {} if known is not None and _fits(known, step) else {"output": None, "is_cut": False, "fetched_at": None}
    _note_fetched(step, error=error, **kept)


def fetched_of(step: Step) -> FetchedOutput | None:
    """What a reading step fetched with the operation and connection that it has now."""
    known = FetchedOutput.objects.filter(step=step).first()
    return known if known is not None and _fits(known, step) else None


def _note_fetched(step: Step, **values: Any) -> None:
    values |= {"operation": step.operation, "connection_id": step.connection_id}
    FetchedOutput.objects.update_or_create(step=step, defaults=values)


def _fits(known: FetchedOutput, step: Step) -> bool:
    return known.operation == step.operation and known.connection_id == step.connection_id


def _fetched(steps: Mapping[int, Step]) -> dict[int, StepSample]:
    rows = FetchedOutput.objects.filter(step__in=list(steps), output__isnull=False) if steps else []
    return {
        row.step_id: StepSample(dict(row.output or {}), Origin.REAL, row.fetched_at)
        for row in rows
        if _fits(row, steps[row.step_id])
    }


def _from_own_runs(workflow: Workflow, steps: Sequence[Step]) -> dict[int, StepSample]:
    """What each step gave when it last ran with the operation and connection that it has now."""
    newest = Run.objects.filter(workflow=workflow).order_by("-pk").values("pk")[:_RUNS_OF_WORKFLOW]
    rows = _given(StepRun.objects.filter(run__in=newest, step__in=[step.key for step in steps]))
    last: dict[tuple[str, str, int | None], int] = {}
    for pk, key, operation, connection in rows:
        last.setdefault((key, operation, connection), pk)
    return _outputs({step.pk: last.get((step.key, step.operation, step.connection_id)) for step in steps})


def _from_the_team(workflow: Workflow, steps: Sequence[Step]) -> dict[int, StepSample]:
    """What any step of the team with the same operation and connection gave last."""
    newest = Run.objects.filter(team=workflow.team_id).order_by("-pk").values("pk")[:_RUNS_OF_TEAM]
    rows = _given(StepRun.objects.filter(run__in=newest, operation__in={step.operation for step in steps}))
    last: dict[tuple[str, int | None], int] = {}
    for pk, _, operation, connection in rows:
        last.setdefault((operation, connection), pk)
    return _outputs({step.pk: last.get((step.operation, step.connection_id)) for step in steps})


def _given(rows: Any) -> Any:
    """Those that succeeded and whose output is still kept, the newest first."""
    succeeded = rows.filter(state=StepRun.State.SUCCEEDED, output__isnull=False).order_by("-pk")
    return succeeded.values_list("pk", "step", "operation", "connection")


def _outputs(chosen: Mapping[int, int | None]) -> dict[int, StepSample]:
    wanted = {pk for pk in chosen.values() if pk is not None}
    rows = StepRun.objects.filter(pk__in=wanted).only("output", "finished_at") if wanted else []
    given = {
        row.pk: StepSample(cut(row.output)[0], Origin.REAL, row.finished_at)
        for row in rows
        if isinstance(row.output, dict) and row.output
    }
    return {step: given[pk] for step, pk in chosen.items() if pk in given}


def _invented_output(step: Step) -> StepSample:
    operation = operation_or_none(step.operation)
    inputs = step_inputs(step)
    return StepSample(dict(operation.sample_of(inputs)) if operation else {}, Origin.INVENTED)


def is_fetchable(step: Step) -> bool:
    """Whether the step only reads, so that it can be fetched while building."""
    operation = operation_or_none(step.operation)
    return getattr(operation, "effect", None) is Effect.READS
