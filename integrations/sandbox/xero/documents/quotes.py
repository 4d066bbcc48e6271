"""Quotes: they post nothing, have no `where` and no page size, and use capitals for line amount types."""

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, books
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, lines, numbered, rules

LINE_AMOUNT_TYPES = {"EXCLUSIVE": "Exclusive", "INCLUSIVE": "Inclusive", "NOTAX": "NoTax"}
NEW_STATUSES = ("DRAFT", "SENT")
MOVES = {
    "DRAFT": ("DRAFT", "SENT", "DELETED"),
    "SENT": ("SENT", "DRAFT", "ACCEPTED", "DECLINED", "DELETED"),
    "ACCEPTED": ("ACCEPTED", "SENT", "DRAFT", "DECLINED", "INVOICED", "DELETED"),
    "DECLINED": ("DECLINED", "SENT", "DRAFT", "DELETED"),
    "INVOICED": ("INVOICED",),
}
_FIELDS = {"QuoteNumber": "text", "Status": "text", "Title": "text", "Reference": "text", "QuoteID": "guid"}
_FIELDS |= {"Date": "date", "ExpiryDate": "date", "UpdatedDateUTC": "date", "Total": "number"}
_TEXTS = {"QuoteNumber": 255, "Title": 100, "Summary": 3000, "Terms": 4000, "Reference": 4000}


def list_quotes(call: Call) -> Answer:
    query = call.request.GET
    numbered.no_where(call, KIND.plural)
    found = books.changed_since(call, books.rows(call.tenant, KIND.plural))
    for name, column in (("Status", "status"), ("QuoteNumber", "number")):
        if query.get(name):
            found = found.filter(**{column: query[name].strip()})
    ids = books.identifiers(query, "ContactID")
    if ids:
        found = found.filter(contact_id__in=ids)
    entries = numbered.between(found, call, "Date", "DateFrom", "DateTo")
    expiring = {one.id for one in numbered.between(found, call, "ExpiryDate", "ExpiryDateFrom", "ExpiryDateTo")}
    entries = [one for one in entries if one.id in expiring]
    people = invoices.contacts_of(call.tenant, entries)
    entries = books.filtered(query, entries, _FIELDS, lambda one: numbered.view(one, people, KIND, _FIELDS))
    page, _ = books.paged(query, entries, has_page_size=False)
    return answers.envelope(KIND.plural, [numbered.render(one, people[one.row.contact_id], KIND, 4) for one in page])


def _clean(call: Call, sent: Record, existing: Record | None) -> Record:
    messages: list[str] = []
    organisation = ORGANISATIONS[call.tenant]
    record = dict(existing or {})
    record["Status"] = _status(sent, existing, messages)
    # Xero requires both on every change.
    if not sent.get("Contact"):
        messages.append(rules.NO_CONTACT)
    if not sent.get("Date"):
        messages.append("Date must be specified")
    rules.days(sent, record, ("Date", "ExpiryDate"), messages)
    asked = rules.one_of(
        sent, "LineAmountTypes", tuple(LINE_AMOUNT_TYPES), _capitals(record.get("LineAmountTypes")), messages
    )
    record["LineAmountTypes"] = LINE_AMOUNT_TYPES[asked]
    rules.texts(sent, record, _TEXTS, messages)
    rules.currency(organisation, sent, record, messages)
    rules.theme(organisation, sent, record, messages)
    if existing is None or "LineItems" in sent:
        document = lines.Document(
            tenant=call.tenant,
            kind="QUOTE",
            line_amount_types=record["LineAmountTypes"],
            is_final=False,
            unit_places=4,
        )
        record["LineItems"] = lines.clean(document, sent.get("LineItems"), messages)
    if messages:
        raise Invalid(sent, messages)
    if record.get("ExpiryDate", record["Date"]) < record["Date"]:
        raise Invalid(sent, ["The expiry date cannot be before the quote date"])
    rules.add_totals(record)
    return record


def _capitals(kept: str | None) -> str:
    return next((name for name, value in LINE_AMOUNT_TYPES.items() if value == kept), "EXCLUSIVE")


def _status(sent: Record, existing: Record | None, messages: list[str]) -> str:
    if existing is None:
        return rules.one_of(sent, "Status", NEW_STATUSES, "DRAFT", messages)
    before = str(existing["Status"])
    asked = sent.get("Status") or before
    if asked not in MOVES.get(before, ()):
        raise Invalid(sent, [f"A quote with the status {before} cannot become {str(asked)[:20]}"])
    return str(asked)


def _details(one: Entry, places: int) -> Record:
    record = one.record
    printed = {name: record[name] for name in ("Title", "Summary", "Terms", "Reference") if record.get(name)}
    return {
        "LineAmountTypes": _capitals(record["LineAmountTypes"]),
        **printed,
        **numbered.days(record, "ExpiryDate"),
        "StatusAttributeString": "OK",
    }


KIND = numbered.Kind(
    plural="Quotes",
    id_name="QuoteID",
    number_name="QuoteNumber",
    prefix="QU",
    word="quote",
    duplicate="Quote number must be unique",
    clean=_clean,
    contact=invoices.contact_of,
    details=_details,
    unit_places=4,
)
