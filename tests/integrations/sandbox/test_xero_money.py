"""Payments, bank transfers, bank transactions; files, mails and tracking options."""

from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.provider import NORTHWIND, Sandbox

BANK, SAVINGS, DOLLARS = ({"Code": code} for code in ("090", "091", "092"))
LINE = {"Description": "Fee", "Quantity": 1, "UnitAmount": 10, "AccountCode": "404"}


def put(xero: Xero, plural: str, **record: Any) -> dict[str, Any]:
    answer = xero.put(f"/{plural}", {plural: [record]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json()[plural][0])


def invoice(xero: Xero, made: dict[str, Any]) -> dict[str, Any]:
    return dict(xero.get(f"/Invoices/{made['InvoiceID']}").json()["Invoices"][0])


def test_payments_make_an_invoice_paid_and_deleting_one_opens_it_again(xero: Xero) -> None:
    made = xero.create(Status="AUTHORISED")
    target = {"InvoiceID": made["InvoiceID"]}
    first = put(xero, "Payments", Invoice=target, Account=BANK, Amount=6, Date="2026-11-23", Reference="part")
    assert (first["PaymentType"], first["Status"], first["BankAmount"]) == ("ACCRECPAYMENT", "AUTHORISED", 6)
    assert (invoice(xero, made)["AmountDue"], invoice(xero, made)["Status"]) == (40, "AUTHORISED")
    put(xero, "Payments", InvoiceNumber=made["InvoiceNumber"], Account=BANK, Amount=40, Date="2026-11-24")
    paid = invoice(xero, made)
    assert (paid["Status"], paid["AmountPaid"], len(paid["Payments"])) == ("PAID", 46, 2)
    assert paid["FullyPaidOnDate"] == "/Date(1795478400000+0000)/"
    deleted = xero.post(f"/Payments/{first['PaymentID']}", {"Status": "DELETED"}).json()["Payments"][0]
    assert deleted["Status"] == "DELETED"
    assert (invoice(xero, made)["AmountDue"], invoice(xero, made)["Status"]) == (6, "AUTHORISED")
    found = xero.get("/Payments", where='Status=="AUTHORISED"', page=1).json()
    assert (len(found["Payments"]), found["pagination"]["itemCount"]) == (1, 1)


@pytest.mark.parametrize(
    ("status", "changes", "words"),
    [
        ("DRAFT", {}, "Payment can only be made against AUTHORISED documents"),
        ("AUTHORISED", {"Amount": 46.01}, "Payment amount exceeds the amount outstanding on this document"),
        ("AUTHORISED", {"Amount": -1}, "Amount must be a number greater than zero"),
        ("AUTHORISED", {"Account": {"Code": "200"}}, "Account must be a bank account"),
        ("AUTHORISED", {"Account": DOLLARS}, "another currency"),
        ("AUTHORISED", {"Invoice": {"InvoiceNumber": "INV-9999"}}, "was not found"),
    ],
)
def test_a_payment_that_does_not_fit_is_refused(xero: Xero, status: str, changes: dict[str, Any], words: str) -> None:
    made = xero.create(Status=status)
    sent = {"Invoice": {"InvoiceID": made["InvoiceID"]}, "Account": BANK, "Amount": 1, "Date": "2026-11-23", **changes}
    said = xero.refuse("/Payments", Payments=[sent])
    assert any(words in message for message in said), said


def test_a_credit_note_can_be_paid_back(xero: Xero) -> None:
    contact = {"ContactID": xero.sandbox.contacts()[0]["id"]}
    line = {"Description": "Back", "Quantity": 1, "UnitAmount": 10, "AccountCode": "200"}
    note = put(xero, "CreditNotes", Type="ACCRECCREDIT", Contact=contact, LineItems=[line], Status="AUTHORISED")
    target = {"CreditNoteID": note["CreditNoteID"]}
    paid = put(xero, "Payments", CreditNote=target, Account=BANK, Amount=11.5, Date="2026-11-23")
    assert (paid["PaymentType"], paid["CreditNote"]["CreditNoteNumber"]) == ("ARCREDITPAYMENT", "CN-0001")
    assert xero.get(f"/CreditNotes/{note['CreditNoteID']}").json()["CreditNotes"][0]["Status"] == "PAID"


def test_a_transfer_is_made_once_by_put_and_deleted_by_post(xero: Xero) -> None:
    made = put(xero, "BankTransfers", FromBankAccount=BANK, ToBankAccount=SAVINGS, Amount=50, Date="2026-11-22")
    assert (made["Status"], made["Amount"], made["CurrencyRate"]) == ("AUTHORISED", 50, 1)
    assert made["FromBankAccount"]["Name"] == "Business Bank Account"
    body = {"BankTransfers": [{"BankTransferID": made["BankTransferID"], "Status": "DELETED"}]}
    answer = xero.call("POST", "/BankTransfers", body, is_proper=False)  # the description asks for accounts here too
    assert answer.json()["BankTransfers"][0]["Status"] == "DELETED"
    assert xero.get("/BankTransfers").json()["BankTransfers"] == []
    assert len(xero.get("/BankTransfers", includeDeleted="true").json()["BankTransfers"]) == 1
    assert xero.call("POST", "/BankTransfers", body, is_proper=False).status_code == 400


def test_each_end_of_a_transfer_has_its_tracking_and_is_reconciled_for_itself(xero: Xero) -> None:
    region = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    ids = [
        {"TrackingCategoryID": region["TrackingCategoryID"], "TrackingOptionID": option["TrackingOptionID"]}
        for option in region["Options"]
    ]
    ends = {"FromBankAccount": BANK, "ToBankAccount": SAVINGS, "Amount": 50, "Date": "2026-11-22"}
    made = put(xero, "BankTransfers", **ends, FromTracking=[ids[1]], FromIsReconciled=True)
    assert made["FromTracking"] == [{**ids[1], "Name": "Region", "Option": "North"}]
    assert (made["ToTracking"], made["FromIsReconciled"], made["ToIsReconciled"]) == ([], True, False)
    assert xero.get(f"/BankTransfers/{made['BankTransferID']}").json()["BankTransfers"][0] == made
    body = {"BankTransferID": made["BankTransferID"], "Status": "DELETED"}
    said = xero.refuse("/BankTransfers", method="POST", BankTransfers=[body])
    assert said == ["A reconciled bank transfer cannot be deleted"]
    both = xero.refuse("/BankTransfers", BankTransfers=[{**ends, "ToTracking": ids[:2]}])
    assert both == ["ToTracking can hold one option of each tracking category"]
    three = xero.refuse("/BankTransfers", BankTransfers=[{**ends, "ToTracking": ids[:3]}])
    assert three == ["ToTracking is a list of at most 2 records with TrackingCategoryID and TrackingOptionID"]
    named = xero.refuse(
        "/BankTransfers", BankTransfers=[{**ends, "FromTracking": [{"Name": "Region", "Option": "North"}]}]
    )
    assert named == ["The tracking option 'None: None' does not exist"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"ToBankAccount": BANK}, "must be different"),
        ({"ToBankAccount": DOLLARS}, "different currencies"),
        ({"ToBankAccount": {"Code": "200"}}, "ToBankAccount must be a bank account"),
        ({"Amount": 0}, "greater than zero"),
        ({"Amount": 1.234}, "at most 2 decimal places"),
        ({"Date": "soon"}, "Date is not a date"),
    ],
)
def test_a_transfer_that_cannot_be_is_refused(xero: Xero, changes: dict[str, Any], words: str) -> None:
    sent = {"FromBankAccount": BANK, "ToBankAccount": SAVINGS, "Amount": 50, "Date": "2026-11-22", **changes}
    said = xero.refuse("/BankTransfers", BankTransfers=[sent])
    assert any(words in message for message in said), said


def test_a_bank_transaction_has_lines_and_the_currency_of_its_account(sandbox: Sandbox, xero: Xero) -> None:
    contact = {"ContactID": sandbox.contacts()[0]["id"]}
    made = put(xero, "BankTransactions", Type="SPEND", Contact=contact, BankAccount=DOLLARS, LineItems=[LINE])
    assert (made["Total"], made["CurrencyCode"], made["Status"]) == (10, "USD", "AUTHORISED")
    found = xero.get("/BankTransactions", where='Type=="SPEND"', page=1).json()["BankTransactions"]
    assert [one["BankTransactionID"] for one in found] == [made["BankTransactionID"]]
    wrong = {"Type": "SPEND", "Contact": contact, "BankAccount": {"Code": "200"}, "LineItems": [LINE]}
    assert xero.refuse("/BankTransactions", BankTransactions=[wrong]) == ["BankAccount must be a bank account"]
    locked = Xero(sandbox, NORTHWIND)
    late = {**wrong, "BankAccount": {"Code": "1200"}, "Date": "2025-12-31", "Contact": {"Name": "Demo Company"}}
    late["LineItems"] = [{**LINE, "AccountCode": "7400"}]
    assert "period lock date" in locked.refuse("/BankTransactions", BankTransactions=[late])[0]


def test_a_file_is_attached_listed_and_read_back(xero: Xero) -> None:
    made = xero.create()
    address = f"/Invoices/{made['InvoiceID']}/Attachments"
    headers = {"Content-Type": "application/octet-stream"}
    put_file = xero.session.put(f"{xero.base}{address}/brief%20one.pdf", data=b"%PDF-1", headers=headers)
    assert put_file.status_code == 200, put_file.text
    assert put_file.json()["Attachments"][0]["FileName"] == "brief one.pdf"
    listed = xero.get(address).json()["Attachments"]
    assert [(one["FileName"], one["ContentLength"]) for one in listed] == [("brief one.pdf", 6)]
    read_back = xero.session.get(f"{xero.base}{address}/brief one.pdf", headers={"contentType": "application/pdf"})
    assert read_back.content == b"%PDF-1"
    assert invoice(xero, made)["HasAttachments"] is True
    for name, body in (("noextension", b"x"), ("empty.pdf", b"")):
        assert xero.session.put(f"{xero.base}{address}/{name}", data=body, headers=headers).status_code == 400


def test_an_invoice_is_mailed_only_when_it_may_be(xero: Xero) -> None:
    draft, sale = xero.create(), xero.create(Status="AUTHORISED")
    refused = xero.post(f"/Invoices/{draft['InvoiceID']}/Email", {})
    assert "must be SUBMITTED, AUTHORISED or PAID" in refused.text
    answer = xero.post(f"/Invoices/{sale['InvoiceID']}/Email", {})
    assert (answer.status_code, answer.content) == (204, b"")
    assert invoice(xero, sale)["SentToContact"] is True
    online = xero.get(f"/Invoices/{sale['InvoiceID']}/OnlineInvoice").json()["OnlineInvoices"][0]
    assert online["OnlineInvoiceUrl"].startswith("https://in.xero.com/")
    assert xero.get(f"/Invoices/{draft['InvoiceID']}/OnlineInvoice").status_code == 404


@pytest.mark.hostile("The description knows one option, Xero takes a list of them.")
def test_a_tracking_option_is_added_and_can_be_used(xero: Xero) -> None:
    category = xero.get("/TrackingCategories").json()["TrackingCategories"][0]
    address = f"/TrackingCategories/{category['TrackingCategoryID']}/Options"
    made = xero.call("PUT", address, {"Options": [{"Name": "Summer"}]}, is_proper=False).json()["Options"][0]
    tracked = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    kept = xero.create(LineItems=[{**tracked, "Tracking": [{"Name": "Region", "Option": "Summer"}]}])
    assert kept["LineItems"][0]["Tracking"][0]["TrackingOptionID"] == made["TrackingOptionID"]
    again = xero.call("PUT", address, {"Options": [{"Name": "summer"}]}, is_proper=False)
    assert again.status_code == 400


def test_payments_and_files_need_their_own_scopes(sandbox: Sandbox) -> None:
    poor = Xero(sandbox, scopes="accounting.invoices accounting.contacts")
    made = poor.create(Status="AUTHORISED")
    for path in ("/Payments", "/BankTransfers", f"/Invoices/{made['InvoiceID']}/Attachments"):
        assert poor.get(path).json()["Detail"] == "AuthorizationUnsuccessful"
