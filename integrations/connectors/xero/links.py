"""Links to a record's page in Xero, in the right organisation.

The patterns are those of Xero's own MCP server (github.com/XeroAPI/xero-mcp-server, deeplinks) and of
https://developer.xero.com/documentation/api-guides/deep-link-xero . Each is empty if the organisation's short code is
unknown.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings


def invoice_link(invoice_id: str, organisation: Mapping[str, Any]) -> str:
    """The invoice's page; empty if the organisation's short code is unknown."""
    return _in_organisation(organisation, f"invoicing/view/{quote(invoice_id, safe='')}")


def contact_link(contact_id: str, organisation: Mapping[str, Any]) -> str:
    """The contact's page; empty if the organisation's short code is unknown."""
    return _in_organisation(organisation, f"contacts/contact/{quote(contact_id, safe='')}")


def quote_link(quote_id: str, organisation: Mapping[str, Any]) -> str:
    """The quote's page."""
    return _in_organisation(organisation, f"quotes/view/{quote(quote_id, safe='')}")


def bill_link(bill_id: str, organisation: Mapping[str, Any]) -> str:
    """The bill's page."""
    return _by_way_of_login(organisation, f"/AccountsPayable/Edit.aspx?InvoiceID={quote(bill_id, safe='')}")


def purchase_order_link(order_id: str, organisation: Mapping[str, Any]) -> str:
    """The purchase order's page."""
    return _by_way_of_login(organisation, f"/Accounts/Payable/PurchaseOrders/View/{quote(order_id, safe='')}/")


def credit_note_link(note_id: str, organisation: Mapping[str, Any], *, is_customers: bool) -> str:
    """The credit note's page, which differs between a customer's and a supplier's."""
    side = "AccountsReceivable" if is_customers else "AccountsPayable"
    return _by_way_of_login(organisation, f"/{side}/ViewCreditNote.aspx?creditNoteID={quote(note_id, safe='')}")


def bank_transaction_link(transaction_id: str, organisation: Mapping[str, Any]) -> str:
    """The page of a payment, or of a transaction on a bank account; Xero uses the same page for both."""
    return _by_way_of_login(
        organisation, f"/Bank/ViewTransaction.aspx?bankTransactionID={quote(transaction_id, safe='')}"
    )


def _by_way_of_login(organisation: Mapping[str, Any], path: str) -> str:
    short_code = organisation.get("short_code")
    told = urlencode({"shortcode": short_code or "", "redirecturl": path})
    return f"{settings.XERO_WEB_BASE}/organisationlogin/default.aspx?{told}" if short_code else ""


def _in_organisation(organisation: Mapping[str, Any], path: str) -> str:
    short_code = organisation.get("short_code")
    return f"{settings.XERO_WEB_BASE}/app/{quote(str(short_code), safe='!')}/{path}" if short_code else ""
