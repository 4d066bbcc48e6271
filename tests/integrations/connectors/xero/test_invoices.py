"""Create invoice, for real against the sandbox: what is sent, what comes back, what is found again."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
import time_machine

from integrations.connectors.xero.client import XeroClient
from integrations.core.errors import InvalidInputError, OutcomeUnknownError, RejectedError
from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.framework.base import Writing
from integrations.transport.http import Response
from tests.integrations.wire import Wire
from tests.provider import Sandbox

ACTION = registry.action("xero.create_invoice")
MARKER = "PX-00112233aabbccdd"
LINK = f"http://127.0.0.1:8000/runs/marker/{MARKER}/"
LINE = {"description": "Oak table", "quantity": "2", "unit_amount": "20.1250", "account_code": "200"}


def cleaned(contact_id: str, **values: Any) -> Any:
    return ACTION.Inputs.clean({"contact_id": contact_id, "lines": [LINE], **values})


def written(api: XeroClient, inputs: Any, marker: str = MARKER) -> dict[str, Any]:
    """Create it as the engine would."""
    writing = Writing(
        marker=marker,
        back_link=LINK.replace(MARKER, marker),
        organisation=api.connection.details,
        found=ACTION.prepare(api, inputs),
    )
    return ACTION.output(api.write(ACTION.request(inputs, writing), idempotency_key=f"key-{marker}"))


@pytest.fixture
def contact(sandbox: Sandbox) -> str:
    return str(sandbox.contacts()[0]["id"])


def test_a_draft_invoice_is_created_with_exact_amounts_and_iso_dates(demo: Any, contact: str, sandbox: Sandbox) -> None:
    output = written(demo, cleaned(contact, invoice_date="2026-11-22", due_date="2026-12-22", reference="Spring"))

    assert output["InvoiceNumber"].startswith("INV-")
    assert output["Status"] == "DRAFT"
    assert output["Date"] == "2026-11-22"
    assert output["DueDate"] == "2026-12-22"
    assert output["Reference"] == "Spring"
    assert output["Url"] == LINK
    assert output["LineItems"][0]["UnitAmount"] == Decimal("20.1250")
    assert (output["SubTotal"], output["TotalTax"], output["Total"]) == (
        Decimal("40.25"),
        Decimal("6.04"),
        Decimal("46.29"),
    )
    assert "DateString" not in output
    assert len(sandbox.invoices()) == 1
    assert loads(dumps(output)) == output


def test_the_bytes_carry_the_marker_and_nothing_that_was_not_given(demo: Any, contact: str, wire: Wire) -> None:
    written(demo, cleaned(contact, invoice_date="2026-11-22"))

    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PUT", "/api.xro/2.0/Invoices")
    assert sent.query == {"unitdp": "4", "summarizeErrors": "true"}
    assert sent.headers["Idempotency-Key"] == f"key-{MARKER}"
    assert json.loads(sent.body) == {
        "Invoices": [
            {
                "Type": "ACCREC",
                "Contact": {"ContactID": contact},
                "Date": "2026-11-22",
                "LineAmountTypes": "Exclusive",
                "LineItems": [{"Description": "Oak table", "Quantity": 2, "UnitAmount": 20.125, "AccountCode": "200"}],
                "Reference": MARKER,
                "Url": LINK,
                "Status": "DRAFT",
            }
        ]
    }
    assert b'"UnitAmount":20.1250' in sent.body


def test_without_a_date_it_is_today_where_the_organisation_is(demo: Any, contact: str) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, 30, tzinfo=UTC), tick=False):
        found = ACTION.prepare(demo, cleaned(contact))
    assert found == {"today": "2026-11-23"}, "in Auckland the next day has begun"


def test_the_time_zone_is_asked_for_only_where_the_connection_does_not_know_it(
    demo: Any, contact: str, wire: Wire
) -> None:
    ACTION.prepare(demo, cleaned(contact))
    assert wire.calls == []
    demo.connection.details = {}
    ACTION.prepare(demo, cleaned(contact))
    assert wire.calls == ["GET /api.xro/2.0/Organisation"]


def test_a_given_date_needs_no_reading(demo: Any, contact: str, wire: Wire) -> None:
    demo.connection.details = {}
    assert ACTION.prepare(demo, cleaned(contact, invoice_date="2026-11-22")) == {}
    assert wire.calls == []


def test_an_authorised_invoice_in_another_currency_with_every_input(demo: Any, contact: str) -> None:
    output = written(
        demo,
        cleaned(
            contact,
            invoice_date="2026-11-22",
            due_date="2026-12-22",
            status="AUTHORISED",
            line_amount_types="Inclusive",
            currency="USD",
            invoice_number="PIN-17",
            lines=[
                {**LINE, "tax_type": "OUTPUT2", "discount_rate": "10"},
                {"item_code": "PRINT-A4", "quantity": "1.5"},
            ],
        ),
    )
    assert output["Status"] == "AUTHORISED"
    assert output["InvoiceNumber"] == "PIN-17"
    assert output["CurrencyCode"] == "USD"
    assert output["LineItems"][0]["DiscountRate"] == 10
    assert output["LineItems"][1]["Quantity"] == Decimal("1.5")
    assert ACTION.describe(output) == f"Invoice PIN-17, {output['Total']:,.2f} USD"


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        (
            {"status": "AUTHORISED"},
            {"due_date": "Due date is needed for an invoice that does not stay a draft."},
        ),
        (
            {"lines": [{"quantity": "1"}]},
            {"lines.0.description": "Each row needs a description or an item."},
        ),
        (
            {"status": "SUBMITTED", "due_date": "2026-12-01", "lines": [LINE, {"description": "x"}]},
            {
                "lines.1.account_code": "Account is needed in each row without an item, for an invoice that does not "
                "stay a draft.",
                "lines.1.unit_amount": "Unit price is needed in each row without an item, for an invoice that does not "
                "stay a draft.",
            },
        ),
        ({"lines": []}, {"lines": "Line items is needed, but nothing was given."}),
        (
            {"lines": [{**LINE, "discount_rate": "101"}]},
            {"lines.0.discount_rate": "Discount % must be at most 100; this is 101."},
        ),
        (
            {"lines": [{**LINE, "unit_amount": "1.00001"}]},
            {"lines.0.unit_amount": "Unit price takes at most 4 decimal places; this is 1.00001."},
        ),
    ],
)
def test_what_xero_would_refuse_is_said_per_input(values: dict[str, Any], problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        cleaned("430fa14a-f945-44d3-9f97-5df5e28441b8", **values)
    assert caught.value.problems == problems


def test_xeros_own_words_come_through_all_of_them(demo: Any, contact: str, sandbox: Sandbox) -> None:
    inputs = cleaned(
        contact,
        invoice_date="2026-11-22",
        currency="EUR",
        lines=[{**LINE, "account_code": "999"}, {**LINE, "tax_type": "NO"}],
    )
    with pytest.raises(RejectedError) as caught:
        written(demo, inputs)
    reasons = caught.value.reasons
    assert "Account code '999' is not a valid code for this document." in reasons
    assert "Organisation is not subscribed to currency EUR" in reasons
    assert len(reasons) >= 3
    assert all(reason.rstrip(".") in caught.value.message for reason in reasons)
    assert caught.value.status == 400
    assert sandbox.invoices() == []


def test_a_date_in_a_locked_period_is_refused_in_xeros_words(northwind: Any, sandbox: Sandbox) -> None:
    contact = sandbox.contacts(northwind.connection.external_id)[0]["id"]
    inputs = cleaned(contact, invoice_date="2025-12-31", lines=[{**LINE, "account_code": "4000"}])
    with pytest.raises(RejectedError, match="lock date"):
        written(northwind, inputs)
    assert sandbox.invoices(northwind.connection.external_id) == []


def test_a_taken_number_is_refused_and_the_first_invoice_stays_as_it_is(
    demo: Any, contact: str, sandbox: Sandbox
) -> None:
    written(demo, cleaned(contact, invoice_number="PIN-17", reference="first"))
    with pytest.raises(RejectedError) as caught:
        written(demo, cleaned(contact, invoice_number="PIN-17", reference="second"), marker="PX-other")
    assert caught.value.reasons == ["Invoice # must be unique."]
    assert [invoice["Reference"] for invoice in sandbox.invoices()] == ["first"]


def test_it_is_found_again_by_its_marker_and_only_it(demo: Any, contact: str) -> None:
    before = datetime.now(UTC)
    written(demo, cleaned(contact, reference="somebody's"), marker="PX-other")
    output = written(demo, cleaned(contact, reference="somebody's"))

    (hit,) = ACTION.find(demo, cleaned(contact), MARKER, since=before)

    assert hit == output
    assert ACTION.find(demo, cleaned(contact), "PX-unknown", since=before) == []


def test_it_is_found_by_its_reference_where_xero_dropped_the_address(demo: Any, contact: str) -> None:
    inputs = cleaned(contact)
    writing = Writing(marker=MARKER, back_link="", found={"today": "2026-11-22"})
    request = ACTION.request(inputs, writing)
    body = loads(request.body)
    del body["Invoices"][0]["Url"]
    demo.write(type(request).of_json(request.method, request.path, body))
    assert len(ACTION.find(demo, inputs, MARKER)) == 1


def test_a_lookup_is_one_call_that_starts_shortly_before_the_write(demo: Any, contact: str, wire: Wire) -> None:
    since = datetime(2026, 11, 22, 12, 0, 30, 500, tzinfo=UTC)
    ACTION.find(demo, cleaned(contact), MARKER, since=since)
    (sent,) = wire.exchanges
    assert sent.headers["If-Modified-Since"] == "2026-11-22T11:50:30Z"
    assert sent.query["createdByMyApp"] == "true"


def test_a_lookup_goes_through_all_pages(demo: Any, contact: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "integrations.connectors.xero.client.XeroClient.pages.__kwdefaults__", {"headers": None, "page_size": 2}
    )
    markers = [f"PX-{number}" for number in range(5)]
    for marker in markers:
        written(demo, cleaned(contact), marker=marker)
    found = [ACTION.find(demo, cleaned(contact), marker) for marker in markers]
    assert [len(hits) for hits in found] == [1, 1, 1, 1, 1]


def test_the_same_bytes_under_the_same_key_write_once(demo: Any, contact: str, sandbox: Sandbox) -> None:
    inputs = cleaned(contact, invoice_date="2026-11-22")
    assert written(demo, inputs) == written(demo, inputs)
    assert len(sandbox.invoices()) == 1


def test_the_link_leads_into_the_right_organisation(demo: Any, settings: Any) -> None:
    output = {"InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c"}
    assert ACTION.link(output, demo.connection.details) == (
        "https://go.xero.com/app/!Dm0Nz/invoicing/view/ed255415-e141-4150-aab7-89c3bbbb851c"
    )
    assert ACTION.link(output, {}) == ""


def answer(body: bytes) -> Response:
    return Response(status=200, headers={}, body=body)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"Invoices":[]}', b'{"Invoices":[{}]}', b"[]", b"null"])
def test_a_yes_that_cannot_be_read_leaves_the_outcome_unknown(body: bytes) -> None:
    with pytest.raises(OutcomeUnknownError):
        ACTION.output(answer(body))


def test_the_zero_id_is_no_invoice() -> None:
    with pytest.raises(OutcomeUnknownError):
        ACTION.output(answer(b'{"Invoices":[{"InvoiceID":"00000000-0000-0000-0000-000000000000"}]}'))


def test_a_200_that_holds_errors_is_a_refusal() -> None:
    body = {
        "Invoices": [
            {
                "InvoiceID": "00000000-0000-0000-0000-000000000000",
                "HasErrors": True,
                "StatusAttributeString": "ERROR",
                "ValidationErrors": [{"Message": "First"}],
                "LineItems": [{"ValidationErrors": [{"Message": "Second"}]}],
            }
        ]
    }
    with pytest.raises(RejectedError) as caught:
        ACTION.output(answer(json.dumps(body).encode()))
    assert caught.value.reasons == ["First", "Second"]


def test_a_default_lookup_goes_back_a_month(demo: Any, contact: str, wire: Wire) -> None:
    with time_machine.travel(datetime(2026, 11, 22, 12, 0, tzinfo=UTC), tick=False):
        ACTION.find(demo, cleaned(contact), MARKER)
    begin = datetime(2026, 11, 22, 12, 0, tzinfo=UTC) - timedelta(days=30, minutes=10)
    assert wire.exchanges[-1].headers["If-Modified-Since"] == begin.strftime("%Y-%m-%dT%H:%M:%SZ")
