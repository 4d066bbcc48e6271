"""Triggers on changes, money, overdue invoices and projects, for real against the sandbox."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.triggers import overdue, watched_lists
from integrations.core.errors import InvalidInputError, RejectedError, TemporaryError
from integrations.framework.base import Item
from integrations.transport.http import Response
from tests.integrations.connectors.xero.test_triggers import Watch
from tests.integrations.wire import Wire
from tests.provider import Sandbox

NOBODY = "00000000-0000-4000-8000-000000000000"


def keys(items: list[Item]) -> list[str]:
    return [item.key for item in items]


def subjects(items: list[Item]) -> list[str]:
    """The records that the items are about."""
    return [item.key.partition(":")[0] for item in items]


# --- changes ----------------------------------------------------------------------------------------------------------


def test_a_contact_is_told_when_it_is_made_and_at_each_change(demo: Any, sandbox: Sandbox) -> None:
    watch = Watch(demo, "xero.new_or_updated_contact")
    watch.look(is_baseline=True)
    made = sandbox.make("contact", name="Pinworks Studio")["id"]
    assert subjects(watch.look()) == [made]
    assert watch.look() == watch.look(is_thorough=True) == []
    sandbox.change("contact", made, FirstName="Ada")
    (changed,) = watch.look()
    assert (changed.key.partition(":")[0], changed.data["FirstName"]) == (made, "Ada")
    sandbox.change("contact", made, ContactStatus="ARCHIVED")
    assert watch.look() == []


def test_one_contact_only(demo: Any, sandbox: Sandbox) -> None:
    one, other = (sandbox.make("contact", name=name)["id"] for name in ("One", "Other"))
    watch = Watch(demo, "xero.new_or_updated_contact", contact_id=one)
    watch.look(is_baseline=True)
    sandbox.change("contact", one, FirstName="Ada")
    sandbox.change("contact", other, FirstName="Bob")
    assert subjects(watch.look()) == [one]


def test_an_invoice_is_updated_by_each_change_and_not_by_being_made(demo: Any, sandbox: Sandbox) -> None:
    old = sandbox.make("invoice")["id"]
    watch = Watch(demo, "xero.invoice_updated")
    watch.look(is_baseline=True)
    new = sandbox.make("invoice")["id"]
    assert watch.look() == []
    for reference in ("First floor", "Second floor"):
        for each in (old, new):
            sandbox.change("invoice", each, Reference=reference)
        items = watch.look()
        assert sorted(subjects(items)) == sorted([old, new])
        assert {item.data["Reference"] for item in items} == {reference}
    assert watch.look() == watch.look(is_thorough=True) == []


def test_an_invoice_that_is_voided_was_updated(demo: Any, sandbox: Sandbox) -> None:
    invoice = sandbox.make("invoice", status="AUTHORISED")["id"]
    watch = Watch(demo, "xero.invoice_updated", status="VOIDED")
    watch.look(is_baseline=True)
    sandbox.change("invoice", invoice, Reference="A change, but no void")
    assert watch.look() == []
    sandbox.change("invoice", invoice, Status="VOIDED")
    (item,) = watch.look()
    assert (item.data["InvoiceID"], item.data["Status"]) == (invoice, "VOIDED")


def test_changes_of_bills_are_told_where_they_are_wanted(demo: Any, sandbox: Sandbox) -> None:
    invoice, bill = sandbox.make("invoice")["id"], sandbox.make("bill")["id"]
    sales, bills, both = (Watch(demo, "xero.invoice_updated", kind=kind) for kind in ("ACCREC", "ACCPAY", "any"))
    for watch in (sales, bills, both):
        watch.look(is_baseline=True)
    sandbox.change("invoice", invoice, Url="https://a.example/")
    sandbox.change("bill", bill, Url="https://b.example/")
    assert subjects(sales.look()) == [invoice]
    assert subjects(bills.look()) == [bill]
    assert sorted(subjects(both.look())) == sorted([invoice, bill])


def test_an_invoice_is_paid_once_whatever_becomes_of_the_payment(demo: Any, sandbox: Sandbox) -> None:
    paid_before, invoice = (sandbox.make("invoice", status="AUTHORISED", amount="100")["id"] for _ in range(2))
    sandbox.make("payment", invoice=paid_before)
    watch = Watch(demo, "xero.invoice_paid")
    assert f"{paid_before}:PAID" in keys(watch.look(is_baseline=True))
    sandbox.make("payment", invoice=invoice, amount="15")
    assert watch.look() == [], "a part is not all"
    payment = sandbox.make("payment", invoice=invoice)["id"]
    (item,) = watch.look()
    assert (item.key, item.data["Status"], item.data["AmountDue"]) == (f"{invoice}:PAID", "PAID", 0)
    assert item.happened == date.fromisoformat(item.data["FullyPaidOnDate"])
    assert len(item.data["Payments"]) == 2
    demo.write(_post(f"/Payments/{payment}", {"Status": "DELETED"}))
    sandbox.make("payment", invoice=invoice)
    assert watch.look() == []


def _post(path: str, body: dict[str, Any]) -> Any:
    from integrations.transport.http import Request

    return Request.of_json("POST", path, body)


def test_a_quote_changes_status_once_per_status(demo: Any, sandbox: Sandbox) -> None:
    quote = sandbox.make("quote")["id"]
    watch, accepted = Watch(demo, "xero.quote_status_changed"), Watch(demo, "xero.quote_accepted")
    for each in (watch, accepted):
        each.look(is_baseline=True)
    new = sandbox.make("quote")["id"]
    sandbox.change("quote", quote, Title="Only a title")
    assert watch.look() == accepted.look() == []
    told = []
    for status in ("SENT", "ACCEPTED", "DRAFT", "SENT", "ACCEPTED", "INVOICED"):
        sandbox.change("quote", quote, Status=status)
        told += keys(watch.look())
    assert told == [f"{quote}:{status}" for status in ("SENT", "ACCEPTED", "DRAFT", "INVOICED")]
    assert watch.look(is_thorough=True) == []
    sandbox.change("quote", new, Status="SENT")
    assert accepted.look() == []
    sandbox.change("quote", new, Status="ACCEPTED")
    assert keys(accepted.look()) == [f"{new}:ACCEPTED"]


def test_only_the_statuses_that_are_ticked(demo: Any, sandbox: Sandbox) -> None:
    quote = sandbox.make("quote")["id"]
    watch = Watch(demo, "xero.quote_status_changed", status="DECLINED,DRAFT")
    watch.look(is_baseline=True)
    told = []
    for status in ("SENT", "DECLINED", "DRAFT"):
        sandbox.change("quote", quote, Status=status)
        told += keys(watch.look())
    assert told == [f"{quote}:DECLINED", f"{quote}:DRAFT"]


# --- money ------------------------------------------------------------------------------------------------------------


def test_payments_are_told_by_kind_contact_and_amount(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    one, other = (sandbox.make("contact", name=name)["id"] for name in ("One", "Other"))
    sale = sandbox.make("invoice", status="AUTHORISED", contact=one, amount="1000")["id"]
    bill = sandbox.make("bill", status="AUTHORISED", contact=other, amount="1000")["id"]
    watches = {
        "all": Watch(demo, "xero.new_payment"),
        "received": Watch(demo, "xero.new_payment", kind="ACCRECPAYMENT"),
        "of other": Watch(demo, "xero.new_payment", contact_id=other),
        "large": Watch(demo, "xero.new_payment", amount_at_least="100"),
        "reconciled": Watch(demo, "xero.new_payment", only_reconciled="true"),
    }
    sandbox.make("payment", invoice=bill, amount="1")
    sandbox.make("payment", invoice=sale, amount="1")
    for watch in watches.values():
        watch.look(is_baseline=True)
    small = sandbox.make("payment", invoice=sale, amount="99.99")["id"]
    large = sandbox.make("payment", invoice=bill, amount="100", IsReconciled=True)["id"]
    wire.clear()
    found = {name: sorted(keys(watch.look())) for name, watch in watches.items()}
    both = sorted([small, large])
    assert found == {"all": both, "received": [small], "of other": [large], "large": [large], "reconciled": [large]}
    assert wire.calls == ["GET /api.xro/2.0/Payments"] * 5
    assert all("If-Modified-Since" in call.headers for call in wire.exchanges)


def test_bank_transactions_are_told_by_direction_account_and_contact(demo: Any, sandbox: Sandbox) -> None:
    one = sandbox.make("contact", name="One")["id"]
    watches = {
        "all": Watch(demo, "xero.new_bank_transaction"),
        "spent": Watch(demo, "xero.new_bank_transaction", direction="SPEND"),
        "of one": Watch(demo, "xero.new_bank_transaction", contact_id=one),
        "elsewhere": Watch(demo, "xero.new_bank_transaction", account_id=NOBODY),
    }
    for watch in watches.values():
        watch.look(is_baseline=True)
    received = sandbox.make("bank_transaction", contact=one)["id"]
    spent = sandbox.make("bank_transaction", type="SPEND")["id"]
    found = {name: sorted(keys(watch.look())) for name, watch in watches.items()}
    assert found == {"all": sorted([received, spent]), "spent": [spent], "of one": [received], "elsewhere": []}


@pytest.mark.parametrize(
    ("key", "name"),
    [("xero.new_payment", "contact_id"), ("xero.new_bank_transaction", "account_id"), ("xero.new_quote", "contact_id")],
)
def test_an_id_that_is_none_is_refused_before_anything_is_asked(demo: Any, key: str, name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        Watch(demo, key, **{name: '") OR ("1"=="1'})
    assert "is not the ID of a" in caught.value.problems[name]


# --- narrowing what is new --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["invoice", "bill", "quote", "purchase_order", "credit_note"])
def test_documents_are_narrowed_by_contact_and_amount(demo: Any, sandbox: Sandbox, what: str) -> None:
    one, other = (sandbox.make("contact", name=name)["id"] for name in ("One", "Other"))
    mine = Watch(demo, f"xero.new_{what}", contact_id=one)
    large = Watch(demo, f"xero.new_{what}", amount_at_least="500")
    mine.look(is_baseline=True), large.look(is_baseline=True)
    small = sandbox.make(what, contact=one, amount="50")["id"]
    big = sandbox.make(what, contact=other, amount="5000")["id"]
    assert keys(mine.look()) == [small]
    assert keys(large.look()) == [big]
    assert mine.look(is_thorough=True) == large.look(is_thorough=True) == []


@pytest.mark.parametrize(("what", "statuses"), [("quote", "SENT,DECLINED"), ("credit_note", "SUBMITTED,AUTHORISED")])
def test_several_statuses_are_one_trigger(demo: Any, sandbox: Sandbox, what: str, statuses: str) -> None:
    watch = Watch(demo, f"xero.new_{what}", status=statuses)
    watch.look(is_baseline=True)
    sandbox.make(what)
    wanted = sandbox.make(what, status=statuses.partition(",")[0])["id"]
    assert keys(watch.look()) == [wanted]


def test_a_page_of_others_is_not_read_again(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    watch = Watch(demo, "xero.new_quote", amount_at_least="1000000")
    sandbox.make("quote")
    assert watch.look(is_baseline=True) == []
    assert watch.cursor is not None
    wire.clear()
    watch.look()
    assert wire.exchanges[0].headers["If-Modified-Since"] == watch.cursor


# --- overdue ----------------------------------------------------------------------------------------------------------


class Calendar:
    """The organisation's day, which a test moves."""

    def __init__(self) -> None:
        self.day = datetime.now(UTC).date()

    def __call__(self, api: object) -> date:
        return self.day


@pytest.fixture
def calendar(monkeypatch: pytest.MonkeyPatch) -> Calendar:
    fixed = Calendar()
    monkeypatch.setattr(overdue, "today", fixed)
    return fixed


def due(sandbox: Sandbox, day: date, **details: Any) -> str:
    told = {"status": "AUTHORISED", "date": day.isoformat(), "due_date": day.isoformat(), **details}
    return str(sandbox.make("invoice", **told)["id"])


def test_an_invoice_becomes_overdue_without_being_touched(
    demo: Any, sandbox: Sandbox, calendar: Calendar, wire: Wire
) -> None:
    today = calendar.day
    long_ago, soon = due(sandbox, today - timedelta(days=30)), due(sandbox, today)
    paid, draft = due(sandbox, today), due(sandbox, today, status="DRAFT")
    watch = Watch(demo, "xero.overdue_invoice", days=7)
    assert f"{long_ago}:7" in keys(watch.look(is_baseline=True))
    sandbox.make("payment", invoice=paid)
    for _ in range(6):
        calendar.day += timedelta(days=1)
        assert watch.look() == []
    calendar.day += timedelta(days=1)
    wire.clear()
    (item,) = watch.look()
    assert item.key == f"{soon}:7"
    assert (item.data["days_overdue"], item.data["overdue_on"]) == (7, calendar.day.isoformat())
    assert item.happened == calendar.day
    assert "If-Modified-Since" not in wire.exchanges[0].headers
    assert len(wire.exchanges) == 1
    calendar.day += timedelta(days=1)
    assert watch.look() == watch.look(is_thorough=True) == []
    assert draft not in "".join(watch.seen)


def test_days_of_standing_still_are_caught_up_on(demo: Any, sandbox: Sandbox, calendar: Calendar) -> None:
    today = calendar.day
    watch = Watch(demo, "xero.overdue_invoice")
    watch.look(is_baseline=True)
    made = [due(sandbox, today + timedelta(days=number)) for number in range(5)]
    calendar.day += timedelta(days=6)
    assert sorted(subjects(watch.look())) == sorted(made)


def test_an_old_invoice_entered_late_is_found_by_the_days_thorough_look(
    demo: Any, sandbox: Sandbox, calendar: Calendar
) -> None:
    watch = Watch(demo, "xero.overdue_invoice")
    watch.look(is_baseline=True)
    old = due(sandbox, calendar.day - timedelta(days=90))
    assert watch.look() == []
    assert subjects(watch.look(is_thorough=True)) == [old]


def test_the_day_is_the_organisations(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime(2026, 11, 22, 23, 30, tzinfo=UTC)

    monkeypatch.setattr(watched_lists, "datetime", Clock)
    assert demo.connection.details["timezone"] == "Pacific/Auckland"
    assert watched_lists.today(demo) == date(2026, 11, 23)
    demo.connection.details["timezone"] = "America/New_York"
    assert watched_lists.today(demo) == date(2026, 11, 22)


def test_small_debts_can_be_left_out(demo: Any, sandbox: Sandbox, calendar: Calendar) -> None:
    watch = Watch(demo, "xero.overdue_invoice", amount_at_least="100")
    watch.look(is_baseline=True)
    yesterday = calendar.day - timedelta(days=1)
    large, partly = due(sandbox, yesterday, amount="200"), due(sandbox, yesterday, amount="200")
    due(sandbox, yesterday, amount="20")
    sandbox.make("payment", invoice=partly, amount="150")
    assert subjects(watch.look()) == [large]


# --- projects ---------------------------------------------------------------------------------------------------------


def test_a_project_is_new_once_and_one_that_is_opened_again_is_not(demo: Any, sandbox: Sandbox, wire: Wire) -> None:

    def set_status(project: str, status: str) -> None:
        # The product never closes projects, so this goes past its client.
        token = wire.exchanges[-1].token
        headers = {"Authorization": f"Bearer {token}", "xero-tenant-id": demo.connection.external_id}
        url = f"{sandbox.url}/projects.xro/2.0/Projects/{project}"
        answer = sandbox.session.patch(url, json={"status": status}, headers={**headers, "Accept": "application/json"})
        assert answer.status_code == 204, answer.text

    old = sandbox.make("project", name="Old")["id"]
    watch = Watch(demo, "xero.new_project")
    assert old in keys(watch.look(is_baseline=True))
    set_status(old, "CLOSED")
    assert watch.look() == []
    set_status(old, "INPROGRESS")
    new = sandbox.make("project", name="New kitchen", estimate="9800")["id"]
    wire.clear()
    (item,) = watch.look()
    assert (item.key, item.data["name"], item.happened) == (new, "New kitchen", None)
    assert wire.calls == ["GET /projects.xro/2.0/Projects"]
    assert wire.exchanges[0].query["states"] == "INPROGRESS"
    assert watch.look() == watch.look(is_thorough=True) == []


def test_every_page_of_projects_is_read(
    demo: Any, sandbox: Sandbox, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.connectors.xero.triggers.projects._PAGE_SIZE", 2)
    made = {sandbox.make("project", name=f"Project {number}")["id"] for number in range(5)}
    wire.clear()
    assert made <= set(keys(Watch(demo, "xero.new_project").look(is_baseline=True)))
    assert [call.query["page"] for call in wire.exchanges] == [str(n) for n in range(1, len(wire.exchanges) + 1)]
    assert len(wire.exchanges) >= 3


def test_the_projects_apis_own_errors_are_told(
    demo: Any, sandbox: Sandbox, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch = Watch(demo, "xero.new_project")
    sandbox.faults(next=["400"], only_provider="xero", only_path="/projects.xro/")
    with pytest.raises(RejectedError) as caught:
        watch.look(is_baseline=True)
    assert caught.value.reasons == ["This cannot be answered while the books are being moved."]
    monkeypatch.setattr(XeroClient, "read", lambda self, path, query: Response(200, body=b'{"projects":[]}'))
    with pytest.raises(TemporaryError, match="holds no list of projects"):
        watch.look()
