"""Finding invoices, bills and purchase orders. Text that people bring is never put into Xero's filter language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from integrations.base import Action, Effect
from integrations.errors import RejectedError
from integrations.http import ApiClient
from integrations.schema import Schema, field
from integrations.xero import choices, samples
from integrations.xero.answers import complete
from integrations.xero.client import PAGE_SIZE, XeroClient
from integrations.xero.contact_search import is_guid
from integrations.xero.documents import money
from integrations.xero.links import bill_link, invoice_link, purchase_order_link
from integrations.xero.plain import plain
from integrations.xero.reading import by_id

Document = dict[str, Any]
#: More documents than a list of one search may give to later steps.
_MOST_FOUND = 100
#: How many purchase orders a search by reference looks through, the latest first: Xero has no filter for it.
_MOST_PAGES = 5
#: What `documents.marked` puts behind a reference of the workflow's own.
_MARKER = re.compile(r" \(PX-[0-9a-f]{16}\)$")


class FindInvoice(Action):
    """Find an invoice or bill by number, reference or ID."""

    key = "find_invoice"
    name = "Find invoice"
    effect = Effect.READS
    scopes = ("accounting.invoices",)
    sample = samples.FOUND_INVOICE

    class Inputs(Schema):
        search_by: choices.InvoiceSearchBy = field("Search by", default=choices.InvoiceSearchBy.NUMBER)
        value: str = field("Value", max_length=255, help="Compared as a whole, without regard to capitals.")
        kind: choices.InvoiceKind = field("Look among", default=choices.InvoiceKind.ANY)
        status: choices.InvoiceState = field("Status", default=choices.InvoiceState.ANY)
        if_none: choices.IfNone = field("If none is found", default=choices.IfNone.STOP)
        if_several: choices.IfSeveralDocuments = field("If several are found", default=choices.IfSeveralDocuments.STOP)

        def check(self) -> Mapping[str, str]:
            """What cannot be searched for."""
            if self.search_by is choices.InvoiceSearchBy.INVOICE_ID and not is_guid(self.value):
                return {"value": no_id(self.value, "invoice", samples.INVOICE["InvoiceID"])}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, XeroClient)
        found = [one for one in _invoices(api, inputs) if _is_wanted(one, inputs)]
        return _outcome(api, inputs, found, noun="invoice", sample=samples.INVOICE, plural="invoices")

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["InvoiceID"] or "")

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        if not output["is_found"]:
            return ""
        to_page = bill_link if output["Type"] == "ACCPAY" else invoice_link
        return to_page(str(output["InvoiceID"]), organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        noun = "Bill" if output["Type"] == "ACCPAY" else "Invoice"
        return _described(output, noun, output["InvoiceNumber"])


class FindPurchaseOrder(Action):
    """Find a purchase order by number, reference or ID."""

    key = "find_purchase_order"
    name = "Find purchase order"
    effect = Effect.READS
    scopes = ("accounting.invoices",)
    sample = samples.FOUND_PURCHASE_ORDER

    class Inputs(Schema):
        search_by: choices.OrderSearchBy = field("Search by", default=choices.OrderSearchBy.NUMBER)
        value: str = field(
            "Value",
            max_length=255,
            help=f"Compared as a whole. By reference the latest {_MOST_PAGES * PAGE_SIZE:,} orders are looked through.",
        )
        status: choices.OrderState = field("Status", default=choices.OrderState.ANY)
        if_none: choices.IfNone = field("If none is found", default=choices.IfNone.STOP)
        if_several: choices.IfSeveralDocuments = field("If several are found", default=choices.IfSeveralDocuments.STOP)

        def check(self) -> Mapping[str, str]:
            """What cannot be searched for."""
            if self.search_by is choices.OrderSearchBy.ORDER_ID and not is_guid(self.value):
                return {"value": no_id(self.value, "purchase order", samples.PURCHASE_ORDER["PurchaseOrderID"])}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, XeroClient)
        found = [one for one in _orders(api, inputs) if _has_status(one, inputs)]
        return _outcome(
            api, inputs, found, noun="purchase order", sample=samples.PURCHASE_ORDER, plural="purchase_orders"
        )

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["PurchaseOrderID"] or "")

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return purchase_order_link(str(output["PurchaseOrderID"]), organisation) if output["is_found"] else ""

    def describe(self, output: Mapping[str, Any]) -> str:
        return _described(output, "Purchase order", output["PurchaseOrderNumber"])


def _invoices(api: XeroClient, inputs: FindInvoice.Inputs) -> Iterator[Document]:
    value, by = inputs.value.strip(), choices.InvoiceSearchBy
    if inputs.search_by is by.INVOICE_ID:
        yield from by_id(api, "Invoices", value)
        return
    query = {"unitdp": "4", "order": "Date DESC"}
    # A comma would make two numbers of one.
    is_exact = inputs.search_by is by.NUMBER and "," not in value
    query["InvoiceNumbers" if is_exact else "searchTerm"] = value
    if inputs.kind is not choices.InvoiceKind.ANY:
        query["where"] = f'Type=="{inputs.kind.value}"'
    if inputs.status is not choices.InvoiceState.ANY:
        query["Statuses"] = inputs.status.value
    fields = {by.NUMBER: "InvoiceNumber", by.REFERENCE: "Reference"}
    for page in api.pages("/Invoices", "Invoices", query):
        for invoice in page:
            if inputs.search_by is by.ANYWHERE or _is_same(invoice.get(fields[inputs.search_by]), value):
                yield invoice


def _orders(api: XeroClient, inputs: FindPurchaseOrder.Inputs) -> Iterator[Document]:
    value, by = inputs.value.strip(), choices.OrderSearchBy
    if inputs.search_by is by.ORDER_ID:
        yield from by_id(api, "PurchaseOrders", value)
    elif inputs.search_by is by.NUMBER and re.fullmatch(r"[\w -]+", value, re.ASCII):
        for order in by_id(api, "PurchaseOrders", value):
            if _is_same(order.get("PurchaseOrderNumber"), value):
                yield order
    else:
        name = "PurchaseOrderNumber" if inputs.search_by is by.NUMBER else "Reference"
        pages = api.pages("/PurchaseOrders", "PurchaseOrders", {"order": "UpdatedDateUTC DESC"})
        for page in islice(pages, _MOST_PAGES):
            yield from (order for order in page if _is_same(order.get(name), value))


def _is_wanted(invoice: Document, inputs: FindInvoice.Inputs) -> bool:
    is_kind = inputs.kind is choices.InvoiceKind.ANY or invoice.get("Type") == inputs.kind.value
    return is_kind and _has_status(invoice, inputs)


def _has_status(document: Document, inputs: Any) -> bool:
    if inputs.status.value == "any":
        return document.get("Status") not in {"DELETED", "VOIDED"}
    return bool(document.get("Status") == inputs.status.value)


def _is_same(one: Any, other: str) -> bool:
    text = str(one or "").strip()
    return other.casefold() in {text.casefold(), _MARKER.sub("", text).strip().casefold()}


def _outcome(
    api: XeroClient, inputs: Any, found: list[Document], *, noun: str, sample: Mapping[str, Any], plural: str
) -> dict[str, Any]:
    """What the search gives, or RejectedError as the inputs want it."""
    what = f'the {inputs.search_by.label.lower()} "{inputs.value}"'
    if not found:
        if inputs.if_none is choices.IfNone.STOP:
            raise RejectedError(f"Xero has no {noun} with {what} in {api.connection.name}.")
        return {**complete({}, sample), "is_found": False, "count": 0, plural: [], "warning": None}
    if len(found) > 1 and inputs.if_several is choices.IfSeveralDocuments.STOP:
        raise RejectedError(f"Xero has {len(found)} {noun}s with {what}. One is expected.")
    is_cut = len(found) > _MOST_FOUND and inputs.if_several is choices.IfSeveralDocuments.ALL
    warning = f"Xero has {len(found)} {noun}s with {what}; these are the latest {_MOST_FOUND}." if is_cut else None
    documents = [complete(plain(one), sample) for one in found]
    documents.sort(key=lambda one: str(one["Date"] or ""), reverse=True)
    kept = documents if inputs.if_several is choices.IfSeveralDocuments.ALL else documents[:1]
    return {
        **documents[0],
        "is_found": True,
        "count": len(found),
        plural: kept[:_MOST_FOUND],
        "warning": warning,
    }


def _described(output: Mapping[str, Any], noun: str, number: Any) -> str:
    if not output["is_found"]:
        return f"No {noun.lower()} found"
    more = f" and {output['count'] - 1} more" if output["count"] > 1 else ""
    amount = f"{money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()
    return f"{noun} {number or 'without a number'}, {amount}{more}"


def no_id(text: str, noun: str, example: str) -> str:
    """What is said where an id is needed and something else was given."""
    return f'"{text[:60]}" is not the ID of {"an" if noun[0] in "aeiou" else "a"} {noun}, which looks like {example}.'
