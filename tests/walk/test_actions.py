"""Every action through a published workflow against the sandbox: what it does, and what stops or delays it."""

from __future__ import annotations

from dataclasses import replace
from html import escape
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.models import Connection
from integrations.sandbox.exchange.fault_dial import WRITES
from integrations.schema.documents import from_dict, to_dict
from tests.integrations.examples import READ_AFTER, example, request_of
from tests.integrations.framework.test_registry import name_of, paths
from tests.walk.recipes import WITHOUT_ID, has_provider, refused
from tests.walk.stage import Stage, step_of
from workflows.models import Run
from workflows.runs import decisions

pytestmark = pytest.mark.parametrize("action", list(filter(has_provider, registry.actions())), ids=name_of)


def is_read(action: Action) -> bool:
    return action.effect is Effect.READS


def begin(stage: Stage, action: Action, **changes: Any) -> Run:
    """A queued run of the action with its example's inputs, what it reads being there."""
    api = stage.api(action)
    if action.full_key in READ_AFTER:
        saving = registry.action(READ_AFTER[action.full_key])
        api.write(request_of(saving, api, example(saving, api, stage.sandbox)))
    inputs = example(action, api, stage.sandbox)
    cleaned = action.Inputs.clean({name: value for name, value in changes.items()} | _rest(inputs, action, changes))
    return stage.start(action, replace(inputs, **{name: getattr(cleaned, name) for name in changes}))


def _rest(inputs: Any, action: Action, changes: dict[str, Any]) -> dict[str, Any]:
    rest = {f.name: getattr(inputs, f.name) for f in action.Inputs.fields() if f.name not in changes}
    columns = {f.name: [c.name for c in f.columns] for f in action.Inputs.fields() if f.columns}
    for name in columns.keys() & rest.keys():
        rest[name] = [{column: getattr(row, column) for column in columns[name]} for row in rest[name]]
    return {name: value for name, value in rest.items() if value is not None}


def disturb(stage: Stage, action: Action, fault: str) -> None:
    """The next call that reads, or of an action that writes the next write, meets the fault."""
    stage.sandbox.faults(
        next=[fault], methods=["GET"] if is_read(action) else WRITES, only_provider=action.connector.key
    )


def insist_done_once(stage: Stage, action: Action, run: Run, mark: int) -> None:
    """The run succeeded, and what it wrote is in the sandbox's books, once, as the step says."""
    assert (run.status, run.error) == ("succeeded", "")
    step = step_of(run)
    output = step.output
    assert set(paths(action.sample)) - set(paths(output)) == set()
    rows = stage.written(mark)
    if is_read(action):
        assert rows == []
        return
    assert len(rows) == 1, [(row["method"], row["path"], row["outcome"]) for row in rows]
    assert step.provider_id == action.identify(output)
    assert action.full_key in WITHOUT_ID or step.provider_id in rows[0]["object_ids"]
    assert run.result == action.describe(output)[:200]


def has_document(stage: Stage, action: Action, run: Run) -> bool:
    """Whether it writes what people read as a document; then that is kept as it was when it was written."""
    if is_read(action):
        return False
    connection = stage.connection(action)
    step = step_of(run)
    document = action.document(action.Inputs.clean(step.inputs), {"name": connection.name, **connection.details})
    kept = (step.outcome or {}).get("document")
    assert kept == (document and to_dict(document))
    assert document is None or to_dict(from_dict(kept)) == kept
    return document is not None


def test_it_does_its_work_once_and_the_run_page_tells_it(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    mark = stage.mark()
    stage.settle(run)
    insist_done_once(stage, action, run, mark)
    page = stage.page(run)
    assert "Succeeded" in page
    assert escape(run.result) in page
    assert ('class="px-paper"' in page) == has_document(stage, action, run)
    stage.settle(run)
    assert len(stage.written(mark)) == (0 if is_read(action) else 1)


def test_a_refusal_fails_the_run_with_the_providers_own_words_on_its_page(action: Action, stage: Stage) -> None:
    recipe = refused(action)
    run = begin(stage, action, **recipe.inputs)
    mark = stage.mark()
    if not recipe.inputs:
        disturb(stage, action, "400")
    stage.settle(run)
    assert run.status == "failed"
    assert recipe.words in run.error
    assert escape(recipe.words) in stage.page(run)
    assert stage.written(mark) == []


def test_a_401_flags_the_connection_and_the_run_goes_on_after_reconnecting(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    stage.sandbox.revoke(provider=action.connector.key)
    mark = stage.mark()
    insist_waits_for_reconnecting(stage, action, run)
    assert stage.written(mark) == []
    stage.reconnect(action)
    stage.settle(run)
    insist_done_once(stage, action, run, mark)


def insist_waits_for_reconnecting(stage: Stage, action: Action, run: Run) -> None:
    stage.advance(run)
    assert (run.status, run.wait_reason) == ("waiting", "connection"), run.error
    connection = stage.connection(action)
    assert connection.status == Connection.Status.NEEDS_RECONNECT
    assert run.error == connection.last_error != ""
    page = stage.page(run)
    assert escape(run.error) in page
    assert escape(f"Reconnect {connection.name}") in page


def test_a_403_waits_for_a_person_or_fails_with_the_reason_and_writes_nothing(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    mark = stage.mark()
    if action.connector.key == "xero":
        stage.sandbox.revoke(tenant=stage.connection(action).external_id)
        insist_waits_for_reconnecting(stage, action, run)
        assert stage.written(mark) == []
        stage.reconnect(action)
        stage.settle(run)
        insist_done_once(stage, action, run, mark)
        return
    stage.lose_permissions(action)
    stage.settle(run)
    assert run.status == "failed"
    assert "You are not permitted to access that resource." in stage.page(run)
    assert stage.written(mark) == []


def test_a_429_moves_the_run_and_it_is_done_once_later(action: Action, stage: Stage) -> None:
    run = begin(stage, action)
    mark = stage.mark()
    disturb(stage, action, "429")
    stage.advance(run)
    assert (run.status, run.wait_reason) == ("waiting", "budget")
    assert step_of(run).state == "pending"
    assert stage.written(mark) == []
    assert escape(run.error) in stage.page(run)
    stage.settle(run)
    insist_done_once(stage, action, run, mark)


@pytest.mark.parametrize("fault", ["500", "html_200", "empty_200"])
def test_an_unclear_answer_is_settled_before_anything_else_and_done_once(
    action: Action, stage: Stage, fault: str
) -> None:
    """A server error and a page of HTML come before the write, the empty answer after it."""
    run = begin(stage, action)
    mark = stage.mark()
    disturb(stage, action, fault)
    stage.advance(run)
    if fault == "empty_200" and run.status == "succeeded":
        # Where success has no content (204), an empty answer is an answer.
        insist_done_once(stage, action, run, mark)
        return
    assert (run.status, run.wait_reason) == ("waiting", "retry" if is_read(action) else "uncertain")
    assert step_of(run).state == ("pending" if is_read(action) else "uncertain")
    stage.settle(run)
    if run.status == "needs_review":
        assert not action.lookup_reliable
        assert stage.written(mark) == []
        decisions.send_again(run, by=stage.cast.builder, reason="It is not there.")
        stage.settle(run)
    insist_done_once(stage, action, run, mark)
