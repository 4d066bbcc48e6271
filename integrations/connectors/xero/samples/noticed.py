"""Samples of what triggers notice: records as Xero's lists give them, with more than the answer to a write."""

from decimal import Decimal
from typing import Any

from integrations.connectors.xero.samples import records

_CONTACT: dict[str, Any] = {
    "ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92",
    "ContactStatus": "ACTIVE",
    "Name": "Northwind Interiors",
    "FirstName": "Jane",
    "LastName": "Doe",
    "EmailAddress": "accounts@northwind-interiors.example",
    "Addresses": [
        {"AddressType": "POBOX", "City": "Wellington", "Region": "", "PostalCode": "6011", "Country": "New Zealand"}
    ],
    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "5550100", "PhoneAreaCode": "04", "PhoneCountryCode": "64"}],
    "IsSupplier": False,
    "IsCustomer": True,
    "UpdatedDateUTC": "2026-10-05T09:14:03Z",
}
_SUPPLIER: dict[str, Any] = {
    **_CONTACT,
    "ContactID": "f1d403d1-7d30-46c2-a2be-fc2bb29bd295",
    "Name": "Tui Timber Ltd",
    "FirstName": "Tama",
    "LastName": "Hill",
    "EmailAddress": "orders@tui-timber.example",
    "IsSupplier": True,
    "IsCustomer": False,
}
_RATE: dict[str, Any] = {"CurrencyRate": Decimal("1.0000000000")}
_SETTLED_BY: dict[str, Any] = {
    "AmountCredited": Decimal("0.00"),
    "Payments": [],
    "CreditNotes": [],
    "Prepayments": [],
    "Overpayments": [],
    "SentToContact": False,
}


def _listed(record: dict[str, Any], contact: dict[str, Any], account: str, **more: Any) -> dict[str, Any]:
    """The record with its whole contact, and with the account of each line."""
    lines = [{**line, "AccountID": account, "Tracking": []} for line in record["LineItems"]]
    return {**record, "Contact": contact, "LineItems": lines, **_RATE, **more}


_SALES, _PURCHASES = "ebd06280-af70-4bed-97c6-7451a454ad85", "0e5f9a3d-7e0c-4e53-9d3e-2f6b0b8f2a67"

CONTACT: dict[str, Any] = {**records.CONTACT, "ContactPersons": [], "ContactGroups": [], "BankAccountDetails": ""}
INVOICE: dict[str, Any] = _listed(records.INVOICE, _CONTACT, _SALES, **_SETTLED_BY)
BILL: dict[str, Any] = _listed(records.BILL, _SUPPLIER, _PURCHASES, Reference="", **_SETTLED_BY)
QUOTE: dict[str, Any] = _listed(records.QUOTE, _CONTACT, _SALES)
PURCHASE_ORDER: dict[str, Any] = _listed(
    records.PURCHASE_ORDER, _SUPPLIER, _PURCHASES, SentToContact=False, Type="PURCHASEORDER"
)
CREDIT_NOTE: dict[str, Any] = _listed(
    records.CREDIT_NOTE, _CONTACT, _SALES, Allocations=[], Payments=[], SentToContact=False
)
BANK_TRANSACTION: dict[str, Any] = _listed(records.BANK_TRANSACTION, _CONTACT, _SALES)

PAID_INVOICE: dict[str, Any] = {
    **INVOICE,
    "Status": "PAID",
    "AmountDue": Decimal("0.00"),
    "AmountPaid": INVOICE["Total"],
    "FullyPaidOnDate": "2026-10-12",
    "Payments": [
        {
            "PaymentID": "b26fd49a-cbae-470a-a8f8-bcbc119e0379",
            "Date": "2026-10-12",
            "Amount": INVOICE["Total"],
            "Reference": "",
            **_RATE,
        }
    ],
}
OVERDUE_INVOICE: dict[str, Any] = {
    **INVOICE,
    "Status": "AUTHORISED",
    "Date": "2026-10-11",
    "DueDate": "2026-11-10",
    "days_overdue": 1,
    "overdue_on": "2026-11-11",
}

PAYMENT: dict[str, Any] = {**records.TOLD_PAYMENT, "BankAmount": records.TOLD_PAYMENT["Amount"], **_RATE}


def _money(amount: str = "0.00") -> dict[str, Any]:
    return {"currency": "NZD", "value": Decimal(amount)}


PROJECT: dict[str, Any] = {
    **records.PROJECT,
    "minutesToBeInvoiced": 0,
    **{
        name: _money()
        for name in (
            *("totalTaskAmount", "totalExpenseAmount", "taskAmountToBeInvoiced", "taskAmountInvoiced"),
            *("expenseAmountToBeInvoiced", "expenseAmountInvoiced", "projectAmountInvoiced", "deposit"),
            *("depositApplied", "creditNoteAmount", "totalInvoiced", "totalToBeInvoiced"),
        )
    },
}
