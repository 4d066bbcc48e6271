"""What checks cost, what they do where nothing can be read, and how amounts and days are judged."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.xero.checks.documents import REVENUE, DocumentRules, total_findings
from integrations.connectors.xero.fields.lock_dates import lock_over
from integrations.framework import registry
from integrations.framework.checks import NOT_CHECKED
from integrations.framework.choices import choices_for
from integrations.schema.documents import Document, Totals
from tests.integrations.connectors.xero.test_checks import NOBODY, USUAL, found_in, lines, named, values_of
from tests.integrations.connectors.xero.writing import written
from tests.integrations.examples import BANK
from tests.integrations.wire import Wire
from tests.provider import Sandbox


def test_the_lists_are_read_once_for_many_documents(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    values = values_of("create_invoice", sandbox, {**lines(tax_type="ZERORATED"), "currency": "USD"})

    assert found_in(demo, "create_invoice", values) == []
    first = list(wire.calls)
    wire.clear()
    assert found_in(demo, "create_invoice", values) == []

    assert [each.rpartition("/")[2] for each in first][:1] == ["Organisation"]
    assert len(first) == 5, first
    # The contact alone is looked at anew: it is one record and no list.
    assert wire.calls == [each for each in first if "/Contacts/" in each]


def test_a_contact_that_a_form_has_offered_costs_no_call(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    values = values_of("create_project", sandbox, {})
    declared = registry.action("xero.create_project").Inputs.fields()[0]
    assert choices_for(demo.connection, declared, {}).choices
    wire.clear()

    assert found_in(demo, "create_project", values) == []
    assert wire.calls == []


def test_what_was_added_since_the_list_was_read_is_found(demo: Any, sandbox: Sandbox) -> None:
    first = values_of("create_invoice", sandbox, {"lines": [{"item_code": "PRINT-A4"}]})
    assert found_in(demo, "create_invoice", first) == []
    written(demo, registry.action("xero.add_stock_item"), **USUAL["add_stock_item"], description="A3")

    later = values_of("create_invoice", sandbox, {"lines": [{"item_code": "PRINT-A3"}]})

    assert found_in(demo, "create_invoice", later) == []


def test_what_cannot_be_read_is_said_and_not_asked_again(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    sandbox.faults(p500=1.0)
    values = values_of("create_invoice", sandbox, {**lines(tax_type="INPUT2"), "currency": "USD"})
    wire.clear()

    found = found_in(demo, "create_invoice", values)

    assert named(found) == [("warns", NOT_CHECKED, "")]
    assert found[0].message == (
        "Not checked: whether the period is open; whether the contact exists and is active; whether the currency is "
        "enabled; whether the accounts exist, are active and fit; whether the tax rates are active and fit the "
        "accounts; what it comes to. Xero answered 500."
    )
    assert len(wire.calls) == 1


def test_without_leave_to_ask_only_what_was_read_lately_counts(demo: Any, sandbox: Sandbox, wire: Wire) -> None:
    wrong = values_of("create_bank_transfer", sandbox, {"from_account_id": BANK["200"], "transferred_on": "2026-11-22"})
    assert [each.code for each in found_in(demo, "create_bank_transfer", wrong, may_ask=False)] == [NOT_CHECKED]
    assert [each.code for each in found_in(demo, "create_bank_transfer", wrong)] == ["account_unfit"]
    wire.clear()

    assert [each.code for each in found_in(demo, "create_bank_transfer", wrong, may_ask=False)] == ["account_unfit"]
    assert wire.calls == []


def test_a_predicted_id_is_not_looked_up(demo: Any, sandbox: Sandbox) -> None:
    values = values_of("create_invoice", sandbox, {"contact_id": NOBODY})

    assert found_in(demo, "create_invoice", values, predicted=["contact_id"]) == []


def test_a_row_whose_account_is_predicted_is_not_judged_by_it(demo: Any, sandbox: Sandbox) -> None:
    values = values_of("create_invoice", sandbox, lines(account_code="9999", unit_amount="-9999"))

    # A preview names columns, not rows: every row may hold what a step before gives.
    found = found_in(demo, "create_invoice", values, predicted=["lines.account_code", "lines.unit_amount"])

    assert found == []


# --- amounts and days -----------------------------------------------------------------------------------------------


@given(st.decimals(min_value=-(10**9), max_value=10**9, places=2, allow_nan=False, allow_infinity=False))
def test_a_total_is_judged_by_its_sign_alone(total: Decimal) -> None:
    document = Document(what="Sales invoice", currency="NZD", totals=Totals(total, Decimal(0), total))

    found = list(total_findings(document, DocumentRules(called="a sales invoice", usual=REVENUE)))

    expected = [] if total > 0 else ["total_zero"] if total == 0 else ["total_negative"]
    assert [each.code for each in found] == expected


@given(st.dates(), st.dates(), st.dates())
def test_a_day_is_locked_up_to_and_on_the_later_lock_date(day: date, period: date, year: date) -> None:
    details = {"period_lock_date": period.isoformat(), "end_of_year_lock_date": year.isoformat()}

    assert (lock_over(details, day) is not None) == (day <= max(period, year))
    assert lock_over(details, max(period, year)) is not None
    if max(period, year) < date.max:
        assert lock_over(details, max(period, year) + timedelta(days=1)) is None
