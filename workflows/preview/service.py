"""Preview a workflow with an item, and keep the result. Usable from a request and from a worker alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from integrations.framework.checks import Facts
from workflows.definitions.kinds import ITERATION
from workflows.engine import interpreter
from workflows.models import Preview, Run, StepRun, Workflow, WorkflowVersion
from workflows.preview import storing
from workflows.preview.context import PreviewContext, new_run
from workflows.preview.ending import Ending, ending_of
from workflows.preview.limits import Limits, Walk
from workflows.preview.performer import stand_ins
from workflows.preview.predictions.last_outputs import LastOutputs
from workflows.preview.pruning import fails_before, up_to
from workflows.preview.rows import PreviewRow


@dataclass(frozen=True)
class Walked:
    """What came of walking a plan, in memory. `notes` are sentences about what was left out, `forced` the keys at which
    it went on although a run would not, `facts` is what checks have read, by connection."""

    run: Run
    ending: Ending
    rows: list[PreviewRow]
    notes: list[str]
    forced: list[str]
    facts: Mapping[int, Facts]


def walk(
    workflow: Workflow,
    plan: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    upto: str | None = None,
    fail_step: str | None = None,
    force: Collection[str] = (),
    limits: Limits | None = None,
    known: Mapping[int, Facts] | None = None,
    last: LastOutputs | None = None,
) -> Walked:
    """Walk the plan with the trigger's data, write nothing and store nothing. Reads are real; what checks have read in
    walks before is `known`, and `last` what was read of earlier runs.

    `upto` is the key of the step to end after; where it is on an error path, the step before that is taken as failed.
    `force` are the keys of filters and stops to go on at, and of paths to take, whatever a run would do.
    """
    steps = up_to(plan["steps"], upto) if upto else plan["steps"]
    fails = fail_step or (fails_before(plan["steps"], upto) if upto else "")
    version = WorkflowVersion(workflow=workflow, number=_number(workflow, plan), plan=plan)
    under_way = Walk(limits or Limits(), known=known or {}, last=last or LastOutputs())
    run = new_run(workflow, version, data)
    context = PreviewContext.of(run, under_way, stand_ins=stand_ins(), fail_step=fails, force=force)
    ending = ending_of(lambda: interpreter.run_steps(context, steps))
    if ending.status == Preview.Status.DONE and (failed := _failed(context.rows)):
        under_way.note(f"A run would go on over what fails: {', '.join(failed)}.")
    return Walked(context.run, ending, context.rows, under_way.notes, under_way.forced, under_way.facts)


def preview(
    workflow: Workflow,
    plan: Mapping[str, Any],
    data: Mapping[str, Any],
    *,
    by: User | None,
    upto: str | None = None,
    fail_step: str | None = None,
    force: Collection[str] = (),
    version: WorkflowVersion | None = None,
    title: str = "",
    origin: str = Preview.Origin.INVENTED,
    item: str = "",
    limits: Limits | None = None,
) -> Preview:
    """Walk the plan as `walk` does and keep the result for a week. `version` is given where the plan is a version's.

    `title`, `origin` and `item` say which item the data is.
    """
    walked = walk(workflow, plan, data, upto=upto, fail_step=fail_step, force=force, limits=limits)
    made = Preview(
        by=by,
        version=version,
        title=(title or walked.run.title)[:200],
        origin=origin,
        item=item,
        upto=upto or "",
        fail_step=fail_step or "",
        forced=walked.forced or None,
        notes=walked.notes,
    )
    return storing.store(made, walked.run, walked.ending, walked.rows)


def _failed(rows: Iterable[PreviewRow]) -> list[str]:
    """The names of the steps that fail, each once."""
    failed = (row.step_run for row in rows if row.step_run.state == StepRun.State.FAILED)
    return list(dict.fromkeys(step_run.name for step_run in failed if step_run.kind != ITERATION))


def _number(workflow: Workflow, plan: Mapping[str, Any]) -> int:
    """The number of the version that the plan is, or would become."""
    last = workflow.versions.order_by("-number").only("number", "plan").first()
    if last is None:
        return 1
    return last.number if last.plan == plan else last.number + 1
