"""What a document comes to: our sums against Xero's own example, and against the sandbox's, which are other code."""

from __future__ import annotations

import json
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.connectors.xero.fields import totals
from integrations.connectors.xero.fields.totals import Basis
from integrations.schema.documents import Document, Totals
from integrations.transport.http import Request
from tests.integrations.connectors.xero.papers import KINDS, any_values, computed_by_the_sandbox, details_of, sent
from tests.provider import DEMO, NORTHWIND, Sandbox

#: Documents of one property example; 200 examples of them are 20,000 documents.
BATCH = 100
DETAILS = {tenant: details_of(tenant) for tenant in (DEMO, NORTHWIND)}


def amounts(*told: str) -> Totals:
    return Totals(*(Decimal(each) for each in told))


def shown(kind: str, tenant: str, values: dict[str, Any]) -> Document:
    action = KINDS[kind][0]
    document = action.document(action.Inputs.clean(values), DETAILS[tenant])
    assert document is not None
    return document


# --- by hand ----------------------------------------------------------------------------------------------------------


def test_three_lines_at_15_percent_come_to_87_74() -> None:
    """The example of https://developer.xero.com/documentation/guides/how-to-guides/rounding-in-xero"""
    rows = [
        {"description": f"Product {name}", "unit_amount": price, "account_code": "200", "tax_type": "OUTPUT2"}
        for name, price in (("A", "25.06"), ("B", "25.61"), ("C", "25.63"))
    ]
    document = shown("invoice", DEMO, {"contact_id": "somebody", "lines": rows})
    assert [line.tax for line in document.lines] == [Decimal("3.76"), Decimal("3.84"), Decimal("3.84")]
    assert document.totals == amounts("76.30", "11.44", "87.74")


@pytest.mark.parametrize(
    ("given", "amount", "tax"),
    [
        ({"quantity": "3", "unit_amount": "25.4321", "rate": "15"}, "76.30", "11.45"),
        ({"quantity": "1", "unit_amount": "2.165", "rate": "0"}, "2.17", "0.00"),  # a half goes up
        ({"quantity": "1", "unit_amount": "-2.165", "rate": "0"}, "-2.17", "0.00"),  # and away from zero
        ({"quantity": "1", "unit_amount": "115", "rate": "15", "basis": Basis.INCLUSIVE}, "115.00", "15.00"),
        ({"quantity": "1", "unit_amount": "100", "rate": "15", "basis": Basis.NO_TAX}, "100.00", "0.00"),
        ({"quantity": "2", "unit_amount": "50", "rate": "15", "discount_rate": "12.5"}, "87.50", "13.13"),
        ({"quantity": "2", "unit_amount": "50", "rate": "15", "discount_amount": "0.05"}, "99.95", "14.99"),
        ({"quantity": "1", "unit_amount": "10", "rate": "15", "tax_amount": "1.49"}, "10.00", "1.49"),
        ({"quantity": "1", "unit_amount": "10", "rate": "0", "tax_amount": "1.49"}, "10.00", "0.00"),
        ({"quantity": "99999999.9999", "unit_amount": "99999999.9999", "rate": "15"}, "9999999999980000.00",
         "1499999999997000.00"),
    ],
)  # fmt: skip
def test_a_line(given: dict[str, Any], amount: str, tax: str) -> None:
    told = {name: value if isinstance(value, Basis) else Decimal(value) for name, value in given.items()}
    line = totals.line(**{"basis": Basis.EXCLUSIVE, **told})
    assert (str(line.amount), str(line.tax)) == (amount, tax)


def test_where_prices_hold_the_tax_the_subtotal_is_what_remains() -> None:
    lines = [totals.LineAmounts(Decimal("11.50"), Decimal("1.50")), totals.LineAmounts(Decimal("1.00"), Decimal("0"))]
    assert totals.document(lines, Basis.INCLUSIVE) == amounts("11.00", "1.50", "12.50")
    assert totals.document(lines, Basis.EXCLUSIVE) == amounts("12.50", "1.50", "14.00")


@pytest.mark.parametrize(
    ("row", "note"),
    [
        ({"item_code": "PRINT-A4", "tax_type": "OUTPUT2"}, "The price of a row without one comes from its item"),
        ({"item_code": "PRINT-A4", "unit_amount": "5"}, "The tax of a row without a tax rate comes from its item"),
        ({"description": "Oak", "unit_amount": "5", "tax_type": "GONE"}, "The percentage of a tax rate is not known"),
        (
            {"description": "Oak", "unit_amount": "5", "account_code": "999"},
            "The percentage of a tax rate is not known",
        ),
    ],
)
def test_a_total_of_which_a_part_is_unknown_is_unknown(row: dict[str, str], note: str) -> None:
    whole = {"description": "Oak", "unit_amount": "5", "account_code": "200"}
    document = shown("invoice", DEMO, {"contact_id": "somebody", "lines": [whole, row]})
    assert document.totals is None
    assert [each[: len(note)] for each in document.notes] == [note]
    assert document.lines[0].tax == Decimal("0.75")
    assert document.lines[1].tax is None


# --- against the sandbox ----------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(seed=st.integers(min_value=0, max_value=2**32))
def test_20_000_documents_come_to_what_the_sandbox_books_to_the_cent(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(BATCH):
        kind, tenant = chance.choice(list(KINDS)), chance.choice((DEMO, NORTHWIND))
        values = any_values(kind, tenant, chance)
        action, plural, *_ = KINDS[kind]
        inputs = action.Inputs.clean(values)
        booked = computed_by_the_sandbox(tenant, kind, sent(action, plural, inputs))
        document = action.document(inputs, DETAILS[tenant])
        assert document is not None
        assert document.totals == Totals(booked["SubTotal"], booked["TotalTax"], booked["Total"]), values
        ours = [(line.amount, line.tax) for line in document.lines]
        assert ours == [(line["LineAmount"], line["TaxAmount"]) for line in booked["LineItems"]], values


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_really_written_answers_with_the_totals_that_were_shown(demo: Any, sandbox: Sandbox, kind: str) -> None:
    chance = random.Random(f"{kind} in the books")
    action, plural, *_ = KINDS[kind]
    contact = str(sandbox.contacts()[0]["id"])
    documents = [any_values(kind, DEMO, chance, contact=contact) for _ in range(40)]
    documents = [each for each in documents if shown(kind, DEMO, each).totals.total >= 0]  # type: ignore[union-attr]
    records = [sent(action, plural, action.Inputs.clean(values)) for values in documents]
    for number, record in enumerate(records):
        if record.get("CreditNoteNumber"):
            record["CreditNoteNumber"] = f"PX-{number}"
    query = {} if plural in {"Quotes", "PurchaseOrders"} else {"unitdp": "4"}
    response = demo.write(Request.of_json("PUT", f"/{plural}", {plural: records}, query=query))
    booked = json.loads(response.body, parse_float=Decimal)[plural]
    assert len(booked) == len(documents) >= 20
    for values, record in zip(documents, booked, strict=True):
        answered, document = action.written_document(record), shown(kind, DEMO, values)
        assert answered is not None
        assert answered.totals == document.totals
        assert answered.currency == document.currency
