"""Xero: one consent may reach many organisations; each is a connection.

https://developer.xero.com/documentation/guides/oauth2/auth-flow/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from django.conf import settings

from integrations.base import Account, Connector, OAuthEndpoints
from integrations.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.http import ApiClient, Response, ask
from integrations.jsonfield import loads
from integrations.xero.allocation_actions import AllocateCreditNote
from integrations.xero.attachment_actions import AttachFile
from integrations.xero.change_triggers import (
    InvoicePaid,
    InvoiceUpdated,
    NewOrUpdatedContact,
    QuoteAccepted,
    QuoteStatusChanged,
)
from integrations.xero.client import XeroClient
from integrations.xero.contact_actions import CreateOrUpdateContact, FindContact
from integrations.xero.credit_note_actions import CreateCreditNote
from integrations.xero.document_search import FindInvoice, FindPurchaseOrder
from integrations.xero.find_or_create_actions import FindOrCreateContact, FindOrCreateInvoice, FindOrCreatePurchaseOrder
from integrations.xero.invoice_actions import CreateInvoice
from integrations.xero.invoice_send_actions import EmailInvoice
from integrations.xero.invoice_update_actions import AddLinesToInvoice, UpdateInvoice
from integrations.xero.item_actions import AddStockItem
from integrations.xero.list_actions import ListAccounts, ListTaxRates, ListTrackingCategories
from integrations.xero.money_actions import CreateBankTransfer, CreatePayment
from integrations.xero.money_triggers import NewBankTransaction, NewPayment
from integrations.xero.new_contact_action import CreateContact
from integrations.xero.note_actions import AddNoteToInvoice
from integrations.xero.organisation import details_of, read_details
from integrations.xero.overdue_trigger import OverdueInvoice
from integrations.xero.project_actions import CreateProject
from integrations.xero.project_trigger import NewProject
from integrations.xero.purchase_actions import CreateBill, CreatePurchaseOrder
from integrations.xero.quote_actions import CreateQuote
from integrations.xero.report_actions import GetBalanceSheet, GetProfitAndLoss
from integrations.xero.status_actions import ArchiveContact, UpdateQuoteStatus, VoidOrDeleteInvoice
from integrations.xero.stock_actions import ReceiveStock
from integrations.xero.triggers import NewBill, NewContact, NewCreditNote, NewInvoice, NewPurchaseOrder, NewQuote
from integrations.xero.webhooks import XeroWebhook

if TYPE_CHECKING:
    from integrations.models import Connection


class XeroConnector(Connector):
    """Organisations in Xero."""

    key = "xero"
    name = "Xero"
    account_noun = "organisation"
    client_class = XeroClient
    webhook = XeroWebhook()
    changed_field = "UpdatedDateUTC"
    operations = (
        NewContact,
        NewOrUpdatedContact,
        NewQuote,
        QuoteAccepted,
        QuoteStatusChanged,
        NewCreditNote,
        NewPurchaseOrder,
        NewInvoice,
        InvoiceUpdated,
        InvoicePaid,
        OverdueInvoice,
        NewBill,
        NewPayment,
        NewBankTransaction,
        NewProject,
        FindContact,
        FindOrCreateContact,
        CreateOrUpdateContact,
        CreateContact,
        FindInvoice,
        FindOrCreateInvoice,
        CreateInvoice,
        UpdateInvoice,
        AddLinesToInvoice,
        EmailInvoice,
        AddNoteToInvoice,
        AttachFile,
        CreateBill,
        CreateCreditNote,
        CreateQuote,
        FindPurchaseOrder,
        FindOrCreatePurchaseOrder,
        CreatePurchaseOrder,
        AllocateCreditNote,
        CreatePayment,
        CreateBankTransfer,
        CreateProject,
        AddStockItem,
        ReceiveStock,
        UpdateQuoteStatus,
        VoidOrDeleteInvoice,
        ArchiveContact,
        GetBalanceSheet,
        GetProfitAndLoss,
        ListAccounts,
        ListTaxRates,
        ListTrackingCategories,
    )

    def oauth(self) -> OAuthEndpoints:
        base = settings.XERO_IDENTITY_BASE
        return OAuthEndpoints(
            token_url=f"{base}/connect/token",
            revoke_url=f"{base}/connect/revocation",
            client_id=settings.XERO_CLIENT_ID,
            client_secret=settings.XERO_CLIENT_SECRET,
        )

    def accounts(self, access_token: str) -> list[Account]:
        """Every organisation the token reaches, those of this consent first; practices are left out.

        One call for the list and one for each organisation's facts. `details["is_new"]` tells what this very consent
        added; where the facts of one cannot be had, `details` holds nothing else.
        """
        response = self._ask("GET", f"{settings.XERO_API_BASE}/connections", access_token)
        rows = _json_list(response)
        event = _claim(access_token, "authentication_event_id")
        organisations = [row for row in rows if row.get("tenantType", "ORGANISATION") == "ORGANISATION"]
        organisations.sort(key=lambda row: (row.get("authEventId") != event, str(row.get("tenantName")).casefold()))
        return [
            Account(
                external_id=str(row["tenantId"]),
                name=str(row.get("tenantName") or row["tenantId"]),
                provider_connection_id=str(row.get("id") or ""),
                details={
                    **self._details(access_token, str(row["tenantId"])),
                    "is_new": event is not None and row.get("authEventId") == event,
                },
            )
            for row in organisations
        ]

    def details(self, api: ApiClient) -> dict[str, Any]:
        return read_details(api)

    def disconnect(self, access_token: str, connection: Connection) -> None:
        """Take the organisation off the app's list at Xero; one that is off it already is fine."""
        if not connection.provider_connection_id:
            return
        url = f"{settings.XERO_API_BASE}/connections/{quote(connection.provider_connection_id, safe='')}"
        self._ask("DELETE", url, access_token, fine=(204, 200, 404))

    def _ask(
        self,
        method: str,
        url: str,
        token: str,
        *,
        headers: Mapping[str, str] | None = None,
        fine: tuple[int, ...] = (200,),
    ) -> Response:
        response = ask(self.name, method, url, token, headers=headers)
        if response.status in fine:
            return response
        error: IntegrationError
        if response.status in {401, 403}:
            error = ReconnectError("Xero does not accept the access that was given. Connect Xero again.")
        else:
            error = TemporaryError(f"Xero answered {response.status}.")
        error.response = response
        raise error

    def _details(self, token: str, tenant: str) -> dict[str, Any]:
        """The facts of one organisation; nothing where only this one refuses, as one does whose plan has ended, or is
        not to be asked now (its calls for today are used up, it is being moved): the others can be connected."""
        url = f"{settings.XERO_API_BASE}/api.xro/2.0/Organisation"
        try:
            response = self._ask("GET", url, token, headers={"xero-tenant-id": tenant})
        except ReconnectError:
            return {}
        except TemporaryError as error:
            if error.response is None:
                raise  # Xero itself is not answering
            return {}
        try:
            return details_of(response.json())
        except ValueError:
            raise TemporaryError("Xero answered with something that is not JSON.") from None


def _json_list(response: Response) -> list[dict[str, Any]]:
    try:
        rows = response.json()
    except ValueError:
        rows = None
    if not isinstance(rows, list) or not all(isinstance(row, dict) and row.get("tenantId") for row in rows):
        raise TemporaryError("Xero's list of organisations cannot be read.")
    return rows


def _claim(token: str, name: str) -> Any:
    """A claim of a JSON Web Token, unverified: it comes straight from Xero over TLS and only orders a list."""
    try:
        payload = token.split(".")[1]
        claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    return claims.get(name) if isinstance(claims, dict) else None


connector = XeroConnector()
