"""What people pick from: fixed lists as Xero spells them, and lists fetched from the organisation.

Every fetched list is one call unless it is very long; archived and system entries are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import TextChoices

from integrations.http import ApiClient
from integrations.schema import Choice, choices
from integrations.xero.client import XeroClient, records


class InvoiceStatus(TextChoices):
    """How far a new invoice goes at once."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"


class LineAmountTypes(TextChoices):
    """Whether the prices hold the tax."""

    EXCLUSIVE = "Exclusive", "Tax exclusive"
    INCLUSIVE = "Inclusive", "Tax inclusive"
    NO_TAX = "NoTax", "No tax"


class QuoteStatus(TextChoices):
    """How far a new quote goes at once."""

    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"


class NewQuoteStatus(TextChoices):
    """What a quote may be set to."""

    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"
    DRAFT = "DRAFT", "Draft"


class Timeframe(TextChoices):
    """How long each compared period is."""

    MONTH = "MONTH", "Month"
    QUARTER = "QUARTER", "Quarter"
    YEAR = "YEAR", "Year"


class QuoteLineAmountTypes(TextChoices):
    """Whether the prices hold the tax; on quotes Xero writes it in capitals."""

    EXCLUSIVE = "EXCLUSIVE", "Tax exclusive"
    INCLUSIVE = "INCLUSIVE", "Tax inclusive"
    NO_TAX = "NOTAX", "No tax"


class DocumentStatus(TextChoices):
    """How far a new purchase order or credit note goes at once."""

    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"


class CreditNoteType(TextChoices):
    """Who gives the credit to whom."""

    CUSTOMER = "ACCRECCREDIT", "To a customer"
    SUPPLIER = "ACCPAYCREDIT", "From a supplier"


class IfDuplicate(TextChoices):
    """When the supplier's bill seems to be in the books already."""

    STOP = "stop", "Stop the run here"
    WRITE = "write", "Write it all the same"


class MatchBy(TextChoices):
    """By what an existing contact is recognised."""

    CONTACT_ID = "contact_id", "Contact ID"
    CONTACT_NUMBER = "contact_number", "Contact number"
    EMAIL = "email", "E-mail"
    NAME = "name", "Name"


class WhenFound(TextChoices):
    """What happens to the fields of a contact that is there already."""

    FILL = "fill", "Only fill empty fields"
    OVERWRITE = "overwrite", "Overwrite with the new values"


class SearchBy(TextChoices):
    """Where a contact is searched."""

    EMAIL = "email", "E-mail"
    NAME = "name", "Name"
    CONTACT_NUMBER = "contact_number", "Contact number"
    ACCOUNT_NUMBER = "account_number", "Account number"
    CONTACT_ID = "contact_id", "Contact ID"
    ANYWHERE = "anywhere", "Part of name, e-mail or number"


class InvoiceSearchBy(TextChoices):
    """Where an invoice or bill is searched."""

    NUMBER = "number", "Number"
    REFERENCE = "reference", "Reference"
    INVOICE_ID = "invoice_id", "Invoice ID"
    ANYWHERE = "anywhere", "Part of number, reference or contact"


class OrderSearchBy(TextChoices):
    """Where a purchase order is searched."""

    NUMBER = "number", "Number"
    REFERENCE = "reference", "Reference"
    ORDER_ID = "order_id", "Purchase order ID"


class InvoiceKind(TextChoices):
    """Sales invoices, bills, or both."""

    ANY = "any", "Invoices and bills"
    SALES = "ACCREC", "Sales invoices"
    BILLS = "ACCPAY", "Bills"


class InvoiceState(TextChoices):
    """The status that an invoice or bill must have."""

    ANY = "any", "Any but deleted or voided"
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved, awaiting payment"
    PAID = "PAID", "Paid"


class OrderState(TextChoices):
    """The status that a purchase order must have."""

    ANY = "any", "Any but deleted"
    DRAFT = "DRAFT", "Draft"
    SUBMITTED = "SUBMITTED", "Awaiting approval"
    AUTHORISED = "AUTHORISED", "Approved"
    BILLED = "BILLED", "Billed"


class QuoteState(TextChoices):
    """The status that a quote must have."""

    ANY = "any", "Any but deleted"
    DRAFT = "DRAFT", "Draft"
    SENT = "SENT", "Sent"
    ACCEPTED = "ACCEPTED", "Accepted"
    DECLINED = "DECLINED", "Declined"
    INVOICED = "INVOICED", "Invoiced"


class CreditNoteKind(TextChoices):
    """Customers' credit notes, suppliers', or both."""

    ANY = "any", "Customers' and suppliers'"
    CUSTOMER = "ACCRECCREDIT", "To customers"
    SUPPLIER = "ACCPAYCREDIT", "From suppliers"


class AccountClass(TextChoices):
    """Which side of the books an account is on."""

    ANY = "any", "All accounts"
    REVENUE = "REVENUE", "Revenue"
    EXPENSE = "EXPENSE", "Expenses"
    ASSET = "ASSET", "Assets"
    LIABILITY = "LIABILITY", "Liabilities"
    EQUITY = "EQUITY", "Equity"


class IfSeveralDocuments(TextChoices):
    """When a search for documents finds more than one."""

    STOP = "stop", "Stop the run here"
    LATEST = "latest", "Take the one with the latest date"
    ALL = "all", "Give all of them as a list"


class IfNone(TextChoices):
    """When a search finds nothing."""

    STOP = "stop", "Stop the run here"
    EMPTY = "empty", "Go on, with empty fields"


class IfSeveral(TextChoices):
    """When a search finds more than one."""

    STOP = "stop", "Stop the run here"
    FIRST = "first", "Take the first by name"
    ALL = "all", "Give all of them as a list"


@choices(is_searchable=True)
def contacts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active contacts by name. `inputs["search"]` lets Xero search names, e-mails and numbers."""
    assert isinstance(api, XeroClient)
    query = {"summaryOnly": "true", "order": "Name ASC"}
    if inputs.get("search"):
        query["searchTerm"] = str(inputs["search"])
    for page in api.pages("/Contacts", "Contacts", query):
        for contact in page:
            if contact.get("ContactStatus", "ACTIVE") == "ACTIVE":
                email = contact.get("EmailAddress")
                yield contact["ContactID"], f"{contact.get('Name')} ({email})" if email else str(contact.get("Name"))


@choices(is_searchable=True)
def invoices(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Invoices and bills, latest first. `inputs["search"]` lets Xero search numbers, references and contacts."""
    assert isinstance(api, XeroClient)
    query = {"summaryOnly": "true", "order": "Date DESC", "Statuses": "DRAFT,SUBMITTED,AUTHORISED,PAID"}
    if inputs.get("search"):
        query["searchTerm"] = str(inputs["search"])
    for page in api.pages("/Invoices", "Invoices", query):
        for invoice in page:
            number = invoice.get("InvoiceNumber") or "No number"
            contact = (invoice.get("Contact") or {}).get("Name") or "no contact"
            amount = f"{invoice.get('Total')} {invoice.get('CurrencyCode') or ''}".rstrip()
            yield invoice["InvoiceID"], f"{number} - {contact} ({amount})"


@choices()
def quotes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Quotes that are not deleted, latest first."""
    assert isinstance(api, XeroClient)
    for page in api.pages("/Quotes", "Quotes", {"order": "Date DESC"}, page_size=None):
        for quote in page:
            if quote.get("Status") != "DELETED":
                contact = (quote.get("Contact") or {}).get("Name") or "no contact"
                yield quote["QuoteID"], f"{quote.get('QuoteNumber')} - {contact} ({quote.get('Status')})"


@choices()
def credit_notes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Approved credit notes of which something is left, latest first."""
    assert isinstance(api, XeroClient)
    query = {"where": 'Status=="AUTHORISED"', "order": "Date DESC"}
    for page in api.pages("/CreditNotes", "CreditNotes", query):
        for note in page:
            if note.get("Status") == "AUTHORISED" and note.get("RemainingCredit"):
                contact = (note.get("Contact") or {}).get("Name") or "no contact"
                left = f"{note['RemainingCredit']} {note.get('CurrencyCode') or ''}".rstrip()
                yield note["CreditNoteID"], f"{note.get('CreditNoteNumber') or 'No number'} - {contact} ({left} left)"


@choices()
def inventory_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active inventory accounts."""
    return _accounts(api, {"ASSET"}, "INVENTORY")


@choices()
def cost_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active accounts of direct costs."""
    return _accounts(api, {"EXPENSE"}, "DIRECTCOSTS")


@choices()
def sales_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active revenue accounts. Those that Xero keeps for itself cannot stand on a line."""
    return _accounts(api, {"REVENUE"})


@choices()
def bank_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active bank accounts, by id: many have no code."""
    for account in _list(api, "Accounts", {"where": 'Type=="BANK"'}):
        if account.get("Status") == "ACTIVE" and account.get("Type") == "BANK":
            currency = f" ({account['CurrencyCode']})" if account.get("CurrencyCode") else ""
            yield account["AccountID"], f"{account.get('Name')}{currency}"


@choices()
def purchase_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active expense and asset accounts, bank accounts left out."""
    return _accounts(api, {"EXPENSE", "ASSET"})


@choices()
def line_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Every active account that may stand on a line of a sale or a purchase."""
    return _accounts(api, {"REVENUE", "EXPENSE", "ASSET"})


@choices()
def sales_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates that may stand on a revenue account."""
    return _tax_types(api, {"CanApplyToRevenue"})


@choices()
def purchase_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates that may stand on an expense or an asset account."""
    return _tax_types(api, {"CanApplyToExpenses", "CanApplyToAssets"})


@choices()
def line_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates of sales and of purchases."""
    return _tax_types(api, {"CanApplyToRevenue", "CanApplyToExpenses", "CanApplyToAssets"})


@choices()
def currencies(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The currencies that the organisation has enabled."""
    for currency in _list(api, "Currencies"):
        yield currency["Code"], f"{currency['Code']} - {currency.get('Description') or currency['Code']}"


@choices()
def branding_themes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Branding themes in Xero's order; the first is the standard one."""
    themes = _list(api, "BrandingThemes")
    for theme in sorted(themes, key=lambda each: each.get("SortOrder") or 0):
        yield theme["BrandingThemeID"], str(theme.get("Name"))


@choices()
def items_sold(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Items that may be sold."""
    return _items(api, "IsSold")


@choices()
def items_purchased(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Items that may be bought."""
    return _items(api, "IsPurchased")


@choices()
def items(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """All items."""
    return _items(api, "")


def _items(api: ApiClient, flag: str) -> Iterator[Choice]:
    for item in _list(api, "Items"):
        if item.get(flag, True) and item.get("Code"):
            name = item.get("Name") or item.get("Description") or ""
            yield item["Code"], f"{item['Code']} - {name}" if name else item["Code"]


def _accounts(api: ApiClient, classes: set[str], only_type: str = "") -> Iterator[Choice]:
    for account in _list(api, "Accounts", {"where": 'Status=="ACTIVE"'}):
        is_usable = account.get("Status") == "ACTIVE" and not account.get("SystemAccount")
        is_usable = is_usable and account.get("Type") != "BANK"
        is_usable = is_usable and (not only_type or account.get("Type") == only_type)
        if is_usable and account.get("Class") in classes and account.get("Code"):
            yield account["Code"], f"{account['Code']} - {account.get('Name')}"


def _tax_types(api: ApiClient, flags: set[str]) -> Iterator[Choice]:
    for rate in _list(api, "TaxRates"):
        is_usable = any(rate.get(flag) for flag in flags)
        if rate.get("Status", "ACTIVE") == "ACTIVE" and is_usable and rate.get("TaxType"):
            yield rate["TaxType"], f"{rate.get('Name')} ({_percent(rate)}%)"


def _list(api: ApiClient, plural: str, query: Mapping[str, str] | None = None) -> list[dict[str, Any]]:
    return records(api.read(f"/{plural}", query).json(), plural)


def _percent(rate: Mapping[str, Any]) -> str:
    number = Decimal(str(rate.get("EffectiveRate") or 0)).normalize()
    return format(number, "f")
