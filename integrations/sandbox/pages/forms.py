"""The forms of the sandbox's page: what a person can make, and which values it needs."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Field:
    name: str
    label: str
    kind: str = "text"  # an input's type, or: board, organisation, choice
    choices: tuple[str, ...] = ()
    hint: str = ""
    is_needed: bool = False


@dataclass(frozen=True, kw_only=True)
class Form:
    what: str
    title: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, kw_only=True)
class Group:
    title: str
    note: str
    forms: tuple[Form, ...]


_ORGANISATION = Field(name="organisation", label="Organisation", kind="organisation")
_CONTACT = Field(name="contact", label="Contact", hint="the first there is")
_LINE = (
    Field(name="description", label="Description", hint="Styling, half a day"),
    Field(name="quantity", label="Quantity", kind="number", hint="1"),
    Field(name="amount", label="Unit price", kind="number", hint="120.00"),
)
_DATE = Field(name="date", label="Date", kind="date")
_REFERENCE = Field(name="reference", label="Reference")


def _status(*choices: str) -> Field:
    return Field(name="status", label="Status", kind="choice", choices=choices)


_DOCUMENT = _status("DRAFT", "SUBMITTED", "AUTHORISED")
_DUE = Field(name="due_date", label="Due date", kind="date")

GROUPS = (
    Group(
        title="Sales and purchases",
        note="As if somebody had made it in Xero: Pinxero did not.",
        forms=(
            Form(
                what="invoice",
                title="Invoice",
                fields=(_ORGANISATION, _CONTACT, *_LINE, _DATE, _DUE, _REFERENCE, _DOCUMENT),
            ),
            Form(
                what="bill",
                title="Bill",
                fields=(
                    _ORGANISATION,
                    _CONTACT,
                    *_LINE,
                    _DATE,
                    _DUE,
                    Field(name="number", label="Bill number"),
                    _DOCUMENT,
                ),
            ),
            Form(
                what="quote",
                title="Quote",
                fields=(_ORGANISATION, _CONTACT, *_LINE, _DATE, _REFERENCE, _status("DRAFT", "SENT")),
            ),
            Form(
                what="credit_note",
                title="Credit note",
                fields=(
                    _ORGANISATION,
                    _CONTACT,
                    *_LINE,
                    _DATE,
                    Field(name="type", label="Kind", kind="choice", choices=("ACCRECCREDIT", "ACCPAYCREDIT")),
                    _DOCUMENT,
                ),
            ),
            Form(
                what="purchase_order",
                title="Purchase order",
                fields=(_ORGANISATION, _CONTACT, *_LINE, _DATE, _REFERENCE, _DOCUMENT),
            ),
        ),
    ),
    Group(
        title="Money and people",
        note="A payment needs an invoice that is AUTHORISED.",
        forms=(
            Form(
                what="contact",
                title="Contact",
                fields=(
                    _ORGANISATION,
                    Field(name="name", label="Name", is_needed=True),
                    Field(name="email", label="E-mail", kind="email"),
                ),
            ),
            Form(
                what="payment",
                title="Payment",
                fields=(
                    _ORGANISATION,
                    Field(name="invoice", label="Invoice number", hint="the first that is open"),
                    Field(name="amount", label="Amount", kind="number", hint="all that is due"),
                    _DATE,
                ),
            ),
            Form(
                what="bank_transaction",
                title="Bank transaction",
                fields=(
                    _ORGANISATION,
                    Field(name="type", label="Kind", kind="choice", choices=("RECEIVE", "SPEND")),
                    _CONTACT,
                    *_LINE,
                    _DATE,
                ),
            ),
            Form(
                what="project",
                title="Project",
                fields=(
                    _ORGANISATION,
                    _CONTACT,
                    Field(name="name", label="Name", is_needed=True),
                    Field(name="estimate", label="Estimate", kind="number"),
                ),
            ),
            Form(
                what="section",
                title="Section of a board",
                fields=(
                    Field(name="of_board", label="Board", kind="board"),
                    Field(name="name", label="Name", is_needed=True),
                ),
            ),
        ),
    ),
)
FORMS = {form.what: form for group in GROUPS for form in group.forms}
