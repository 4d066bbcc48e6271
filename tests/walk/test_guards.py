"""Guards against the real sandbox: bills and their dates as the provider writes and names them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from integrations.models import Connection
from tests.base import Cast
from tests.walk.stage import Stage, step_of
from tests.workflows.guards.conftest import guarded
from workflows.definitions import editing
from workflows.models import Run, Workflow
from workflows.publishing import activation


def _bills(stage: Stage, cast: Cast, **values: Any) -> Workflow:
    workflow = editing.create_workflow(
        cast.team,
        name=f"Bills {Workflow.objects.count()}",
        operation="pinterest.new_board",
        connection=stage.connections["pinterest"],
        by=cast.builder,
    )
    line = {"description": "{{ trigger.name }}", "quantity": "1", "unit_amount": "120.50", "account_code": "400"}
    sources: editing.Sources = {
        "contact_id": stage.sandbox.contacts()[0]["id"], "lines": [line], "if_duplicate": "write", **values
    }  # fmt: skip
    editing.save_step(workflow, None, editing.StepDraft("Bill", "xero.create_bill", stage.connections["xero"], sources))
    return workflow


def _write(stage: Stage, cast: Cast, *, key: str = "1", **values: Any) -> Run:
    workflow = _bills(stage, cast, **values)
    run = stage.settle(stage.set_off(workflow, key=key))
    activation.pause(workflow, by=cast.builder)  # or the next one would find that this one is due
    return run


def test_a_second_bill_of_a_supplier_with_the_same_number_is_held(stage: Stage, cast: Cast) -> None:
    guarded(cast, duplicates="hold")
    written = _write(stage, cast, bill_number="B-1")
    assert written.status == "succeeded", written.error
    mark = stage.mark()
    run = _write(stage, cast, key="2", bill_number="b 1")
    assert [run.status, run.wait_reason] == ["waiting", "hold"], run.error
    assert f"by run {written.pk}." in run.error
    assert stage.written(mark) == []


def test_a_bill_that_is_dated_in_a_locked_period_is_dated_on_the_first_open_day(stage: Stage, cast: Cast) -> None:
    last = timezone.localdate() - timedelta(days=10)
    guarded(cast, period="move", lock_until=last)
    run = _write(stage, cast, bill_date=(last - timedelta(days=5)).isoformat(), bill_number="B-1")
    assert run.status == "succeeded", run.error
    assert step_of(run).posting.day == last + timedelta(days=1)


def test_the_organisations_own_lock_date_counts(stage: Stage, cast: Cast) -> None:
    guarded(cast, period="hold")
    xero = Connection.objects.get(pk=stage.connections["xero"].pk)
    xero.details = {**xero.details, "period_lock_date": "2026-06-30"}
    xero.save(update_fields=["details"])
    run = _write(stage, cast, bill_date=date(2026, 6, 30).isoformat())
    assert run.status == "waiting"
    assert run.error == "It is dated 30 June 2026, and the books are locked up to 30 June 2026."
