"""Quotes and purchase orders: numbers, status rules, filters, what is refused. Credit notes: allocations."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero, messages
from tests.provider import NORTHWIND, Sandbox

LINE = {"Description": "Styling", "Quantity": 2, "UnitAmount": 20, "AccountCode": "200"}


def paper(xero: Xero, plural: str, **changes: Any) -> dict[str, Any]:
    """A proper document of the kind for a contact that exists; None leaves a field out."""
    contact = {"ContactID": xero.sandbox.contacts(xero.tenant)[1]["id"]}
    own = {"Quotes": {}, "PurchaseOrders": {}, "CreditNotes": {"Type": "ACCRECCREDIT"}}[plural]
    whole = {"Contact": contact, "Date": "2026-11-22", "LineItems": [LINE], **own, **changes}
    return {name: value for name, value in whole.items() if value is not None}


def make(xero: Xero, plural: str, **changes: Any) -> dict[str, Any]:
    answer = xero.put(f"/{plural}", {plural: [paper(xero, plural, **changes)]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal)[plural][0])


def change(xero: Xero, plural: str, key: str, **changes: Any) -> Any:
    """The changed record, or the messages of the refusal."""
    answer = xero.call("POST", f"/{plural}/{key}", {plural: [changes]}, is_proper=False)
    return answer.json()[plural][0] if answer.status_code == 200 else messages(answer.json())


def test_a_quote_is_numbered_computed_and_written_in_capitals(xero: Xero) -> None:
    made = make(xero, "Quotes", Title="Kitchen", ExpiryDate="2026-12-22", LineAmountTypes="INCLUSIVE")
    assert (made["QuoteNumber"], made["Status"], made["LineAmountTypes"]) == ("QU-0001", "DRAFT", "INCLUSIVE")
    assert (made["SubTotal"], made["TotalTax"], made["Total"]) == (Decimal("34.78"), Decimal("5.22"), 40)
    assert (made["ExpiryDateString"], made["Title"]) == ("2026-12-22T00:00:00", "Kitchen")
    assert make(xero, "Quotes")["QuoteNumber"] == "QU-0002"
    assert xero.get(f"/Quotes/{made['QuoteID']}").json(parse_float=Decimal)["Quotes"] == [made]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LineAmountTypes": "Exclusive"}, "is not a valid LineAmountTypes: use EXCLUSIVE, INCLUSIVE, NOTAX"),
        ({"Date": None}, "Date must be specified"),
        ({"Contact": None}, "A Contact must be specified"),
        ({"LineItems": []}, "One or more line items"),
        ({"Title": "x" * 101}, "Title cannot be longer than 100"),
        ({"ExpiryDate": "2026-01-01"}, "expiry date cannot be before"),
        ({"Status": "ACCEPTED"}, "is not a valid Status: use DRAFT, SENT"),
        ({"CurrencyCode": "EUR"}, "not subscribed to currency EUR"),
    ],
)
def test_a_quote_that_breaks_a_rule_is_refused(xero: Xero, changes: dict[str, Any], words: str) -> None:
    said = xero.refuse("/Quotes", Quotes=[paper(xero, "Quotes", **changes)])
    assert any(words in message for message in said), said
    assert xero.get("/Quotes").json()["Quotes"] == []


def test_a_quote_walks_through_its_states_and_wants_contact_and_date_again(xero: Xero) -> None:
    made = make(xero, "Quotes")
    again = {"Contact": {"ContactID": made["Contact"]["ContactID"]}, "Date": "2026-11-22"}
    assert change(xero, "Quotes", made["QuoteID"], Status="SENT") == [
        "A Contact must be specified for this type of transaction",
        "Date must be specified",
    ]
    for status in ("SENT", "ACCEPTED", "INVOICED"):
        assert change(xero, "Quotes", made["QuoteID"], Status=status, **again)["Status"] == status
    assert change(xero, "Quotes", made["QuoteID"], Status="DRAFT", **again) == [
        "A quote with the status INVOICED cannot become DRAFT"
    ]


def test_quotes_are_filtered_by_their_own_parameters_and_know_no_where(xero: Xero) -> None:
    early, late = make(xero, "Quotes", Date="2026-10-01"), make(xero, "Quotes", Status="SENT", ExpiryDate="2026-12-01")

    def found(**query: Any) -> list[str]:
        return [one["QuoteNumber"] for one in xero.get("/Quotes", **query).json()["Quotes"]]

    assert found(Status="SENT") == found(DateFrom="2026-11-01") == found(ExpiryDateTo="2026-12-31") == ["QU-0002"]
    assert found(QuoteNumber="qu-0001") == found(DateTo="2026-10-01") == ["QU-0001"]
    assert found(ContactID=early["Contact"]["ContactID"], order="Date DESC") == ["QU-0002", "QU-0001"]
    assert found(page=2) == []
    since = {"If-Modified-Since": "2099-01-01T00:00:00Z"}
    assert xero.get("/Quotes", headers=since).json()["Quotes"] == []
    refused = xero.get("/Quotes", is_proper=False, where='Status=="SENT"')
    assert (refused.status_code, refused.json()["Type"]) == (400, "QueryParseException")
    note = {"HistoryRecords": [{"Details": "Sent by Pinxero"}]}
    assert xero.put(f"/Quotes/{late['QuoteID']}/History", note).status_code == 200
    assert xero.get(f"/Quotes/{late['QuoteID']}/History").json()["HistoryRecords"][0]["Details"] == "Sent by Pinxero"


def test_a_purchase_order_is_numbered_found_by_number_and_billed(xero: Xero) -> None:
    line = {**LINE, "AccountCode": "429", "UnitAmount": Decimal("20.1234")}
    sent = paper(xero, "PurchaseOrders", LineItems=[{**line, "UnitAmount": 20.1234}], DeliveryDate="2026-12-01")
    made = xero.put("/PurchaseOrders", {"PurchaseOrders": [sent]}).json(parse_float=Decimal)["PurchaseOrders"][0]
    assert (made["PurchaseOrderNumber"], made["Type"], made["Status"]) == ("PO-0001", "PURCHASEORDER", "DRAFT")
    assert made["Total"] == Decimal("46.29")
    assert xero.get("/PurchaseOrders/PO-0001").json()["PurchaseOrders"][0]["PurchaseOrderID"] == made["PurchaseOrderID"]
    key = made["PurchaseOrderID"]
    assert change(xero, "PurchaseOrders", key, Status="AUTHORISED")["Status"] == "AUTHORISED"
    assert change(xero, "PurchaseOrders", key, Status="BILLED")["Status"] == "BILLED"
    assert change(xero, "PurchaseOrders", key, Status="DELETED") == [
        "A purchase order with the status BILLED cannot become DELETED"
    ]
    refused = xero.get("/PurchaseOrders", is_proper=False, where='Status=="BILLED"')
    assert refused.status_code == 400
    assert len(xero.get("/PurchaseOrders", Status="BILLED", page=1, pageSize=5).json()["PurchaseOrders"]) == 1


def test_a_purchase_order_needs_a_contact_that_exists_and_a_free_number(xero: Xero) -> None:
    make(xero, "PurchaseOrders", PurchaseOrderNumber="PO-0001")
    nobody = paper(xero, "PurchaseOrders", Contact={"Name": "Nobody Yet"})
    assert xero.refuse("/PurchaseOrders", PurchaseOrders=[nobody]) == [
        "A Contact must be specified for this type of transaction"
    ]
    taken = paper(xero, "PurchaseOrders", PurchaseOrderNumber="PO-0001")
    assert xero.refuse("/PurchaseOrders", PurchaseOrders=[taken]) == ["Order number must be unique"]
    assert make(xero, "PurchaseOrders")["PurchaseOrderNumber"] == "PO-0002"


def test_telling_the_contact_of_a_draft_order_is_a_warning_only(xero: Xero) -> None:
    made = make(xero, "PurchaseOrders", SentToContact=True)
    assert (made["SentToContact"], made["StatusAttributeString"]) == (False, "WARNING")
    assert made["Warnings"] == [
        {"Message": "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."}
    ]


def test_a_credit_note_is_allocated_until_both_are_settled(xero: Xero) -> None:
    invoice = xero.create(Status="AUTHORISED")
    note = make(xero, "CreditNotes", Status="AUTHORISED")
    assert (note["CreditNoteNumber"], note["RemainingCredit"]) == ("CN-0001", 46)
    address = f"/CreditNotes/{note['CreditNoteID']}/Allocations"
    body = {"Amount": 6, "Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Date": "2026-11-23"}
    first = xero.put(address, {"Allocations": [body]}).json()["Allocations"][0]
    part = xero.get(f"/Invoices/{invoice['InvoiceID']}").json()["Invoices"][0]
    assert (part["AmountCredited"], part["AmountDue"], part["Status"]) == (6, 40, "AUTHORISED")
    assert part["CreditNotes"][0]["CreditNoteNumber"] == "CN-0001"
    xero.put(address, {"Allocations": [{**body, "Amount": 40}]})
    settled = xero.get(f"/CreditNotes/{note['CreditNoteID']}").json()["CreditNotes"][0]
    assert (settled["RemainingCredit"], settled["Status"], len(settled["Allocations"])) == (0, "PAID", 2)
    assert xero.get(f"/Invoices/{invoice['InvoiceID']}").json()["Invoices"][0]["Status"] == "PAID"
    assert xero.call("DELETE", f"{address}/{first['AllocationID']}").json()["IsDeleted"] is True
    assert xero.get(f"/Invoices/{invoice['InvoiceID']}").json()["Invoices"][0]["AmountDue"] == 6
    assert change(xero, "CreditNotes", note["CreditNoteID"], Status="VOIDED") == [
        "This credit note cannot be edited as it is allocated or refunded."
    ]
    assert change(xero, "Invoices", invoice["InvoiceID"], Status="VOIDED") == [
        "This document cannot be edited as it has a payment or credit note allocated to it."
    ]


@pytest.mark.parametrize(
    ("note", "amount", "words"),
    [
        ({"Status": "AUTHORISED"}, 46.01, "exceeds the remaining credit"),
        ({"Status": "AUTHORISED"}, 0, "greater than zero"),
        ({"Status": "AUTHORISED"}, 1.005, "at most 2 decimal places"),
        ({"Status": "DRAFT"}, 1, "Only an AUTHORISED credit note"),
        ({"Status": "AUTHORISED", "CurrencyCode": "USD"}, 1, "different currencies"),
        ({"Status": "AUTHORISED", "Contact": {"Name": "Boom FM"}}, 1, "different contacts"),
        ({"Status": "AUTHORISED", "Type": "ACCPAYCREDIT"}, 1, "different kinds"),
    ],
)
def test_an_allocation_that_does_not_fit_is_refused(xero: Xero, note: dict[str, Any], amount: Any, words: str) -> None:
    invoice = xero.create(Status="AUTHORISED", LineItems=[{**LINE, "Quantity": 20}])
    line = {**LINE, "AccountCode": "260"}
    made = make(xero, "CreditNotes", LineItems=[{**line, "TaxType": "NONE"} if "Type" in note else line], **note)
    body = {"Amount": amount, "Invoice": {"InvoiceID": invoice["InvoiceID"]}, "Date": "2026-11-23"}
    said = xero.refuse(f"/CreditNotes/{made['CreditNoteID']}/Allocations", Allocations=[body])
    assert any(words in message for message in said), said


def test_a_credit_note_takes_no_discount_and_keeps_to_the_lock_date(sandbox: Sandbox, xero: Xero) -> None:
    discounted = paper(xero, "CreditNotes", LineItems=[{**LINE, "DiscountRate": 10}])
    assert xero.refuse("/CreditNotes", CreditNotes=[discounted]) == ["Discounts can only be given on sales invoices"]
    other = Xero(sandbox, NORTHWIND)
    late = paper(other, "CreditNotes", Date="2025-12-31", LineItems=[{**LINE, "AccountCode": "4000"}])
    assert other.refuse("/CreditNotes", CreditNotes=[late]) == [
        "The document date cannot be before the period lock date, currently set at 31 December 2025"
    ]


def test_credit_notes_are_filtered_and_paged_and_bills_notes_keep_their_numbers(xero: Xero) -> None:
    make(xero, "CreditNotes")
    bill = [{**LINE, "AccountCode": "429"}]
    made = make(xero, "CreditNotes", Type="ACCPAYCREDIT", CreditNoteNumber="S-1", LineItems=bill)
    assert make(xero, "CreditNotes", Type="ACCPAYCREDIT", CreditNoteNumber="S-1", LineItems=bill) != made
    where = 'Type=="ACCPAYCREDIT" AND Total>=46'
    assert len(xero.get("/CreditNotes", where=where, page=1).json()["CreditNotes"]) == 2
    assert "LineItems" not in xero.get("/CreditNotes").json()["CreditNotes"][0]


def test_a_line_keeps_its_id_only_when_it_is_sent_again(xero: Xero) -> None:
    made = xero.create(LineItems=[LINE, {**LINE, "Description": "Second"}])
    first, second = (line["LineItemID"] for line in made["LineItems"])
    lines = [{**LINE, "LineItemID": first, "Quantity": 3}, {**LINE, "Description": "Second"}]
    changed = change(xero, "Invoices", made["InvoiceID"], LineItems=lines)
    assert changed["LineItems"][0]["LineItemID"] == first
    assert changed["LineItems"][1]["LineItemID"] not in {first, second}
    assert changed["Total"] == 115
    stray = [{**LINE, "LineItemID": second}]
    assert change(xero, "Invoices", made["InvoiceID"], LineItems=stray) == [
        "A LineItemID does not belong to a line of this document"
    ]
