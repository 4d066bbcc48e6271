"""Who performs steps in a preview: the engine's own handlers, but for what reaches outside.

A write stops after its request is made, and its output is predicted; a delay is passed; a workflow that is called is
previewed inside; a read that asks for what an earlier step would write is not made. Everything else is the engine's:
mappings, filters, branches, loops, error paths.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Mapping
from dataclasses import replace
from itertools import takewhile
from typing import Any, cast

from integrations.core.errors import ReconnectError, RejectedError, TemporaryError
from integrations.core.messages import Request
from integrations.framework import registry
from integrations.framework.base import Action
from integrations.schema import documents
from integrations.schema.documents import Document
from integrations.transport.http import ApiClient
from workflows.definitions.kinds import ITERATION
from workflows.definitions.kinds.approval import ApprovalKind
from workflows.engine import read_step, step_support
from workflows.engine.kinds import HANDLERS, Handler, call, delay
from workflows.engine.kinds.base import RunSteps
from workflows.engine.kinds.evaluate import evaluated
from workflows.engine.outcomes import FilteredError, ReviewError, StepFailedError, StoppedError
from workflows.engine.run_context import RunContext
from workflows.engine.waits import WaitError
from workflows.engine.writes import document_snapshot, sending
from workflows.language.values import text_of
from workflows.models import Preview, Run, Step, StepRun, Workflow
from workflows.preview import checks
from workflows.preview.context import PreviewContext, new_run
from workflows.preview.ending import ending_of
from workflows.preview.limits import UnreachedError
from workflows.preview.predictions.prediction import predicted_output, with_earlier
from workflows.preview.rows import CalledPreview, PreviewRow

logger = logging.getLogger(__name__)

PlanStep = Mapping[str, Any]
#: What ends or interrupts a walk; anything else is a bug in a step.
_ENDINGS = (StepFailedError, FilteredError, StoppedError, ReviewError, UnreachedError)
_BYTES_UNKNOWN = "Its exact bytes are not known before the step before it has written what it refers to."
TAKEN_AS_FAILED = "Taken as failed, to see what happens then."


def stand_ins() -> dict[str, Handler]:
    """By kind of step, who performs it in a preview."""
    own: dict[str, Any] = {
        Step.Kind.ACTION: _action,
        Step.Kind.DELAY: _delay,
        Step.Kind.CALL: _call,
        ApprovalKind.key: _approval,
        Step.Kind.FILTER: _filter,
        Step.Kind.STOP: _stop,
        Step.Kind.BRANCH: _branch,
    }
    return {kind: replace(each, perform=_previewed(own.get(kind, each.perform))) for kind, each in HANDLERS.items()}


def _previewed(perform: Any) -> Any:
    """The same with what a preview does around every step."""

    def previewed(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
        context.walk.next_step()
        row = context.row_of(step_run)
        row.is_forced = context.is_forced
        row.predicted_inputs = context.predicted.inputs_of(step)
        row.reads_earlier = bool(context.earlier.paths and context.earlier.inputs_of(step))
        for paths in (context.predicted, context.earlier):
            paths.drop(f"steps.{step['key']}")
        try:
            if step["key"] == context.fail_step:
                raise step_support.fail(context, step_run, TAKEN_AS_FAILED)
            _perform(perform, context, step, step_run, run_steps)
        except WaitError as wait:
            step_run.error = wait.message
            message = f"{step['name']}: a run would wait here and go on by itself. {wait.message}"
            raise UnreachedError(message, wait=wait) from None
        finally:
            _note_predictions(context, step, row)

    return previewed


def _perform(perform: Any, context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    outer, before = context.predicted, len(context.rows)
    if step["kind"] == Step.Kind.LOOP:
        reads_prediction = bool(context.row_of(step_run).predicted_inputs)
        context.predicted = outer.with_item() if reads_prediction else outer.without_item()
        if context.row_of(step_run).reads_earlier:
            context.earlier.add("item")
    try:
        perform(context, step, step_run, run_steps)
    except (*_ENDINGS, WaitError):
        raise
    except Exception:
        logger.exception("A preview failed in step %s.", step["key"])
        message = "Pinxero itself failed in this step; nothing was sent. The log tells why."
        raise step_support.fail(context, step_run, message) from None
    finally:
        if step["kind"] == Step.Kind.LOOP:
            has_item = "item" in outer.paths
            outer.paths = context.predicted.paths - {"item"} | ({"item"} if has_item else set())
            context.predicted = outer
            # What a loop gives includes what its iterations gave.
            inside = context.rows[before:]
            if any(each.is_forced for each in inside):
                context.is_forced = context.row_of(step_run).is_forced = True
            if any(each.earlier or each.reads_earlier for each in inside):
                context.earlier.add(f"steps.{step['key']}")


def _note_predictions(context: PreviewContext, step: PlanStep, row: PreviewRow) -> None:
    """Mark what the step gives, where it hangs on a prediction."""
    key, kind = f"steps.{step['key']}", step["kind"]
    if row.reads_earlier:
        context.earlier.add(key)
    if kind == Step.Kind.FORMAT:
        for name in row.predicted_inputs:
            context.predicted.add(f"{key}.{name}")
    elif kind == Step.Kind.LOOP:
        inside = [each for each in context.rows if each.step_run.kind != ITERATION and each is not row]
        if any(each.is_predicted and each.step_run.position > row.step_run.position for each in inside):
            context.predicted.add(f"{key}.items")
    if kind != Step.Kind.FORMAT and (row.is_predicted or row.predicted_inputs):
        context.predicted.add(key)
    row.is_predicted = row.is_predicted or bool(row.predicted_inputs)


# --- actions ----------------------------------------------------------------------------------------------------------


def _action(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    try:
        action = registry.action(step["operation"])
    except registry.UnknownOperationError:
        HANDLERS[Step.Kind.ACTION].perform(context, step, step_run, run_steps)
        return
    row = context.row_of(step_run)
    if not read_step.is_read(step):
        _write(context, step, row, action)
    elif row.predicted_inputs:
        _skip_read(context, step, row, action)
    else:
        read_step.perform(context, step, step_run)


def _skip_read(context: PreviewContext, step: PlanStep, row: PreviewRow, action: Action) -> None:
    """A read of what an earlier step would write: it is not there yet, so an example stands for it."""
    step_support.inputs_of(context, step, row.step_run, action)
    row.is_passed = row.is_predicted = True
    row.note = "Not read: it asks for what an earlier step would write. An example stands for it."
    row.step_run.output, row.examples = predicted_output(action.sample_of(step["inputs"]))
    step_support.succeed(context, row.step_run)


def _write(context: PreviewContext, step: PlanStep, row: PreviewRow, action: Action) -> None:
    """Up to the request and no further."""
    step_run = row.step_run
    step_run.marker = f"PX-{secrets.token_hex(8)}"
    api = reads_only(step_support.reading_client(context, step, step_run))
    inputs = step_support.inputs_of(context, step, step_run, action)
    step_run.outcome = document_snapshot.snapshot_of(action, inputs, api) or None
    found, request = None, None
    try:
        reading = sending.read(step_run, action, api, inputs)
        found, request = reading.found, reading.request
    except (TemporaryError, ReconnectError) as error:
        raise step_support.not_now(context, step, step_run, error) from None
    except RejectedError as error:
        if not row.predicted_inputs:
            raise step_support.fail(context, step_run, error.message) from None
        row.note = _BYTES_UNKNOWN
    else:
        if reading.output is not None and row.reads_earlier:
            # Whether there is something to write was asked of another record.
            row.note = _BYTES_UNKNOWN
        elif reading.output is not None:
            row.note = "There is nothing to write: it is there already."
            step_run.output = reading.output
            step_support.succeed(context, step_run)
            return
    if request is not None:
        step_run.request, step_run.request_sha256 = request.to_dict(), request.sha256
    row.is_written = row.is_predicted = True
    document = _document(step_run)
    # What was found by an earlier record's id says nothing about the one that this is about.
    known = None if row.reads_earlier else found
    row.findings = [
        *_freeze(context, step),
        *(each.to_dict() for each in checks.findings_of(context, step, action, api, inputs, known)),
    ]
    output, row.examples = predicted_output(
        action.sample_of(step["inputs"]), found=known, inputs=step_run.inputs, request=request, document=document
    )
    output = _with_last(context, step, row, output)
    step_run.output = {**output, **action.remember(found)} if request is not None else output
    step_support.succeed(context, step_run)


def _with_last(context: PreviewContext, step: PlanStep, row: PreviewRow, output: dict[str, Any]) -> dict[str, Any]:
    """The predicted output with what the operation gave last in place of examples."""
    version = context.run.version
    last = context.walk.last.of(context.run.team_id, version.plan, step) if row.examples else None
    if last is None:
        return output
    output, row.examples, row.earlier = with_earlier(output, row.examples, last.output)
    row.earlier_run = last.run
    for path in row.earlier:
        # Rows of a list count as one: references name no rows.
        names = takewhile(lambda name: not name.isdecimal(), path.split("."))
        context.earlier.add(".".join(("steps", step["key"], *names)))
    return output


def reads_only(api: ApiClient) -> ApiClient:
    """The client, made unable to write."""
    api.write = _refuse  # type: ignore[method-assign]
    return api


def _refuse(request: Request, *, idempotency_key: str = "", had_401: bool = False) -> Any:
    raise AssertionError(f"A preview was about to send {request.method} {request.path}.")


def _document(step_run: StepRun) -> Document | None:
    stored = document_snapshot.kept(step_run)
    return documents.from_dict(next(iter(stored.values()))) if stored else None


def _freeze(context: PreviewContext, step: PlanStep) -> list[dict[str, Any]]:
    connection = context.connections.get(step["connection"] or 0)
    if connection is None or connection.frozen_at is None:
        return []
    return [
        {
            "level": "warns",
            "input": "",
            "message": step_support.frozen(connection).message,
            "advice": "Allow writing to it again on its page, or let the runs wait.",
            "code": "frozen",
        }
    ]


# --- filters, stops and branches --------------------------------------------------------------------------------------


def _filter(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    try:
        HANDLERS[Step.Kind.FILTER].perform(context, step, step_run, run_steps)
    except FilteredError:
        if step["key"] not in context.force:
            raise
        context.go_on(step_run, step["key"])


def _stop(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    try:
        HANDLERS[Step.Kind.STOP].perform(context, step, step_run, run_steps)
    except StoppedError:
        if step["key"] not in context.force:
            raise
        # Its message stays in its outcome; nothing failed that the preview would go on over.
        step_run.state, step_run.error = StepRun.State.SUCCEEDED, ""
        context.row_of(step_run).is_passed = context.is_past_stop = True
        context.go_on(step_run, step["key"])


def _branch(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    HANDLERS[Step.Kind.BRANCH].perform(context, step, step_run, run_steps)
    forced = next((path["key"] for path in step["paths"] if path["key"] in context.force), None)
    if forced is not None and (step_run.output or {}).get("path") != forced:
        step_run.output = {"path": forced}
        context.go_on(step_run, forced)


# --- delays and calls -------------------------------------------------------------------------------------------------


def _delay(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    try:
        delay.perform(context, step, step_run, run_steps)
    except WaitError as wait:
        if wait.reason != Run.WaitReason.DELAY:
            raise
        context.row_of(step_run).is_passed = True
        step_support.succeed(context, step_run)


def _call(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    """Preview the called workflow's published version with what it would be given."""
    called = call.called_workflow(context, step, step_run)
    _, data = call.values_for(context, step, step_run, called)
    assert called.published is not None
    row = context.row_of(step_run)
    if called.status != Workflow.Status.ACTIVE:
        row.findings.append(_switched_off(called))
    run = new_run(called, called.published, data, depth=context.run.depth + 1)
    inner = PreviewContext.of(
        run,
        context.walk,
        stand_ins=context.stand_ins,
        is_predicted=bool(row.predicted_inputs),
        is_earlier=row.reads_earlier,
        is_forced=context.is_forced,
    )
    plan = called.published.plan
    ending = ending_of(lambda: run_steps(cast(RunContext, inner), plan["steps"]))
    row.called, row.is_predicted = CalledPreview(run, ending, inner.rows), True
    if ending.status == Preview.Status.UNFINISHED:
        raise UnreachedError(f"In “{called.name}”: {ending.message}", wait=ending.wait)
    if step["waits"] and ending.status == Preview.Status.FAILED:
        message = f"The run of “{called.name}” would end as failed: {ending.message}"
        raise step_support.fail(context, step_run, message)
    status = Run.Status.FILTERED if ending.status == Preview.Status.FILTERED else Run.Status.SUCCEEDED
    step_run.output = {
        "run": run.pk,
        "status": status if step["waits"] else Run.Status.QUEUED,
        "result": ending.message,
    }
    step_support.succeed(context, step_run)


def _approval(context: PreviewContext, step: PlanStep, step_run: StepRun, run_steps: RunSteps) -> None:
    """Nobody is asked; it goes on as if they had approved."""
    found = evaluated(context, step, step_run, {"message": step["inputs"].get("message", "")})
    step_run.outcome = {"message": text_of(found["message"])}
    step_run.output = {"decision": "approved", "by": "", "reason": ""}
    context.row_of(step_run).is_predicted = True
    step_support.succeed(context, step_run)


def _switched_off(called: Workflow) -> dict[str, Any]:
    return {
        "level": "stops",
        "input": "",
        "message": f"“{called.name}” is not switched on, so a run fails here.",
        "advice": f"Switch “{called.name}” on first.",
        "code": "called_is_off",
    }
