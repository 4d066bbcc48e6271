"""Finding a contact, invoice or purchase order, and creating it where there is none.

Each is its creating action with a search before it: what is found is given and nothing is sent. Runs that look for the
same take turns, so that not two of them create it. Of what a person or another app creates in that moment only Xero's
own rules keep us: it takes no second contact of a name and no second invoice or order of a number, and says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from integrations.base import Action
from integrations.errors import RejectedError
from integrations.http import ApiClient, Request, Response
from integrations.schema import Schema, field
from integrations.xero import choices, found_samples
from integrations.xero.client import XeroClient
from integrations.xero.contact_actions import MOST_FOUND, one_of
from integrations.xero.contact_fields import ContactDetails
from integrations.xero.contact_search import search
from integrations.xero.document_search import FindInvoice, FindPurchaseOrder, Found, invoices_found, orders_found
from integrations.xero.invoice_actions import CreateInvoice
from integrations.xero.new_contact_action import CreateContact
from integrations.xero.options import ContactKey, DocumentKey, IfSeveral, IfSeveralDocuments, InvoiceKind, SearchBy
from integrations.xero.purchase_actions import CreatePurchaseOrder
from integrations.xero.turn_keys import looked_for

_HELP = "The input with it must then be given. What is found is not changed."
_NEEDED = "{} is needed, because it is what is looked for."


class _FindsFirst(Action):
    """What the three have in common. What was found stands under `there` in what `prepare` gives."""

    #: The list of what was found, in the output.
    listed: ClassVar[str]

    def settled(self, inputs: Any, found: Any) -> dict[str, Any] | None:
        return {**found["there"], "is_new": False} if "there" in found else None

    def output(self, response: Response) -> dict[str, Any]:
        return self.new(super().output(response))

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        return [self.new(record) for record in super().find(api, inputs, marker, since=since)]

    def new(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A record that was created, in the shape in which one that was found is given."""
        added = {"is_new", "count", self.listed, "warning"}
        own = {name: value for name, value in record.items() if name not in added}
        return {**own, "is_new": True, "count": 1, self.listed: [own], "warning": None}

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """As for what was created. Raises RejectedError for what was there before."""
        if not output["is_new"]:
            raise RejectedError("It was there before this step, which wrote nothing. There is nothing to take back.")
        return super().undo(api, output, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{super().describe(output)} ({'created' if output['is_new'] else 'found'})"


class ContactLookup(Schema):
    """The inputs that say how to look; they stand before the contact's details."""

    look_by: ContactKey = field("Look for it by", default=ContactKey.EMAIL, help=_HELP)
    if_several: IfSeveral = field("If several are found", default=IfSeveral.STOP)


class DocumentLookup(Schema):
    """The inputs that say how to look; they stand before the document's own."""

    look_by: DocumentKey = field("Look for it by", default=DocumentKey.NUMBER, help=_HELP)
    if_several: IfSeveralDocuments = field("If several are found", default=IfSeveralDocuments.STOP)


class FindOrCreateContact(_FindsFirst, CreateContact):
    """Find a contact, or create it.

    Only active contacts are looked for. To change the one that is there, take "Create or update contact".
    """

    key = "find_or_create_contact"
    name = "Find or create contact"
    sample = found_samples.CONTACT_FOUND_OR_NEW
    listed = "contacts"

    class Inputs(ContactDetails, ContactLookup):
        def check(self) -> Mapping[str, str]:
            """What is looked for must be given, and be something that Xero can be asked for."""
            problems = dict(super().check())
            sought = getattr(self, self.look_by.value)
            if sought is None:
                problems[self.look_by.value] = _NEEDED.format(self.look_by.label)
            elif self.look_by is ContactKey.ACCOUNT_NUMBER and '"' in sought:
                problems["account_number"] = "An account number with a quotation mark cannot be looked for in Xero."
            return problems

    def turn(self, inputs: Inputs) -> str:
        return looked_for("Contacts", inputs.look_by.value, getattr(inputs, inputs.look_by.value))

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """What is there, under `there`; nothing where there is none. Raises RejectedError where there are several and
        one is expected."""
        assert isinstance(api, XeroClient)
        sought = getattr(inputs, inputs.look_by.value)
        by = SearchBy(inputs.look_by.value)
        found = search(api, by, sought, include_archived=False, most=MOST_FOUND + 1)
        what = f'{inputs.look_by.label.lower()} "{sought}"'
        return {"there": one_of(found, what, inputs.if_several)} if found else {}


class FindOrCreateInvoice(_FindsFirst, CreateInvoice):
    """Find a sales invoice by its number or reference, or create it."""

    key = "find_or_create_invoice"
    name = "Find or create invoice"
    sample = found_samples.INVOICE_FOUND_OR_NEW
    listed = "invoices"

    class Inputs(CreateInvoice.Inputs, DocumentLookup):
        def check(self) -> Mapping[str, str]:
            return {**super().check(), **_not_given(self, number="invoice_number")}

    def turn(self, inputs: Any) -> str:
        return looked_for("Invoices", inputs.look_by.value, _sought(inputs, number="invoice_number"))

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """What is there, under `there`, else what a new one needs."""
        sought = FindInvoice.Inputs(
            search_by=choices.InvoiceSearchBy(inputs.look_by.value),
            value=_sought(inputs, number="invoice_number"),
            kind=InvoiceKind.SALES,
            if_several=inputs.if_several,
        )
        return _there(invoices_found(api, sought), sought) or super().prepare(api, inputs)


class FindOrCreatePurchaseOrder(_FindsFirst, CreatePurchaseOrder):
    """Find a purchase order by its number or reference, or create it.

    Xero has no filter for references, so the orders that changed last are looked through; where there are more, the
    output says so in `warning`.
    """

    key = "find_or_create_purchase_order"
    name = "Find or create purchase order"
    sample = found_samples.PURCHASE_ORDER_FOUND_OR_NEW
    listed = "purchase_orders"

    class Inputs(CreatePurchaseOrder.Inputs, DocumentLookup):
        def check(self) -> Mapping[str, str]:
            return {**super().check(), **_not_given(self, number="order_number")}

    def turn(self, inputs: Any) -> str:
        return looked_for("PurchaseOrders", inputs.look_by.value, _sought(inputs, number="order_number"))

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """What is there, under `there`, else what a new one needs, and how far was looked under `warning`."""
        sought = FindPurchaseOrder.Inputs(
            search_by=choices.OrderSearchBy(inputs.look_by.value),
            value=_sought(inputs, number="order_number"),
            if_several=inputs.if_several,
        )
        found = orders_found(api, sought)
        return _there(found, sought) or {**super().prepare(api, inputs), "warning": found.limit or None}

    def remember(self, found: Any) -> dict[str, Any]:
        return {"warning": found["warning"]} if found.get("warning") else {}


def _there(found: Found, sought: Any) -> dict[str, Any]:
    """What the search gives, as the output of the step, under `there`; nothing where it found nothing."""
    if not found.documents:
        return {}
    told = found.told(sought)
    del told["is_found"]
    return {"there": told}


def _sought(inputs: Any, *, number: str) -> str:
    return str(inputs.reference if inputs.look_by is DocumentKey.REFERENCE else getattr(inputs, number))


def _not_given(inputs: Any, *, number: str) -> dict[str, str]:
    name = "reference" if inputs.look_by is DocumentKey.REFERENCE else number
    if getattr(inputs, name) is not None:
        return {}
    return {name: _NEEDED.format(inputs.look_by.label)}
