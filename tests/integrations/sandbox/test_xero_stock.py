"""Items, and the stock that documents move."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero, messages

TRACKED = {"InventoryAssetAccountCode": "630", "PurchaseDetails": {"COGSAccountCode": "310", "UnitPrice": 10}}


def put(xero: Xero, plural: str, **record: Any) -> dict[str, Any]:
    answer = xero.put(f"/{plural}", {plural: [record]})
    assert answer.status_code == 200, answer.text
    return dict(answer.json(parse_float=Decimal)[plural][0])


def stock(xero: Xero) -> tuple[Decimal, Decimal]:
    item = xero.get("/Items/STOOL-OAK").json(parse_float=Decimal)["Items"][0]
    return item["QuantityOnHand"], item["TotalCostPool"]


def line(quantity: float, unit: float, **changes: Any) -> dict[str, Any]:
    return {"ItemCode": "STOOL-OAK", "Description": "Stool", "Quantity": quantity, "UnitAmount": unit, **changes}


def document(xero: Xero, kind: str, *lines: dict[str, Any], **changes: Any) -> dict[str, Any]:
    contact = {"ContactID": xero.sandbox.contacts()[0]["id"]}
    own = {"DueDate": "2026-12-22"} if "CREDIT" not in kind else {}
    return {"Type": kind, "Contact": contact, "Date": "2026-11-22", "LineItems": list(lines), **own} | {
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        **changes,
    }


def test_stock_moves_at_average_cost_and_voiding_gives_it_back(xero: Xero) -> None:
    put(xero, "Invoices", **document(xero, "ACCPAY", line(10, 3), Status="DRAFT"))
    assert stock(xero) == (0, 0)
    put(xero, "Invoices", **document(xero, "ACCPAY", line(10, 3)))
    put(xero, "Invoices", **document(xero, "ACCPAY", line(10, 4)))
    assert stock(xero) == (20, 70)
    sale = put(xero, "Invoices", **document(xero, "ACCREC", line(4, 89)))
    assert stock(xero) == (16, 56)
    back = document(xero, "ACCRECCREDIT", line(1, 89))
    put(xero, "CreditNotes", **back)
    assert stock(xero) == (17, Decimal("59.5"))
    put(xero, "CreditNotes", **document(xero, "ACCPAYCREDIT", line(7, 5)))
    assert stock(xero) == (10, 35)
    xero.post(f"/Invoices/{sale['InvoiceID']}", {"Invoices": [{"Status": "VOIDED"}]})
    assert stock(xero) == (14, 49)


def test_an_adjustment_of_nothing_to_pay_brings_stock_and_voiding_undoes_it(xero: Xero) -> None:
    counter = {"Description": "Adjustment", "Quantity": 2, "UnitAmount": -1000, "AccountCode": "401"}
    made = put(xero, "Invoices", **document(xero, "ACCPAY", line(2, 1000, AccountCode="630"), counter))
    assert (made["Total"], made["Status"]) == (0, "PAID")
    assert stock(xero) == (2, 2000)
    xero.post(f"/Invoices/{made['InvoiceID']}", {"Invoices": [{"Status": "VOIDED"}]})
    assert stock(xero) == (0, 0)
    put(xero, "Invoices", **document(xero, "ACCPAY", line(2, 1000), counter))
    out = put(xero, "CreditNotes", **document(xero, "ACCPAYCREDIT", line(2, 1000), counter))
    assert (out["Total"], stock(xero)) == (0, (0, 0))


@pytest.mark.hostile("allowBackorders is newer than the description.")
def test_stock_does_not_go_below_zero_unless_back_orders_are_allowed(xero: Xero) -> None:
    sale = document(xero, "ACCREC", line(3, 89))
    assert xero.refuse("/Invoices", Invoices=[sale]) == [
        "There is not enough of the tracked inventory item STOOL-OAK on hand: 3.0000 are missing"
    ]
    answer = xero.call("PUT", "/Invoices", {"Invoices": [sale]}, is_proper=False, allowBackorders="true")
    assert answer.status_code == 200
    assert stock(xero)[0] == -3


def test_drafts_quotes_and_purchase_orders_move_nothing(xero: Xero) -> None:
    contact = {"ContactID": xero.sandbox.contacts()[0]["id"]}
    put(xero, "PurchaseOrders", Contact=contact, LineItems=[line(5, 3)], Status="AUTHORISED")
    put(xero, "Quotes", Contact=contact, LineItems=[line(5, 3)], Date="2026-11-22")
    assert stock(xero) == (0, 0)


def test_quantity_and_cost_of_an_item_are_results_not_inputs(xero: Xero) -> None:
    made = put(xero, "Items", Code="FRIDGE", Name="Fridge", QuantityOnHand=7, TotalCostPool=70, **TRACKED)
    assert (made["IsTrackedAsInventory"], made["QuantityOnHand"], made["TotalCostPool"]) == (True, 0, 0)
    plain = put(xero, "Items", Code="SERVICE", SalesDetails={"UnitPrice": 12.3456, "AccountCode": "200"})
    assert "QuantityOnHand" not in plain
    assert plain["SalesDetails"]["UnitPrice"] == Decimal("12.35")
    exact = xero.get("/Items/SERVICE", unitdp=4).json(parse_float=Decimal)["Items"][0]
    assert exact["SalesDetails"]["UnitPrice"] == Decimal("12.3456")


def test_items_are_created_once_changed_by_code_and_deleted_when_unused(xero: Xero) -> None:
    made = put(xero, "Items", Code="abc", Name="First")
    assert xero.refuse("/Items", Items=[{"Code": "abc"}]) == ["Price List Item with Code 'abc' already exists"]
    changed = xero.post("/Items", {"Items": [{"Code": "abc", "Name": "Second"}]}).json()["Items"][0]
    assert (changed["ItemID"], changed["Name"]) == (made["ItemID"], "Second")
    assert xero.call("DELETE", f"/Items/{made['ItemID']}").status_code == 204
    assert xero.get(f"/Items/{made['ItemID']}").status_code == 404
    put(xero, "Invoices", **document(xero, "ACCPAY", line(1, 3)))
    used = xero.get("/Items/STOOL-OAK").json()["Items"][0]["ItemID"]
    answer = xero.call("DELETE", f"/Items/{used}")
    assert messages(answer.json()) == ["The item is in use and cannot be deleted"]


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ({}, "Code must be specified"),
        ({"Code": "x" * 31}, "Code cannot be longer than 30"),
        ({"Code": "a", "InventoryAssetAccountCode": "630"}, "COGSAccountCode must be an account of the type DIRECT"),
        ({"Code": "a", **TRACKED, "InventoryAssetAccountCode": "429"}, "of the type INVENTORY"),
        ({"Code": "a", "SalesDetails": {"AccountCode": "999"}}, "Account code '999' is not a valid code"),
        (
            {"Code": "a", **TRACKED, "PurchaseDetails": {"COGSAccountCode": "310", "AccountCode": "429"}},
            "has no PurchaseDetails.AccountCode",
        ),
    ],
)
def test_an_item_that_breaks_a_rule_is_refused(xero: Xero, item: dict[str, Any], words: str) -> None:
    said = xero.refuse("/Items", Items=[item])
    assert any(words in message for message in said), said


def test_the_inventory_account_is_for_tracked_items_and_they_for_it(xero: Xero) -> None:
    loose = {"Description": "x", "Quantity": 1, "UnitAmount": 1, "AccountCode": "630"}
    for wrong in (loose, line(1, 1, AccountCode="429")):
        said = xero.refuse("/Invoices", Invoices=[document(xero, "ACCPAY", wrong)])
        assert said[0].endswith("is not a valid code for this document.")
