"""Purchase orders: only for existing contacts, without `where`. They post nothing and move no stock."""

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, books
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, lines, numbered, rules

NEW_STATUSES = ("DRAFT", "SUBMITTED", "AUTHORISED")
MOVES = {
    "DRAFT": ("DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"),
    "SUBMITTED": ("SUBMITTED", "DRAFT", "AUTHORISED", "DELETED"),
    "AUTHORISED": ("AUTHORISED", "BILLED", "DELETED"),
    "BILLED": ("BILLED", "AUTHORISED"),
}
_FIELDS = {"PurchaseOrderNumber": "text", "Status": "text", "Reference": "text", "PurchaseOrderID": "guid"}
_FIELDS |= {"Date": "date", "DeliveryDate": "date", "UpdatedDateUTC": "date", "Total": "number"}
_TEXTS = {"PurchaseOrderNumber": 255, "Reference": 255, "DeliveryAddress": 500, "AttentionTo": 250}
_TEXTS |= {"Telephone": 50, "DeliveryInstructions": 500}


def list_purchase_orders(call: Call) -> Answer:
    query = call.request.GET
    numbered.no_where(call, KIND.plural)
    found = books.changed_since(call, books.rows(call.tenant, KIND.plural))
    if query.get("Status"):
        found = found.filter(status=query["Status"].strip())
    entries = numbered.between(found, call, "Date", "DateFrom", "DateTo")
    people = invoices.contacts_of(call.tenant, entries)
    entries = books.filtered(query, entries, _FIELDS, lambda one: numbered.view(one, people, KIND, _FIELDS))
    page, pagination = books.paged(query, entries)
    rendered = [numbered.render(one, people[one.row.contact_id], KIND, 4) for one in page]
    return answers.envelope(KIND.plural, rendered, pagination)


def _clean(call: Call, sent: Record, existing: Record | None) -> Record:
    messages: list[str] = []
    organisation = ORGANISATIONS[call.tenant]
    record = dict(existing or {})
    record["Status"] = _status(sent, existing, messages)
    if record["Status"] == "DELETED":
        return record
    rules.days(sent, record, ("Date", "DeliveryDate", "ExpectedArrivalDate"), messages)
    record.setdefault("Date", clock.today(organisation.timezone).isoformat())
    record["LineAmountTypes"] = rules.one_of(
        sent, "LineAmountTypes", rules.LINE_AMOUNT_TYPES, record.get("LineAmountTypes", "Exclusive"), messages
    )
    rules.texts(sent, record, _TEXTS, messages)
    rules.currency(organisation, sent, record, messages)
    rules.theme(organisation, sent, record, messages)
    if "SentToContact" in sent and record["Status"] in {"AUTHORISED", "BILLED"}:
        record["SentToContact"] = sent["SentToContact"] is True
    if existing is None or "LineItems" in sent:
        document = lines.Document(
            tenant=call.tenant,
            kind="PURCHASEORDER",
            line_amount_types=record["LineAmountTypes"],
            is_final=record["Status"] != "DRAFT",
            unit_places=4,
        )
        record["LineItems"] = lines.clean(document, sent.get("LineItems"), messages)
    if not sent.get("Contact") and not existing:
        messages.insert(0, rules.NO_CONTACT)
    if messages:
        raise Invalid(sent, messages)
    rules.add_totals(record)
    return record


def _status(sent: Record, existing: Record | None, messages: list[str]) -> str:
    if existing is None:
        return rules.one_of(sent, "Status", NEW_STATUSES, "DRAFT", messages)
    before = str(existing["Status"])
    asked = sent.get("Status") or before
    if asked not in MOVES.get(before, ()):
        raise Invalid(sent, [f"A purchase order with the status {before} cannot become {str(asked)[:20]}"])
    return str(asked)


def _details(one: Entry, places: int) -> Record:
    record = one.record
    names = ("DeliveryAddress", "AttentionTo", "Telephone", "DeliveryInstructions")
    return {
        "Type": "PURCHASEORDER",
        "Reference": record.get("Reference", ""),
        **{name: record[name] for name in names if record.get(name)},
        **numbered.days(record, "DeliveryDate", "ExpectedArrivalDate"),
        "SentToContact": bool(record.get("SentToContact")),
        "IsDiscounted": False,
        "HasErrors": False,
    }


KIND = numbered.Kind(
    plural="PurchaseOrders",
    id_name="PurchaseOrderID",
    number_name="PurchaseOrderNumber",
    prefix="PO",
    word="purchase order",
    duplicate="Order number must be unique",
    clean=_clean,
    contact=numbered.contact_is_known,
    details=_details,
    unit_places=4,
)
