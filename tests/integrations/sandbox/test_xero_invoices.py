"""Sales invoices and bills: what is computed, what is refused, what may change."""

from decimal import Decimal
from typing import Any

import pytest
import simplejson

from tests.integrations.sandbox.conftest import Xero, messages
from tests.provider import NORTHWIND, Sandbox


def line(**changes: Any) -> dict[str, Any]:
    return {"Description": "Tyres", "Quantity": 2, "UnitAmount": 20, "AccountCode": "200", **changes}


def test_a_draft_is_numbered_computed_and_kept(sandbox: Sandbox, xero: Xero) -> None:
    made = xero.create(Reference="PX-run-17", Url="https://pinxero.example/runs/17")
    assert made["InvoiceNumber"] == "INV-0002"
    assert made["Status"] == "DRAFT"
    assert made["Reference"] == "PX-run-17"
    assert made["Url"] == "https://pinxero.example/runs/17"
    assert (made["SubTotal"], made["TotalTax"], made["Total"], made["AmountDue"]) == (40, 6, 46, 46)
    assert (made["DateString"], made["Date"]) == ("2026-11-22T00:00:00", "/Date(1795305600000+0000)/")
    assert made["LineItems"][0]["TaxType"] == "OUTPUT2"
    assert made["LineItems"][0]["TaxAmount"] == 6
    assert made["Contact"]["Name"] == sandbox.contacts()[1]["Name"]
    assert xero.get(f"/Invoices/{made['InvoiceID']}", unitdp=4).json()["Invoices"] == [made]
    kept = sandbox.invoices()[0]
    assert (kept["id"], kept["Url"]) == (made["InvoiceID"], "https://pinxero.example/runs/17")
    row = sandbox.ledger(method="PUT")[0]
    assert (row["outcome"], row["object_ids"]) == ("created invoice INV-0002", [made["InvoiceID"]])
    assert kept["body_sha256"] == row["body_sha256"]


def test_numbers_go_up_and_skip_those_taken(xero: Xero) -> None:
    assert xero.create(InvoiceNumber="INV-0003")["InvoiceNumber"] == "INV-0003"
    assert [xero.create()["InvoiceNumber"] for _ in range(2)] == ["INV-0002", "INV-0004"]


def test_the_first_invoice_makes_a_contact_a_customer_and_a_bill_a_supplier(sandbox: Sandbox, xero: Xero) -> None:
    assert xero.create()["Contact"]["IsCustomer"] is True
    bill = xero.create(Type="ACCPAY", LineItems=[line(AccountCode="429")])
    assert bill["Contact"]["IsSupplier"] is True


@pytest.mark.parametrize(
    ("kind", "lines", "expected"),
    [
        ("Exclusive", [(3, "12.345", None)], ("37.04", "5.56", "42.60")),
        ("Exclusive", [(1, "0.10", None), (1, "0.10", None), (1, "0.10", None)], ("0.30", "0.06", "0.36")),
        ("Inclusive", [(1, "115.00", None)], ("100.00", "15.00", "115.00")),
        ("Inclusive", [(3, "9.99", None)], ("26.06", "3.91", "29.97")),
        ("NoTax", [(2, "20.00", None)], ("40.00", "0.00", "40.00")),
        ("Exclusive", [(2, "20.00", "10")], ("36.00", "5.40", "41.40")),
        ("Exclusive", [(1, "10.00", None), (1, "-2.35", None)], ("7.65", "1.15", "8.80")),
    ],
)
def test_totals_are_computed_line_by_line_and_rounded_half_up(
    xero: Xero, kind: str, lines: list[tuple[int, str, str | None]], expected: tuple[str, str, str]
) -> None:
    sent = [
        line(Quantity=quantity, UnitAmount=float(price), **({"DiscountRate": float(rate)} if rate else {}))
        for quantity, price, rate in lines
    ]
    answer = xero.put("/Invoices", {"Invoices": [xero.invoice(LineItems=sent, LineAmountTypes=kind)]}, unitdp=4)
    made = simplejson.loads(answer.text, use_decimal=True)["Invoices"][0]
    assert tuple(str(made[name]) for name in ("SubTotal", "TotalTax", "Total")) == expected


def test_unit_amounts_keep_four_places_only_when_asked(xero: Xero) -> None:
    sent = {"Invoices": [xero.invoice(LineItems=[line(Quantity=1000, UnitAmount=0.1234)])]}
    four = xero.put("/Invoices", sent, unitdp=4).json()["Invoices"][0]
    two = xero.put("/Invoices", sent).json()["Invoices"][0]
    assert (four["LineItems"][0]["UnitAmount"], four["SubTotal"]) == (0.1234, 123.40)
    assert (two["LineItems"][0]["UnitAmount"], two["SubTotal"]) == (0.12, 120.00)
    read = xero.get(f"/Invoices/{four['InvoiceID']}").json()["Invoices"][0]
    assert read["LineItems"][0]["UnitAmount"] == 0.12


def test_money_goes_out_as_exact_json_numbers(xero: Xero) -> None:
    sent = {"Invoices": [xero.invoice(LineItems=[line(Quantity=1, UnitAmount=1234567.89)])]}
    text = xero.put("/Invoices", sent).text
    assert '"SubTotal": 1234567.89' in text
    assert simplejson.loads(text, use_decimal=True)["Invoices"][0]["Total"] == Decimal("1419753.07")


def test_an_item_brings_its_description_price_account_and_tax(xero: Xero) -> None:
    made = xero.create(LineItems=[{"ItemCode": "PRINT-A4", "Quantity": 2}])
    kept = made["LineItems"][0]
    assert (kept["Description"], kept["UnitAmount"], kept["AccountCode"]) == ("Art print, A4, framed", 24.5, "200")
    assert made["Total"] == 56.35


def test_a_named_contact_is_found_or_created(sandbox: Sandbox, xero: Xero) -> None:
    assert xero.create(Contact={"Name": "BOOM FM"})["Contact"]["ContactID"] == sandbox.contact_id("Boom FM")
    made = xero.create(Contact={"Name": "Brand New Ltd"})
    assert made["Contact"]["ContactID"] == sandbox.contact_id("Brand New Ltd")
    assert len(sandbox.contacts()) == 9


def test_tracking_is_kept_with_its_ids(xero: Xero) -> None:
    made = xero.create(LineItems=[line(Tracking=[{"Name": "Region", "Option": "North"}])])
    assert made["LineItems"][0]["Tracking"][0]["Option"] == "North"
    assert len(made["LineItems"][0]["Tracking"][0]["TrackingOptionID"]) == 36


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"Contact": None}, "A Contact must be specified for this type of transaction"),
        ({"Contact": {}}, "A Contact must be specified for this type of transaction"),
        ({"Contact": {"FirstName": "A"}}, "The contact name must be specified"),
        ({"Type": "ACCRECCREDIT"}, "'ACCRECCREDIT' is not a valid Type: use ACCREC, ACCPAY"),
        ({"Status": "PAID"}, "'PAID' is not a valid Status: use DRAFT, SUBMITTED, AUTHORISED"),
        (
            {"LineAmountTypes": "EXCLUSIVE"},
            "'EXCLUSIVE' is not a valid LineAmountTypes: use Exclusive, Inclusive, NoTax",
        ),
        ({"LineItems": []}, "One or more line items must be specified"),
        ({"LineItems": [line(Description="")]}, "Description must be specified for a line item"),
        ({"LineItems": [line(AccountCode="999")]}, "Account code '999' is not a valid code for this document."),
        ({"LineItems": [line(AccountCode="610")]}, "Account code '610' is not a valid code for this document."),
        ({"LineItems": [line(AccountCode="090")]}, "Account code '090' is not a valid code for this document."),
        (
            {"LineItems": [line(TaxType="INPUT2")]},
            "The TaxType code 'INPUT2' cannot be used with account code '200'.",
        ),
        (
            {"LineItems": [line(TaxType="GST99")]},
            "The TaxType code 'GST99' does not exist or cannot be used for this type of transaction.",
        ),
        ({"LineItems": [line(LineAmount=41)]}, "The line total 41.00 does not match the expected line total 40.00"),
        ({"LineItems": [line(Quantity="2")]}, "Quantity must be a number, not '2'"),
        ({"LineItems": [line(UnitAmount=1e15)]}, "UnitAmount is too large"),
        ({"LineItems": [line(DiscountRate=101)]}, "DiscountRate must be between 0 and 100"),
        ({"LineItems": [line(ItemCode="NOPE")]}, "Item code 'NOPE' is not valid"),
        ({"LineItems": [line(UnitAmount=-1)]}, "The total of the document cannot be negative"),
        ({"CurrencyCode": "EUR"}, "Organisation is not subscribed to currency EUR"),
        ({"Date": "22/11/2026"}, "Date is not a date: '22/11/2026'. Use YYYY-MM-DD."),
        ({"Url": "pinxero"}, "Url must be a valid absolute URL"),
        ({"InvoiceNumber": "INV-0001"}, "Invoice # must be unique."),
        ({"Status": "AUTHORISED", "DueDate": None}, "Due date must be specified"),
        (
            {"Type": "ACCPAY", "LineItems": [line(AccountCode="429", DiscountRate=5)]},
            "Discounts can only be given on sales invoices",
        ),
        (
            {"Status": "AUTHORISED", "LineItems": [{"Description": "x", "Quantity": 1, "UnitAmount": 1}]},
            "Account code must be specified for a line item",
        ),
    ],
)
def test_what_is_wrong_is_refused_in_words(xero: Xero, changes: dict[str, Any], message: str) -> None:
    assert message in xero.refuse(Invoices=[xero.invoice(**changes)])


def test_everything_that_is_wrong_is_said_at_once(xero: Xero) -> None:
    wrong = xero.invoice(
        Status="AUTHORISED", DueDate=None, CurrencyCode="EUR", LineItems=[line(AccountCode="999"), line(TaxType="X")]
    )
    answer = xero.put("/Invoices", {"Invoices": [wrong]}, is_proper=False)
    body = answer.json()
    assert (body["ErrorNumber"], body["Type"]) == (10, "ValidationException")
    assert len(messages(body)) == 4
    assert body["Elements"][0]["LineItems"] == wrong["LineItems"]
    assert body["Elements"][0]["InvoiceID"] == "00000000-0000-0000-0000-000000000000"


def test_documents_on_or_before_the_lock_date_are_refused(sandbox: Sandbox) -> None:
    northwind = Xero(sandbox, NORTHWIND)
    locked = "The document date cannot be before the period lock date, currently set at 31 December 2025"
    year = "The document date cannot be before the end of year lock date, currently set at 31 March 2025"
    assert northwind.refuse(Invoices=[northwind.invoice(Date="2025-12-31")]) == [locked]
    assert northwind.refuse(Invoices=[northwind.invoice(Date="2025-03-31")]) == [year]
    assert northwind.create(Date="2026-01-01")["Total"] == 48
    assert Xero(sandbox).create(Date="2020-01-01")["Total"] == 46


def test_an_archived_contact_gets_no_invoice(sandbox: Sandbox, xero: Xero) -> None:
    boom = sandbox.contact_id("Boom FM")
    xero.post(f"/Contacts/{boom}", {"Contacts": [{"ContactStatus": "ARCHIVED"}]})
    refused = xero.refuse(Invoices=[xero.invoice(Contact={"ContactID": boom})])
    assert refused == ["The contact Boom FM is archived and cannot be used"]


def test_a_foreign_currency_gets_a_rate(xero: Xero) -> None:
    assert xero.create(CurrencyCode="USD")["CurrencyRate"] == 0.612345
    assert xero.create(CurrencyCode="USD", CurrencyRate=0.5)["CurrencyRate"] == 0.5
    assert xero.create()["CurrencyRate"] == 1


def test_bills_keep_their_number_which_need_not_be_unique_and_have_no_reference(xero: Xero) -> None:
    bill = {"Type": "ACCPAY", "LineItems": [line(AccountCode="429")], "InvoiceNumber": "RPT-445", "Reference": "x"}
    assert xero.create(**bill)["InvoiceNumber"] == "RPT-445"
    assert xero.create(**bill)["Reference"] == ""
    assert xero.create(**{**bill, "InvoiceNumber": None})["InvoiceNumber"] == ""


def test_statuses_move_as_xero_lets_them(xero: Xero) -> None:
    path = f"/Invoices/{xero.create()['InvoiceID']}"

    def move(status: str) -> Any:
        answer = xero.post(path, {"Invoices": [{"Status": status}]})
        return answer.json()["Invoices"][0]["Status"] if answer.status_code == 200 else messages(answer.json())

    assert move("VOIDED") == ["Invoice not of valid status for modification"]
    assert [move(status) for status in ("SUBMITTED", "DRAFT", "AUTHORISED")] == ["SUBMITTED", "DRAFT", "AUTHORISED"]
    assert move("DRAFT") == ["Invoice not of valid status for modification"]
    assert move("VOIDED") == "VOIDED"
    assert move("AUTHORISED") == ["Invoice not of valid status for modification"]


def test_a_draft_with_gaps_cannot_be_approved(xero: Xero) -> None:
    made = xero.create(DueDate=None, LineItems=[{"Description": "Only words"}])
    answer = xero.post(f"/Invoices/{made['InvoiceID']}", {"Invoices": [{"Status": "AUTHORISED"}]})
    assert answer.status_code == 400
    assert "Due date must be specified" in messages(answer.json())
    assert "Account code must be specified for a line item" in messages(answer.json())


def test_a_deleted_draft_frees_its_number(xero: Xero) -> None:
    made = xero.create(InvoiceNumber="PX-1")
    xero.post(f"/Invoices/{made['InvoiceID']}", {"Invoices": [{"Status": "DELETED"}]})
    assert xero.create(InvoiceNumber="PX-1")["InvoiceID"] != made["InvoiceID"]


def test_an_approved_document_over_nothing_is_paid_at_once(xero: Xero) -> None:
    lines = [line(UnitAmount=10), line(UnitAmount=-10)]
    assert xero.create(Status="AUTHORISED", LineItems=lines)["Status"] == "PAID"


def test_post_overwrites_the_sales_invoice_of_that_number_and_put_does_not(xero: Xero) -> None:
    made = xero.create(InvoiceNumber="PX-1")
    changed = xero.post("/Invoices", {"Invoices": [xero.invoice(InvoiceNumber="PX-1", Reference="b")]}).json()
    assert changed["Invoices"][0]["InvoiceID"] == made["InvoiceID"]
    assert changed["Invoices"][0]["Reference"] == "b"
    assert xero.refuse(Invoices=[xero.invoice(InvoiceNumber="PX-1")]) == ["Invoice # must be unique."]


def test_an_update_leaves_what_is_omitted_and_replaces_the_lines(xero: Xero) -> None:
    made = xero.create(Reference="a", LineItems=[line(), line(Description="Second")])
    first = made["LineItems"][0]["LineItemID"]
    path = f"/Invoices/{made['InvoiceID']}"
    body = {"Invoices": [{"LineItems": [line(LineItemID=first, Quantity=1)]}]}
    changed = xero.post(path, body).json()["Invoices"][0]
    assert [kept["LineItemID"] for kept in changed["LineItems"]] == [first]
    assert (changed["Reference"], changed["Total"], changed["InvoiceNumber"]) == ("a", 23, made["InvoiceNumber"])


def test_notes_are_kept_in_the_history(xero: Xero) -> None:
    path = f"/Invoices/{xero.create()['InvoiceID']}/History"
    answer = xero.put(path, {"HistoryRecords": [{"Details": "Created by Pinxero run 17"}]})
    assert answer.json()["HistoryRecords"][0]["Details"] == "Created by Pinxero run 17"
    history = xero.get(path).json()["HistoryRecords"]
    assert [record["Changes"] for record in history] == ["Note", "Created"]


def test_lists_are_filtered_and_brief_unless_paged(sandbox: Sandbox, xero: Xero) -> None:
    made = xero.create(Reference="Needle in hay")
    contact = made["Contact"]["ContactID"]

    def found(**query: Any) -> list[str]:
        return [invoice["InvoiceNumber"] for invoice in xero.get("/Invoices", **query).json()["Invoices"]]

    assert found() == ["INV-0001", "RPT-445", "INV-0002"]
    assert found(createdByMyApp="true") == ["INV-0002"]
    assert found(InvoiceNumbers="INV-0002,INV-0001") == ["INV-0001", "INV-0002"]
    assert found(Statuses="AUTHORISED") == ["INV-0001"]
    assert found(ContactIDs=contact, Statuses="DRAFT", where='Type=="ACCREC"') == ["INV-0002"]
    assert found(IDs=made["InvoiceID"]) == ["INV-0002"]
    assert found(searchTerm="needle") == ["INV-0002"]
    assert found(where='Reference=="Needle in hay"') == ["INV-0002"]
    assert found(where=f'Contact.ContactID==guid("{contact}") AND Date>=DateTime(2026,11,1)') == ["INV-0002"]
    assert found(where="Total > 46 && Total<=288.65") == ["RPT-445", "INV-0001"][::-1]
    assert found(where='Contact.Name.StartsWith("Boom")', order="Date DESC") == ["INV-0001"]
    assert found(order="Total DESC") == ["INV-0001", "RPT-445", "INV-0002"]
    assert "LineItems" not in xero.get("/Invoices").json()["Invoices"][0]
    paged = xero.get("/Invoices", page=1, pageSize=2).json()
    assert paged["pagination"] == {"page": 1, "pageSize": 2, "pageCount": 2, "itemCount": 3}
    assert paged["Invoices"][0]["LineItems"][0]["Description"] == "Campaign design"
    assert "LineItems" not in xero.get("/Invoices", page=1, summaryOnly="true").json()["Invoices"][0]


@pytest.mark.parametrize(
    "where",
    [
        "Status=",
        'Status=="A',
        "Nonsense==1",
        'InvoiceID=="9f0e5a0c-0000-4000-8000-000000000000"',
        'Status=="A" AND',
        "(Status==null",
        "Date>=DateTime(2026,13,1)",
        'InvoiceID==guid("x")',
        "Total",
        "Status>1",
        'Reference=="a""b"',
        "((((" * 30 + "Total==1" + "))))" * 30,
        "!" * 2000,
        "Reference" + ".Trim()" * 2000 + '=="A"',
        "__class__==null",
    ],
)
def test_a_filter_that_cannot_be_read_is_a_query_parse_exception(xero: Xero, where: str) -> None:
    answer = xero.get("/Invoices", where=where)
    assert answer.status_code == 400
    assert (answer.json()["ErrorNumber"], answer.json()["Type"]) == (16, "QueryParseException")


@pytest.mark.parametrize("query", [{"page": "x"}, {"page": "0"}, {"pageSize": "-1"}, {"unitdp": "3"}, {"IDs": "x"}])
def test_a_wrong_parameter_is_refused(xero: Xero, query: dict[str, str]) -> None:
    answer = xero.get("/Invoices", is_proper=False, **query)
    assert answer.status_code == 400
    assert next(iter(query)) in answer.json()["Message"]


@pytest.mark.parametrize("text", ["{", "", '{"Invoices": [NaN]}', '{"Invoices":' + "[" * 100_000])
def test_what_is_not_json_is_refused(sandbox: Sandbox, xero: Xero, text: str) -> None:
    answer = xero.session.put(xero.base + "/Invoices", data=text, timeout=10)
    assert (answer.status_code, answer.json()["Type"]) == (400, "PostDataInvalidException")
    assert sandbox.invoices() == []


def test_the_ledger_names_only_what_stayed(sandbox: Sandbox, xero: Xero) -> None:
    taken = xero.invoice(InvoiceNumber="INV-0001", Contact={"Name": "Rolled Back Ltd"})
    xero.put("/Invoices", {"Invoices": [taken]}, summarizeErrors="false")
    mixed = xero.put("/Invoices", {"Invoices": [taken, xero.invoice()]}, summarizeErrors="false")
    written = mixed.json()["Invoices"][1]
    assert "Rolled Back Ltd" not in {contact["Name"] for contact in sandbox.contacts()}
    rows = sandbox.ledger(method="PUT")
    assert [(row["committed"], row["outcome"]) for row in rows] == [
        (False, "nothing written"),
        (True, f"created invoice {written['InvoiceNumber']}"),
    ]
    assert rows[1]["object_ids"] == [written["InvoiceID"]]
