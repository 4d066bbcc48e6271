"""Lookup steps: a value in, the row of a lookup table out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.engine import step_support
from workflows.engine.kinds.base import Handler, RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.language import mapping
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def perform(context: RunContext, step: Mapping[str, Any], step_run: StepRun, run_steps: RunSteps) -> None:
    """Look a value up in a lookup table. Output: `found`, `value`, and the columns of the row that was found."""
    tables = context.lookup_tables()
    given = evaluated(
        context, step, step_run, {name: step["inputs"][name] for name in ("value",) if name in step["inputs"]}
    )
    value = given.get("value")
    step_run.inputs = {"table": step["table"], "value": value}
    try:
        found = tables.find(step["table"], value)
    except mapping.MappingError as error:
        raise step_support.fail(context, step_run, error.message) from None
    step_support.note_tables(step_run, tables)
    if found is not None:
        step_run.outcome = {"version": found.version}
        step_run.output = {**found.row, "value": found.value, "found": True}
    elif step["missing"] == "default":
        default = evaluated(context, step, step_run, {"default": step["inputs"].get("default", "")})["default"]
        step_run.output = {"value": default, "found": False}
    else:
        what = f'"{value}"' if value not in (None, "") else "Nothing was given to look up, so it"
        raise step_support.fail(
            context, step_run, f"{what} is not in the lookup table “{step['table']}”. Add it there, then try again."
        )
    step_support.succeed(context, step_run)


HANDLER = Handler(perform)
