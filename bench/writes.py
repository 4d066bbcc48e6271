"""Every action that writes: what a trial of it needs, its inputs, and how often its effect is in the books.

A new action adds a line to `WRITES`; until then the matrix does not start and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bench.stage import Stage

DAY, LATER = "2026-11-22", "2026-12-22"
BANK, OTHER_BANK = "090", "091"
_LINE = {"quantity": "2", "unit_amount": "10", "account_code": "200"}
_COST = {**_LINE, "account_code": "310"}
_DUE = "2027-01-15"

Inputs = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """The setting of one trial: what has been made for it, and the step's inputs."""

    label: str
    inputs: Inputs
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Write:
    """How one action is tested. `settle` makes what must exist; `count` is how often the effect is in the books."""

    settle: Callable[[Maker, str], Setting]
    count: Callable[[Books, Setting], int]


class Maker:
    """Make records at the providers as a person would."""

    def __init__(self, stage: Stage, files: str) -> None:
        self.stage, self.files = stage, files
        self.accounts: dict[str, str] = {}
        self.common_board = self.board("Matrix")
        self.customer = self.make("contact", name="Matrix Customer", email="matrix@customer.example")

    def make(self, what: str, **details: Any) -> str:
        """Make a record; returns its id."""
        return str(self.stage.control("POST", "make", what=what, **details)["id"])

    def invoice(self, label: str, status: str = "DRAFT") -> str:
        return self.make("invoice", contact=self.customer, reference=label, status=status)

    def board(self, name: str) -> str:
        return str(self.stage.control("POST", "boards", name=name)["id"])

    def account(self, code: str) -> str:
        """The id of the account with this code."""
        if not self.accounts:
            from bench.witness import record_list

            self.accounts = {each["Code"]: each["AccountID"] for each in record_list(self.stage, "Accounts")}
        return self.accounts[code]


class Books:
    """The providers' records, read once when everything has ended."""

    def __init__(self, stage: Stage) -> None:
        from bench.witness import projects, record_list, records

        self.stage = stage
        state = stage.control("GET", "state")
        self.boards = {each["id"]: each for each in state["boards"]}
        self.pins, self.sections = state["pins"], state["sections"]
        self.of: dict[str, list[dict[str, Any]]] = {
            "Contacts": records(stage, "Contacts", includeArchived="true"),
            **{plural: records(stage, plural) for plural in ("Invoices", "CreditNotes", "PurchaseOrders", "Quotes")},
            **{plural: record_list(stage, plural) for plural in ("Items", "BankTransfers", "Payments")},
            "Projects": projects(stage),
        }

    def by_id(self, plural: str, name: str, key: str) -> dict[str, Any]:
        return next((each for each in self.of[plural] if each[name] == key), {})

    def below(self, path: str, plural: str) -> list[dict[str, Any]]:
        """Records below another one, such as its history."""
        from bench.witness import record_list

        return record_list(self.stage, path, plural)


def documents(plural: str) -> Callable[[Books, Setting], int]:
    """How many documents have the label on a line."""

    def count(books: Books, trial: Setting) -> int:
        found = [each for each in books.of[plural] if _is_on_a_line(each, trial.label)]
        return sum(1 for each in found if each["Status"] != "DELETED")

    return count


def _is_on_a_line(document: Mapping[str, Any], label: str) -> bool:
    return any(label in str(line.get("Description")) for line in document.get("LineItems") or [])


def contacts(books: Books, trial: Setting) -> int:
    return sum(1 for each in books.of["Contacts"] if each["EmailAddress"] == _email(trial.label))


def has(plural: str, id_name: str, **wanted: Any) -> Callable[[Books, Setting], int]:
    """1 if the record of the trial has these values."""

    def count(books: Books, trial: Setting) -> int:
        record = books.by_id(plural, id_name, trial.ids[0])
        return int(bool(record) and all(record.get(name) in values for name, values in wanted.items()))

    return count


def _email(label: str) -> str:
    return f"{label.lower()}@matrix.example"


def _of_contact(maker: Maker, label: str) -> Setting:
    return Setting(label, {"name": label, "email": _email(label)})


def _document(line: Mapping[str, str], **more: str) -> Callable[[Maker, str], Setting]:
    """A document with the label on its one line; what `more` gives may contain the label too."""

    def settle(maker: Maker, label: str) -> Setting:
        given = {name: value.format(label=label) for name, value in more.items()}
        lines = [{**line, "description": label}]
        return Setting(label, {"contact_id": maker.customer, "lines": lines, **given})

    return settle


def _on_an_invoice(status: str = "DRAFT", **given: Any) -> Callable[[Maker, str], Setting]:
    def settle(maker: Maker, label: str) -> Setting:
        key = maker.invoice(label, status)
        inputs = {name: value.format(label=label) if isinstance(value, str) else value for name, value in given.items()}
        return Setting(label, {"invoice_id": key, **inputs}, (key,))

    return settle


def _lines(maker: Maker, label: str) -> Setting:
    key = maker.invoice(label)
    return Setting(label, {"invoice_id": key, "lines": [{**_LINE, "description": f"{label} more"}]}, (key,))


def _count_lines(books: Books, trial: Setting) -> int:
    lines = books.by_id("Invoices", "InvoiceID", trial.ids[0])["LineItems"]
    return sum(1 for line in lines if line["Description"] == f"{trial.label} more")


def _attachment(maker: Maker, label: str) -> Setting:
    key = maker.invoice(label)
    given = {"attach_to": "Invoices", "record_id": key, "url": f"{maker.files}/files/note.pdf", "file_name": label}
    return Setting(label, given, (key,))


def _payment(maker: Maker, label: str) -> Setting:
    key = maker.invoice(label, "AUTHORISED")
    inputs = {"invoice_id": key, "account_id": maker.account(BANK), "amount": "12.34", "paid_on": DAY}
    return Setting(label, inputs, (key,))


def _count_payments(books: Books, trial: Setting) -> int:
    return sum(
        1
        for each in books.of["Payments"]
        if (each.get("Invoice") or {}).get("InvoiceID") == trial.ids[0] and each["Status"] != "DELETED"
    )


def amount_of(label: str) -> Decimal:
    """An amount that no other trial has."""
    return Decimal("100") + Decimal(int(label[3:])) / 100


def _transfer(maker: Maker, label: str) -> Setting:
    accounts = {"from_account_id": maker.account(BANK), "to_account_id": maker.account(OTHER_BANK)}
    return Setting(label, {**accounts, "amount": str(amount_of(label)), "reference": label, "transferred_on": DAY})


def _count_transfers(books: Books, trial: Setting) -> int:
    amount = Decimal(str(trial.inputs["amount"]))
    return sum(1 for each in books.of["BankTransfers"] if Decimal(str(each["Amount"])) == amount)


def _allocation(maker: Maker, label: str) -> Setting:
    invoice = maker.invoice(label, "AUTHORISED")
    note = maker.make("credit_note", contact=maker.customer, reference=label, status="AUTHORISED")
    given = {"credit_note_id": note, "invoice_id": invoice, "amount": "10.50", "allocated_on": DAY}
    return Setting(label, given, (note, invoice))


def _count_allocations(books: Books, trial: Setting) -> int:
    return len(books.by_id("CreditNotes", "CreditNoteID", trial.ids[0]).get("Allocations") or [])


def _quote_status(maker: Maker, label: str) -> Setting:
    key = maker.make("quote", contact=maker.customer, reference=label)
    return Setting(label, {"quote_id": key, "status": "SENT"}, (key,))


def _archived(maker: Maker, label: str) -> Setting:
    key = maker.make("contact", name=label)
    return Setting(label, {"contact_id": key}, (key,))


def _changed_board(maker: Maker, label: str) -> Setting:
    key = maker.board(label)
    return Setting(label, {"board_id": key, "description": f"{label} changed"}, (key,))


def _deleted_board(maker: Maker, label: str) -> Setting:
    key = maker.board(label)
    return Setting(label, {"board_id": key, "confirmation": label}, (key,))


def _pin(maker: Maker, label: str) -> Setting:
    link = f"https://shop.example/{label}"
    given = {"image_url": "https://images.example/oak.jpg", "title": label, "link": link}
    return Setting(label, {"board_id": maker.common_board, **given})


def _deleted_pin(maker: Maker, label: str) -> Setting:
    key = maker.make("pin", board=maker.board(label), title=label)
    return Setting(label, {"pin": key}, (key,))


def _section(maker: Maker, label: str) -> Setting:
    return Setting(label, {"board_id": maker.board(f"Board of {label}"), "name": label})


def _named(where: str, name: str) -> Callable[[Books, Setting], int]:
    return lambda books, trial: sum(1 for each in getattr(books, where) if each[name] == trial.label)


WRITES: dict[str, Write] = {
    "pinterest.create_board": Write(
        lambda maker, label: Setting(label, {"name": label, "privacy": "PUBLIC"}),
        lambda books, trial: sum(1 for each in books.boards.values() if each["name"] == trial.label),
    ),
    "pinterest.update_board": Write(
        _changed_board,
        lambda books, trial: int(books.boards[trial.ids[0]]["description"] == trial.inputs["description"]),
    ),
    "pinterest.delete_board": Write(_deleted_board, lambda books, trial: int(trial.ids[0] not in books.boards)),
    "pinterest.create_section": Write(_section, _named("sections", "name")),
    "pinterest.create_pin": Write(_pin, _named("pins", "title")),
    "pinterest.delete_pin": Write(
        _deleted_pin, lambda books, trial: int(all(each["id"] != trial.ids[0] for each in books.pins))
    ),
    "xero.create_contact": Write(_of_contact, contacts),
    "xero.find_or_create_contact": Write(_of_contact, contacts),
    "xero.create_or_update_contact": Write(_of_contact, contacts),
    "xero.archive_contact": Write(_archived, has("Contacts", "ContactID", ContactStatus=("ARCHIVED",))),
    "xero.create_invoice": Write(_document(_LINE, reference="{label}", due_date=LATER), documents("Invoices")),
    "xero.find_or_create_invoice": Write(_document(_LINE, invoice_number="{label}"), documents("Invoices")),
    "xero.create_bill": Write(_document(_COST, bill_number="{label}", due_date=LATER), documents("Invoices")),
    "xero.create_credit_note": Write(_document(_LINE), documents("CreditNotes")),
    "xero.create_quote": Write(_document(_LINE, title="{label}", quote_date=DAY), documents("Quotes")),
    "xero.create_purchase_order": Write(_document(_COST, order_number="{label}"), documents("PurchaseOrders")),
    "xero.find_or_create_purchase_order": Write(_document(_COST, order_number="{label}"), documents("PurchaseOrders")),
    "xero.update_invoice": Write(
        _on_an_invoice(due_date=_DUE), has("Invoices", "InvoiceID", DueDateString=(f"{_DUE}T00:00:00",))
    ),
    "xero.add_lines_to_invoice": Write(_lines, _count_lines),
    "xero.email_invoice": Write(
        _on_an_invoice("AUTHORISED", if_sent="again"),
        lambda books, trial: sum(
            1
            for each in books.below(f"Invoices/{trial.ids[0]}/History", "HistoryRecords")
            if each["Changes"] == "Invoice sent"
        ),
    ),
    "xero.void_or_delete_invoice": Write(_on_an_invoice(), has("Invoices", "InvoiceID", Status=("DELETED", "VOIDED"))),
    "xero.add_note_to_invoice": Write(
        _on_an_invoice(note="Note {label}"),
        lambda books, trial: sum(
            1
            for each in books.below(f"Invoices/{trial.ids[0]}/History", "HistoryRecords")
            if f"Note {trial.label}" in each["Details"]
        ),
    ),
    "xero.attach_file": Write(
        _attachment,
        lambda books, trial: len(books.below(f"Invoices/{trial.ids[0]}/Attachments", "Attachments")),
    ),
    "xero.update_quote_status": Write(_quote_status, has("Quotes", "QuoteID", Status=("SENT",))),
    "xero.create_payment": Write(_payment, _count_payments),
    "xero.create_bank_transfer": Write(_transfer, _count_transfers),
    "xero.allocate_credit_note": Write(_allocation, _count_allocations),
    "xero.create_project": Write(
        lambda maker, label: Setting(label, {"contact_id": maker.customer, "name": label}),
        lambda books, trial: sum(1 for each in books.of["Projects"] if each["name"] == trial.label),
    ),
    "xero.add_stock_item": Write(
        lambda maker, label: Setting(label, {"code": label, "name": label, "sales_price": "45"}),
        lambda books, trial: sum(1 for each in books.of["Items"] if each["Code"] == trial.label),
    ),
    "xero.receive_stock": Write(
        lambda maker, label: Setting(
            label,
            {
                "item_code": "STOOL-OAK",
                "quantity": "1",
                "unit_cost": "32.5",
                "contact_id": maker.customer,
                "bill_number": label,
                "received_on": DAY,
                "due_date": LATER,
            },
        ),
        lambda books, trial: sum(1 for each in books.of["Invoices"] if each["InvoiceNumber"] == trial.label),
    ),
}
