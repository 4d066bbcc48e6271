"""Samples of the operations' output: Xero's shape after `plain()`, invented data."""

from decimal import Decimal
from typing import Any

CONTACT: dict[str, Any] = {
    "ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92",
    "ContactNumber": "PX-3f9a1c5be02d7788",
    "AccountNumber": "NW-0042",
    "ContactStatus": "ACTIVE",
    "Name": "Northwind Interiors",
    "FirstName": "Jane",
    "LastName": "Doe",
    "EmailAddress": "accounts@northwind-interiors.example",
    "TaxNumber": "101-2-303",
    "Addresses": [
        {
            "AddressType": "POBOX",
            "AddressLine1": "12 Harbour Street",
            "City": "Wellington",
            "Region": "",
            "PostalCode": "6011",
            "Country": "New Zealand",
        }
    ],
    "Phones": [{"PhoneType": "DEFAULT", "PhoneNumber": "5550100", "PhoneAreaCode": "04", "PhoneCountryCode": "64"}],
    "UpdatedDateUTC": "2026-10-05T09:14:03Z",
    "IsSupplier": False,
    "IsCustomer": True,
    "DefaultCurrency": "NZD",
}

INVOICE: dict[str, Any] = {
    "InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c",
    "InvoiceNumber": "INV-0007",
    "Type": "ACCREC",
    "Status": "DRAFT",
    "Reference": "PX-3f9a1c5be02d7788",
    "Url": "https://pinxero.example/runs/marker/PX-3f9a1c5be02d7788/",
    "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
    "Date": "2026-10-05",
    "DueDate": "2026-11-04",
    "LineAmountTypes": "Exclusive",
    "LineItems": [
        {
            "LineItemID": "52208ff9-528a-4985-a9ad-b2b1d4210e38",
            "Description": "Styling: Oak table",
            "Quantity": Decimal("2.0000"),
            "UnitAmount": Decimal("250.0000"),
            "TaxType": "OUTPUT2",
            "TaxAmount": Decimal("75.00"),
            "LineAmount": Decimal("500.00"),
            "AccountCode": "200",
        }
    ],
    "SubTotal": Decimal("500.00"),
    "TotalTax": Decimal("75.00"),
    "Total": Decimal("575.00"),
    "AmountDue": Decimal("575.00"),
    "AmountPaid": Decimal("0.00"),
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

FOUND_CONTACT: dict[str, Any] = {**CONTACT, "is_found": True, "count": 1, "contacts": [CONTACT], "warning": None}

_LINE: dict[str, Any] = {
    "LineItemID": "0c6c1b0e-3c11-4d0f-9d8e-6b1f6c9f2a10",
    "Description": "Oak boards, planed",
    "Quantity": Decimal("10.0000"),
    "UnitAmount": Decimal("38.5000"),
    "TaxType": "INPUT2",
    "TaxAmount": Decimal("57.75"),
    "LineAmount": Decimal("385.00"),
    "AccountCode": "310",
}
_TOTALS: dict[str, Any] = {
    "SubTotal": Decimal("385.00"),
    "TotalTax": Decimal("57.75"),
    "Total": Decimal("442.75"),
}
_SUPPLIER: dict[str, Any] = {"ContactID": "f1d403d1-7d30-46c2-a2be-fc2bb29bd295", "Name": "Tui Timber Ltd"}

QUOTE: dict[str, Any] = {
    "QuoteID": "60031d53-38a8-4f8c-9a3e-6c1a2f0f7a11",
    "QuoteNumber": "QU-0008",
    "Status": "DRAFT",
    "Title": "Kitchen shelves",
    "Summary": "Made to measure, oiled oak.",
    "Terms": "Valid for 30 days.",
    "Reference": "PX-3f9a1c5be02d7788",
    "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
    "Date": "2026-10-05",
    "ExpiryDate": "2026-11-04",
    "LineAmountTypes": "EXCLUSIVE",
    "LineItems": INVOICE["LineItems"],
    "SubTotal": Decimal("500.00"),
    "TotalTax": Decimal("75.00"),
    "Total": Decimal("575.00"),
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

PURCHASE_ORDER: dict[str, Any] = {
    "PurchaseOrderID": "f9627f0d-b715-4039-bb6a-96dc3eae5ec5",
    "PurchaseOrderNumber": "PO-0004",
    "Status": "DRAFT",
    "Reference": "PX-3f9a1c5be02d7788",
    "Contact": _SUPPLIER,
    "Date": "2026-10-05",
    "DeliveryDate": "2026-10-19",
    "DeliveryAddress": "12 Harbour Street, Wellington 6011",
    "AttentionTo": "Jane Doe",
    "Telephone": "04 5550100",
    "DeliveryInstructions": "Ring at the yard.",
    "LineAmountTypes": "Exclusive",
    "LineItems": [_LINE],
    **_TOTALS,
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

FOUND_PURCHASE_ORDER: dict[str, Any] = {
    **PURCHASE_ORDER,
    "is_found": True,
    "count": 1,
    "purchase_orders": [PURCHASE_ORDER],
    "warning": None,
}

BILL: dict[str, Any] = {
    "InvoiceID": "9f5bca33-8590-4b6f-acfb-e85712b10217",
    "InvoiceNumber": "TT-20931",
    "Type": "ACCPAY",
    "Status": "DRAFT",
    "Url": "https://pinxero.example/runs/marker/PX-3f9a1c5be02d7788/",
    "Contact": _SUPPLIER,
    "Date": "2026-10-05",
    "DueDate": "2026-10-20",
    "LineAmountTypes": "Exclusive",
    "LineItems": [_LINE],
    **_TOTALS,
    "AmountDue": Decimal("442.75"),
    "AmountPaid": Decimal("0.00"),
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

CREDIT_NOTE: dict[str, Any] = {
    "CreditNoteID": "aea95d78-ea48-456b-9b08-6bc012600072",
    "CreditNoteNumber": "CN-0003",
    "Type": "ACCRECCREDIT",
    "Status": "DRAFT",
    "Reference": "PX-3f9a1c5be02d7788",
    "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
    "Date": "2026-10-05",
    "LineAmountTypes": "Exclusive",
    "LineItems": INVOICE["LineItems"],
    "SubTotal": Decimal("500.00"),
    "TotalTax": Decimal("75.00"),
    "Total": Decimal("575.00"),
    "RemainingCredit": Decimal("575.00"),
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

INVOICE_WITH_LINES_ADDED: dict[str, Any] = {**INVOICE, "added_lines": INVOICE["LineItems"]}

SENT_INVOICE: dict[str, Any] = {
    "InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c",
    "InvoiceNumber": "INV-0007",
    "Type": "ACCREC",
    "Status": "AUTHORISED",
    "Reference": "PX-3f9a1c5be02d7788",
    "Date": "2026-10-05",
    "DueDate": "2026-11-04",
    "Total": Decimal("575.00"),
    "CurrencyCode": "NZD",
    "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
    "email": "accounts@northwind-interiors.example",
    "was_sent_before": False,
    "is_sent": True,
    "warning": None,
}

FOUND_INVOICE: dict[str, Any] = {**INVOICE, "is_found": True, "count": 1, "invoices": [INVOICE], "warning": None}

NOTE: dict[str, Any] = {
    "Details": "Sample approved by Jane. https://pinxero.example/runs/marker/PX-3f9a1c5be02d7788/",
    "DateUTC": "2026-10-05T09:14:05Z",
}

ATTACHMENT: dict[str, Any] = {
    "AttachmentID": "5a500c1a-5a02-48de-939e-1d234fd170d4",
    "FileName": "oak-table PX-3f9a1c5be02d7788.jpg",
    "Url": "https://api.xero.com/api.xro/2.0/Invoices/ed255415-e141-4150-aab7-89c3bbbb851c/Attachments/oak-table.jpg",
    "MimeType": "image/jpeg",
    "ContentLength": 287871,
    "IncludeOnline": False,
    "attached_to": "Invoice INV-0007",
    "record_kind": "Invoices",
    "record_id": "ed255415-e141-4150-aab7-89c3bbbb851c",
    "record_type": "ACCREC",
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}

PAYMENT: dict[str, Any] = {
    "PaymentID": "b26fd49a-cbae-470a-a8f8-bcbc119e0379",
    "PaymentType": "ACCRECPAYMENT",
    "Status": "AUTHORISED",
    "Reference": "PX-3f9a1c5be02d7788",
    "Date": "2026-10-05",
    "Amount": Decimal("575.00"),
    "Invoice": {"InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c", "InvoiceNumber": "INV-0007"},
    "Account": {"AccountID": "ac993f75-035b-433c-82e0-7b7a2d40802c", "Code": "090"},
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

_TRACKED: dict[str, Any] = {
    "TrackingCategoryID": "351953c4-8127-4009-88c3-f9cd8c9cbe9f",
    "TrackingOptionID": "ce205173-7387-4651-9726-2cf4c5405ba2",
    "Name": "Region",
    "Option": "North",
}
BANK_TRANSFER: dict[str, Any] = {
    "BankTransferID": "76eea4b6-f026-464c-b6f3-5fb39a196145",
    "Status": "AUTHORISED",
    "Reference": "PX-3f9a1c5be02d7788",
    "Date": "2026-10-05",
    "Amount": Decimal("50.00"),
    "FromBankAccount": {"AccountID": "ac993f75-035b-433c-82e0-7b7a2d40802c", "Name": "Business Bank Account"},
    "ToBankAccount": {"AccountID": "ebd06280-af70-4bed-97c6-7451a454ad85", "Name": "Business Savings Account"},
    "FromBankTransactionID": "00a5d870-5e7b-43ef-8d6b-9b9f0e5e2a11",
    "ToBankTransactionID": "e14a2e8c-5f2a-44f5-9a3d-3b0d2c1c7d0e",
    "FromIsReconciled": False,
    "ToIsReconciled": False,
    "FromTracking": [_TRACKED],
    "ToTracking": [{**_TRACKED, "TrackingOptionID": "3e6a2b5e-0c4f-4a6e-8f57-9f1a52c1b7aa", "Option": "South"}],
}

ACCOUNT: dict[str, Any] = {
    "AccountID": "ebd06280-af70-4bed-97c6-7451a454ad85",
    "Code": "200",
    "Name": "Sales",
    "Type": "REVENUE",
    "Class": "REVENUE",
    "TaxType": "OUTPUT2",
    "Status": "ACTIVE",
}
ACCOUNTS: dict[str, Any] = {"accounts": [ACCOUNT], "count": 1, "is_cut": False, "warning": ""}

TAX_RATE: dict[str, Any] = {
    "Name": "15% GST on Income",
    "TaxType": "OUTPUT2",
    "EffectiveRate": Decimal("15.0000"),
    "Status": "ACTIVE",
    "CanApplyToAssets": True,
    "CanApplyToEquity": True,
    "CanApplyToExpenses": False,
    "CanApplyToLiabilities": True,
    "CanApplyToRevenue": True,
}
TAX_RATES: dict[str, Any] = {"tax_rates": [TAX_RATE], "count": 1, "is_cut": False, "warning": ""}

TRACKING_CATEGORY: dict[str, Any] = {
    "TrackingCategoryID": "351953c4-8127-4009-88c3-f9cd8c9cbe9f",
    "Name": "Region",
    "Status": "ACTIVE",
    "Options": [
        {"TrackingOptionID": "ce205173-7387-4651-9726-2cf4c5405ba2", "Name": "North", "Status": "ACTIVE"},
    ],
}
TRACKING_CATEGORIES: dict[str, Any] = {
    "tracking_categories": [TRACKING_CATEGORY],
    "count": 1,
    "is_cut": False,
    "warning": "",
}

_REPORT_ROW: dict[str, Any] = {
    "path": ["Income"],
    "heading": "Income",
    "section": "Income",
    "label": "Sales",
    "account_id": "ebd06280-af70-4bed-97c6-7451a454ad85",
    "is_total": False,
    "amount": Decimal("9220.05"),
    "amounts": [Decimal("9220.05")],
}
PROFIT_AND_LOSS: dict[str, Any] = {
    "name": "Profit and Loss",
    "titles": ["Profit and Loss", "Northwind Interiors", "1 October 2026 to 31 October 2026"],
    "period": "1 October 2026 to 31 October 2026",
    "figures": {
        "total_income": Decimal("9220.05"),
        "gross_profit": Decimal("6104.55"),
        "total_expenses": Decimal("2480.00"),
        "net_profit": Decimal("3624.55"),
    },
    "columns": ["31 Oct 26"],
    "table": [["", "31 Oct 26"], ["Income", None], ["Sales", Decimal("9220.05")]],
    "rows": [_REPORT_ROW],
    "count": 1,
}
BALANCE_SHEET: dict[str, Any] = {
    "name": "Balance Sheet",
    "titles": ["Balance Sheet", "Northwind Interiors", "As at 31 October 2026"],
    "period": "As at 31 October 2026",
    "figures": {
        "total_assets": Decimal("18240.10"),
        "total_liabilities": Decimal("5210.00"),
        "net_assets": Decimal("13030.10"),
        "total_equity": Decimal("13030.10"),
    },
    "columns": ["31 Oct 26"],
    "table": [["", "31 Oct 26"], ["Bank", None], ["Business Bank Account", Decimal("9220.05")]],
    "rows": [
        {
            **_REPORT_ROW,
            "path": ["Assets", "Bank"],
            "heading": "Assets",
            "section": "Bank",
            "label": "Business Bank Account",
        }
    ],
    "count": 1,
}

ALLOCATION: dict[str, Any] = {
    "AllocationID": "b12335f4-a1e5-4431-aeb4-488e5547558e",
    "Amount": Decimal("50.00"),
    "Date": "2026-10-05",
    "Invoice": {"InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c", "InvoiceNumber": "INV-0007"},
}

PROJECT: dict[str, Any] = {
    "projectId": "ed957eee-9d50-4c4c-8f0a-6f8b1c8b7c11",
    "contactId": "6d42f03b-181f-43e3-93fb-2025c012de92",
    "name": "New kitchen",
    "currencyCode": "NZD",
    "minutesLogged": 0,
    "estimate": {"currency": "NZD", "value": Decimal("9800.00")},
    "deadlineUtc": "2026-12-10T12:59:59Z",
    "status": "INPROGRESS",
}

BANK_TRANSACTION: dict[str, Any] = {
    "BankTransactionID": "d20b6c54-7f5d-4ce6-ab83-55f609719126",
    "Type": "RECEIVE",
    "Status": "AUTHORISED",
    "Reference": "Market stall",
    "IsReconciled": False,
    "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
    "BankAccount": {
        "AccountID": "ac993f75-035b-433c-82e0-7b7a2d40802c",
        "Code": "090",
        "Name": "Business Bank Account",
    },
    "Date": "2026-10-05",
    "LineAmountTypes": "Inclusive",
    "LineItems": INVOICE["LineItems"],
    "SubTotal": Decimal("500.00"),
    "TotalTax": Decimal("75.00"),
    "Total": Decimal("575.00"),
    "CurrencyCode": "NZD",
    "UpdatedDateUTC": "2026-10-05T09:14:05Z",
}

TOLD_PAYMENT: dict[str, Any] = {
    **PAYMENT,
    "IsReconciled": False,
    "Invoice": {
        **PAYMENT["Invoice"],
        "Type": "ACCREC",
        "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92", "Name": "Northwind Interiors"},
        "CurrencyCode": "NZD",
    },
}
