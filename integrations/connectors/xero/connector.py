"""Xero: one consent may reach many organisations; each is a connection.

https://developer.xero.com/documentation/guides/oauth2/auth-flow/
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

from django.conf import settings

from integrations.connectors.xero.actions.contacts import CreateOrUpdateContact, FindContact
from integrations.connectors.xero.actions.documents.allocations import AllocateCreditNote
from integrations.connectors.xero.actions.documents.attachments import AttachFile
from integrations.connectors.xero.actions.documents.credit_notes import CreateCreditNote
from integrations.connectors.xero.actions.documents.invoice_changes import AddLinesToInvoice, UpdateInvoice
from integrations.connectors.xero.actions.documents.invoice_sending import EmailInvoice
from integrations.connectors.xero.actions.documents.invoices import CreateInvoice
from integrations.connectors.xero.actions.documents.notes import AddNoteToInvoice
from integrations.connectors.xero.actions.documents.purchases import CreateBill, CreatePurchaseOrder
from integrations.connectors.xero.actions.documents.quotes import CreateQuote
from integrations.connectors.xero.actions.documents.statuses import (
    ArchiveContact,
    UpdateQuoteStatus,
    VoidOrDeleteInvoice,
)
from integrations.connectors.xero.actions.find_or_create import (
    FindOrCreateContact,
    FindOrCreateInvoice,
    FindOrCreatePurchaseOrder,
)
from integrations.connectors.xero.actions.items import AddStockItem
from integrations.connectors.xero.actions.lists import ListAccounts, ListTaxRates, ListTrackingCategories
from integrations.connectors.xero.actions.money import CreateBankTransfer, CreatePayment
from integrations.connectors.xero.actions.new_contact import CreateContact
from integrations.connectors.xero.actions.projects import CreateProject
from integrations.connectors.xero.actions.reports import GetBalanceSheet, GetProfitAndLoss
from integrations.connectors.xero.actions.stock import ReceiveStock
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.organisation import details_of, read_details
from integrations.connectors.xero.own_records import OWN_RECORDS_ARE, own_records
from integrations.connectors.xero.plain import read_moment
from integrations.connectors.xero.search.documents import FindInvoice, FindPurchaseOrder
from integrations.connectors.xero.triggers.changes import (
    InvoicePaid,
    InvoiceUpdated,
    NewOrUpdatedContact,
    QuoteAccepted,
    QuoteStatusChanged,
)
from integrations.connectors.xero.triggers.money import NewBankTransaction, NewPayment
from integrations.connectors.xero.triggers.new_records import (
    NewBill,
    NewContact,
    NewCreditNote,
    NewInvoice,
    NewPurchaseOrder,
    NewQuote,
)
from integrations.connectors.xero.triggers.overdue import OverdueInvoice
from integrations.connectors.xero.triggers.projects import NewProject
from integrations.connectors.xero.webhooks import XeroWebhook
from integrations.core.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.core.exact_json import loads
from integrations.core.messages import Response
from integrations.framework.base import Account, Connector, OAuthEndpoints, Record
from integrations.framework.current import OwnRecord
from integrations.transport.http import ApiClient, ask

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
    kept_headers = frozenset(
        {"xero-correlation-id", "x-rate-limit-problem", "x-daylimit-remaining", "x-minlimit-remaining"}
    )
    # A document's Contact must hold the id alone: with a name Xero would take whoever has it, and other fields would
    # change that contact. So a new one is a write of its own, before the document.
    records: ClassVar[Mapping[str, Record]] = {
        "contact": Record(
            noun="contact",
            ids=("ContactID", "Contact.ContactID", "contactId"),
            titles=("Name", "Contact.Name"),
            finder="find_or_create_contact",
            asked=("name", "email"),
            find_help="It looks for the e-mail, and creates the contact if none has it. A name alone never decides.",
        )
    }
    date_forms = (read_moment,)
    own_records_are = OWN_RECORDS_ARE
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
        """Every organisation that the token can access, those of this consent first; practices are left out.

        One call for the list and one for each organisation's facts. `details["is_new"]` says whether this consent added
        it; if an organisation's facts cannot be read, `details` holds nothing else.
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

    def own_records(self, api: ApiClient, since: datetime) -> Iterator[list[OwnRecord]]:
        return own_records(api, since)

    def disconnect(self, access_token: str, connection: Connection) -> None:
        """Remove the organisation from the app's list at Xero; one that is no longer on it is fine."""
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
        """The facts of one organisation; empty if only this one refuses (its plan has ended) or cannot be asked now
        (its calls for today are used up, it is being moved): the others can still be connected."""
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
    """A claim of a JSON Web Token, unverified: it comes directly from Xero over TLS and only sorts a list."""
    try:
        payload = token.split(".")[1]
        claims = loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return None
    return claims.get(name) if isinstance(claims, dict) else None


connector = XeroConnector()
