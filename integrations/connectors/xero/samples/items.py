"""Samples of the output of operations on items and stock; see `samples`."""

from decimal import Decimal
from typing import Any

from integrations.connectors.xero.samples.records import BILL

ITEM: dict[str, Any] = {
    "ItemID": "9a59ea90-942e-484d-9b71-d00ab607e03b",
    "Code": "PRINT-A3",
    "Name": "Art print A3",
    "Description": "Art print A3, matt.",
    "PurchaseDescription": "A3 prints, hundred.",
    "SalesDetails": {"UnitPrice": Decimal("45.0000"), "AccountCode": "200", "TaxType": "OUTPUT2"},
    "PurchaseDetails": {"UnitPrice": Decimal("12.5000"), "AccountCode": "310", "TaxType": "INPUT2"},
    "IsTrackedAsInventory": False,
    "IsSold": True,
    "IsPurchased": True,
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

ADDED_ITEM: dict[str, Any] = {**ITEM, "outcome": "created"}

RECEIVED_STOCK: dict[str, Any] = {
    **BILL,
    "Status": "AUTHORISED",
    "item_code": "STOOL-OAK",
    "quantity_received": Decimal("10.0000"),
    "quantity_before": Decimal("4.0000"),
    "quantity_on_hand": Decimal("14.0000"),
    "total_cost": Decimal("513.00"),
    "warning": None,
}
