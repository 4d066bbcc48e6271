"""The mappings of a step without an operation, evaluated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from workflows.definitions import kinds
from workflows.engine import step_support
from workflows.language import mapping
from workflows.models import StepRun

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def evaluated(
    context: RunContext, step: Mapping[str, Any], step_run: StepRun, sources: Mapping[str, Any]
) -> dict[str, Any]:
    """The values of the mappings, by name. Raises StepFailedError with a sentence per value that has none."""
    mapping_context = context.mapping_context(context.home(step))
    found: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for name, source in sources.items():
        try:
            if isinstance(source, list):
                found[name] = [
                    {column: mapping.evaluate(each, context.data, mapping_context) for column, each in row.items()}
                    for row in source
                ]
            else:
                found[name] = mapping.evaluate(source, context.data, mapping_context)
        except mapping.MappingError as error:
            problems[name] = error.message
    step_support.note_tables(step_run, mapping_context.tables)
    if problems:
        step_run.problems = problems
        labels = {f.name: f.label for f in kinds.of(step["kind"]).inputs}
        sentences = " ".join(f"{labels.get(name, name)}: {message}" for name, message in problems.items())
        raise step_support.fail(context, step_run, f"Some values cannot be worked out: {sentences}")
    step_run.problems = None
    return found
