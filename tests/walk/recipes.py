"""What the walk must know of an operation beside its declaration: how to cause it, and how to have it refused.

A new action takes an example in tests/integrations/examples.py, and one that writes also a line in REFUSED here; a new
trigger takes a line in NOTICED.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.framework.base import Action, Effect, Operation, Trigger
from tests.provider import Sandbox

#: An id that nothing in the sandbox has.
NOBODY = "00000000-0000-4000-8000-000000000000"
NO_CONTACT = "A Contact must be specified for this type of transaction"
NO_CURRENCY = "Organisation is not subscribed to currency EUR"
NO_RESOURCE = "The resource you're looking for cannot be found"
ADDRESS = {"AddressType": "POBOX", "AddressLine1": "12 Harbour Street", "City": "Wellington"}
#: What these write has no id of its own at the provider.
WITHOUT_ID = {"xero.add_note_to_invoice"}
#: What the sandbox says under the fault "400", in each API's own shape.
REFUSED_FOR_NO_REASON = "This cannot be answered while the books are being moved."


@dataclass(frozen=True)
class Noticed:
    """How a trigger's item comes to be: `cause` makes it and gives its id, `before` makes what must be there first."""

    cause: Callable[[Sandbox, str], str]
    before: Callable[[Sandbox], str] = lambda sandbox: ""
    inputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """Inputs, over those of the example, that the provider refuses, and words of its refusal."""

    words: str
    inputs: Mapping[str, Any]


def made(what: str, **details: Any) -> Callable[[Sandbox, str], str]:
    """A person makes one of these in the provider."""
    return lambda sandbox, before: str(sandbox.make(what, **details)["id"])


def made_before(what: str, **details: Any) -> Callable[[Sandbox], str]:
    return lambda sandbox: str(sandbox.make(what, **details)["id"])


def changed(what: str, **fields: Any) -> Callable[[Sandbox, str], str]:
    """A person changes what was there before."""
    return lambda sandbox, before: str(sandbox.change(what, before, **fields)["id"])


def paid(sandbox: Sandbox, before: str) -> str:
    """A person pays the invoice in full; what counts is the invoice, not the payment."""
    sandbox.make("payment", invoice=before)
    return before


def overdue(sandbox: Sandbox, before: str) -> str:
    """A person enters an invoice that was due three days ago."""
    due = datetime.now(UTC).date() - timedelta(days=3)
    return str(sandbox.make("invoice", status="AUTHORISED", date=due.isoformat(), due_date=due.isoformat())["id"])


NOTICED: dict[str, Noticed] = {
    "pinterest.new_pin": Noticed(lambda sandbox, before: str(sandbox.add_pins("Office styling")[0]["id"])),
    "pinterest.new_board": Noticed(lambda sandbox, before: str(sandbox.add_board("Prints of spring")["id"])),
    "xero.new_contact": Noticed(made("contact", name="Pinworks Studio", Addresses=[ADDRESS])),
    "xero.new_quote": Noticed(made("quote")),
    "xero.new_credit_note": Noticed(made("credit_note")),
    "xero.new_purchase_order": Noticed(made("purchase_order")),
    "xero.new_invoice": Noticed(made("invoice")),
    "xero.new_bill": Noticed(made("bill")),
    "xero.new_or_updated_contact": Noticed(made("contact", name="Pinworks Studio", Addresses=[ADDRESS])),
    "xero.invoice_updated": Noticed(changed("invoice", Reference="Second floor"), made_before("invoice")),
    "xero.invoice_paid": Noticed(paid, made_before("invoice", status="AUTHORISED")),
    "xero.overdue_invoice": Noticed(overdue),
    "xero.quote_accepted": Noticed(changed("quote", Status="ACCEPTED"), made_before("quote", status="SENT")),
    "xero.quote_status_changed": Noticed(changed("quote", Status="SENT"), made_before("quote")),
    "xero.new_payment": Noticed(made("payment")),
    "xero.new_bank_transaction": Noticed(made("bank_transaction")),
    "xero.new_project": Noticed(made("project", estimate="9800", name="New kitchen")),
}

REFUSED: dict[str, Refused] = {
    "pinterest.create_board": Refused(REFUSED_FOR_NO_REASON, {}),
    "pinterest.delete_board": Refused("Board not found.", {"board_id": "1"}),
    "pinterest.create_pin": Refused("Board not found.", {"board_id": "1"}),
    "pinterest.create_section": Refused("Board not found.", {"board_id": "1"}),
    "pinterest.update_board": Refused("The board name is invalid or duplicated.", {"name": "Summer recipes"}),
    "pinterest.delete_pin": Refused("Pin not found.", {"pin": "1"}),
    "xero.find_or_create_contact": Refused(NO_CURRENCY, {"default_currency": "EUR"}),
    "xero.find_or_create_invoice": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.find_or_create_purchase_order": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.create_or_update_contact": Refused(NO_CURRENCY, {"default_currency": "EUR"}),
    "xero.create_contact": Refused("The contact name Boom FM is already assigned", {"name": "Boom FM"}),
    "xero.update_invoice": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.add_lines_to_invoice": Refused(
        "Account code '9999' is not a valid code",
        {"lines": [{"description": "Delivery", "unit_amount": "25", "account_code": "9999"}]},
    ),
    "xero.email_invoice": Refused(NO_RESOURCE, {"invoice_id": NOBODY}),
    "xero.attach_file": Refused(NO_RESOURCE, {"record_id": NOBODY}),
    "xero.add_note_to_invoice": Refused(NO_RESOURCE, {"invoice_id": NOBODY}),
    "xero.create_invoice": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.create_bill": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.create_credit_note": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.create_quote": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.create_purchase_order": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.allocate_credit_note": Refused("Allocation amount exceeds the remaining credit", {"amount": "99999"}),
    "xero.create_payment": Refused("Payment amount exceeds the amount outstanding", {"amount": "99999"}),
    "xero.create_bank_transfer": Refused("FromBankAccount must be a bank account", {"from_account_id": NOBODY}),
    "xero.create_project": Refused("The contactId is required", {"contact_id": NOBODY}),
    "xero.add_stock_item": Refused("Account code '9999' is not a valid code", {"sales_account": "9999"}),
    "xero.receive_stock": Refused(NO_CONTACT, {"contact_id": NOBODY}),
    "xero.update_quote_status": Refused("cannot become", {"status": "INVOICED"}),
    "xero.void_or_delete_invoice": Refused(NO_RESOURCE, {"invoice_id": NOBODY}),
    "xero.archive_contact": Refused("The contact with this ContactID was not found", {"contact_id": NOBODY}),
}


#: Actions that need no connection, and the test file of tests/walk that runs each through a published workflow: what
#: they meet outside is no provider of the sandbox.
ALONE = {
    "web.http_read": "test_alone.py",
    "web.http_send": "test_alone.py",
    "mail.send_email": "test_alone.py",
}


def has_provider(operation: Operation) -> bool:
    """Whether the operation works with a connection, and so with the sandbox."""
    return bool(getattr(operation.connector, "needs_connection", True))


def noticed(trigger: Trigger) -> Noticed:
    """The trigger's recipe; a test without one fails."""
    recipe = NOTICED.get(trigger.full_key)
    if recipe is None:
        pytest.fail(
            f"Say how {trigger.full_key} is caused: add a line to NOTICED in tests/walk/recipes.py that makes in the "
            "sandbox what it notices."
        )
    return recipe


def refused(action: Action) -> Refused:
    """How a write is refused, for reads the fault that refuses everything; a write without a recipe fails."""
    recipe = REFUSED.get(action.full_key)
    if recipe is not None:
        return recipe
    if action.effect is not Effect.READS:
        pytest.fail(
            f"Say how {action.full_key} is refused: add a line to REFUSED in tests/walk/recipes.py with inputs that "
            "the sandbox does not take, and its words."
        )
    return Refused(REFUSED_FOR_NO_REASON, {})
