"""Allocate a credit note, create a project: for real against the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import OutcomeUnknownError, RejectedError
from integrations.framework import registry
from integrations.transport.http import Response
from tests.integrations.connectors.xero.writing import hits, written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

ALLOCATE = registry.action("xero.allocate_credit_note")
PROJECT = registry.action("xero.create_project")
SALE = [{"description": "Shelf", "unit_amount": "100", "account_code": "200"}]


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


@pytest.fixture
def pair(demo: Any, contact: str) -> dict[str, str]:
    """An approved invoice and an approved credit note of one contact, 115.00 each."""
    approved: dict[str, Any] = {"contact_id": contact, "lines": SALE, "status": "AUTHORISED"}
    invoice = written(demo, registry.action("xero.create_invoice"), due_date="2026-12-22", **approved)
    note = written(demo, registry.action("xero.create_credit_note"), **approved)
    return {"credit_note_id": note["CreditNoteID"], "invoice_id": invoice["InvoiceID"]}


# --- allocations ------------------------------------------------------------------------------------------------------


def test_a_credit_note_is_set_off_once(demo: Any, pair: dict[str, str], wire: Wire) -> None:
    values = {**pair, "amount": "40.50", "allocated_on": "2026-11-22"}
    assert hits(demo, ALLOCATE, **values) == []
    output = written(demo, ALLOCATE, **values)
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PUT", f"/api.xro/2.0/CreditNotes/{pair['credit_note_id']}/Allocations")
    assert json.loads(sent.body) == {
        "Allocations": [{"Invoice": {"InvoiceID": pair["invoice_id"]}, "Amount": 40.5, "Date": "2026-11-22"}]
    }
    assert (output["Amount"], output["Date"]) == (Decimal("40.50"), "2026-11-22")
    assert [hit["AllocationID"] for hit in hits(demo, ALLOCATE, **values)] == [output["AllocationID"]]
    assert hits(demo, ALLOCATE, **{**values, "amount": "40.51"}) == []
    assert ALLOCATE.describe(output) == f"40.50 credited to {output['Invoice']['InvoiceNumber']}"

    wire.clear()
    with pytest.raises(RejectedError, match=r"40\.50 of this credit note is allocated to this invoice already"):
        written(demo, ALLOCATE, marker="PX-again", **values)
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_more_than_is_left_is_refused_in_xeros_words(demo: Any, pair: dict[str, str]) -> None:
    with pytest.raises(RejectedError) as caught:
        written(demo, ALLOCATE, **pair, amount="115.01")
    assert "Allocation amount exceeds the remaining credit of the credit note" in caught.value.reasons


def test_credit_notes_of_which_something_is_left_are_offered(demo: Any, pair: dict[str, str]) -> None:
    ((value, label),) = choices.credit_notes.load(demo, {})
    assert value == pair["credit_note_id"]
    assert label.endswith("(115.00 NZD left)")
    written(demo, ALLOCATE, **pair, amount="115")
    assert list(choices.credit_notes.load(demo, {})) == []


# --- projects ---------------------------------------------------------------------------------------------------------


def test_a_project_is_created_at_its_own_address_and_found_by_its_name(demo: Any, contact: str, wire: Wire) -> None:
    values = {"contact_id": contact, "name": "Kitchen", "deadline": "2026-12-10T14:00:00+01:00"}
    assert hits(demo, PROJECT, **values) == []
    output = written(demo, PROJECT, **values, estimate_amount="9800.50")
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("POST", "/projects.xro/2.0/Projects")
    assert json.loads(sent.body) == {
        "contactId": contact,
        "name": "Kitchen",
        "deadlineUtc": "2026-12-10T13:00:00Z",
        "estimateAmount": 9800.5,
    }
    assert output["estimate"] == {"currency": "NZD", "value": Decimal("9800.50")}
    assert [hit["projectId"] for hit in hits(demo, PROJECT, **values)] == [output["projectId"]]
    assert PROJECT.describe(output) == "Project Kitchen"
    assert hits(demo, PROJECT, contact_id=contact, name="Bathroom") == []


def test_the_words_of_the_projects_api_come_through(demo: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        written(demo, PROJECT, contact_id="430fa14a-f945-44d3-9f97-5df5e28441b8", name="Kitchen")
    assert caught.value.reasons == ["The contactId is required and must be that of a contact"]
    assert "The contactId is required" in caught.value.message


@pytest.mark.parametrize("body", [b"{}", b"[]", b"null"])
def test_a_yes_without_a_project_leaves_the_outcome_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknownError):
        PROJECT.output(Response(status=201, headers={}, body=body))
