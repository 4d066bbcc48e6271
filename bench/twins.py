"""Scenes in which somebody else writes the same: Pinxero must not mistake it for its own, nor add a second unasked."""

from __future__ import annotations

from typing import Any

from bench.scenes import LOST, LOST_ONCE, Act, Found, Others, Scene, document, listed, nothing, of_email
from bench.writes import BANK, DAY, OTHER_BANK, Books

_API, _PROJECTS = "api.xro/2.0", "projects.xro/2.0/Projects"


def _project(others: Others) -> None:
    body = {"contactId": others.maker.customer, "name": others.label}
    others.xero("POST", _PROJECTS, body, id_name="projectId")


def _pin(others: Others) -> None:
    picture = {"source_type": "image_url", "url": "https://images.example/oak.jpg"}
    body = {"board_id": others.setting.inputs["board_id"], "title": others.label, "media_source": picture}
    others.pinterest("POST", "pins", body)


def _note(others: Others) -> None:
    path = f"{_API}/Invoices/{others.setting.ids[0]}/History"
    others.xero("PUT", path, {"HistoryRecords": [{"Details": f"Note {others.label}"}]})


def _mail(others: Others) -> None:
    from bench.witness import record_list

    invoice = others.setting.ids[0]
    others.stage.control("POST", "make", what="email", invoice=invoice)
    history = record_list(others.stage, f"Invoices/{invoice}/History", "HistoryRecords")
    others.made |= {str(each["DateUTC"]) for each in history if each["Details"] == "Invoice emailed by hand."}


def _payment(others: Others) -> None:
    record = {"Invoice": {"InvoiceID": others.setting.ids[0]}, "Account": {"Code": BANK}, "Amount": 12.34, "Date": DAY}
    others.xero("PUT", f"{_API}/Payments", {"Payments": [record]}, plural="Payments", id_name="PaymentID")


def _transfer(others: Others) -> None:
    accounts = {"FromBankAccount": {"Code": BANK}, "ToBankAccount": {"Code": OTHER_BANK}}
    record: dict[str, Any] = {**accounts, "Amount": float(others.setting.inputs["amount"]), "Date": DAY}
    path = f"{_API}/BankTransfers"
    others.xero("PUT", path, {"BankTransfers": [record]}, plural="BankTransfers", id_name="BankTransferID")


def _allocation(others: Others) -> None:
    note, invoice = others.setting.ids
    record = {"Invoice": {"InvoiceID": invoice}, "Amount": 10.50, "Date": DAY}
    path = f"{_API}/CreditNotes/{note}/Allocations"
    others.xero("PUT", path, {"Allocations": [record]}, plural="Allocations", id_name="AllocationID")


def _allocations(books: Books, others: Others) -> list[str]:
    note = books.by_id("CreditNotes", "CreditNoteID", others.setting.ids[0])
    return [str(each["AllocationID"]) for each in note.get("Allocations") or []]


def _payments(books: Books, others: Others) -> list[str]:
    invoice = others.setting.ids[0]
    found = [each for each in books.of["Payments"] if (each.get("Invoice") or {}).get("InvoiceID") == invoice]
    return [str(each["PaymentID"]) for each in found]


def _transfers(books: Books, others: Others) -> list[str]:
    amount = float(others.setting.inputs["amount"])
    return [str(each["BankTransferID"]) for each in books.of["BankTransfers"] if float(each["Amount"]) == amount]


def _mails(books: Books, others: Others) -> list[str]:
    history = books.below(f"Invoices/{others.setting.ids[0]}/History", "HistoryRecords")
    return [str(each["DateUTC"]) for each in history if each["Changes"] == "Invoice sent"]


def _notes(books: Books, others: Others) -> list[str]:
    history = books.below(f"Invoices/{others.setting.ids[0]}/History", "HistoryRecords")
    return [
        each["Details"] for each in history if f"Note {others.label}" in each["Details"] and "PX-" in each["Details"]
    ]


def _named(where: str, name: str) -> Found:
    def found(books: Books, others: Others) -> list[str]:
        held = getattr(books, where)
        rows = held.values() if isinstance(held, dict) else held
        return [str(each["id"]) for each in rows if each[name] == others.label]

    return found


def _contact(others: Others) -> None:
    others.make("contact", name=others.label)


def _contact_of_the_mail(others: Others) -> None:
    others.make("contact", name=f"{others.label} Limited", email=others.setting.inputs["email"])


def _item(others: Others) -> None:
    record = {"Code": others.label, "Name": "Of another"}
    others.xero("PUT", f"{_API}/Items", {"Items": [record]}, plural="Items", id_name="ItemID")


def _item_is_theirs(books: Books, others: Others) -> bool:
    return any(each["Code"] == others.label and each["Name"] == "Of another" for each in books.of["Items"])


def _board(others: Others) -> None:
    others.pinterest("POST", "boards", {"name": others.label})


def _section(others: Others) -> None:
    others.pinterest("POST", f"boards/{others.setting.inputs['board_id']}/sections", {"name": others.label})


def _supplier_note(others: Others) -> None:
    kind = {"Type": "ACCPAYCREDIT", "CreditNoteNumber": others.label}
    document(others, "CreditNotes", "CreditNoteID", amount="77", **kind)


def _document_with(plural: str, id_name: str, **fields: str) -> Act:
    """Another app writes a document with the label in these fields."""

    def act(others: Others) -> None:
        said = {name: value.format(label=others.label) for name, value in fields.items()}
        document(others, plural, id_name, **said)

    return act


_SUPPLIER = {"type": "ACCPAYCREDIT", "note_number": "{label}"}
_INVOICES, _ORDERS = ("Invoices", "InvoiceID"), ("PurchaseOrders", "PurchaseOrderID")
_PROJECTS_NAMED = listed("Projects", "projectId", name="name")
_BILL = _document_with(*_INVOICES, Type="ACCPAY", InvoiceNumber="{label}")
_SALE = _document_with(*_INVOICES, Type="ACCREC", InvoiceNumber="{label}")
_ORDER = _document_with(*_ORDERS, PurchaseOrderNumber="{label}")


def _before(operation: str, faults: tuple[str, ...], act: Act, found: Found, **more: Any) -> Scene:
    return Scene("another did the same a moment before", operation, faults, nothing, found, before=act, **more)


def _meanwhile(operation: str, faults: tuple[str, ...], act: Act, found: Found, **more: Any) -> Scene:
    return Scene("another does the same meanwhile", operation, faults, act, found, **more)


#: Recognised by marker, number or id alone.
_CERTAIN = [
    _meanwhile("xero.add_note_to_invoice", LOST, _note, _notes),
    _meanwhile("xero.create_payment", LOST, _payment, _payments),
    _meanwhile("xero.create_bank_transfer", LOST, _transfer, _transfers),
    _meanwhile(
        "xero.create_invoice", LOST, _document_with(*_INVOICES, Type="ACCREC", Reference="{label}"), listed(*_INVOICES)
    ),
    _meanwhile("xero.create_contact", LOST, _contact, listed("Contacts", "ContactID")),
    _meanwhile(
        "xero.add_stock_item", LOST, _item, listed("Items", "ItemID", name="Code"), is_kept=_item_is_theirs, is_one=True
    ),
]
#: Without a marker: what existed before the write was sent cannot be it.
_ALIKE = [
    _before("xero.create_project", LOST, _project, _PROJECTS_NAMED),
    _before("pinterest.create_pin", LOST_ONCE, _pin, _named("pins", "title"), without=("link",)),
    _before("xero.email_invoice", LOST, _mail, _mails),
    _meanwhile("xero.create_project", LOST, _project, _PROJECTS_NAMED, may_find=True),
    _meanwhile("pinterest.create_pin", LOST_ONCE, _pin, _named("pins", "title"), without=("link",), may_find=True),
    _meanwhile("xero.email_invoice", LOST, _mail, _mails, may_find=True),
    _meanwhile("xero.allocate_credit_note", LOST, _allocation, _allocations, may_find=True),
    _meanwhile("pinterest.create_section", LOST_ONCE, _section, _named("sections", "name"), may_find=True),
    _meanwhile("pinterest.create_board", LOST_ONCE, _board, _named("boards", "name"), may_find=True),
]
#: May exist only once, whoever made it.
_ONE = [
    _meanwhile("xero.find_or_create_contact", LOST, _contact_of_the_mail, of_email, may_find=True, is_one=True),
    _meanwhile("xero.find_or_create_invoice", LOST, _SALE, listed(*_INVOICES), may_find=True, is_one=True),
    _meanwhile("xero.find_or_create_purchase_order", LOST, _ORDER, listed(*_ORDERS), may_find=True, is_one=True),
    _meanwhile("xero.create_bill", LOST, _BILL, listed(*_INVOICES), is_one=True),
    _meanwhile("xero.receive_stock", LOST, _BILL, listed(*_INVOICES), is_one=True),
]
#: The same number, but another amount.
_OTHER_AMOUNT = [
    scene("xero.create_credit_note", LOST, _supplier_note, listed("CreditNotes", "CreditNoteID"), given=_SUPPLIER)
    for scene in (_before, _meanwhile)
]
SCENES = [*_CERTAIN, *_ALIKE, *_ONE, *_OTHER_AMOUNT]
