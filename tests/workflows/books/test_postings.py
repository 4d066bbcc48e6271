"""One posting for each object that was written, made with the record of its step, under kills and decisions too."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.core.errors import RejectedError, TemporaryError
from integrations.framework import registry
from integrations.transport.http import Request, Response
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, start, the_run, the_write, thing, unknown
from tests.workflows.pages.test_documents import DETAILS, ROWS, WRITTEN, write
from tests.workflows.planting import MakeTree, begin, loop, state_of
from tests.workflows.planting import write as write_step
from tests.workflows.scripted.connector import Provider, WriteThing
from tests.world import CONTACT, World
from workflows.books import postings
from workflows.engine import lease
from workflows.models import Posting, Run, StepRun
from workflows.runs import decisions

pytestmark = pytest.mark.django_db


def test_a_write_makes_one_posting_with_what_it_was_and_where_it_came_from(
    provider: Provider, make_workflow: Make
) -> None:
    start(provider, make_workflow)
    settle()
    run, step_run = the_run(), the_write()
    posting = Posting.objects.get()
    assert (posting.run, posting.step_run, posting.team) == (run, step_run, run.team)
    assert (posting.workflow, posting.version, posting.connection) == (run.workflow, run.version, step_run.connection)
    assert (posting.operation, posting.effect, posting.origin) == ("scripted.write_thing", "creates", "answered")
    assert (posting.noun, posting.described, posting.provider_id) == ("Write thing", "Thing T1", "T1")
    assert (posting.marker, posting.step, posting.iteration) == (step_run.marker, step_run.step, "")
    assert posting.organisation == "Scripted account"
    assert posting.written_at == step_run.finished_at


def test_what_only_reads_and_what_found_nothing_to_write_make_none(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThing, "settled", lambda self, inputs, found: {"id": "T9", "name": "", "marker": ""})
    start(provider, make_workflow, actions=("read_thing", "write_thing"))
    settle()
    assert the_run().status == "succeeded"
    assert not Posting.objects.exists()


class Killed(BaseException):
    """The worker is gone."""


@pytest.mark.parametrize("key_window", [1_000_000, 0])
def test_a_worker_killed_after_sending_leaves_one_posting_when_it_is_settled(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch, key_window: int
) -> None:
    monkeypatch.setattr(WriteThing, "key_window", key_window)

    def write_and_die() -> Response:
        body, key = provider.sent.pop()
        provider.script = []
        provider.write(Request("PUT", "/things", body=body), key)
        raise Killed

    start(provider, make_workflow)
    provider.script = [write_and_die]
    with pytest.raises(Killed):
        drain()
    assert (the_write().state, Posting.objects.count()) == ("sent", 0)
    settle()
    told = [(each.provider_id, each.origin) for each in Posting.objects.all()]
    assert told == [("T1", "answered" if key_window else "found")]
    assert len(provider.books) == 1


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_while_it_records_leaves_neither_the_step_nor_a_posting(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)
    recorders = list(lease.RECORDERS)

    def die(rows: Any) -> None:
        recorders[0](rows)
        if any(row.state == "succeeded" for row in rows):
            raise Killed

    monkeypatch.setattr(lease, "RECORDERS", [die])
    with pytest.raises(Killed):
        drain()
    assert (the_write().state, Posting.objects.count()) == ("sent", 0)
    monkeypatch.setattr(lease, "RECORDERS", recorders)
    settle()
    assert (the_run().status, len(provider.books), Posting.objects.count()) == ("succeeded", 1, 1)


def test_retries_and_refusals_make_one_posting_for_what_was_written_in_the_end(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow)
    provider.script = [TemporaryError("Busy.", retry_after=1), RejectedError("No.")]
    settle()
    assert (the_run().status, Posting.objects.count()) == ("failed", 0)
    decisions.retry(the_run(), by=cast.builder)
    settle()
    assert (the_run().status, Posting.objects.count()) == ("succeeded", 1)


def test_what_a_person_marks_as_done_is_posted_as_such_and_what_is_skipped_is_not(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    start(provider, make_workflow, thing(1), thing(2), actions=("write_unsurely",))
    provider.script = [unknown(), RejectedError("No.")]
    settle()
    first, second = Run.objects.order_by("pk")
    assert not Posting.objects.exists()
    decisions.mark_done(first, by=cast.builder, reason="Seen there", provider_id="T9")
    decisions.skip(second, by=cast.builder, reason="Not ours")
    settle()
    assert [(each.run, each.origin, each.provider_id) for each in Posting.objects.all()] == [(first, "person", "T9")]


def test_every_iteration_of_a_loop_has_its_posting(provider: Provider, make_tree: MakeTree) -> None:
    run = begin(make_tree(loop("each", "{{ trigger.numbers }}", write_step("w", "{{ item }}"))), numbers=[1, 2, 3])
    settle()
    assert state_of(run) == "succeeded"
    assert list(run.postings.order_by("step_run").values_list("iteration", "provider_id")) == [
        ("1", "T1"), ("2", "T2"), ("3", "T3"),
    ]  # fmt: skip


def test_recording_twice_changes_nothing(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    settle()
    before = Posting.objects.values().get()
    StepRun.objects.update(provider_id="T77")
    postings.record([the_write()])
    assert Posting.objects.values().get() == before


def test_a_posting_costs_one_query_where_there_are_no_lines(provider: Provider, make_workflow: Make) -> None:
    start(provider, make_workflow)
    settle()
    Posting.objects.all().delete()
    row = StepRun.objects.select_related("run", "connection").get(kind="action")
    with CaptureQueriesContext(database) as seen:
        postings.record([row])
    assert [each["sql"].split()[0] for each in seen] in (["INSERT"], ["SAVEPOINT", "INSERT", "RELEASE"])


# --- what it says -----------------------------------------------------------------------------------------------------


@pytest.fixture
def books(world: World) -> World:
    world.xero.details = {**world.xero.details, **DETAILS}
    world.xero.save()
    return world


def posted(world: World) -> Posting:
    postings.record([StepRun.objects.get(pk=world.step_run.pk)])
    return Posting.objects.get()


def test_an_invoice_is_posted_with_number_day_contact_and_the_amounts_that_the_provider_wrote(books: World) -> None:
    write(books, ROWS, {**WRITTEN, "Status": "AUTHORISED"})
    posting = posted(books)
    assert (posting.noun, posting.number, str(posting.day)) == ("Sales invoice", "INV-0007", "2026-11-23")
    assert (posting.contact, posting.contact_id, posting.status) == ("Bayside Club", CONTACT, "Approved")
    assert (posting.currency, posting.sub_total, posting.tax, posting.amount) == (
        "NZD", Decimal("76.30"), Decimal("11.44"), Decimal("87.74"),
    )  # fmt: skip
    (line,) = posting.lines.all()
    assert (line.account, line.tax_rate, line.count, line.unknown) == ("200 - Sales", "15% GST on Income", 3, 0)
    assert (line.net, line.tax) == (Decimal("76.30"), Decimal("11.44"))


def test_lines_are_added_up_by_account_and_tax_rate_without_tax(books: World) -> None:
    rows = [
        {"description": "A", "unit_amount": "115.00", "account_code": "200"},
        {"description": "B", "unit_amount": "230.00", "account_code": "200"},
        {"description": "C", "unit_amount": "10.00", "account_code": "260", "tax_type": "NONE"},
    ]
    answered = [
        {"LineAmount": Decimal("115.00"), "TaxAmount": Decimal("15.00")},
        {"LineAmount": Decimal("230.00"), "TaxAmount": Decimal("30.00")},
        {"LineAmount": Decimal("10.00"), "TaxAmount": Decimal("0.00")},
    ]
    write(books, rows, {**WRITTEN, "LineAmountTypes": "Inclusive", "LineItems": answered})
    found = posted(books).lines.values_list("account", "net", "tax", "count")
    assert list(found) == [("200 - Sales", Decimal("300.00"), Decimal("45.00"), 2), ("260", Decimal(10), Decimal(0), 1)]


def test_an_amount_that_nobody_knows_is_counted_and_in_no_sum(books: World) -> None:
    write(books, [{"item_code": "OAK", "account_code": "200", "description": "Oak"}])
    (line,) = posted(books).lines.all()
    assert (line.net, line.tax, line.count, line.unknown) == (0, 0, 1, 1)


@pytest.mark.parametrize(
    "broken",
    [
        {**WRITTEN, "Total": Decimal("1e30")},
        {**WRITTEN, "Contact": "a text"},
        {**WRITTEN, "InvoiceNumber": "N\x00" * 300},
        {**WRITTEN, "LineItems": 7},
        {"InvoiceID": None},
    ],
)
def test_an_answer_that_cannot_be_read_keeps_no_write_from_being_posted(books: World, broken: dict[str, Any]) -> None:
    write(books, ROWS, broken)
    posting = posted(books)
    assert (posting.noun, posting.operation) == ("Sales invoice", "xero.create_invoice")
    assert "\x00" not in posting.number


def test_a_write_of_an_operation_that_is_gone_is_posted_with_what_is_stored(books: World) -> None:
    write(books, ROWS)
    StepRun.objects.filter(pk=books.step_run.pk).update(operation="xero.gone", provider_id="abc")
    posting = posted(books)
    assert (posting.noun, posting.effect, posting.provider_id, posting.organisation) == (
        "xero.gone", "", "abc", "Acme Ltd",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "value"),
    [("InvoiceNumber", "INV-8"), ("Total", Decimal("87.75")), ("Status", "VOIDED"), ("Date", "2026-11-24")],
)
def test_the_fingerprint_differs_with_each_field_that_matters_and_with_nothing_else(
    books: World, name: str, value: Any
) -> None:
    write(books, ROWS)
    row = StepRun.objects.get(pk=books.step_run.pk)

    def fingerprint(**changes: Any) -> str:
        row.output = {**WRITTEN, **changes}
        made = postings.made_of(row)
        assert made is not None
        return str(made.posting["fingerprint"])

    assert fingerprint() == fingerprint(UpdatedDateUTC="2026-12-01")
    assert fingerprint() != fingerprint(**{name: value})


@pytest.mark.parametrize("operation", ["create_payment", "create_bank_transfer", "allocate_credit_note"])
def test_what_has_one_amount_and_no_totals_is_posted_with_it(operation: str) -> None:
    action = registry.action(f"xero.{operation}")
    written = action.written_document(action.sample)
    assert written is not None
    assert (written.amount, written.totals) == (action.sample["Amount"], None)
    assert str(written.day) == "2026-10-05"
