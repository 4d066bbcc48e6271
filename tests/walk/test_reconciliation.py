"""What runs wrote, held against the sandbox's books: untouched it is the same, and each tampering is named right."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.models import CallBudget
from integrations.sandbox.exchange.fault_dial import WRITES
from tests.integrations.examples import READ_AFTER, example, request_of
from tests.provider import DEMO
from tests.walk.recipes import has_provider
from tests.walk.stage import Stage
from workflows.definitions import editing
from workflows.models import Notice, Posting, Reconciliation, ReconciliationFinding, Run
from workflows.reconciliation import beginning, working
from workflows.runs import undoing

WRITING = [each for each in registry.actions() if has_provider(each) and each.effect is not Effect.READS]
LINE = {"description": "Shelf", "quantity": "1", "unit_amount": "100", "account_code": "200"}
CREATE_INVOICE = "xero.create_invoice"


def reconcile(stage: Stage, provider: str = "xero") -> Reconciliation:
    """Of the last week, as far as the budget allows and on."""
    today = timezone.localdate()
    made = beginning.begin(
        stage.connections[provider], since=today - timedelta(days=7), until=today, by=stage.cast.builder
    )
    for _ in range(20):
        CallBudget.objects.update(recent=[])
        working.work()
        made.refresh_from_db()
        if not made.is_under_way:
            break
        Reconciliation.objects.update(wake_at=None)
    assert (made.status, made.message) == ("done", "")
    assert made.done == made.total
    return made


@pytest.fixture(autouse=True)
def known_accounts(stage: Stage) -> None:
    """Documents name their accounts and tax rates, as after a consent."""
    connection = stage.connections["xero"]
    api = registry.connector("xero").client_class(connection)
    connection.details = {**connection.details, **registry.connector("xero").details(api)}
    connection.save()


def write(stage: Stage, *steps: tuple[str, editing.Sources]) -> Run:
    """A run of a workflow with these steps. "{before}" in a source is the key of the step before."""
    workflow = editing.create_workflow(
        stage.cast.team,
        name=f"Writes {Run.objects.count()}",
        operation="pinterest.new_board",
        connection=stage.connections["pinterest"],
        by=stage.cast.builder,
    )
    before = ""
    for key, sources in steps:
        placed = {
            name: each.replace("{before}", before) if isinstance(each, str) else each for name, each in sources.items()
        }
        draft = editing.StepDraft(key, key, stage.connections[key.partition(".")[0]], placed)
        before = editing.save_step(workflow, None, draft).key
    run = stage.settle(stage.set_off(workflow))
    assert (run.status, run.error) == ("succeeded", "")
    return run


def invoice(stage: Stage, **more: str) -> Posting:
    """A written invoice of 115.00."""
    who = str(stage.sandbox.contacts()[0]["id"])
    run = write(stage, (CREATE_INVOICE, {"contact_id": who, "lines": [LINE], "reference": "Order 7", **more}))
    return Posting.objects.get(run=run)


APPROVED = {"status": "AUTHORISED", "due_date": "2026-12-22"}


def found(made: Reconciliation) -> dict[str, tuple[str, str]]:
    """The verdict and the changes of each finding, by the provider's id."""
    return {each.provider_id: (each.verdict, each.changes.strip()) for each in made.findings.all()}


def the_finding(stage: Stage) -> ReconciliationFinding:
    made = reconcile(stage)
    finding: ReconciliationFinding = made.findings.get()
    return finding


# --- untouched --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "action",
    [each for each in WRITING if not each.unreadable],
    ids=[each.full_key for each in WRITING if not each.unreadable],
)
def test_what_nobody_touched_is_the_same(stage: Stage, action: Action) -> None:
    api = stage.api(action)
    if action.full_key in READ_AFTER:
        saving = registry.action(READ_AFTER[action.full_key])
        api.write(request_of(saving, api, example(saving, api, stage.sandbox)))
    run = stage.settle(stage.start(action, example(action, api, stage.sandbox)))
    assert run.status == "succeeded"
    written = Posting.objects.filter(run=run).count()
    made = reconcile(stage, action.connector.key)
    assert [f"{each}: {each.fields} {each.note}" for each in made.findings.exclude(verdict="unknown")] == []
    assert made.counts.get("same", 0) == written == 1
    # What the example wrote beside the run is not from here, and said so.
    assert not made.findings.filter(posting__run=run).exists()


def test_nothing_is_written_and_forty_invoices_cost_few_calls(stage: Stage) -> None:
    lines: editing.Sources = {"contact_id": str(stage.sandbox.contacts()[0]["id"]), "lines": [LINE]}
    write(stage, *[(CREATE_INVOICE, lines) for _ in range(10)])
    mark = stage.mark()
    made = reconcile(stage)
    rows = [row for row in stage.sandbox.ledger(after=mark)]
    assert [row for row in rows if row["method"] in WRITES] == []
    assert (made.counts, len(rows)) == ({"same": 10}, 2)
    assert not Notice.objects.filter(kind=Notice.Kind.BOOKS).exists()


# --- ten kinds of tampering -------------------------------------------------------------------------------------------


def test_an_amount_that_was_changed(stage: Stage) -> None:
    posting = invoice(stage)
    line = {"Description": "Shelf", "Quantity": 1, "UnitAmount": 110, "AccountCode": "200"}
    stage.sandbox.change("invoice", posting.provider_id, LineItems=[line])
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " amount ")
    assert finding.fields == [
        ["amount", "Subtotal", "100.00", "110.00"],
        ["amount", "Tax", "15.00", "16.50"],
        ["amount", "Total", "115.00", "126.50"],
    ]
    assert (finding.posting, finding.run) == (posting, posting.run)


def test_an_account_that_was_changed(stage: Stage) -> None:
    posting = invoice(stage)
    line = {"Description": "Shelf", "Quantity": 1, "UnitAmount": 100, "AccountCode": "260"}
    stage.sandbox.change("invoice", posting.provider_id, LineItems=[line])
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " account ")
    assert finding.fields[0][1:] == ["Account", "200 - Sales: 100.00", "260 - Other Revenue: 100.00"]


def test_an_invoice_that_was_voided(stage: Stage) -> None:
    posting = invoice(stage, **APPROVED)
    stage.sandbox.change("invoice", posting.provider_id, Status="VOIDED")
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " voided ")
    assert finding.fields == [["voided", "State", "Approved", "Voided"]]


def test_a_draft_that_was_deleted(stage: Stage) -> None:
    posting = invoice(stage)
    stage.sandbox.change("invoice", posting.provider_id, Status="DELETED")
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("gone", " deleted ")


def test_an_invoice_that_was_paid_moved_on_and_alarms_nobody(stage: Stage) -> None:
    posting = invoice(stage, **APPROVED)
    stage.sandbox.make("payment", invoice=posting.provider_id)
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("moved_on", " paid ")
    assert finding.fields == [["paid", "State", "Approved", "Paid"]]
    assert not Notice.objects.filter(kind=Notice.Kind.BOOKS).exists()


def test_an_invoice_that_was_renumbered(stage: Stage) -> None:
    posting = invoice(stage)
    stage.sandbox.change("invoice", posting.provider_id, InvoiceNumber="INV-9999")
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " number ")
    assert finding.fields == [["number", "Number", posting.number, "INV-9999"]]


def test_a_contact_that_was_merged_with_its_documents(stage: Stage) -> None:
    sources: editing.Sources = {"contact_id": "{{ steps.{before}.ContactID }}", "lines": [LINE]}
    write(stage, ("xero.create_contact", {"name": "Twice Ltd"}), (CREATE_INVOICE, sources))
    contact, document = Posting.objects.order_by("pk")
    target = stage.sandbox.contacts()[0]
    stage.sandbox.merge(contact.provider_id, str(target["id"]))
    made = reconcile(stage)
    assert found(made) == {
        contact.provider_id: ("changed", "merged"),
        document.provider_id: ("changed", "contact_merged"),
    }
    assert made.findings.get(posting=contact).note == f"merged into {target['Name']}"
    assert made.findings.get(posting=document).fields == [["contact_merged", "Contact", "Twice Ltd", target["Name"]]]


def test_a_contact_that_was_archived(stage: Stage) -> None:
    contact = Posting.objects.get(run=write(stage, ("xero.create_contact", {"name": "Twice Ltd"})))
    stage.sandbox.change("contact", contact.provider_id, ContactStatus="ARCHIVED")
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " archived ")
    assert finding.fields == [["archived", "State", "Active", "Archived"]]


def test_an_invoice_that_was_written_with_our_access_by_something_else(stage: Stage) -> None:
    known = invoice(stage)
    token = stage.connections["xero"].grant.access_token
    record = {
        "Type": "ACCREC", "Contact": {"ContactID": str(stage.sandbox.contacts()[0]["id"])},
        "LineItems": [{"Description": "Not ours", "Quantity": 1, "UnitAmount": 40, "AccountCode": "200"}],
    }  # fmt: skip
    made = requests.put(
        f"{stage.sandbox.url}/api.xro/2.0/Invoices",
        json={"Invoices": [record]},
        headers={"Authorization": f"Bearer {token}", "xero-tenant-id": DEMO, "Accept": "application/json"},
        timeout=10,
    ).json()["Invoices"][0]
    finding = the_finding(stage)
    assert (finding.verdict, finding.posting) == ("unknown", None)
    assert (finding.provider_id, finding.number) == (made["InvoiceID"], made["InvoiceNumber"])
    assert finding.provider_id != known.provider_id
    assert finding.note == "It was written with this installation's access, by something other than Pinxero."


def test_a_contact_that_a_step_archived_and_a_person_restored(stage: Stage) -> None:
    contact = stage.sandbox.make("contact", name="Once Ltd")
    posting = Posting.objects.get(run=write(stage, ("xero.archive_contact", {"contact_id": str(contact["id"])})))
    assert reconcile(stage).counts == {"same": 1}
    stage.sandbox.change("contact", posting.provider_id, ContactStatus="ACTIVE")
    finding = the_finding(stage)
    assert (finding.verdict, finding.changes) == ("changed", " restored ")
    assert finding.fields == [["restored", "State", "Archived", "Active"]]


# --- what is told, and when -------------------------------------------------------------------------------------------


def test_people_are_told_once_of_what_is_new(stage: Stage) -> None:
    posting = invoice(stage, **APPROVED)
    stage.sandbox.change("invoice", posting.provider_id, Status="VOIDED")
    assert reconcile(stage).fresh == 1
    notice = Notice.objects.get(kind=Notice.Kind.BOOKS)
    assert (notice.connection, notice.count) == (stage.connections["xero"], 1)
    assert "1 changed" in notice.text
    again = reconcile(stage)
    assert (again.fresh, again.counts) == (0, {"changed": 1})
    notice.refresh_from_db()
    assert notice.count == 1


@pytest.mark.parametrize(
    "key", ["xero.create_invoice", "xero.create_contact", "xero.create_project", "pinterest.create_board"]
)
def test_what_was_taken_back_from_here_is_no_tampering(stage: Stage, key: str) -> None:
    action = registry.action(key)
    run = stage.settle(stage.start(action, example(action, stage.api(action), stage.sandbox)))
    (posting,) = undoing.written(run)
    digest = undoing.look([posting]).prospects[posting.pk].digest
    undo = stage.settle(undoing.take_back(run, {posting.pk: digest}, by=stage.cast.builder, reason="It was wrong"))
    assert (undo.status, undo.error) == ("succeeded", "")
    made = reconcile(stage, action.connector.key)
    assert made.counts == {"written_again": 1, "same": 1}
    if key == "xero.create_contact":
        stage.sandbox.change("contact", posting.provider_id, ContactStatus="ACTIVE")
        assert found(reconcile(stage)) == {posting.provider_id: ("changed", "restored")}


def test_only_the_last_write_of_a_record_says_what_it_should_be(stage: Stage) -> None:
    who = str(stage.sandbox.contacts()[0]["id"])
    voided: editing.Sources = {"invoice_id": "{{ steps.{before}.InvoiceID }}"}
    sources: editing.Sources = {"contact_id": who, "lines": [LINE], **APPROVED}
    write(stage, (CREATE_INVOICE, sources), ("xero.void_or_delete_invoice", voided))
    made = reconcile(stage)
    assert (found(made), made.counts) == ({}, {"written_again": 1, "same": 1})


def test_a_worker_that_was_killed_counts_nothing_twice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> None:
    posting = invoice(stage)
    settings.TIME_SCALE = 1
    stage.sandbox.change("invoice", posting.provider_id, Status="DELETED")
    today = timezone.localdate()
    made = beginning.begin(stage.connections["xero"], since=today, until=today, by=None)

    class Killed(BaseException):
        pass

    def die(*arguments: Any, **more: Any) -> None:
        raise Killed

    for name in ("_store", "_finish"):
        with monkeypatch.context() as patch:
            patch.setattr(working, name, die)
            with pytest.raises(Killed):
                working.work()
        assert working.work() == 0  # its lease still runs
        Reconciliation.objects.update(lease_until=None)
    for _ in range(3):
        working.work()
    made.refresh_from_db()
    assert (made.status, made.counts, made.done, made.findings.count()) == ("done", {"gone": 1}, 1, 1)


def test_where_the_budget_is_used_up_it_waits_and_goes_on(stage: Stage, settings: Any) -> None:
    invoice(stage)
    settings.TIME_SCALE, settings.XERO_DAY_LIMIT = 1, 1000
    CallBudget.objects.filter(connection=stage.connections["xero"]).update(
        day_used=500, day_started_at=timezone.now(), recent=[]
    )
    made = beginning.begin(
        stage.connections["xero"], since=timezone.localdate(), until=timezone.localdate(), by=stage.cast.builder
    )
    working.work()
    made.refresh_from_db()
    assert (made.status, made.done) == ("comparing", 0)
    assert "that reconciliations may make are used up" in made.message
    assert made.wake_at is not None
    assert working.work() == 0
    CallBudget.objects.update(day_used=0)
    Reconciliation.objects.update(wake_at=None)
    working.work()
    working.work()
    made.refresh_from_db()
    assert (made.status, made.message, made.counts) == ("done", "", {"same": 1})


def test_a_period_must_be_one_and_one_is_under_way_at_a_time(stage: Stage) -> None:
    connection, today = stage.connections["xero"], timezone.localdate()
    for since, until in (
        (today, today - timedelta(days=1)),
        (date(2020, 1, 1), today),
        (today + timedelta(days=1),) * 2,
    ):
        with pytest.raises(beginning.NotBegunError):
            beginning.begin(connection, since=since, until=until, by=None)
    first = beginning.begin(connection, since=today, until=today, by=None)
    assert beginning.begin(connection, since=today, until=today, by=None) == first
    assert beginning.stop(first)
    assert not beginning.stop(first)
    assert beginning.begin(connection, since=today, until=today, by=None) != first


def test_each_night_what_was_written_lately_is_reconciled_and_old_ones_are_forgotten(stage: Stage) -> None:
    assert beginning.begin_nightly() == 0
    invoice(stage)
    assert beginning.begin_nightly() == 1
    made = Reconciliation.objects.get()
    assert (made.connection, made.by, made.total) == (stage.connections["xero"], None, 1)
    assert beginning.forget_old() == 0
    Reconciliation.objects.update(asked_at=timezone.now() - timedelta(days=401))
    assert beginning.forget_old() == 1
