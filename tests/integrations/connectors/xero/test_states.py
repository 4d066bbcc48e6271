"""Quote status, void or delete, and archive: for real against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from tests.integrations.connectors.xero.test_money import BANK
from tests.integrations.connectors.xero.writing import hits, written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

QUOTE_STATUS = registry.action("xero.update_quote_status")
VOID = registry.action("xero.void_or_delete_invoice")
ARCHIVE = registry.action("xero.archive_contact")
SALE = [{"description": "Shelf", "unit_amount": "100", "account_code": "200"}]
SOMEBODY = "430fa14a-f945-44d3-9f97-5df5e28441b8"


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def invoice(demo: Any, contact: str, status: str, marker: str = "PX-invoice") -> dict[str, Any]:
    action = registry.action("xero.create_invoice")
    day = {"invoice_date": "2026-11-22", "due_date": "2026-12-22"}
    return written(demo, action, marker=marker, contact_id=contact, lines=SALE, status=status, **day)


# --- quotes -----------------------------------------------------------------------------------------------------------


def test_a_quote_is_set_to_sent_with_its_contact_and_date_again(demo: Any, contact: str, wire: Wire) -> None:
    quote = written(demo, registry.action("xero.create_quote"), contact_id=contact, quote_date="2026-11-22", lines=SALE)
    values = {"quote_id": quote["QuoteID"], "status": "SENT"}
    assert hits(demo, QUOTE_STATUS, **values) == []
    output = written(demo, QUOTE_STATUS, **values)
    assert json.loads(wire.exchanges[-1].body) == {
        "Quotes": [
            {
                "QuoteID": quote["QuoteID"],
                "Contact": {"ContactID": contact},
                "Date": "2026-11-22",
                "Status": "SENT",
            }
        ]
    }
    assert (output["Status"], len(output["LineItems"]), output["Total"]) == ("SENT", 1, quote["Total"])
    assert [hit["QuoteID"] for hit in hits(demo, QUOTE_STATUS, **values)] == [quote["QuoteID"]]
    assert QUOTE_STATUS.describe(output) == f"Quote {quote['QuoteNumber']} is sent"


def test_a_step_that_xero_does_not_know_is_refused_in_its_words(demo: Any, contact: str) -> None:
    quote = written(demo, registry.action("xero.create_quote"), contact_id=contact, lines=SALE)
    with pytest.raises(RejectedError, match="A quote with the status DRAFT cannot become INVOICED"):
        written(demo, QUOTE_STATUS, quote_id=quote["QuoteID"], status="INVOICED")


@pytest.mark.parametrize(
    ("key", "values", "noun"),
    [
        ("update_quote_status", {"quote_id": SOMEBODY, "status": "SENT"}, "quote"),
        ("void_or_delete_invoice", {"invoice_id": SOMEBODY}, "invoice"),
        ("update_invoice", {"invoice_id": SOMEBODY, "due_date": "2026-12-22"}, "invoice"),
        ("email_invoice", {"invoice_id": SOMEBODY}, "invoice"),
    ],
)
def test_what_is_not_there_is_told_in_xeros_own_words_too_and_nothing_is_sent(
    demo: Any, wire: Wire, key: str, values: dict[str, str], noun: str
) -> None:
    with pytest.raises(RejectedError) as caught:
        written(demo, registry.action(f"xero.{key}"), **values)
    assert caught.value.reasons == ["The resource you're looking for cannot be found"]
    assert caught.value.message == (
        f"Xero has no {noun} with the ID {SOMEBODY} in Demo Company (NZ). "
        "It said: The resource you're looking for cannot be found"
    )
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_quotes_are_offered_with_their_contact_and_status(demo: Any, contact: str) -> None:
    quote = written(demo, registry.action("xero.create_quote"), contact_id=contact, lines=SALE)
    assert list(choices.quotes.load(demo, {})) == [
        (quote["QuoteID"], f"{quote['QuoteNumber']} - {quote['Contact']['Name']} (DRAFT)")
    ]


# --- invoices ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "after"), [("DRAFT", "DELETED"), ("SUBMITTED", "DELETED"), ("AUTHORISED", "VOIDED")]
)
def test_an_invoice_is_voided_or_deleted_as_its_status_asks(demo: Any, contact: str, before: str, after: str) -> None:
    made = invoice(demo, contact, before)
    assert hits(demo, VOID, invoice_id=made["InvoiceID"]) == []
    output = written(demo, VOID, invoice_id=made["InvoiceID"])
    assert (output["InvoiceID"], output["Status"]) == (made["InvoiceID"], after)
    assert [hit["Status"] for hit in hits(demo, VOID, invoice_id=made["InvoiceID"])] == [after]
    assert VOID.describe(output) == f"Invoice {made['InvoiceNumber']}, 115.00, is {after.lower()}"
    with pytest.raises(RejectedError, match=f"is {after.lower()} in Xero already; nothing was written"):
        written(demo, VOID, marker="PX-again", invoice_id=made["InvoiceID"])


def test_an_invoice_that_is_paid_in_part_is_not_voided(demo: Any, contact: str, wire: Wire) -> None:
    made = invoice(demo, contact, "AUTHORISED")
    payment = registry.action("xero.create_payment")
    written(demo, payment, invoice_id=made["InvoiceID"], account_id=BANK, amount="15", paid_on="2026-11-22")
    wire.clear()
    with pytest.raises(RejectedError, match=f"{made['InvoiceNumber']} is paid or credited"):
        written(demo, VOID, invoice_id=made["InvoiceID"])
    assert {one.method for one in wire.exchanges} == {"GET"}


# --- contacts ---------------------------------------------------------------------------------------------------------


def test_a_contact_is_archived_and_stays_as_it_was(demo: Any, contact: str, wire: Wire) -> None:
    before = demo.read(f"/Contacts/{contact}").json()["Contacts"][0]
    assert hits(demo, ARCHIVE, contact_id=contact) == []
    output = written(demo, ARCHIVE, contact_id=contact)
    assert (output["ContactStatus"], output["Name"]) == ("ARCHIVED", before["Name"])
    assert [hit["ContactID"] for hit in hits(demo, ARCHIVE, contact_id=contact)] == [contact]
    assert ARCHIVE.describe(output) == f"Contact {before['Name']} is archived"


def test_what_is_no_id_never_becomes_part_of_an_address() -> None:
    for action, name in ((QUOTE_STATUS, "quote_id"), (VOID, "invoice_id"), (ARCHIVE, "contact_id")):
        with pytest.raises(InvalidInputError) as caught:
            action.Inputs.clean({name: "../Items", **({"status": "SENT"} if action is QUOTE_STATUS else {})})
        assert list(caught.value.problems) == [name]
