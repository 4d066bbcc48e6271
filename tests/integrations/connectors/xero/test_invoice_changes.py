"""Change an invoice, add lines to a draft, e-mail it: for real against the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from integrations.core.errors import InvalidInputError, OutcomeUnknownError, RejectedError
from integrations.framework import registry
from integrations.framework.base import Writing
from integrations.transport.http import Response
from tests.integrations.connectors.xero.writing import LINK, MARKER, hits, written
from tests.integrations.wire import Wire
from tests.provider import Sandbox

CREATE = registry.action("xero.create_invoice")
UPDATE = registry.action("xero.update_invoice")
ADD = registry.action("xero.add_lines_to_invoice")
EMAIL = registry.action("xero.email_invoice")
LINE = {"description": "Shelf", "unit_amount": "100.1234", "account_code": "200"}
MORE = [{"description": "Delivery", "unit_amount": "25", "account_code": "200"}]


@pytest.fixture
def draft(demo: Any, sandbox: Sandbox) -> dict[str, Any]:
    contact = sandbox.contacts()[0]["id"]
    return written(demo, CREATE, marker="PX-first", contact_id=contact, lines=[LINE], due_date="2026-12-22")


def test_only_what_is_given_is_sent_and_the_lines_stay(demo: Any, draft: dict[str, Any], wire: Wire) -> None:
    values = {"invoice_id": draft["InvoiceID"], "due_date": "2027-01-15", "reference": "Spring"}
    assert hits(demo, UPDATE, **values) == []
    output = written(demo, UPDATE, **values)
    assert json.loads(wire.exchanges[-1].body) == {
        "Invoices": [{"InvoiceID": draft["InvoiceID"], "DueDate": "2027-01-15", "Reference": "Spring"}]
    }
    assert (output["DueDate"], output["LineItems"]) == ("2027-01-15", draft["LineItems"])
    (hit,) = hits(demo, UPDATE, **values)
    inputs = UPDATE.Inputs.clean(values)
    assert UPDATE.settled(inputs, UPDATE.prepare(demo, inputs)) == hit
    with pytest.raises(InvalidInputError, match="Nothing is to be changed"):
        UPDATE.Inputs.clean({"invoice_id": draft["InvoiceID"]})


def test_added_lines_follow_those_that_are_there_to_the_last_place(demo: Any, draft: dict[str, Any]) -> None:
    values = {"invoice_id": draft["InvoiceID"], "lines": MORE}
    assert hits(demo, ADD, **values) == []
    output = written(demo, ADD, **values)
    assert output["LineItems"][0] == draft["LineItems"][0]
    assert output["LineItems"][0]["UnitAmount"] == Decimal("100.1234")
    assert [line["Description"] for line in output["LineItems"]] == ["Shelf", "Delivery"]
    assert output["Url"] == LINK
    assert [hit["InvoiceID"] for hit in hits(demo, ADD, **values)] == [draft["InvoiceID"]]
    assert hits(demo, ADD, marker="PX-other", **values) == []
    back = ADD.undo(demo, ADD.read_back(demo, ADD.Inputs.clean(values), output), {})
    assert UPDATE.output(demo.write(back))["LineItems"] == draft["LineItems"]


def test_an_address_that_is_not_ours_stays_on_the_invoice(draft: dict[str, Any]) -> None:
    inputs = ADD.Inputs.clean({"invoice_id": draft["InvoiceID"], "lines": MORE})
    found = {"lines": [], "url": "https://shop.example/orders/17"}
    request = ADD.request(inputs, Writing(marker=MARKER, back_link=LINK, found=found))
    assert b"Url" not in request.body


def test_what_is_no_draft_gets_no_lines(demo: Any, draft: dict[str, Any], wire: Wire) -> None:
    written(demo, UPDATE, invoice_id=draft["InvoiceID"], status="AUTHORISED")
    wire.clear()
    with pytest.raises(RejectedError, match="is authorised in Xero; lines are changed on drafts only"):
        written(demo, ADD, invoice_id=draft["InvoiceID"], lines=MORE)
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_an_invoice_is_e_mailed_once_unless_it_is_wanted_again(demo: Any, draft: dict[str, Any], wire: Wire) -> None:
    values = {"invoice_id": draft["InvoiceID"]}
    with pytest.raises(RejectedError, match="is draft in Xero"):
        written(demo, EMAIL, **values)
    written(demo, UPDATE, **values, status="AUTHORISED")
    assert hits(demo, EMAIL, **values) == []
    assert written(demo, EMAIL, **values) == {"is_sent": True, "warning": None}
    assert wire.exchanges[-1].path.endswith("/Email")
    assert [hit["InvoiceID"] for hit in hits(demo, EMAIL, **values)] == [draft["InvoiceID"]]
    inputs = EMAIL.Inputs.clean(values)
    settled = EMAIL.settled(inputs, EMAIL.prepare(demo, inputs))
    assert settled is not None
    assert (settled["is_sent"], settled["was_sent_before"]) == (False, True)
    with pytest.raises(RejectedError, match="marked as sent in Xero already"):
        written(demo, EMAIL, **values, if_sent="stop")


def test_a_yes_to_an_e_mail_in_another_way_leaves_the_outcome_unknown() -> None:
    with pytest.raises(OutcomeUnknownError):
        EMAIL.output(Response(status=200, headers={}, body=b""))
