"""Keeping a preview: its row, one per step, and those of the workflows that it calls."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from integrations.core.exact_json import dumps, loads
from integrations.framework.checks import CHECK_FAILED
from workflows.models import Preview, PreviewStep, Run, Step
from workflows.preview.ending import Ending
from workflows.preview.rows import CalledPreview, PreviewRow
from workflows.publishing.publish import fingerprint

State = PreviewStep.State


def store(made: Preview, run: Run, ending: Ending, rows: Sequence[PreviewRow]) -> Preview:
    """Store the preview with all its steps."""
    with transaction.atomic():
        return _store(made, run, ending, rows)


def _store(made: Preview, run: Run, ending: Ending, rows: Sequence[PreviewRow]) -> Preview:
    plan = run.version.plan
    made.team_id, made.workflow_id = run.team_id, run.workflow_id
    made.plan, made.plan_sha256, made.data = plan, fingerprint(plan), run.event.data
    made.status, made.message = ending.status, ending.message
    found = [finding for row in _all(rows) for finding in row.findings]
    made.writes = sum(row.is_written for row in _all(rows))
    made.stops = sum(each["level"] == "stops" for each in found)
    made.warns = len(found) - made.stops
    made.unchecked = sum(each["code"] == CHECK_FAILED for each in found)
    made.save()
    called = {id(row): _called(made, row.called) for row in rows if row.called is not None}
    PreviewStep.objects.bulk_create(
        _step(made, number, row, called.get(id(row))) for number, row in enumerate(rows, start=1)
    )
    return made


def _called(made: Preview, called: CalledPreview) -> Preview:
    inner = Preview(called_by=made, by=made.by, title=called.run.title[:200], origin=made.origin)
    return _store(inner, called.run, called.ending, called.rows)


def _step(made: Preview, number: int, row: PreviewRow, called: Preview | None) -> PreviewStep:
    shared = {name: getattr(row.step_run, name) for name in PreviewStep.SHARED}
    return PreviewStep(
        **shared,
        preview=made,
        number=number,
        state=state_of(row),
        note=row.note,
        findings=loads(dumps(row.findings)),
        is_predicted=row.is_predicted,
        is_forced=row.is_forced,
        predicted={
            "inputs": row.predicted_inputs,
            "examples": row.examples,
            "earlier": row.earlier,
            "run": row.earlier_run,
        },
        called=called,
    )


def state_of(row: PreviewRow) -> str:
    """The state in which the preview left the step."""
    if row.is_written:
        return State.WRITTEN
    if row.is_passed:
        return State.PASSED
    outcome = row.step_run.outcome or {}
    if row.step_run.kind == Step.Kind.FILTER and row.step_run.state == "succeeded" and not outcome.get("passed"):
        return State.FILTERED
    return row.step_run.state


def _all(rows: Sequence[PreviewRow]) -> list[PreviewRow]:
    """The rows with those of called workflows."""
    return [each for row in rows for each in (row, *(_all(row.called.rows) if row.called else ()))]
