"""Branch steps: the first path whose conditions are met is taken, and which one and why is recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.language import conditions
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Choose the first path whose conditions are met, and record which and why."""
    taken, looked_at = None, []
    mapping_context = context.mapping_context(context.home(step))
    for path in step["paths"]:
        line: dict[str, Any] = {"key": path["key"], "name": path["name"], "passed": True}
        if path["conditions"] is not None:
            try:
                line |= conditions.evaluate(path["conditions"], context.data, mapping_context).to_dict()
            except conditions.ConditionError as error:
                raise step_support.fail(context, step_run, f"{path['name']}: {error}") from None
        looked_at.append(line)
        if line["passed"]:
            taken = path["key"]
            break
    step_support.note_tables(step_run, mapping_context.tables)
    step_run.outcome, step_run.output = {"paths": looked_at}, {"path": taken}
    step_support.succeed(context, step_run)


def follow(step: Mapping[str, Any], step_run: StepRun) -> list[dict[str, Any]]:
    """The steps of the path that the branch has chosen; none where it chose none."""
    chosen = (step_run.output or {}).get("path")
    return next((path["steps"] for path in step["paths"] if path["key"] == chosen), [])


HANDLER = Handler(perform, follow=follow)
