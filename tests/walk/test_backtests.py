"""A backtest with every write there is: the sandbox's ledger holds none of them, and nothing looks like a run."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Effect
from integrations.models import CallBudget
from integrations.sandbox.exchange.fault_dial import WRITES
from tests.integrations import examples
from tests.integrations.examples import READ_AFTER, example, request_of
from tests.walk.recipes import has_provider
from tests.walk.stage import Stage, sources_of
from workflows.definitions import editing
from workflows.models import Event, Run, StepRun, Workflow
from workflows.preview import backtest, backtest_items
from workflows.publishing import publish

_STARTER = "pinterest.new_board"
WRITING = [each for each in registry.actions() if has_provider(each) and each.effect is not Effect.READS]


#: What they would write is there already, because other examples need it, so there is nothing to write.
THERE_ALREADY = {"xero.find_or_create_invoice", "xero.create_or_update_contact", "xero.find_or_create_contact"}


def workflow_that_writes_everything(stage: Stage) -> Workflow:
    """A step for each write, each going on when it fails."""
    workflow = editing.create_workflow(
        stage.cast.team,
        name="Everything",
        operation=_STARTER,
        connection=stage.connections["pinterest"],
        by=stage.cast.builder,
    )
    for action in WRITING:
        api = stage.api(action)
        if action.full_key in READ_AFTER:
            saving = registry.action(READ_AFTER[action.full_key])
            api.write(request_of(saving, api, example(saving, api, stage.sandbox)))
        draft = editing.StepDraft(
            action.name,
            action.full_key,
            stage.connections.get(action.connector.key),
            sources_of(action, example(action, api, stage.sandbox)),
            on_error="go_on",
        )
        editing.save_step(workflow, None, draft)
    publish.publish(workflow, by=stage.cast.builder, note="Everything")
    return workflow


@pytest.fixture
def written_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What several examples need is there once: its number could not be given twice."""
    made: dict[tuple[str, str], str] = {}

    def written_by(key: str, api: Any, sandbox: Any, **values: Any) -> str:
        return made.get((key, repr(values))) or made.setdefault((key, repr(values)), write(key, api, sandbox, **values))

    write = examples.written_by
    monkeypatch.setattr(examples, "written_by", written_by)


@pytest.mark.usefixtures("written_once")
def test_a_backtest_over_every_kind_of_write_sends_none(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backtest_items, "MOST_ITEMS", 1)
    workflow = workflow_that_writes_everything(stage)
    assert workflow.published is not None
    CallBudget.objects.update(recent=[], day_used=0)
    mark = stage.mark()
    made = backtest.begin(workflow, workflow.published.plan, days=90, by=stage.cast.builder)
    for _ in range(60):
        backtest.work()
        made.refresh_from_db()
        if not made.is_under_way:
            break
        CallBudget.objects.update(recent=[])
        type(made).objects.update(wake_at=None)
    assert (made.status, made.message) == ("done", "")
    assert made.found > 0
    rows = [row for row in stage.sandbox.ledger(after=mark) if row["method"] in WRITES]
    assert [row["path"] for row in rows if not row["path"].endswith("/token")] == []
    assert (Run.objects.count(), StepRun.objects.count(), Event.objects.count()) == (0, 0, 0)
    written = set(made.documents.values_list("operation", flat=True))
    assert {each.full_key for each in WRITING} - written == THERE_ALREADY
