"""Finding a contact, invoice or purchase order, and creating it if there is none.

Each is the creating action with a search before it: if something is found, it is the output and nothing is sent. A lock
key keeps two runs that look for the same thing from both creating it. Against what a person or another app creates in
that moment only Xero's own rules help: it refuses a second contact with a name and a second invoice or order with a
number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, ClassVar

from integrations.connectors.xero.actions.contacts import MOST_FOUND, one_of
from integrations.connectors.xero.actions.documents.invoices import CreateInvoice
from integrations.connectors.xero.actions.documents.purchases import CreatePurchaseOrder
from integrations.connectors.xero.actions.new_contact import CreateContact
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.contacts import ContactDetails
from integrations.connectors.xero.fields.lock_keys import looked_for
from integrations.connectors.xero.fields.options import (
    ContactKey,
    DocumentKey,
    IfNameTaken,
    IfSeveral,
    IfSeveralDocuments,
    InvoiceKind,
    SearchBy,
)
from integrations.connectors.xero.samples import found as found_samples
from integrations.connectors.xero.search.contacts import search
from integrations.connectors.xero.search.documents import (
    FindInvoice,
    FindPurchaseOrder,
    Found,
    invoices_found,
    orders_found,
)
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Writing
from integrations.framework.checks import Facts, Finding
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

_HELP = "The input with it must then be given. What is found is not changed."
_LONGEST_NAME, _MOST_OF_A_NAME = 255, 20
_NEEDED = "{} is needed, because it is what is looked for."


class _FindsFirst(Action):
    """What the three have in common. What was found stands under `there` in what `prepare` gives."""

    #: The list of what was found, in the output.
    listed: ClassVar[str]

    def settled(self, inputs: Any, found: Any) -> dict[str, Any] | None:
        return {**found["there"], "is_new": False} if "there" in found else None

    def checks(self, facts: Facts, inputs: Any, found: Any) -> Iterable[Finding]:
        """None if nothing will be written."""
        return () if found and "there" in found else super().checks(facts, inputs, found)

    def output(self, response: Response) -> dict[str, Any]:
        return self.new(super().output(response))

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        return [self.new(record) for record in super().find(api, inputs, marker, since=since)]

    def strays(
        self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]] | None:
        found = super().strays(api, inputs, marker, since=since)
        return None if found is None else [self.new(record) for record in found]

    def new(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """A created record, in the same shape as one that was found."""
        added = {"is_new", "count", self.listed, "warning"}
        own = {name: value for name, value in record.items() if name not in added}
        return {**own, "is_new": True, "count": 1, self.listed: [own], "warning": None}

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """The same as for a created record. Raises RejectedError if the record existed before."""
        if not output["is_new"]:
            raise RejectedError("It was there before this step, which wrote nothing. There is nothing to take back.")
        return super().undo(api, output, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"{super().describe(output)} ({'created' if output['is_new'] else 'found'})"


class ContactLookup(Schema):
    """The inputs that say how to search; they come before the contact's details."""

    look_by: ContactKey = field("Look for it by", default=ContactKey.EMAIL, help=_HELP)
    then_by: ContactKey | None = field(
        "If there is none, look for it by", default=None, help="Not looked for where the input with it is empty."
    )
    if_several: IfSeveral = field("If several are found", default=IfSeveral.STOP)
    if_name_taken: IfNameTaken = field(
        "If none is found and the name is taken",
        default=IfNameTaken.STOP,
        help="The contact that has the name may be somebody else. Xero takes no second one of the same name.",
    )


class DocumentLookup(Schema):
    """The inputs that say how to search; they come before the document's own."""

    look_by: DocumentKey = field("Look for it by", default=DocumentKey.NUMBER, help=_HELP)
    if_several: IfSeveralDocuments = field("If several are found", default=IfSeveralDocuments.STOP)


class FindOrCreateContact(_FindsFirst, CreateContact):
    """Find a contact, or create it.

    Searches active contacts only. To change an existing one, use "Create or update contact".
    """

    key = "find_or_create_contact"
    name = "Find or create contact"
    words = ("customer", "client", "supplier", "vendor", "look up", "new")
    sample = found_samples.CONTACT_FOUND_OR_NEW
    listed = "contacts"

    class Inputs(ContactDetails, ContactLookup):
        def check(self) -> Mapping[str, str]:
            """The value to search for must be given, and be one that Xero can search for."""
            problems = dict(super().check())
            sought = getattr(self, self.look_by.value)
            if sought is None:
                problems[self.look_by.value] = _NEEDED.format(self.look_by.label)
            if self.then_by is self.look_by:
                problems["then_by"] = "It is looked for by that already. Choose another, or leave this empty."
            return problems

    def lock_key(self, inputs: Inputs) -> str:
        return looked_for("Contacts", inputs.look_by.value, getattr(inputs, inputs.look_by.value))

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The existing contact, under `there`; empty if there is none. Raises RejectedError if there are several and
        one is expected."""
        assert isinstance(api, XeroClient)
        keys = [key for key in (inputs.look_by, inputs.then_by) if key and getattr(inputs, key.value)]
        for key in keys:
            found, what = _with_key(api, inputs, key)
            if found:
                return {"there": one_of(found, what, inputs.if_several)}
        return {} if ContactKey.NAME in keys else _with_name_taken(api, inputs)

    def remember(self, found: Any) -> dict[str, Any]:
        return {"warning": found["warning"]} if found.get("warning") else {}

    def request(self, inputs: Any, writing: Writing) -> Request:
        named = (writing.found or {}).get("name")
        return super().request(replace(inputs, name=named) if named else inputs, writing)


def _with_key(api: XeroClient, inputs: Any, key: ContactKey) -> tuple[list[dict[str, Any]], str]:
    """The contacts that match the inputs by this key, and the key in words."""
    sought = getattr(inputs, key.value)
    found = search(api, SearchBy(key.value), sought, include_archived=False, most=MOST_FOUND + 1)
    return found, f'{key.label.lower()} "{sought}"'


def _with_name_taken(api: XeroClient, inputs: Any) -> dict[str, Any]:
    """What to do if another contact has the name: that contact under `there`, another `name`, or nothing if the name is
    free. Raises RejectedError if a person is to decide."""
    found, what = _with_key(api, inputs, ContactKey.NAME)
    if not found:
        return {}
    if inputs.if_name_taken is IfNameTaken.USE:
        return {"there": one_of(found, what, inputs.if_several)}
    if inputs.if_name_taken is IfNameTaken.STOP:
        email = found[0].get("EmailAddress")
        sought = f'{inputs.look_by.label.lower()} "{getattr(inputs, inputs.look_by.value)}"'
        raise RejectedError(
            f"No contact has the {sought}, but the name is taken: {found[0].get('Name')} is a contact in "
            f"{api.connection.name} already, with {f'the e-mail {email}' if email else 'no e-mail'}. Nothing was "
            "written. Choose in the step, under “If none is found and the name is taken”, to take that contact or to "
            "give the new one another name; or change one of the two in Xero."
        )
    for number in range(2, _MOST_OF_A_NAME + 1):
        behind = f" ({number})"
        name = inputs.name[: _LONGEST_NAME - len(behind)] + behind
        if not search(api, SearchBy.NAME, name, include_archived=False, most=1):
            return {"name": name, "warning": f'The name "{inputs.name}" was taken, so it is called "{name}".'}
    raise RejectedError(
        f'Xero has {_MOST_OF_A_NAME} contacts called "{inputs.name}", with and without a number. Nothing was written; '
        "give this one a name of its own."
    )


class FindOrCreateInvoice(_FindsFirst, CreateInvoice):
    """Find a sales invoice by its number or reference, or create it."""

    key = "find_or_create_invoice"
    name = "Find or create invoice"
    words = ("bill", "purchase invoice", "sales invoice", "look up", "customer", "receivable")
    sample = found_samples.INVOICE_FOUND_OR_NEW
    listed = "invoices"

    class Inputs(CreateInvoice.Inputs, DocumentLookup):
        def check(self) -> Mapping[str, str]:
            return {**super().check(), **_not_given(self, number="invoice_number")}

    def lock_key(self, inputs: Any) -> str:
        return looked_for("Invoices", inputs.look_by.value, _sought(inputs, number="invoice_number"))

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """The existing invoice, under `there`, else what a new one needs."""
        sought = FindInvoice.Inputs(
            search_by=choices.InvoiceSearchBy(inputs.look_by.value),
            value=_sought(inputs, number="invoice_number"),
            kind=InvoiceKind.SALES,
            if_several=inputs.if_several,
        )
        return _there(invoices_found(api, sought), sought) or super().prepare(api, inputs)


class FindOrCreatePurchaseOrder(_FindsFirst, CreatePurchaseOrder):
    """Find a purchase order by its number or reference, or create it.

    Xero has no filter for references, so only the orders that changed last are searched; if there are more, the output
    says so in `warning`.
    """

    key = "find_or_create_purchase_order"
    name = "Find or create purchase order"
    words = ("PO", "order", "supplier", "vendor", "look up")
    sample = found_samples.PURCHASE_ORDER_FOUND_OR_NEW
    listed = "purchase_orders"

    class Inputs(CreatePurchaseOrder.Inputs, DocumentLookup):
        def check(self) -> Mapping[str, str]:
            return {**super().check(), **_not_given(self, number="order_number")}

    def lock_key(self, inputs: Any) -> str:
        return looked_for("PurchaseOrders", inputs.look_by.value, _sought(inputs, number="order_number"))

    def prepare(self, api: ApiClient, inputs: Any) -> dict[str, Any]:
        """The existing order, under `there`, else what a new one needs, with how far the search went under
        `warning`."""
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
    """What the search found, as the output of the step, under `there`; empty if it found nothing."""
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
