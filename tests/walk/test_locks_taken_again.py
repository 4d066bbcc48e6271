"""A write that waited takes its resource lock again, and a gateway's "no" after the write is looked up first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from integrations.framework import registry
from integrations.models import Turn
from integrations.sandbox.exchange.fault_dial import WRITES
from tests.walk.second_actor import LOST, NEVER, after_the_window, begin, either, finish, lose, pair, pass_time
from tests.walk.stage import Stage, step_of
from workflows.engine.waits import SETTLE
from workflows.models import StepRun

# --- the turn is taken again ----------------------------------------------------------------------------------------


@either
@pytest.mark.parametrize("is_open", [True, False], ids=["window open", "window over"])
@pytest.mark.parametrize("key", ["find_or_create_contact", "find_or_create_invoice", "find_or_create_purchase_order"])
def test_what_another_run_created_in_an_outage_is_found_not_created_again(
    stage: Stage, settings: Any, key: str, is_open: bool, fault: str
) -> None:
    action = registry.action(f"xero.{key}")
    mark = stage.mark()
    first, second, _ = pair(stage, settings, action)
    lose(stage, action, first, fault)
    let_turns_end()
    stage.advance(second)
    assert second.status == "succeeded", second.error
    pass_time(first, 130 if is_open else 400)
    stage.advance(first)
    pass_time(first, SETTLE)
    finish(stage, settings, first)
    assert (first.status, first.error) == ("succeeded", "")
    assert len([row for row in stage.written(mark) if row["method"] == "PUT"]) == 1
    assert step_of(first).provider_id == step_of(second).provider_id


def let_turns_end() -> None:
    """They end by themselves, long before an outage is over."""
    Turn.objects.update(until=datetime.fromisoformat("2020-01-01T00:00:00Z"))


@pytest.mark.parametrize("is_open", [True, False], ids=["window open", "window over"])
def test_a_bill_that_another_run_entered_in_an_outage_is_not_entered_again(
    stage: Stage, settings: Any, is_open: bool
) -> None:
    action = registry.action("xero.create_bill")
    mark = stage.mark()
    first, second, inputs = pair(stage, settings, action)
    lose(stage, action, first, NEVER)
    let_turns_end()
    stage.advance(second)
    assert second.status == "succeeded"
    pass_time(first, 130 if is_open else 400)
    stage.advance(first)
    pass_time(first, SETTLE)
    finish(stage, settings, first)
    assert first.status == "failed"
    assert f'A bill with the number "{inputs.bill_number}"' in first.error
    assert len(stage.written(mark)) == 1


# --- a gateway's 401 or 429 after the write -------------------------------------------------------------------------

KEYLESS = ["pinterest.create_board", "pinterest.create_pin", "pinterest.create_section", "xero.add_lines_to_invoice"]


@pytest.mark.parametrize("fault", ["gateway_429", "gateway_401"])
@pytest.mark.parametrize("key", KEYLESS)
def test_a_gateways_no_after_the_write_is_looked_up_before_a_second_send(stage: Stage, key: str, fault: str) -> None:
    action, _, run = begin(stage, key)
    mark = stage.mark()
    stage.sandbox.faults(next=[fault], methods=list(WRITES), only_provider=action.connector.key)
    stage.advance(run)
    assert run.status == "waiting", run.error
    stage.make_room(action)
    stage.settle(run)
    assert (run.status, run.error) == ("succeeded", "")
    assert len(stage.written(mark)) == 1


@pytest.mark.parametrize("key", KEYLESS)
@pytest.mark.parametrize("fault", ["429"])
def test_what_a_gateway_kept_from_the_provider_is_sent_again_by_itself(stage: Stage, key: str, fault: str) -> None:
    action, _, run = begin(stage, key)
    mark = stage.mark()
    stage.sandbox.faults(next=[fault], methods=list(WRITES), only_provider=action.connector.key)
    stage.settle(run)
    assert (run.status, run.error) == ("succeeded", "")
    assert len(stage.written(mark)) == 1
    looks = [line["outcome"] for line in step_of(run).attempts if line["what"] == "look up"]
    assert looks == ["not found"]


def test_with_a_key_a_wait_longer_than_its_window_ends_with_a_look_up(stage: Stage, settings: Any) -> None:
    action, _, run = begin(stage, "xero.create_invoice", invoice_number=None)
    mark = stage.mark()
    stage.sandbox.faults(next=["gateway_429"], methods=list(WRITES), key_window_seconds=0.0)
    stage.advance(run)
    assert (run.status, run.wait_reason) == ("waiting", "budget")
    stage.make_room(action)
    pass_time(run, 1000)
    stage.settle(run)
    assert (run.status, run.error) == ("succeeded", "")
    assert len(stage.written(mark)) == 1
    assert [line["outcome"] for line in step_of(run).attempts if line["what"] == "look up"] == ["found"]


def test_what_an_earlier_version_sent_without_noting_what_was_there_is_a_persons_to_judge(stage: Stage) -> None:
    action, _, run = begin(stage, "xero.create_project")
    lose(stage, action, run, LOST)
    StepRun.objects.filter(run=run).update(outcome=None)
    after_the_window(stage, run)
    assert run.status == "needs_review"
    assert "Whether it was there before is not known." in run.error
