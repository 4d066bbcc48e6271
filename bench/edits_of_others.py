"""Scenes in which somebody else changes what Pinxero has written or is about to change: that change must stay."""

from __future__ import annotations

from typing import Any

from bench.scenes import (
    DONE,
    DONE_ONCE,
    LOST,
    LOST_ONCE,
    Act,
    Others,
    Scene,
    as_wanted,
    changes,
    changes_target,
    listed,
    of_email,
    once,
    record_is,
)
from bench.writes import Books

_API = "api.xro/2.0"
_OTHER_DAY = "2027-03-01"
_INVOICE, _BILL = ("invoice", "Invoices", "InvoiceID"), ("bill", "Invoices", "InvoiceID")
_QUOTE, _CONTACT = ("quote", "Quotes", "QuoteID"), ("contact", "Contacts", "ContactID")
_ORDER = ("purchase_order", "PurchaseOrders", "PurchaseOrderID")
_NOTE = ("credit_note", "CreditNotes", "CreditNoteID")


def _deletes_payment(others: Others) -> None:
    from bench.witness import record_list

    paid = next(
        each for each in record_list(others.stage, "Payments") if each["Invoice"]["InvoiceID"] == others.setting.ids[0]
    )
    others.xero("POST", f"{_API}/Payments/{paid['PaymentID']}", {"Payments": [{"Status": "DELETED"}]})


def _payments(books: Books, others: Others) -> list[str]:
    invoice = others.setting.ids[0]
    found = [each for each in books.of["Payments"] if (each.get("Invoice") or {}).get("InvoiceID") == invoice]
    return [str(each["PaymentID"]) for each in found]


def _merges(others: Others) -> None:
    key = others.written("Contacts")["ContactID"]
    others.stage.control("POST", "merge", contact=key, into=others.maker.customer)


def _project(body: dict[str, Any], method: str) -> Act:
    def act(others: Others) -> None:
        from bench.witness import projects

        key = next(each["projectId"] for each in projects(others.stage) if each["name"] == others.label)
        others.ours.add(key)
        others.xero(method, f"projects.xro/2.0/Projects/{key}", body)

    return act


def _projects(books: Books, others: Others) -> list[str]:
    """The project whose name or state was changed, and any other with that name."""
    found = [each for each in books.of["Projects"] if each["name"] == others.label or each["projectId"] in others.ours]
    return [str(each["projectId"]) for each in found]


def _deletes_pin(others: Others) -> None:
    others.pinterest("DELETE", f"pins/{others.pin()}")


def _one_and_those_there(books: Books, others: Others) -> list[str]:
    """One was made and deleted; any that exists is one more."""
    return ["the deleted one", *(str(each["id"]) for each in books.pins if each["title"] == others.label)]


def _describes_board(others: Others) -> None:
    others.pinterest("PATCH", f"boards/{others.setting.ids[0]}", {"description": "By a person"})


def _board_is_theirs(books: Books, others: Others) -> bool:
    return bool(books.boards[others.setting.ids[0]]["description"] == "By a person")


def _renames_board(others: Others) -> None:
    key = next(each["id"] for each in others.stage.control("GET", "state")["boards"] if each["name"] == others.label)
    others.ours.add(key)
    others.pinterest("PATCH", f"boards/{key}", {"name": f"Renamed {others.label[3:]}"})


def _boards(books: Books, others: Others) -> list[str]:
    return [key for key, each in books.boards.items() if each["name"] == others.label or key in others.ours]


def _prices_item(others: Others) -> None:
    record = {"Code": others.label, "SalesDetails": {"UnitPrice": 99}}
    others.xero("POST", f"{_API}/Items", {"Items": [record]}, plural="Items")


def _price_is_theirs(books: Books, others: Others) -> bool:
    return any(each["Code"] == others.label and each["SalesDetails"]["UnitPrice"] == 99 for each in books.of["Items"])


def _removes_line(others: Others) -> None:
    line = {"Description": "All that is left", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    others.change("invoice", others.setting.ids[0], LineItems=[line])


def _line_is_gone(books: Books, others: Others) -> bool:
    lines = books.by_id("Invoices", "InvoiceID", others.setting.ids[0])["LineItems"]
    return [line["Description"] for line in lines] == ["All that is left"]


def _takes_allocation_back(others: Others) -> None:
    from bench.witness import record_list

    note = others.setting.ids[0]
    found = record_list(others.stage, f"CreditNotes/{note}", "CreditNotes")[0]["Allocations"][0]["AllocationID"]
    others.xero("DELETE", f"{_API}/CreditNotes/{note}/Allocations/{found}", None)


def _one_and_allocations(books: Books, others: Others) -> list[str]:
    """One was made and taken back; any that exists is one more."""
    left = books.by_id("CreditNotes", "CreditNoteID", others.setting.ids[0]).get("Allocations") or []
    return ["the one taken back", *(str(each["AllocationID"]) for each in left)]


def _contact_is(**wanted: str) -> Any:
    def is_kept(books: Books, others: Others) -> bool:
        found = [each for each in books.of["Contacts"] if each["Name"] == others.label]
        return any(all(each.get(name) == value for name, value in wanted.items()) for each in found)

    return is_kept


def _restores(others: Others) -> None:
    others.change("contact", others.setting.ids[0], ContactStatus="ACTIVE")


def _accepts(others: Others) -> None:
    for status in ("SENT", "ACCEPTED"):
        others.change("quote", others.setting.ids[0], Status=status)


_DOCUMENTS = [
    (_QUOTE, "xero.create_quote"),
    (_ORDER, "xero.create_purchase_order"),
    (_NOTE, "xero.create_credit_note"),
    (_INVOICE, "xero.create_invoice"),
]
SCENES = [
    *(
        Scene(
            "a person edits its reference", operation, DONE, changes(*kind, Reference="By a person"), listed(*kind[1:])
        )
        for kind, operation in _DOCUMENTS
    ),
    *(
        Scene("a person deletes it", operation, DONE, changes(*kind, Status="DELETED"), listed(*kind[1:]))
        for kind, operation in [*_DOCUMENTS, (_BILL, "xero.create_bill")]
    ),
    Scene("a person voids it", "xero.receive_stock", DONE, changes(*_BILL, Status="VOIDED"), listed(*_BILL[1:])),
    Scene(
        "a person edits its number",
        "xero.create_bill",
        DONE,
        changes(*_BILL, InvoiceNumber="0-8-15"),
        listed(*_BILL[1:]),
    ),
    Scene("a person deletes it", "xero.create_payment", DONE, _deletes_payment, _payments),
    Scene("a person takes it back", "xero.allocate_credit_note", DONE, _takes_allocation_back, _one_and_allocations),
    *(
        Scene("a person renames it", operation, DONE, changes(*_CONTACT, Name="{label} Renamed"), of_email)
        for operation in ("xero.create_contact", "xero.find_or_create_contact")
    ),
    Scene(
        "a person archives it",
        "xero.create_contact",
        DONE,
        changes(*_CONTACT, ContactStatus="ARCHIVED"),
        of_email,
    ),
    Scene("a person merges it into another", "xero.create_contact", DONE, _merges, of_email),
    Scene("a person renames it", "xero.create_project", DONE, _project({"name": "Renamed"}, "PUT"), _projects),
    Scene("a person closes it", "xero.create_project", DONE, _project({"status": "CLOSED"}, "PATCH"), _projects),
    Scene("a person deletes it", "pinterest.create_pin", DONE_ONCE, _deletes_pin, _one_and_those_there),
    Scene("a person renames it", "pinterest.create_board", DONE_ONCE, _renames_board, _boards),
    Scene(
        "the customer accepts it",
        "xero.update_quote_status",
        DONE,
        changes_target("quote", Status="ACCEPTED"),
        once,
        record_is("Quotes", "QuoteID", Status="ACCEPTED"),
    ),
    Scene(
        "a person sends it, the customer accepts it",
        "xero.update_quote_status",
        LOST,
        _accepts,
        once,
        record_is("Quotes", "QuoteID", Status="ACCEPTED"),
    ),
    Scene(
        "a person restores it",
        "xero.archive_contact",
        DONE,
        _restores,
        once,
        record_is("Contacts", "ContactID", ContactStatus="ACTIVE"),
    ),
    *(
        Scene(
            "a person changes the due date",
            "xero.update_invoice",
            faults,
            changes_target("invoice", DueDate=_OTHER_DAY),
            count,
            record_is("Invoices", "InvoiceID", DueDateString=f"{_OTHER_DAY}T00:00:00"),
        )
        for faults, count in ((DONE, once), (LOST, as_wanted("xero.update_invoice")))
    ),
    *(
        Scene(
            "a person describes the board", "pinterest.update_board", faults, _describes_board, count, _board_is_theirs
        )
        for faults, count in ((DONE_ONCE, once), (LOST_ONCE, as_wanted("pinterest.update_board")))
    ),
    Scene(
        "a person changes the first name",
        "xero.create_or_update_contact",
        DONE,
        changes(*_CONTACT, FirstName="Ada"),
        once,
        _contact_is(FirstName="Ada"),
        given={"first_name": "Eve"},
    ),
    Scene("a person changes the price", "xero.add_stock_item", DONE, _prices_item, once, _price_is_theirs),
    Scene(
        "a person puts other lines on it", "xero.add_lines_to_invoice", DONE_ONCE, _removes_line, once, _line_is_gone
    ),
]
