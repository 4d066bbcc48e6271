"""Two runs that add lines to one invoice at the same moment: both sets of lines stay."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action, Item, Writing
from integrations.models import Turn
from integrations.transport.http import Request
from tests.integrations.examples import example
from tests.walk.stage import Stage, step_of
from workflows.models import Run
from workflows.publishing import activation
from workflows.triggers import intake, polling

ADD = registry.action("xero.add_lines_to_invoice")
_STARTER = registry.trigger("pinterest.new_board")


def two_runs(stage: Stage, settings: Any, action: Action = ADD) -> tuple[Run, Run, Any]:
    """Two queued runs of one workflow with the same inputs; from then on the clock is slow enough for a lease to last
    while another run is taken up."""
    inputs = example(action, stage.api(action), stage.sandbox)
    first = stage.start(action, inputs)
    activation.poll_now(first.workflow, by=stage.cast.builder)
    while (state := polling.claim()) is None:
        time.sleep(0.01)  # the lease of the first look has not ended yet
    assert intake.accept(state, [Item("2", dict(_STARTER.sample))]) == 1
    second = Run.objects.exclude(pk=first.pk).get(workflow=first.workflow)
    settings.TIME_SCALE = 20
    return first, second, inputs


def cut_in(stage: Stage, other: Run, monkeypatch: pytest.MonkeyPatch, action: Action = ADD) -> None:
    """Between the first run's reading and its writing the other run is taken up."""
    request = type(action).request
    cut: list[Run] = []

    def interrupted(self: Any, inputs: Any, writing: Writing) -> Request:
        if not cut:
            cut.append(other)
            stage.advance(other)
        return request(self, inputs, writing)

    monkeypatch.setattr(type(action), "request", interrupted)


def descriptions(stage: Stage, invoice_id: str) -> list[str]:
    body = json.loads(stage.api(ADD).read(f"/Invoices/{invoice_id}").body)
    return [line["Description"] for line in body["Invoices"][0]["LineItems"]]


def test_the_second_waits_for_its_turn_and_no_line_is_lost(
    stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, inputs = two_runs(stage, settings)
    cut_in(stage, second, monkeypatch)
    stage.advance(first)
    assert (first.status, second.status, second.wait_reason) == ("succeeded", "waiting", "retry")
    assert "Another run is changing the same thing first." in stage.page(second)
    assert step_of(second).tries == 0
    stage.settle(second)
    assert second.status == "succeeded"
    assert descriptions(stage, inputs.invoice_id) == ["Oak table", "Delivery", "Delivery"]
    assert not Turn.objects.exists()


def test_without_turns_the_first_would_undo_what_the_second_added(
    stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(type(ADD), "lock_key", lambda self, inputs: "")
    first, second, inputs = two_runs(stage, settings)
    cut_in(stage, second, monkeypatch)
    stage.advance(first)
    assert (first.status, second.status) == ("succeeded", "succeeded")
    assert descriptions(stage, inputs.invoice_id) == ["Oak table", "Delivery"]


def test_a_turn_whose_write_has_no_clear_outcome_is_kept_until_it_ends_by_itself(stage: Stage, settings: Any) -> None:
    first, _, _ = two_runs(stage, settings)
    stage.sandbox.faults(next=["500"], methods=["POST"], only_provider="xero")
    stage.advance(first)
    assert first.wait_reason == "uncertain"
    assert Turn.objects.count() == 1


def test_a_run_that_fails_gives_its_turn_back(stage: Stage, settings: Any) -> None:
    first, _, inputs = two_runs(stage, settings)
    stage.sandbox.change("invoice", inputs.invoice_id, Status="AUTHORISED", DueDate="2026-12-22")
    stage.advance(first)
    assert first.status == "failed"
    assert not Turn.objects.exists()


@pytest.mark.parametrize(
    ("key", "outcome"),
    [
        ("find_or_create_contact", "is_new"),
        ("find_or_create_invoice", "is_new"),
        ("find_or_create_purchase_order", "is_new"),
        ("create_or_update_contact", ""),
    ],
)
def test_two_runs_that_look_for_the_same_create_it_once(
    stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch, key: str, outcome: str
) -> None:
    action = registry.action(f"xero.{key}")
    first, second, _ = two_runs(stage, settings, action)
    mark = stage.mark()
    cut_in(stage, second, monkeypatch, action)
    stage.advance(first)
    assert (first.status, second.status) == ("succeeded", "waiting")
    stage.settle(second)
    assert (second.status, second.error) == ("succeeded", "")
    assert step_of(first).provider_id == step_of(second).provider_id
    made = [row for row in stage.written(mark) if row["method"] == "PUT"]
    assert len(made) == 1
    if outcome:
        assert [step_of(run).output[outcome] for run in (first, second)] == [True, False]


def test_a_suppliers_bill_is_entered_by_one_of_two_runs(
    stage: Stage, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = registry.action("xero.create_bill")
    first, second, inputs = two_runs(stage, settings, action)
    cut_in(stage, second, monkeypatch, action)
    stage.advance(first)
    stage.settle(second)
    assert (first.status, second.status) == ("succeeded", "failed")
    assert f'A bill with the number "{inputs.bill_number}"' in second.error
