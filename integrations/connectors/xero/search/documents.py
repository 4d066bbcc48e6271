"""Finding invoices, bills and purchase orders. Text that people enter is never put into Xero's filter language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from integrations.connectors.xero.answers import complete
from integrations.connectors.xero.client import PAGE_SIZE, XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.links import bill_link, invoice_link, purchase_order_link
from integrations.connectors.xero.plain import money, plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.by_id import by_id
from integrations.connectors.xero.search.contacts import SEARCH_HELP, is_guid
from integrations.core.errors import RejectedError
from integrations.core.sameness import same, searchable
from integrations.framework.base import Action, Effect
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

Document = dict[str, Any]
#: The most documents that one search may pass to later steps.
_MOST_FOUND = 100
#: How many purchase orders a search by reference reads, latest first: Xero has no filter for it.
_MOST_PAGES = 5
#: What `creating.marked` adds after the workflow's own reference.
_MARKER = re.compile(r" \(PX-[0-9a-f]{16}\)$")


class FindInvoice(Action):
    """Find an invoice or bill by number, reference or ID."""

    key = "find_invoice"
    name = "Find invoice"
    words = ("bill", "purchase invoice", "sales invoice", "look up", "search", "read", "customer")
    effect = Effect.READS
    scopes = ("accounting.invoices",)
    sample = samples.FOUND_INVOICE

    class Inputs(Schema):
        search_by: choices.InvoiceSearchBy = field("Search by", default=choices.InvoiceSearchBy.NUMBER)
        value: str = field("Value", max_length=255, tidy=True, help=SEARCH_HELP)
        kind: choices.InvoiceKind = field("Look among", default=choices.InvoiceKind.ANY)
        status: choices.InvoiceState = field("Status", default=choices.InvoiceState.ANY)
        if_none: choices.IfNone = field(
            "If none is found", default=choices.IfNone.STOP, help="To create one then, take Find or create invoice."
        )
        if_several: choices.IfSeveralDocuments = field("If several are found", default=choices.IfSeveralDocuments.STOP)

        def check(self) -> Mapping[str, str]:
            """What cannot be searched for."""
            if self.search_by is choices.InvoiceSearchBy.INVOICE_ID and not is_guid(self.value):
                return {"value": no_id(self.value, "invoice", samples.INVOICE["InvoiceID"])}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        return invoices_found(api, inputs).told(inputs)

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
    words = ("PO", "supplier", "vendor", "look up", "search", "read")
    effect = Effect.READS
    scopes = ("accounting.invoices",)
    sample = samples.FOUND_PURCHASE_ORDER

    class Inputs(Schema):
        search_by: choices.OrderSearchBy = field("Search by", default=choices.OrderSearchBy.NUMBER)
        value: str = field(
            "Value",
            max_length=255,
            tidy=True,
            help=f"Compared as a whole. By reference the latest {_MOST_PAGES * PAGE_SIZE:,} orders are looked through.",
        )
        status: choices.OrderState = field("Status", default=choices.OrderState.ANY)
        if_none: choices.IfNone = field(
            "If none is found",
            default=choices.IfNone.STOP,
            help="To create one then, take Find or create purchase order.",
        )
        if_several: choices.IfSeveralDocuments = field("If several are found", default=choices.IfSeveralDocuments.STOP)

        def check(self) -> Mapping[str, str]:
            """What cannot be searched for."""
            if self.search_by is choices.OrderSearchBy.ORDER_ID and not is_guid(self.value):
                return {"value": no_id(self.value, "purchase order", samples.PURCHASE_ORDER["PurchaseOrderID"])}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        return orders_found(api, inputs).told(inputs)

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["PurchaseOrderID"] or "")

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return purchase_order_link(str(output["PurchaseOrderID"]), organisation) if output["is_found"] else ""

    def describe(self, output: Mapping[str, Any]) -> str:
        return _described(output, "Purchase order", output["PurchaseOrderNumber"])


@dataclass(frozen=True)
class Found:
    """The result of a search, latest first. `limit` says in a sentence that not everything was searched."""

    documents: list[Document]
    where: str
    noun: str
    sample: Mapping[str, Any]
    plural: str
    limit: str = ""

    def told(self, inputs: Any) -> dict[str, Any]:
        """What the search passes to later steps. Raises RejectedError if the inputs ask for that."""
        what = f'the {inputs.search_by.label.lower()} "{inputs.value}"'
        found = self.documents
        if not found:
            if inputs.if_none is choices.IfNone.STOP:
                sentence = f"Xero has no {self.noun} with {what} in {self.where}."
                raise RejectedError(f"{sentence} {self.limit}".rstrip())
            warning = self.limit or None
            return {**complete({}, self.sample), "is_found": False, "count": 0, self.plural: [], "warning": warning}
        documents, warning = self.kept(inputs)
        return {
            **complete(plain(found[0]), self.sample),
            "is_found": True,
            "count": len(found),
            self.plural: documents,
            "warning": warning,
        }

    def kept(self, inputs: Any) -> tuple[list[Document], str | None]:
        """The documents that the inputs ask for, and a warning about them. Raises RejectedError if there are several
        and one is expected."""
        what = f'the {inputs.search_by.label.lower()} "{inputs.value}"'
        found, several = self.documents, choices.IfSeveralDocuments
        if len(found) > 1 and inputs.if_several is several.STOP:
            raise RejectedError(f"Xero has {len(found)} {self.noun}s with {what}. One is expected.")
        said = [self.limit] if self.limit else []
        if len(found) > _MOST_FOUND and inputs.if_several is several.ALL:
            said.append(f"Xero has {len(found)} {self.noun}s with {what}; these are the latest {_MOST_FOUND}.")
        most = _MOST_FOUND if inputs.if_several is several.ALL else 1
        return [complete(plain(one), self.sample) for one in found[:most]], " ".join(said) or None


def invoices_found(api: ApiClient, inputs: Any) -> Found:
    """The invoices and bills that the inputs of `FindInvoice` mean."""
    assert isinstance(api, XeroClient)
    found = [one for one in _invoices(api, inputs) if _is_wanted(one, inputs)]
    return Found(_latest_first(found), api.connection.name, "invoice", samples.INVOICE, "invoices")


def orders_found(api: ApiClient, inputs: Any) -> Found:
    """The purchase orders that the inputs of `FindPurchaseOrder` mean."""
    assert isinstance(api, XeroClient)
    found, is_cut = _orders(api, inputs)
    most = f"{_MOST_PAGES * PAGE_SIZE:,}"
    return Found(
        _latest_first([one for one in found if _has_status(one, inputs)]),
        api.connection.name,
        "purchase order",
        samples.PURCHASE_ORDER,
        "purchase_orders",
        limit=f"Only the {most} purchase orders that changed last were looked through." if is_cut else "",
    )


def _latest_first(found: list[Document]) -> list[Document]:
    return sorted(found, key=lambda one: str(plain(one).get("Date") or ""), reverse=True)


def _sought(inputs: Any) -> str:
    return str(inputs.value)


def _invoices(api: XeroClient, inputs: FindInvoice.Inputs) -> Iterator[Document]:
    value, by = inputs.value.strip(), choices.InvoiceSearchBy
    if inputs.search_by is by.INVOICE_ID:
        yield from by_id(api, "Invoices", value)
        return
    query = {"unitdp": "4", "order": "Date DESC"}
    if inputs.kind is not choices.InvoiceKind.ANY:
        query["where"] = f'Type=="{inputs.kind.value}"'
    if inputs.status is not choices.InvoiceState.ANY:
        query["Statuses"] = inputs.status.value
    fields = {by.NUMBER: "InvoiceNumber", by.REFERENCE: "Reference"}
    for asked in _asked(inputs.search_by, value):
        found = False
        for page in api.pages("/Invoices", "Invoices", {**query, **asked}):
            for invoice in page:
                if inputs.search_by is by.ANYWHERE or _is_same(invoice.get(fields[inputs.search_by]), value):
                    found = True
                    yield invoice
        if found:
            return


def _asked(search_by: choices.InvoiceSearchBy, value: str) -> Iterator[dict[str, str]]:
    """The queries to try in turn until something is found: a number exactly as written, then anything that contains its
    longest plain piece, because Xero compares numbers exactly and people do not."""
    by = choices.InvoiceSearchBy
    # A comma would split one number into two.
    if search_by is by.NUMBER and "," not in value:
        yield {"InvoiceNumbers": value}
        if piece := searchable(value):
            yield {"searchTerm": piece}
    else:
        yield {"searchTerm": value}


def _orders(api: XeroClient, inputs: FindPurchaseOrder.Inputs) -> tuple[list[Document], bool]:
    """The orders, and whether there are more than were searched."""
    value, by = inputs.value.strip(), choices.OrderSearchBy
    if inputs.search_by is by.ORDER_ID:
        return by_id(api, "PurchaseOrders", value), False
    if inputs.search_by is by.NUMBER and re.fullmatch(r"[\w -]+", value, re.ASCII):
        found = by_id(api, "PurchaseOrders", value)
        return [order for order in found if _is_same(order.get("PurchaseOrderNumber"), value)], False
    name = "PurchaseOrderNumber" if inputs.search_by is by.NUMBER else "Reference"
    query = {"order": "UpdatedDateUTC DESC"}
    pages = list(islice(api.pages("/PurchaseOrders", "PurchaseOrders", query, page_size=PAGE_SIZE), _MOST_PAGES))
    found = [order for page in pages for order in page if _is_same(order.get(name), value)]
    return found, len(pages) == _MOST_PAGES and len(pages[-1]) >= PAGE_SIZE


def _is_wanted(invoice: Document, inputs: FindInvoice.Inputs) -> bool:
    is_kind = inputs.kind is choices.InvoiceKind.ANY or invoice.get("Type") == inputs.kind.value
    return is_kind and _has_status(invoice, inputs)


def _has_status(document: Document, inputs: Any) -> bool:
    if inputs.status.value == "any":
        return document.get("Status") not in {"DELETED", "VOIDED"}
    return bool(document.get("Status") == inputs.status.value)


def _is_same(one: Any, other: str) -> bool:
    text = str(one or "")
    return same(text, other) or same(_MARKER.sub("", text.strip()), other)


def _described(output: Mapping[str, Any], noun: str, number: Any) -> str:
    if not output["is_found"]:
        return f"No {noun.lower()} found"
    more = f" and {output['count'] - 1} more" if output["count"] > 1 else ""
    amount = f"{money(output.get('Total'))} {output.get('CurrencyCode') or ''}".rstrip()
    return f"{noun} {number or 'without a number'}, {amount}{more}"


def no_id(text: str, noun: str, example: str) -> str:
    """The message if an id is needed and something else was given."""
    return f'"{text[:60]}" is not the ID of {"an" if noun[0] in "aeiou" else "a"} {noun}, which looks like {example}.'
