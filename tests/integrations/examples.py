"""How each operation is run against the sandbox, for the tests that go over the whole registry."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from integrations.connectors.xero.fields.choices import DocumentStatus
from integrations.framework import registry
from integrations.framework.base import Action, Writing
from integrations.sandbox.data.organisations import ORGANISATIONS
from tests.provider import DEMO, Sandbox

MARKER = "PX-00112233aabbccdd"
BACK_LINK = f"http://127.0.0.1:8000/runs/marker/{MARKER}/"

CONTACT = {
    "name": "Pinworks Studio",
    "email": "studio@pinworks.example",
    "first_name": "Ada",
    "last_name": "Lovell",
    "account_number": "PW-1",
    "tax_number": "101-2-303",
    "default_currency": "NZD",
    "phone_number": "5550100",
    "phone_area_code": "04",
    "phone_country_code": "64",
    "address_line1": "12 Harbour Street",
    "city": "Wellington",
    "region": "Wellington",
    "postal_code": "6011",
    "country": "New Zealand",
}

#: How each action is run against the sandbox. A new action adds a line; without one its test fails and says so.
EXAMPLES: dict[str, dict[str, Any]] = {
    "pinterest.create_board": {"name": "Prints of spring", "description": "What we make", "privacy": "PUBLIC"},
    "pinterest.list_pins": {},
    "pinterest.delete_board": {"confirmation": "Office styling"},
    "pinterest.list_sections": {},
    "pinterest.list_boards": {},
    "pinterest.create_pin": {
        "image_url": "https://images.pinworks.example/oak.jpg",
        "title": "Oak table",
        "description": "From 120",
        "link": "https://shop.pinworks.example/oak-table?size=2#top",
        "alt_text": "A round oak table",
    },
    "pinterest.create_section": {"name": "Desks"},
    "pinterest.update_board": {"description": "Desks, chairs and lamps"},
    "pinterest.get_pin": {},
    "pinterest.delete_pin": {},
    "xero.find_contact": {"search_by": "name", "value": "Pinworks Studio", "if_several": "all"},
    "xero.create_or_update_contact": {"match_by": "name", **CONTACT},
    "xero.create_contact": CONTACT,
    "xero.find_invoice": {"value": "PIN-17", "if_several": "all"},
    "xero.add_note_to_invoice": {"note": "Sample approved by Jane."},
    "xero.create_invoice": {
        "invoice_number": "PIN-17",
        "invoice_date": "2026-11-22",
        "due_date": "2026-12-22",
        "lines": [{"description": "Oak table", "quantity": "2", "unit_amount": "250", "account_code": "200"}],
    },
    "xero.create_payment": {"amount": "12.34", "paid_on": "2026-11-22"},
    "xero.create_bank_transfer": {
        "amount": "50",
        "transferred_on": "2026-11-22",
        "from_tracking_1": "Region: North",
        "to_tracking_1": "Region: South",
    },
    "xero.allocate_credit_note": {"amount": "10.50", "allocated_on": "2026-11-22"},
    "xero.create_project": {"name": "Kitchen", "deadline": "2026-12-10T12:59:59Z", "estimate_amount": "9800"},
    "xero.add_stock_item": {
        "code": "PRINT-A3",
        "name": "Art print A3",
        "description": "Art print A3, matt.",
        "purchase_description": "A3 prints, hundred.",
        "sales_price": "45",
        "sales_account": "200",
        "sales_tax_type": "OUTPUT2",
        "purchase_price": "12.5",
        "purchase_account": "310",
        "purchase_tax_type": "INPUT2",
    },
    "xero.receive_stock": {
        "item_code": "STOOL-OAK",
        "quantity": "10",
        "unit_cost": "32.5",
        "bill_number": "TT-20932",
        "received_on": "2026-11-22",
        "due_date": "2026-12-22",
    },
    "xero.attach_file": {"file_name": "Delivery note"},
    "xero.update_invoice": {"due_date": "2027-01-15"},
    "xero.add_lines_to_invoice": {"lines": [{"description": "Delivery", "unit_amount": "25", "account_code": "200"}]},
    "xero.email_invoice": {"if_sent": "again"},
    "xero.update_quote_status": {"status": "SENT"},
    "xero.void_or_delete_invoice": {},
    "xero.archive_contact": {},
    "xero.get_balance_sheet": {},
    "xero.get_profit_and_loss": {"from_date": "2026-04-01", "to_date": "2026-11-30"},
    "xero.list_accounts": {},
    "xero.list_tax_rates": {},
    "xero.list_tracking_categories": {},
    "xero.create_bill": {
        "bill_number": "TT-20931",
        "bill_date": "2026-11-22",
        "due_date": "2026-12-22",
        "lines": [{"description": "Oak boards", "quantity": "10", "unit_amount": "38.5", "account_code": "310"}],
    },
    "xero.create_credit_note": {
        "note_date": "2026-11-22",
        "lines": [{"description": "Scratched table", "unit_amount": "50", "account_code": "200"}],
    },
    "xero.create_quote": {
        "quote_date": "2026-11-22",
        "expiry_date": "2026-12-22",
        "title": "Kitchen shelves",
        "summary": "Made to measure.",
        "terms": "Valid for 30 days.",
        "lines": [{"description": "Shelf", "quantity": "2", "unit_amount": "250", "account_code": "200"}],
    },
    "xero.find_purchase_order": {"value": "PO-SHOP-17", "if_several": "all"},
    "xero.create_purchase_order": {
        "order_number": "PO-SHOP-17",
        "order_date": "2026-11-22",
        "delivery_date": "2026-12-01",
        "delivery_address": "12 Harbour Street, Wellington",
        "attention_to": "Jane Doe",
        "telephone": "04 5550100",
        "delivery_instructions": "Ring at the yard.",
        "lines": [{"description": "Oak boards", "quantity": "10", "unit_amount": "38.5", "account_code": "310"}],
    },
}

for _kind in ("contact", "invoice", "purchase_order"):
    EXAMPLES[f"xero.find_or_create_{_kind}"] = EXAMPLES[f"xero.create_{_kind}"]

#: The record itself tells whether these were done, by its state or its own key; there is no marker.
NEED_NO_MARKER = {
    "pinterest.create_board",
    "pinterest.delete_board",
    "pinterest.create_section",
    "pinterest.update_board",
    "pinterest.delete_pin",
    "xero.update_invoice",
    "xero.email_invoice",
    "xero.update_quote_status",
    "xero.void_or_delete_invoice",
    "xero.archive_contact",
    "xero.add_stock_item",
    "xero.allocate_credit_note",
    "xero.create_project",
}

#: Sent once and never again under the same key: Pinterest takes none, and of the other see the action.
USE_NO_KEY = {
    "pinterest.create_board",
    "pinterest.delete_board",
    "pinterest.create_pin",
    "pinterest.create_section",
    "pinterest.update_board",
    "pinterest.delete_pin",
    "xero.add_lines_to_invoice",
}

BANK = {account["Code"]: account["AccountID"] for account in ORGANISATIONS[DEMO].accounts()}

#: What must be written first so that an action that reads has something to read.
READ_AFTER = {
    "xero.find_contact": "xero.create_or_update_contact",
    "xero.find_invoice": "xero.create_invoice",
    "xero.find_purchase_order": "xero.create_purchase_order",
}


def example(action: Action, api: Any, sandbox: Sandbox) -> Any:
    """Cleaned inputs for the sandbox's demo organisation. Of the invoices the approved sale stands for any."""
    assert action.full_key in EXAMPLES, (
        f"Add an example of {action.full_key} to EXAMPLES in tests/integrations/examples.py."
    )
    values = dict(EXAMPLES[action.full_key])
    if action.connector.key == "pinterest":
        return action.Inputs.clean({**values, **_at_pinterest(action, sandbox)})
    names = {declared.name for declared in action.Inputs.fields() if declared.is_required}
    if "contact_id" in names or action.full_key == "xero.receive_stock":
        values["contact_id"] = sandbox.contacts()[0]["id"]
    if any(declared.name == "invoice_id" and declared.is_required for declared in action.Inputs.fields()):
        values["invoice_id"] = sandbox.invoices(ours=False)[0]["id"]
    for declared in action.Inputs.fields():
        if declared.name.endswith("account_id"):
            values[declared.name] = BANK["090" if declared.name != "to_account_id" else "091"]
        if declared.name == "quote_id":
            values[declared.name] = written_by("xero.create_quote", api, sandbox)
        if declared.name == "credit_note_id":
            approved = {
                "status": DocumentStatus.AUTHORISED,
                "contact_id": sandbox.invoices(ours=False)[0]["contact_id"],
            }
            values[declared.name] = written_by("xero.create_credit_note", api, sandbox, **approved)
        if action.full_key == "xero.archive_contact":
            values["contact_id"] = written_by("xero.create_contact", api, sandbox)
        if action.full_key == "xero.void_or_delete_invoice":
            values["invoice_id"] = written_by("xero.create_invoice", api, sandbox)
    if action.full_key == "xero.attach_file":
        values |= {"record_id": sandbox.invoices(ours=False)[0]["id"], "url": f"{sandbox.url}/files/note.pdf"}
    if action.full_key == "xero.add_lines_to_invoice":
        values["invoice_id"] = written_by("xero.create_invoice", api, sandbox)
    return action.Inputs.clean(values)


def _at_pinterest(action: Action, sandbox: Sandbox) -> dict[str, Any]:
    """The board "Office styling", which gets a section, and one of its pins, for inputs that name such."""
    declared = {each.name for each in action.Inputs.fields()}
    if action.full_key == "pinterest.list_sections":
        sandbox.make("section", board="Office styling", name="Chairs")
    board = next(each["id"] for each in sandbox.state()["boards"] if each["name"] == "Office styling")
    pin = next(each["id"] for each in sandbox.state()["pins"] if each["board"] == "Office styling")
    return {name: value for name, value in {"board_id": board, "pin": pin}.items() if name in declared}


def written_by(key: str, api: Any, sandbox: Sandbox, **values: Any) -> str:
    """The id of what an action writes with its example."""
    making = registry.action(key)
    inputs = replace(example(making, api, sandbox), **values)
    response = api.write(request_of(making, api, inputs, marker="PX-written-first"))
    return making.identify(making.output(response))


def request_of(action: Action, api: Any, inputs: Any, marker: str = MARKER) -> Any:
    writing = Writing(
        marker=marker,
        back_link=BACK_LINK.replace(MARKER, marker),
        organisation=api.connection.details,
        found=action.prepare(api, inputs),
    )
    return action.request(inputs, writing)


def finished(action: Action, api: Any, inputs: Any, response: Any, found: Any) -> dict[str, Any]:
    """The output as the engine gives it to later steps."""
    output = action.read_back(api, inputs, action.output(response))
    return {**output, **action.remember(found)}
