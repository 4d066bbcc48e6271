"""Stock running short: what a check warns of, the sandbox refuses to approve, and what it passes the sandbox takes."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.framework.checks import Facts, findings_of
from tests.integrations.connectors.xero.test_checks import OTHER, found_in, named, values_of
from tests.integrations.connectors.xero.test_stock import COUNTED, received
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

APPROVED = {"status": "AUTHORISED", "due_date": "2026-12-22"}
NOTE = {"status": "AUTHORISED", "type": "ACCPAYCREDIT"}
NOT_ENOUGH = "not enough of the tracked inventory item STOOL-OAK"


def stools(*quantities: str, **more: Any) -> dict[str, Any]:
    return {"lines": [{"item_code": "STOOL-OAK", "quantity": each, **more} for each in quantities]}


@pytest.fixture
def stocked(demo: Any) -> Any:
    """An organisation with ten stools."""
    received(demo, **COUNTED)
    return demo


@pytest.mark.parametrize(
    ("action", "wrong", "mended", "taken", "at"),
    [
        ("create_invoice", stools("11") | APPROVED, stools("10") | APPROVED, "11", 0),
        ("create_invoice", stools("6", "4.5") | APPROVED, stools("6", "4") | APPROVED, "10.5", 0),
        ("create_invoice", stools("12", "-1") | APPROVED, stools("12", "-2") | APPROVED, "11", 0),
        ("create_credit_note", stools("11") | NOTE, stools("10") | NOTE, "11", 0),
        (
            "create_bill",
            {"lines": [{"description": "Oak", "unit_amount": "9000", "account_code": "310"}, *stools("-11")["lines"]]}
            | APPROVED,
            stools("11") | APPROVED,
            "11",
            1,
        ),
    ],
)
def test_more_than_is_on_hand_is_said_with_both_figures_and_refused(
    stocked: Any, sandbox: Sandbox, action: str, wrong: dict[str, Any], mended: dict[str, Any], taken: str, at: int
) -> None:
    values, right = values_of(action, sandbox, wrong), values_of(action, sandbox, mended)
    found = found_in(stocked, action, values)
    assert named(found) == [("warns", "stock_short", f"lines.{at}.quantity")]
    said = f"This takes {taken} of the tracked item STOOL-OAK, and 10 are on hand in Demo Company (NZ)."
    assert (found[0].message, bool(found[0].advice)) == (said, True)
    with pytest.raises(RejectedError, match=NOT_ENOUGH):
        written(stocked, registry.action(f"xero.{action}"), **values)
    assert found_in(stocked, action, right) == []
    written(stocked, registry.action(f"xero.{action}"), marker=OTHER, **right)


@pytest.mark.parametrize(
    ("action", "values"),
    [
        ("create_invoice", stools("99")),
        ("create_invoice", stools("99") | {"status": "SUBMITTED", "due_date": "2026-12-22"}),
        ("create_credit_note", stools("99") | {"status": "AUTHORISED"}),
        ("create_quote", stools("99")),
        ("create_purchase_order", stools("99") | {"status": "AUTHORISED"}),
        ("create_invoice", {"lines": [{"item_code": "PRINT-A4", "quantity": "99"}]} | APPROVED),
    ],
)
def test_what_moves_no_stock_or_brings_it_in_is_not_warned_of(
    demo: Any, sandbox: Sandbox, action: str, values: dict[str, Any]
) -> None:
    given = values_of(action, sandbox, values)
    assert found_in(demo, action, given) == []
    written(demo, registry.action(f"xero.{action}"), **given)


def changed(
    demo: Any, invoice: str, marker: str = OTHER, **values: Any
) -> tuple[list[tuple[str, str, str]], Callable[[], Any]]:
    """What is found about a change of the invoice, and how it is written."""
    action = registry.action("xero.update_invoice")
    given = {"invoice_id": invoice, **values}
    inputs = action.Inputs.clean(given)
    found = findings_of(action, Facts(demo), inputs, action.prepare(demo, inputs))
    return named(found), lambda: written(demo, action, marker=marker, **given)


def test_approving_a_draft_takes_what_its_own_lines_say(stocked: Any, sandbox: Sandbox) -> None:
    draft = written(
        stocked, registry.action("xero.create_invoice"), **values_of("create_invoice", sandbox, stools("11"))
    )
    found, write = changed(stocked, draft["InvoiceID"], **APPROVED)
    assert found == [("warns", "stock_short", "status")]
    with pytest.raises(RejectedError, match=NOT_ENOUGH):
        write()


def test_a_change_of_an_approved_invoice_takes_only_what_comes_on_top(stocked: Any, sandbox: Sandbox) -> None:
    values = values_of("create_invoice", sandbox, stools("8") | APPROVED)
    invoice = written(stocked, registry.action("xero.create_invoice"), **values)["InvoiceID"]
    row = {"description": "Stools", "unit_amount": "89", "account_code": "200"}
    found, write = changed(stocked, invoice, **stools("11", **row))
    assert found == [("warns", "stock_short", "lines.0.quantity")]
    with pytest.raises(RejectedError, match=NOT_ENOUGH):
        write()
    found, write = changed(stocked, invoice, "PX-3333333333333333", **stools("10", **row))
    assert found == []
    write()


def test_how_many_there_are_is_read_anew_and_once(stocked: Any, sandbox: Sandbox, wire: Wire) -> None:
    values = values_of("create_invoice", sandbox, stools("10") | APPROVED)
    assert found_in(stocked, "create_invoice", values) == []
    written(stocked, registry.action("xero.create_invoice"), **values)
    wire.clear()
    assert [each.code for each in found_in(stocked, "create_invoice", values)] == ["stock_short"]
    assert sum(each.endswith("/Items/STOOL-OAK") for each in wire.calls) == 1


def test_a_predicted_quantity_or_item_is_not_judged(demo: Any, sandbox: Sandbox) -> None:
    values = values_of("create_invoice", sandbox, stools("11") | APPROVED)
    for path in ("lines.quantity", "lines.item_code", "lines"):
        assert "stock_short" not in {each.code for each in found_in(demo, "create_invoice", values, predicted=[path])}


def test_a_warning_says_one_where_there_is_one(demo: Any, sandbox: Sandbox) -> None:
    received(demo, **{**COUNTED, "quantity": Decimal(1)})
    found = found_in(demo, "create_invoice", values_of("create_invoice", sandbox, stools("2.50") | APPROVED))
    assert found[0].message.startswith("This takes 2.5 of the tracked item STOOL-OAK, and 1 is on hand in")
