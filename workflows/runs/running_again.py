"""Running a failed run again on a newer version: when that makes sense, and what it would write a second time.

The new run takes the place of the failed one, which ends as cancelled: were it retried as well, both would write. It
begins at the first step, so whatever the failed run has written would be written twice; a person sees what that is, and
confirms it. A run that another workflow called is left to the run that called it, which waits for its result.
"""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from workflows.models import Run, Step, StepRun, Workflow, WorkflowVersion

#: Of a run in these states the outcome is clear enough to begin anew.
ENDED_BADLY = (Run.Status.FAILED, Run.Status.CRASHED)
_UNCLEAR = (StepRun.State.SENT, StepRun.State.UNCERTAIN, StepRun.State.NEEDS_REVIEW)
#: Calls of workflows that are followed where very many runs are counted. One run alone is followed to the end.
_COUNTED_DEPTH = 2


def newer_version(run: Run) -> WorkflowVersion | None:
    """The published version, if the run can take place again on it: it is newer than the run's, and starts with what
    the run's event is."""
    published = run.workflow.published if run.workflow_id else None
    if published is None or run.workflow.deleted_at is not None or run.called_by_id is not None:
        return None
    return published if published.number > run.version.number and _takes(published, run) else None


def _takes(version: WorkflowVersion, run: Run) -> bool:
    trigger = version.plan["trigger"]
    return (trigger["operation"], trigger.get("connection")) == (run.event.operation, run.event.connection_id)


def is_unclear(run: Run) -> bool:
    """Whether one of its writes was sent and has no clear outcome."""
    return StepRun.objects.filter(run=run, state__in=_UNCLEAR).exists()


def written(run: Run) -> list[StepRun]:
    """What the run has written, and the runs that it called: the steps that would write a second time."""
    found: list[StepRun] = []
    level = [run.pk]
    while level:
        rows = StepRun.objects.filter(_writes(), run__in=level).select_related("connection__grant", "run__workflow")
        found.extend(rows.order_by("run_id", "position", "pk"))
        level = list(Run.objects.filter(called_by__in=level).values_list("pk", flat=True))
    return found


def _writes() -> Q:
    """Steps that have written, or that a person has done by hand."""
    return Q(kind=Step.Kind.ACTION, state=StepRun.State.SUCCEEDED) & ~Q(operation__in=list(_reading()))


def _reading() -> Iterable[str]:
    return (each.full_key for each in registry.actions() if _reads(each))


def _reads(action: Action) -> bool:
    return action.effect is Effect.READS


def fitting(found: QuerySet[Run]) -> QuerySet[Run]:
    """Those of the runs that can take place again on a newer version."""
    newer = found.filter(
        status__in=ENDED_BADLY,
        trimmed_at__isnull=True,
        called_by__isnull=True,
        workflow__deleted_at__isnull=True,
        workflow__published__number__gt=F("version__number"),
    ).exclude(Exists(StepRun.objects.filter(run=OuterRef("pk"), state__in=_UNCLEAR)))
    of_same_start = Q(pk__in=[])
    workflows = Workflow.objects.filter(pk__in=newer.order_by().values("workflow").distinct())
    for workflow in workflows.select_related("published"):
        assert workflow.published is not None
        trigger = workflow.published.plan["trigger"]
        of_same_start |= Q(
            workflow=workflow, event__operation=trigger["operation"], event__connection=trigger.get("connection")
        )
    return newer.filter(of_same_start)


def having_written(runs: QuerySet[Run]) -> QuerySet[Run]:
    """Those of the runs that have written something, themselves or by a workflow that they called."""
    within = Q(pk__in=[])
    for depth in range(_COUNTED_DEPTH + 1):
        path = "__".join(["run", *["called_by"] * depth])
        within |= Q(Exists(StepRun.objects.filter(_writes(), **{path: OuterRef("pk")})))
    return runs.filter(within)
