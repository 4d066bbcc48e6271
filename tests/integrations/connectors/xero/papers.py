"""Documents made at random, as inputs of the actions that write them, and what the sandbox makes of them."""

from __future__ import annotations

import random
from decimal import Decimal
from functools import cache
from typing import Any

from integrations.connectors.xero.organisation import read_details
from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.framework.base import Action, Writing
from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.xero.documents import lines, rules
from integrations.transport.http import Response
from tests.integrations.connectors.xero.writing import LINK, MARKER

CONTACT = "430fa14a-f945-44d3-9f97-5df5e28441b8"
#: Action, its list in Xero's envelope, what the sandbox calls it, the sides of the books its rows may stand on.
KINDS: dict[str, tuple[Action, str, str, set[str]]] = {
    "invoice": (registry.action("xero.create_invoice"), "Invoices", "ACCREC", {"REVENUE"}),
    "bill": (registry.action("xero.create_bill"), "Invoices", "ACCPAY", {"EXPENSE"}),
    "quote": (registry.action("xero.create_quote"), "Quotes", "QUOTE", {"REVENUE"}),
    "order": (registry.action("xero.create_purchase_order"), "PurchaseOrders", "PURCHASEORDER", {"EXPENSE"}),
    "credit note": (registry.action("xero.create_credit_note"), "CreditNotes", "ACCRECCREDIT", {"REVENUE", "EXPENSE"}),
}
_DAYS = {"invoice": "invoice_date", "bill": "bill_date", "quote": "quote_date", "order": "order_date"}
_DAYS["credit note"] = "note_date"


class _Books:
    """Answers as the sandbox's organisation would, without a process."""

    def __init__(self, tenant: str) -> None:
        books = ORGANISATIONS[tenant]
        self.answers = {
            "/Organisation": {"Organisations": [books.profile()]},
            "/Accounts": {"Accounts": books.accounts()},
            "/TaxRates": {"TaxRates": books.tax_rates()},
        }

    def read(self, path: str) -> Response:
        return Response(200, body=dumps(self.answers[path]).encode())


def details_of(tenant: str) -> dict[str, Any]:
    """What a connection to this organisation remembers."""
    return read_details(_Books(tenant))  # type: ignore[arg-type]  # it reads three lists, no more


def any_values(kind: str, tenant: str, chance: random.Random, *, contact: str = CONTACT) -> dict[str, Any]:
    """Inputs of a document with one to eight rows, prices to four places, discounts, all kinds of tax."""
    basis = chance.choice(("Exclusive", "Exclusive", "Inclusive", "NoTax"))
    rows = [_row(kind, tenant, chance) for _ in range(chance.randint(1, 8))]
    return {
        "contact_id": contact,
        _DAYS[kind]: "2026-11-22",
        "line_amount_types": basis.upper() if kind == "quote" else basis,
        "currency": chance.choice((None, *ORGANISATIONS[tenant].currencies)),
        "lines": rows,
    }


def _row(kind: str, tenant: str, chance: random.Random) -> dict[str, Any]:
    account = chance.choice(_accounts(kind, tenant))
    row: dict[str, Any] = {
        "description": "Oak",
        "quantity": chance.choice((None, "1", "3", _number(chance, 500, 4))),
        "unit_amount": _number(chance, chance.choice((1, 100, 99_999)), chance.choice((0, 2, 2, 3, 4))),
        "account_code": account["Code"],
    }
    rates = _rates(tenant, account["Class"])
    # Without an account and without a rate there is no tax; without a rate only, that of the account.
    row["tax_type"] = chance.choice((None, *rates))
    if row["tax_type"] is None and chance.random() < 0.2:
        row["account_code"] = None
    if chance.random() < 0.1:
        row["tax_amount"] = _number(chance, 50, 2)
    if kind in {"invoice", "quote"} and chance.random() < 0.4:
        name, most = chance.choice((("discount_rate", 100), ("discount_amount", 1)))
        row[name] = _number(chance, most, 2)
    return {name: value for name, value in row.items() if value is not None}


def _number(chance: random.Random, most: int, places: int) -> str:
    return str(Decimal(chance.randint(0, most * 10**places)).scaleb(-places))


@cache
def _accounts(kind: str, tenant: str) -> list[dict[str, Any]]:
    classes = KINDS[kind][3]
    found = ORGANISATIONS[tenant].accounts()
    return [one for one in found if one["Class"] in classes and "SystemAccount" not in one]


@cache
def _rates(tenant: str, account_class: str) -> list[str]:
    flag = lines._CLASS_FLAGS[account_class]
    return [rate["TaxType"] for rate in ORGANISATIONS[tenant].tax_rates() if rate[flag]]


def sent(action: Action, plural: str, inputs: Any) -> dict[str, Any]:
    """The record that goes out for these cleaned inputs, numbers exact."""
    body = loads(action.request(inputs, Writing(marker=MARKER, back_link=LINK, found={})).body)
    (record,) = body[plural]
    return dict(record)


def computed_by_the_sandbox(tenant: str, kind: str, record: dict[str, Any]) -> dict[str, Any]:
    """Lines and totals as the sandbox keeps them for the record."""
    messages: list[str] = []
    basis = {"EXCLUSIVE": "Exclusive", "INCLUSIVE": "Inclusive", "NOTAX": "NoTax"}[record["LineAmountTypes"].upper()]
    document = lines.Document(
        tenant=tenant, kind=KINDS[kind][2], line_amount_types=basis, is_final=False, unit_places=4
    )
    kept = {"LineAmountTypes": basis, "LineItems": lines.clean(document, record["LineItems"], messages)}
    assert messages == []
    rules.add_totals(kept)
    return kept
