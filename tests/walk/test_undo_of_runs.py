"""Runs that wrote more than one document: what is taken back first, and what stands in the way of the whole."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from integrations.sandbox.data.organisations import ORGANISATIONS
from tests.provider import DEMO
from tests.walk.stage import Stage
from tests.walk.test_undo_pages import page_of
from workflows.definitions import editing
from workflows.definitions.recurrence import Moment
from workflows.engine.writes import gates
from workflows.engine.writes.gates import Intent
from workflows.models import Posting, Run, Safeguards, Step, StepRun, Undo, Workflow
from workflows.publishing import activation
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import decisions, undoing
from workflows.worker import expected_runs

BANK = next(each["AccountID"] for each in ORGANISATIONS[DEMO].accounts() if each["Code"] == "090")
LINE = {"description": "Fee", "quantity": "1", "unit_amount": "100", "account_code": "200"}


def new_workflow(stage: Stage) -> Workflow:
    return editing.create_workflow(
        stage.cast.team,
        name="Fees",
        operation="pinterest.new_board",
        connection=stage.connections["pinterest"],
        by=stage.cast.builder,
    )


def invoice(stage: Stage, workflow: Workflow, name: str, *, parent: Step | None = None, **more: str) -> None:
    contact = str(stage.sandbox.contacts()[0]["id"])
    sources: editing.Sources = {"contact_id": contact, "lines": [LINE], **more}
    draft = editing.StepDraft(name, "xero.create_invoice", stage.connections["xero"], sources)
    editing.save_step(workflow, None, draft, place=editing.Place(parent))


@pytest.fixture
def paid(stage: Stage) -> Run:
    """A run that has written an approved invoice and a payment of it."""
    workflow = new_workflow(stage)
    invoice(stage, workflow, "Invoice", status="AUTHORISED", due_date="2026-12-22")
    key = workflow.steps.get().key
    sources: editing.Sources = {
        "invoice_id": f"{{{{ steps.{key}.InvoiceID }}}}", "account_id": BANK, "amount": "10"
    }  # fmt: skip
    draft = editing.StepDraft("Payment", "xero.create_payment", stage.connections["xero"], sources)
    editing.save_step(workflow, None, draft)
    run = stage.settle(stage.set_off(workflow))
    assert (run.status, run.error) == ("succeeded", "")
    return run


def test_the_newest_is_taken_back_first_so_that_the_payment_does_not_hold_the_invoice(stage: Stage, paid: Run) -> None:
    stage.client.force_login(stage.cast.builder)
    payment, document = stage.client.get(page_of(paid)).context["cards"]
    assert (payment.row.posting.noun, document.row.posting.noun) == ("Payment", "Sales invoice")
    assert "so it cannot be voided" in document.reason
    assert (document.request, document.is_tried_later, document.is_chosen) == (None, True, True)
    (alone,) = stage.client.get(page_of(paid, document=document.row.posting.pk)).context["cards"]
    assert not alone.is_offered
    told = {f"changed-{card.row.posting.pk}": card.digest for card in (payment, document)}
    taken = [card.row.posting.pk for card in (payment, document)]
    stage.client.post(page_of(paid), {"take": taken, "reason": "Wrong", **told})
    undo = stage.settle(Undo.objects.all()[0].run)
    assert (undo.status, undo.error) == ("succeeded", "")
    steps = StepRun.objects.filter(run=undo).order_by("position")
    assert [each.operation for each in steps] == ["xero.create_payment:undo", "xero.create_invoice:undo"]
    assert [each["Status"] for each in stage.sandbox.invoices()] == ["VOIDED"]


def test_a_gate_sees_the_exact_request_and_holds_it_like_any_other_write(
    stage: Stage, paid: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Intent] = []

    def hold(intent: Intent) -> None:
        asked.append(intent)
        gates.hold(intent, "undo", "Undos wait for a second person.")

    monkeypatch.setattr(gates, "GATES", [hold])
    payment = undoing.written(paid)[0]
    wanted = undoing.look([payment]).prospects[payment.pk].request
    mark = stage.mark()
    undo = undoing.take_back(paid, {payment.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.settle(undo)
    assert (undo.status, undo.wait_reason, stage.written(mark)) == ("waiting", "hold", [])
    assert (asked[0].request, asked[0].run.is_undo, asked[0].document and asked[0].document.what) == (
        wanted, True, "Undo of payment"
    )  # fmt: skip
    decisions.release(undo, by=stage.cast.approver, reason="It was agreed.")
    stage.settle(undo)
    assert (undo.status, len(stage.written(mark))) == ("succeeded", 1)


def test_one_iteration_of_a_loop_is_taken_back_and_the_others_stay(stage: Stage) -> None:
    workflow = new_workflow(stage)
    settings = {"items": "{{ 'a,b,c' | split }}", "on_item_error": "stop"}
    loop = Step.objects.create(workflow=workflow, key="each", name="Each", kind="loop", position=1, settings=settings)
    invoice(stage, workflow, "Invoice", parent=loop, reference="{{ item }}")
    run = stage.settle(stage.set_off(workflow))
    assert Posting.objects.filter(run=run).count() == 3
    stage.client.force_login(stage.cast.builder)
    here = page_of(run, iteration="2")
    assert here in stage.client.get(f"/runs/{run.pk}/turns/each/2/").content.decode()
    (card,) = stage.client.get(here).context["cards"]
    posting = card.row.posting
    stage.client.post(here, {"take": posting.pk, f"changed-{posting.pk}": "", "reason": "Only this one"})
    undo = stage.settle(Undo.objects.get().run)
    assert (undo.status, undo.error) == ("succeeded", "")
    found = {each["Reference"].split(" ")[0]: each["Status"] for each in stage.sandbox.invoices()}
    assert found == {"a": "DRAFT", "b": "DELETED", "c": "DRAFT"}


def test_a_run_under_way_and_a_document_of_another_run_are_refused(stage: Stage, paid: Run) -> None:
    posting = undoing.written(paid)[0]
    undo = undoing.take_back(paid, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    with pytest.raises(NotAllowedNowError, match="The run is still under way"):
        undoing.take_back(undo, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.settle(undo)
    with pytest.raises(NotAllowedNowError, match="It is not there"):
        undoing.take_back(undo, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    assert Undo.objects.count() == 1


def test_an_undo_that_a_person_cancels_sends_nothing_and_can_be_asked_for_again(stage: Stage, paid: Run) -> None:
    posting = undoing.written(paid)[0]
    undo = undoing.take_back(paid, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    decisions.cancel(undo, by=stage.cast.builder, reason="No")
    mark = stage.mark()
    stage.settle(undo)
    assert (undo.status, stage.written(mark)) == ("cancelled", [])
    again: Any = undoing.take_back(paid, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.settle(again)
    assert [each.state for each in Undo.objects.order_by("pk")] == ["dropped", "done"]


def test_what_a_deleted_workflow_wrote_is_taken_back_too(stage: Stage, paid: Run) -> None:
    activation.pause(paid.workflow, by=stage.cast.builder)
    editing.delete_workflow(paid.workflow, by=stage.cast.builder)
    posting = undoing.written(paid)[0]
    undo = stage.settle(undoing.take_back(paid, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong"))
    assert (undo.status, undo.error) == ("succeeded", "")


def test_an_undo_is_not_the_run_that_was_expected(stage: Stage, paid: Run) -> None:
    own = Safeguards(workflow=paid.workflow, expected_within=1)
    moment = Moment(at=timezone.now() + timedelta(minutes=5), wall=timezone.now(), key="now")
    assert expected_runs._was_started(own, moment)
    Run.objects.filter(pk=paid.pk).update(created_at=timezone.now() - timedelta(days=2))
    undoing.take_back(paid, {undoing.written(paid)[0].pk: ""}, by=stage.cast.builder, reason="Wrong")
    assert not expected_runs._was_started(own, moment)


def test_two_rows_for_one_posting_are_refused_by_the_database(stage: Stage, paid: Run) -> None:
    posting = undoing.written(paid)[0]
    Undo.objects.create(run=paid, posting=posting, step="undo_1", position=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Undo.objects.create(run=paid, posting=posting, step="undo_2", position=2)
    Undo.objects.create(run=paid, posting=posting, step="undo_3", position=3, state=Undo.State.DROPPED)


def test_of_very_many_documents_the_next_ones_come_once_the_newest_are_taken_back(
    stage: Stage, paid: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "MOST", 1)
    payment, document = undoing.written(paid)
    assert undoing.at_once(undoing.written(paid)) == ([payment], True)
    stage.client.force_login(stage.cast.builder)
    assert "These are the 1 newest" in stage.client.get(page_of(paid)).content.decode()
    with pytest.raises(NotAllowedNowError, match="At most 1 documents"):
        undoing.take_back(paid, {payment.pk: "", document.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.settle(undoing.take_back(paid, {payment.pk: ""}, by=stage.cast.builder, reason="Wrong"))
    assert undoing.at_once(undoing.written(paid)) == ([document], False)
