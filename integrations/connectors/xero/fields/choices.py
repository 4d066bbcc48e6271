"""The choices of inputs: the fixed lists of `options`, and lists fetched from the organisation.

Every fetched list is one call unless it is very long; archived and system entries are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.client import XeroClient, records
from integrations.connectors.xero.fields.options import (
    AccountClass,
    AttachTo,
    ContactKey,
    CreditNoteKind,
    CreditNoteType,
    DocumentKey,
    DocumentStatus,
    IfDuplicate,
    IfItemExists,
    IfNone,
    IfSeveral,
    IfSeveralDocuments,
    InvoiceKind,
    InvoiceSearchBy,
    InvoiceState,
    InvoiceStatus,
    LineAmountTypes,
    MatchBy,
    NewQuoteStatus,
    OrderSearchBy,
    OrderState,
    QuoteLineAmountTypes,
    QuoteState,
    QuoteStatus,
    ReceivedBy,
    SearchBy,
    Timeframe,
    WhenFound,
)
from integrations.schema.schema import Choice, choices
from integrations.transport.http import ApiClient

__all__ = [
    "AccountClass",
    "AttachTo",
    "ContactKey",
    "CreditNoteKind",
    "CreditNoteType",
    "DocumentKey",
    "DocumentStatus",
    "IfDuplicate",
    "IfItemExists",
    "IfNone",
    "IfSeveral",
    "IfSeveralDocuments",
    "InvoiceKind",
    "InvoiceSearchBy",
    "InvoiceState",
    "InvoiceStatus",
    "LineAmountTypes",
    "MatchBy",
    "NewQuoteStatus",
    "OrderSearchBy",
    "OrderState",
    "QuoteLineAmountTypes",
    "QuoteState",
    "QuoteStatus",
    "ReceivedBy",
    "SearchBy",
    "Timeframe",
    "WhenFound",
    "adjustment_accounts",
    "attachables",
    "bank_accounts",
    "branding_themes",
    "contacts",
    "cost_accounts",
    "credit_notes",
    "currencies",
    "inventory_accounts",
    "invoices",
    "items",
    "items_purchased",
    "items_sold",
    "line_accounts",
    "line_tax_types",
    "purchase_accounts",
    "purchase_tax_types",
    "quotes",
    "sales_accounts",
    "sales_tax_types",
    "tracked_items",
    "tracking_options",
]


#: Records that are searched here and not by Xero: their id, the field that names them, and the order, latest first.
_NAMED = {
    AttachTo.CREDIT_NOTE: ("CreditNoteID", "CreditNoteNumber", "Date DESC"),
    AttachTo.PURCHASE_ORDER: ("PurchaseOrderID", "PurchaseOrderNumber", "UpdatedDateUTC DESC"),
    AttachTo.BANK_TRANSACTION: ("BankTransactionID", "Reference", "Date DESC"),
}


@choices(is_searchable=True, record="contact")
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


@choices(is_searchable=True)
def quotes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Quotes that are not deleted, latest first. `inputs["search"]` is a complete quote number such as "QU-0008": Xero
    offers no other search of quotes."""
    assert isinstance(api, XeroClient)
    query = {"order": "Date DESC"}
    if inputs.get("search"):
        query["QuoteNumber"] = str(inputs["search"])
    for page in api.pages("/Quotes", "Quotes", query, page_size=None):
        for quote in page:
            if quote.get("Status") != "DELETED":
                contact = (quote.get("Contact") or {}).get("Name") or "no contact"
                yield quote["QuoteID"], f"{quote.get('QuoteNumber')} - {contact} ({quote.get('Status')})"


@choices()
def credit_notes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Approved credit notes with credit remaining, latest first."""
    assert isinstance(api, XeroClient)
    query = {"where": 'Status=="AUTHORISED"', "order": "Date DESC"}
    for page in api.pages("/CreditNotes", "CreditNotes", query):
        for note in page:
            if note.get("Status") == "AUTHORISED" and note.get("RemainingCredit"):
                contact = (note.get("Contact") or {}).get("Name") or "no contact"
                left = f"{note['RemainingCredit']} {note.get('CurrencyCode') or ''}".rstrip()
                yield note["CreditNoteID"], f"{note.get('CreditNoteNumber') or 'No number'} - {contact} ({left} left)"


@choices(depends_on=("attach_to",), is_searchable=True)
def attachables(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Records of the kind that `attach_to` names, filtered by `search`; none if the kind is known only in a run."""
    told = inputs.get("attach_to") or AttachTo.INVOICE.value
    if told not in AttachTo.values:
        return
    kind = AttachTo(told)
    searched = {AttachTo.INVOICE: invoices, AttachTo.QUOTE: quotes, AttachTo.CONTACT: contacts}
    if kind in searched:
        yield from searched[kind].load(api, inputs)
        return
    assert isinstance(api, XeroClient)
    id_name, number, order = _NAMED[kind]
    wanted = str(inputs.get("search") or "").casefold()
    for page in api.pages(f"/{kind.value}", kind.value, {"order": order}):
        for record in page:
            contact = (record.get("Contact") or {}).get("Name") or "no contact"
            amount = f"{record.get('Total')} {record.get('CurrencyCode') or ''}".rstrip()
            label = f"{record.get(number) or 'No number'} - {contact} ({amount})"
            if record.get("Status") not in {"DELETED", "VOIDED"} and wanted in label.casefold():
                yield record[id_name], label


@choices()
def inventory_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active inventory accounts."""
    return _accounts(api, {"ASSET"}, "INVENTORY")


@choices()
def cost_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active accounts of direct costs."""
    return _accounts(api, {"EXPENSE"}, "DIRECTCOSTS")


@choices()
def adjustment_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active expense accounts, including direct costs."""
    return _accounts(api, {"EXPENSE"})


@choices()
def sales_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active revenue accounts. Xero's system accounts cannot be used on a line."""
    return _accounts(api, {"REVENUE"})


@choices()
def bank_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active bank accounts, by id, because many have no code."""
    for account in _list(api, "Accounts", {"where": 'Type=="BANK"'}):
        if account.get("Status") == "ACTIVE" and account.get("Type") == "BANK":
            currency = f" ({account['CurrencyCode']})" if account.get("CurrencyCode") else ""
            yield account["AccountID"], f"{account.get('Name')}{currency}"


@choices()
def purchase_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active expense and asset accounts, without bank accounts."""
    return _accounts(api, {"EXPENSE", "ASSET"})


@choices()
def line_accounts(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Every active account that may be used on a line of a sale or a purchase."""
    return _accounts(api, {"REVENUE", "EXPENSE", "ASSET"})


def _fitting_the_account(
    found: Sequence[Choice], inputs: Mapping[str, Any], details: Mapping[str, Any]
) -> list[Choice]:
    """The tax rates allowed for the chosen account's class; all if the class is unknown.

    A rate set up since the details were read stays in the list: Xero decides.
    """
    account = (details.get("accounts") or {}).get(inputs.get("account_code"))
    if account is None:
        return list(found)
    rates = details.get("tax_rates") or {}
    return [(code, label) for code, label in found if code not in rates or account["class"] in rates[code]["classes"]]


_by_account = choices(depends_on=("account_code",), narrow=_fitting_the_account)


@_by_account
def sales_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates allowed for revenue accounts."""
    return _tax_types(api, {"CanApplyToRevenue"})


@_by_account
def purchase_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates allowed for expense or asset accounts."""
    return _tax_types(api, {"CanApplyToExpenses", "CanApplyToAssets"})


@_by_account
def line_tax_types(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Active tax rates of sales and of purchases."""
    return _tax_types(api, {"CanApplyToRevenue", "CanApplyToExpenses", "CanApplyToAssets"})


@choices()
def tracking_options(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The active options of the active tracking categories, each as "Region: North", the form that a row takes."""
    for category in _list(api, "TrackingCategories"):
        if category.get("Status", "ACTIVE") != "ACTIVE":
            continue
        for option in category.get("Options") or []:
            if option.get("Status", "ACTIVE") == "ACTIVE":
                named = f"{category.get('Name')}: {option.get('Name')}"
                yield named, named


@choices()
def currencies(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The currencies that the organisation has enabled."""
    for currency in _list(api, "Currencies"):
        yield currency["Code"], f"{currency['Code']} - {currency.get('Description') or currency['Code']}"


@choices()
def branding_themes(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Branding themes in Xero's order; the first is the default."""
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


@choices()
def tracked_items(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """Items whose stock Xero counts, with how many are on hand."""
    for item in _list(api, "Items"):
        if item.get("IsTrackedAsInventory") and item.get("Code"):
            name = item.get("Name") or item.get("Description") or item["Code"]
            yield item["Code"], f"{item['Code']} - {name} ({item.get('QuantityOnHand') or 0} on hand)"


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
