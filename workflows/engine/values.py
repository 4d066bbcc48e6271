"""Steps that only work something out or decide: format, lookup, stop. Nothing leaves the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows import mapping
from workflows.engine import steps
from workflows.engine.outcomes import StoppedError
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.walk import Walk


def evaluated(walk: Walk, step: Mapping[str, Any], step_run: StepRun, sources: Mapping[str, Any]) -> dict[str, Any]:
    """The mappings worked out, by name. Raises StepFailedError with a sentence per value that cannot be."""
    context = walk.context(walk.home(step))
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, source in sources.items():
        try:
            if isinstance(source, list):
                found[name] = [
                    {column: mapping.evaluate(each, walk.data, context) for column, each in row.items()}
                    for row in source
                ]
            else:
                found[name] = mapping.evaluate(source, walk.data, context)
        except mapping.MappingError as error:
            problems[name] = error.message
    steps.note_tables(step_run, context.tables)
    if problems:
        step_run.problems = problems
        said = " ".join(f"{name}: {message}" for name, message in problems.items())
        raise steps.fail(walk, step_run, f"Some values cannot be worked out: {said}")
    step_run.problems = None
    return found


def format_values(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Name values: each becomes an output of the step."""
    step_run.output = evaluated(walk, step, step_run, step["values"])
    steps.succeed(walk, step_run)


def look_up(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """Look a value up in a lookup table. Output: `found`, `value`, and the columns of the row that was found."""
    tables = walk.lookup_tables()
    given = evaluated(
        walk, step, step_run, {name: step["inputs"][name] for name in ("value",) if name in step["inputs"]}
    )
    value = given.get("value")
    step_run.inputs = {"table": step["table"], "value": value}
    try:
        found = tables.find(step["table"], value)
    except mapping.MappingError as error:
        raise steps.fail(walk, step_run, error.message) from None
    steps.note_tables(step_run, tables)
    if found is not None:
        step_run.outcome = {"version": found.version}
        step_run.output = {**found.row, "value": found.value, "found": True}
    elif step["missing"] == "default":
        default = evaluated(walk, step, step_run, {"default": step["inputs"].get("default", "")})["default"]
        step_run.output = {"value": default, "found": False}
    else:
        what = f'"{value}"' if value not in (None, "") else "Nothing was given to look up, so it"
        raise steps.fail(
            walk, step_run, f"{what} is not in the lookup table “{step['table']}”. Add it there, then try again."
        )
    steps.succeed(walk, step_run)


def stop(walk: Walk, step: Mapping[str, Any], step_run: StepRun) -> None:
    """End the run with a message. Raises StoppedError, also where the run counts as failed by it."""
    message = evaluated(walk, step, step_run, {"message": step["inputs"].get("message", "")})["message"]
    text = str(message) if message not in (None, "") else f"Stopped at “{step_run.name}”."
    step_run.outcome = {"as": step["as"], "explanation": text}
    if step["as"] == "failed":
        # A failed step, so that a person can try again from here, or skip it.
        step_run.error = text
        steps.fail(walk, step_run, text)
    else:
        step_run.output = {"message": text}
        steps.succeed(walk, step_run)
    insist(step_run)


def insist(step_run: StepRun) -> None:
    """Hold what a stop step has decided. Raises StoppedError."""
    outcome = step_run.outcome or {}
    raise StoppedError(outcome.get("as", "succeeded"), outcome.get("explanation", ""))
