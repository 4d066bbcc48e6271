"""Mapped text never becomes part of Xero's filter language, whichever operation looks something up by it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from integrations.connectors.xero.actions.items import item_with
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from tests.integrations.wire import Wire

HOSTILE = [
    '" OR Name!=null OR Name=="',
    '") OR (Type!="',
    'x" AND Status=="PAID',
    '\\" OR 1==1 OR \\"',
    'guid("7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001")',
    "a\u201d OR Name!=null",
    '"',
]
LINES = [{"description": "Shelf", "unit_amount": "20", "account_code": "200"}]
#: Every filter that is made with text from outside: a piece of letters, figures and single marks between quotes.
OURS = re.compile(
    r'AccountNumber!=null( AND AccountNumber\.ToLower\(\)\.Contains\("[a-z0-9._@+-]+"\))?'
    r'|Code\.ToLower\(\)\.Contains\("[a-z0-9._@+-]+"\)'
    r'|Type=="ACCREC"|Status=="ACTIVE" AND Type=="BANK"'
)


def looked_up(api: Any, text: str) -> None:
    """Let each operation that looks something up do it by this text; what it says of it does not matter here."""
    contact = {"email": "a@b.example", "name": text, "account_number": text, "contact_number": text}
    looks: list[tuple[str, dict[str, Any]]] = [
        *(("find_contact", {"search_by": by, "value": text}) for by in ("email", "name", "account_number", "anywhere")),
        *(("find_invoice", {"search_by": by, "value": text}) for by in ("number", "reference", "anywhere")),
        *(("find_purchase_order", {"search_by": by, "value": text}) for by in ("number", "reference")),
        *(("find_or_create_contact", {**contact, "look_by": by}) for by in ("name", "account_number", "email")),
        ("create_or_update_contact", {**contact, "match_by": "contact_number"}),
        ("find_or_create_invoice", {"contact_id": text[:36], "lines": LINES, "invoice_number": text}),
        ("add_stock_item", {"code": text[:30]}),
        ("create_payment", {"invoice_id": "7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001", "account_id": text, "amount": "1"}),
    ]
    for key, values in looks:
        action = registry.action(f"xero.{key}")
        try:
            inputs = action.Inputs.clean(values)
            action.run(api, inputs) if action.effect.name == "READS" else action.prepare(api, inputs)
        except (InvalidInputError, RejectedError):
            continue
    item_with(api, text)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(demo: Any, wire: Wire, text: str) -> None:
    looked_up(demo, text)
    filters = [one.query["where"] for one in wire.exchanges if "where" in one.query]
    assert [where for where in filters if not OURS.fullmatch(where)] == []
    assert all(one.method == "GET" for one in wire.exchanges)
    # Nothing was asked in a way that the provider could not read.
    assert {one.status for one in wire.exchanges} <= {200, 404}


def test_the_ids_that_stand_in_filters_are_ids_or_refused() -> None:
    trigger = registry.trigger("xero.new_bank_transaction")
    note = registry.action("xero.create_credit_note")
    for text in HOSTILE:
        with pytest.raises(InvalidInputError, match="is not the ID of a contact"):
            trigger.Inputs.clean({"contact_id": text[:36]})
    values = {"type": "ACCPAYCREDIT", "contact_id": HOSTILE[1], "lines": LINES, "note_number": "CN-1"}
    assert note.Inputs.clean(values).contact_id == HOSTILE[1]  # only sent as JSON; its lookup goes without the filter
