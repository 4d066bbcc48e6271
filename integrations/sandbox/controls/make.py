"""Make what can start a workflow as if a person had made it at the provider: it does not count as made by the app.

Lower-case fields are for people (`contact`, `amount`, ...); a field in Xero's own spelling (`Status`, `LineItems`) is
copied into the record unchanged.
"""

import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.http import HttpRequest

from integrations.sandbox.data import counters
from integrations.sandbox.data.organisations import ORGANISATIONS, Organisation
from integrations.sandbox.exchange import clock, exchange
from integrations.sandbox.exchange.answers import Refused, dumps
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.exchange.unusable import Unusable
from integrations.sandbox.models import Board, Document, Section
from integrations.sandbox.pinterest import store
from integrations.sandbox.webhooks import changes
from integrations.sandbox.xero import books, contacts, projects
from integrations.sandbox.xero.batch import Invalid
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import credit_notes, invoices, numbered, purchase_orders, quotes, sending
from integrations.sandbox.xero.ledger import bank_transactions, banking

Body = dict[str, Any]
_KNOWN = {"what", "organisation", "contact", "name", "email", "description", "quantity", "amount", "account", "number"}
_KNOWN |= {"reference", "date", "due_date", "status", "type", "invoice", "currency", "board", "section", "title"}
_KNOWN |= {"link", "privacy", "estimate", "id"}
_PAPERS = {"quote": quotes.KIND, "purchase_order": purchase_orders.KIND, "credit_note": credit_notes.KIND}
_NUMBERS = {"quote": "QuoteNumber", "purchase_order": "PurchaseOrderNumber", "credit_note": "CreditNoteNumber"}


def make(request: HttpRequest, body: Body) -> Body:
    """Make one `what`; all other fields have defaults, so `{"what": "invoice"}` is enough."""
    what = str(body.get("what") or "")
    unknown = [name for name in body if name not in _KNOWN and not name[:1].isupper()]
    if unknown:
        raise Unusable(f"Something to make takes {', '.join(sorted(_KNOWN))}, not {', '.join(sorted(unknown))}.")
    with exchange.writing():
        if what in _PINTEREST:
            return {"what": what, **_PINTEREST[what](body)}
        if what not in _XERO:
            raise Unusable(f"what is one of {', '.join([*_XERO, *_PINTEREST])}.")
        organisation = find_organisation(str(body.get("organisation") or ""))
        made = _tried(lambda: _XERO[what](_call(request, organisation), organisation, body))
        return _shown(what, made)


def change(request: HttpRequest, body: Body) -> Body:
    """Change what a person can change: `{"what": "quote", "id": "...", "Status": "ACCEPTED"}`."""
    what, key = str(body.get("what") or ""), str(body.get("id") or "")
    fields = {name: value for name, value in body.items() if name[:1].isupper()}
    organisation = find_organisation(str(body.get("organisation") or ""))
    call = _call(request, organisation)
    with exchange.writing():
        if what == "contact":
            return _shown(what, _tried(lambda: contacts.save(call, {"ContactID": key, **fields})))
        if what in {"invoice", "bill"}:
            return _shown(what, _tried(lambda: invoices.save(call, {"InvoiceID": key, **fields})))
        if what not in _PAPERS:
            raise Unusable(f"what is one of contact, invoice, bill, {', '.join(_PAPERS)}.")
        kind = _PAPERS[what]
        found = books.find(organisation.tenant, kind.plural, key)
        if found is None:
            raise Unusable(f"There is no {what} with the id {key!r}.")
        same = {"Contact": {"ContactID": found.row.contact_id}, "Date": found.record["Date"]}
        return _shown(what, _tried(lambda: numbered.save(call, {**same, **fields, kind.id_name: key}, kind)))


def _tried(action: Callable[[], Entry]) -> Entry:
    try:
        return action()
    except Invalid as error:
        raise Unusable(" ".join(f"{message.rstrip('.')}." for message in error.messages)) from error
    except Refused as error:
        raise Unusable(error.reason) from error


def _call(request: HttpRequest, organisation: Organisation) -> Call:
    return Call(request, "xero", 0, b"", "", tenant=organisation.tenant, is_by_hand=True)


def _shown(what: str, made: Entry) -> Body:
    record = made.record
    names = ("InvoiceNumber", "QuoteNumber", "PurchaseOrderNumber", "CreditNoteNumber", "Name", "name", "Reference")
    label = next((record[name] for name in names if record.get(name)), "")
    return {"what": what, "id": made.id, "label": label, "organisation": made.tenant}


def find_organisation(name_or_id: str) -> Organisation:
    for organisation in ORGANISATIONS.values():
        if name_or_id in ("", organisation.tenant, organisation.name):
            return organisation
    raise Unusable(f"There is no organisation {name_or_id!r}.")


def _contact(call: Call, body: Body) -> Body:
    name = str(body.get("contact") or "").strip()
    if name:
        known = None if books.is_guid(name) else contacts.by_name(call.tenant, name)
        return {"ContactID": known.id if known else name} if known or books.is_guid(name) else {"Name": name}
    row = books.rows(call.tenant, contacts.KIND).filter(status="ACTIVE").order_by("id").first()
    return {"ContactID": row.document_id} if row else {"Name": "First Customer"}


def _own(body: Body) -> Body:
    """The fields in Xero's own spelling."""
    return {name: value for name, value in body.items() if name[:1].isupper()}


def _amount(body: Body, name: str, default: str) -> Decimal:
    value = body.get(name)
    try:
        return Decimal(default if value in (None, "") else str(value))
    except ArithmeticError as error:
        raise Unusable(f"{name} is a number, not {str(value)[:30]!r}.") from error


def _line(organisation: Organisation, body: Body, *, is_sale: bool) -> Body:
    usual = ("200" if is_sale else "429") if organisation.is_demo else ("4000" if is_sale else "7500")
    return {
        "Description": str(body.get("description") or "Styling, half a day"),
        "Quantity": _amount(body, "quantity", "1"),
        "UnitAmount": _amount(body, "amount", "120"),
        "AccountCode": str(body.get("account") or usual),
    }


def _paper(call: Call, organisation: Organisation, body: Body, *, is_sale: bool) -> Body:
    record = {"Contact": _contact(call, body), "LineItems": [_line(organisation, body, is_sale=is_sale)]}
    for name, field in (
        ("date", "Date"),
        ("reference", "Reference"),
        ("status", "Status"),
        ("currency", "CurrencyCode"),
    ):
        if body.get(name):
            record[field] = body[name]
    return record


def _make_contact(call: Call, organisation: Organisation, body: Body) -> Entry:
    name = str(body.get("name") or "").strip() or f"New contact {counters.take('made contacts')}"
    email = {"EmailAddress": body["email"]} if body.get("email") else {}
    return contacts.create(call, {"Name": name, **email, **_own(body)})


def _make_invoice(call: Call, organisation: Organisation, body: Body) -> Entry:
    is_sale = body["what"] == "invoice"
    record = _paper(call, organisation, body, is_sale=is_sale)
    record |= {"Type": "ACCREC" if is_sale else "ACCPAY"}
    day = str(body.get("due_date") or body.get("date") or "") or clock.today(organisation.timezone).isoformat()
    number = {"InvoiceNumber": body["number"]} if body.get("number") else {}
    return invoices.create(call, {**record, "DueDate": day, **number, **_own(body)})


def _make_paper(call: Call, organisation: Organisation, body: Body) -> Entry:
    what = str(body["what"])
    record = _paper(call, organisation, body, is_sale=what != "purchase_order")
    if what == "credit_note":
        record["Type"] = str(body.get("type") or "ACCRECCREDIT")
        if record["Type"] == "ACCPAYCREDIT":
            record["LineItems"] = [_line(organisation, body, is_sale=False)]
    record.setdefault("Date", clock.today(organisation.timezone).isoformat())
    if body.get("number"):
        record[_NUMBERS[what]] = body["number"]
    return numbered.create(call, {**record, **_own(body)}, _PAPERS[what])


def _make_payment(call: Call, organisation: Organisation, body: Body) -> Entry:
    wanted = str(body.get("invoice") or "")
    if wanted:
        found = invoices.find(call.tenant, {"InvoiceID" if books.is_guid(wanted) else "InvoiceNumber": wanted})
    else:
        row = books.rows(call.tenant, invoices.KIND).filter(status="AUTHORISED").order_by("id").first()
        found = books.entry(row) if row else None
    if found is None:
        raise Unusable("There is no such invoice to pay. Make one with the status AUTHORISED first.")
    amount = _amount(body, "amount", str(found.record["AmountDue"]))
    bank = {"Code": str(body.get("account") or ("090" if organisation.is_demo else "1200"))}
    record = {"Invoice": {"InvoiceID": found.id}, "Account": bank, "Amount": amount}
    return banking.pay(call, {**record, "Date": body.get("date"), "Reference": body.get("reference"), **_own(body)})


def _make_email(call: Call, organisation: Organisation, body: Body) -> Entry:
    """A person e-mails an invoice to its customer."""
    found = invoices.find(call.tenant, {"InvoiceID": str(body.get("invoice") or "")})
    if found is None:
        raise Unusable("There is no such invoice to mail. Name it by its id in invoice.")
    return sending.send(call, found)


def _make_bank_transaction(call: Call, organisation: Organisation, body: Body) -> Entry:
    kind = str(body.get("type") or "RECEIVE")
    record = _paper(call, organisation, {**body, "account": ""}, is_sale=kind == "RECEIVE")
    bank = {"Code": str(body.get("account") or ("090" if organisation.is_demo else "1200"))}
    return bank_transactions.create(call, {**record, "Type": kind, "BankAccount": bank, **_own(body)})


def _make_project(call: Call, organisation: Organisation, body: Body) -> Entry:
    person = contacts.match(call.tenant, _contact(call, body))
    record: Body = {"contactId": person.id if person else "", "name": str(body.get("name") or "New project")}
    if body.get("estimate"):
        record["estimateAmount"] = _amount(body, "estimate", "0")
    return projects.create(call, record)


_XERO: dict[str, Callable[[Call, Organisation, Body], Entry]] = {
    "contact": _make_contact,
    "invoice": _make_invoice,
    "bill": _make_invoice,
    "quote": _make_paper,
    "credit_note": _make_paper,
    "purchase_order": _make_paper,
    "payment": _make_payment,
    "email": _make_email,
    "bank_transaction": _make_bank_transaction,
    "project": _make_project,
}


def _make_board(body: Body) -> Body:
    name = str(body.get("name") or "").strip()
    privacy = str(body.get("privacy") or "PUBLIC")
    if not name:
        raise Unusable("A board needs a name.")
    if privacy not in {"PUBLIC", "PROTECTED", "SECRET"}:
        raise Unusable("privacy is PUBLIC, PROTECTED or SECRET.")
    if Board.objects.filter(name__iexact=name).exists():
        raise Unusable(f"There is a board named {name!r} already.")
    made = store.add_board(name[:180], body.get("description"), privacy)
    return {"id": made.board_id, "label": made.name}


def find_board(name_or_id: str) -> Board:
    board = Board.objects.filter(board_id=name_or_id).first() or Board.objects.filter(name__iexact=name_or_id).first()
    if board is None:
        raise Unusable(f"There is no board {name_or_id!r}. Name one that exists, or give its id.")
    return board


def _make_section(body: Body) -> Body:
    board, name = find_board(str(body.get("board") or "")), str(body.get("name") or "").strip()
    if not name or len(name) > 180:
        raise Unusable("A section needs a name of at most 180 characters.")
    made = store.add_section(board, name)
    return {"id": made.section_id, "label": made.name, "board": board.board_id}


def _make_pin(body: Body) -> Body:
    board = find_board(str(body.get("board") or ""))
    section = find_section(board, str(body["section"])) if body.get("section") else None
    title = str(body.get("title") or "New pin")
    if len(title) > 100:
        raise Unusable("A title has at most 100 characters.")
    details = {"title": title, "description": body.get("description"), "link": body.get("link")}
    made = store.add_pins(board, [details], section=section)[0]
    return {"id": made.pin_id, "label": title, "board": board.board_id}


def find_section(board: Board, name_or_id: str) -> Section:
    found = board.sections
    section = found.filter(section_id=name_or_id).first() or found.filter(name__iexact=name_or_id).first()
    if section is None:
        raise Unusable(f"The board {board.name!r} has no section {name_or_id!r}.")
    return section


_PINTEREST: dict[str, Callable[[Body], Body]] = {"board": _make_board, "section": _make_section, "pin": _make_pin}


def many(request: HttpRequest, what: str, count: int, name: str) -> int:
    """Make `count` contacts, invoices or credit notes at once: the first is made, the others are copies of it."""
    if what not in {"contact", "invoice", "credit_note"}:
        raise Unusable("what is contact, invoice or credit_note.")
    organisation = find_organisation(name)
    with exchange.writing():
        first = _tried(lambda: _XERO[what](_call(request, organisation), organisation, {"what": what}))
        copies = [_copy(first, number) for number in range(2, count + 1)]
        Document.objects.bulk_create([row for row, _ in copies], batch_size=500)
        if changes.is_wanted(first.row.kind):
            changes.note_many(copies, event_type="CREATE")
    return count


def _copy(first: Entry, number: int) -> tuple[Document, Body]:
    record, row = dict(first.record), first.row
    for field in ("Name", "InvoiceNumber", "CreditNoteNumber"):
        if record.get(field):
            record[field] = f"{record[field]}/{number}"
    copy = Document(
        tenant=row.tenant,
        kind=row.kind,
        document_id=str(uuid.uuid4()),
        number=f"{row.number}/{number}" if row.number else "",
        name=f"{row.name}/{number}" if row.name else "",
        status=row.status,
        contact_id=row.contact_id,
        updated_at=row.updated_at,
        content=dumps(record),
    )
    return copy, record
