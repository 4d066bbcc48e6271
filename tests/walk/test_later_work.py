"""What a person changed between a write without a clear answer and its look-up stays as the person left it."""

from __future__ import annotations

import json
from dataclasses import replace
from decimal import Decimal
from html import escape
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.transport.http import Request
from tests.integrations.examples import example
from tests.walk.second_actor import (
    FAST,
    LOST,
    NEVER,
    SLOW,
    after_the_window,
    begin,
    either,
    finish,
    lose,
    pair,
    pass_time,
    within_the_window,
)
from tests.walk.stage import Stage, step_of
from workflows.models import Run
from workflows.runs import decisions

# --- where people edit what holds the marker ------------------------------------------------------------------------

REFERENCED = [
    ("xero.create_quote", "quote", "quotes", {}),
    ("xero.create_purchase_order", "purchase_order", "purchase_orders", {"order_number": None}),
    ("xero.create_credit_note", "credit_note", "credit_notes", {}),
]
referenced = pytest.mark.parametrize(("key", "what", "plural", "changes"), REFERENCED)


@referenced
def test_a_document_whose_reference_a_person_has_changed_is_not_written_twice(
    stage: Stage, key: str, what: str, plural: str, changes: dict[str, Any]
) -> None:
    action, _, run = begin(stage, key, **changes)
    lose(stage, action, run, LOST)
    (made,) = stage.sandbox.documents(plural)
    stage.sandbox.change(what, made["id"], Reference="For the kitchen")
    after_the_window(stage, run)
    assert run.status == "needs_review", run.error
    assert len(stage.sandbox.documents(plural)) == 1
    assert "Changed there since then, and perhaps this without its code: " in run.error
    assert step_of(run).outcome["found"] == [made["id"]]
    assert escape(action.noun) in stage.page(run)  # type: ignore[attr-defined]


@referenced
def test_a_document_that_never_arrived_is_sent_again_where_nothing_else_could_be_it(
    stage: Stage, settings: Any, key: str, what: str, plural: str, changes: dict[str, Any]
) -> None:
    action = registry.action(key)
    inputs = replace(example(action, stage.api(action), stage.sandbox), **changes)
    first, second, _ = pair(stage, settings, action, inputs)
    lose(stage, action, first, NEVER)
    stage.advance(second)
    assert second.status == "succeeded"
    pass_time(first, 400)
    finish(stage, settings, first)
    assert (first.status, first.error) == ("succeeded", "")
    made = {each["id"] for each in stage.sandbox.documents(plural)}
    assert made == {step_of(each).provider_id for each in (first, second)}


# --- a person's later work stays ------------------------------------------------------------------------------------


def read(stage: Stage, path: str, plural: str) -> dict[str, Any]:
    xero = stage.api(registry.action("xero.create_invoice"))
    return dict(json.loads(xero.read(path).body, parse_float=Decimal)[plural][0])


def accept_the_quote(stage: Stage, inputs: Any) -> Any:
    stage.sandbox.change("quote", inputs.quote_id, Status="SENT")
    stage.sandbox.change("quote", inputs.quote_id, Status="ACCEPTED")
    return lambda: read(stage, f"/Quotes/{inputs.quote_id}", "Quotes")["Status"] == "ACCEPTED"


def restore_the_contact(stage: Stage, inputs: Any) -> Any:
    stage.sandbox.change("contact", inputs.contact_id, ContactStatus="ARCHIVED")
    stage.sandbox.change("contact", inputs.contact_id, ContactStatus="ACTIVE")
    return lambda: read(stage, f"/Contacts/{inputs.contact_id}", "Contacts")["ContactStatus"] == "ACTIVE"


def move_the_due_date(stage: Stage, inputs: Any) -> Any:
    stage.sandbox.change("invoice", inputs.invoice_id, DueDate="2027-03-31")
    return lambda: read(stage, f"/Invoices/{inputs.invoice_id}", "Invoices")["DueDateString"][:10] == "2027-03-31"


def change_the_email(stage: Stage, inputs: Any) -> Any:
    contact = stage.sandbox.contact_id("Pinworks Studio")
    stage.sandbox.change("contact", contact, EmailAddress="ada@pinworks.example")
    return lambda: read(stage, f"/Contacts/{contact}", "Contacts")["EmailAddress"] == "ada@pinworks.example"


def describe_the_board(stage: Stage, inputs: Any) -> Any:
    pinterest = stage.api(registry.action("pinterest.update_board"))
    path = f"/boards/{inputs.board_id}"
    pinterest.write(Request.of_json("PATCH", path, {"description": "By hand"}))
    return lambda: json.loads(pinterest.read(path).body)["description"] == "By hand"


def reprice_the_item(stage: Stage, inputs: Any) -> Any:
    xero = stage.api(registry.action("xero.add_stock_item"))
    item = read(stage, f"/Items/{inputs.code}", "Items")
    change = {"Code": inputs.code, "SalesDetails": {"UnitPrice": 52, "AccountCode": "200"}}
    xero.write(Request.of_json("POST", f"/Items/{item['ItemID']}", {"Items": [change]}))
    return lambda: read(stage, f"/Items/{inputs.code}", "Items")["SalesDetails"]["UnitPrice"] == 52


CHANGED_LATER = {
    "xero.update_quote_status": accept_the_quote,
    "xero.archive_contact": restore_the_contact,
    "xero.update_invoice": move_the_due_date,
    "xero.create_or_update_contact": change_the_email,
    "pinterest.update_board": describe_the_board,
    "xero.add_stock_item": reprice_the_item,
}


def to_change(stage: Stage, key: str) -> tuple[Action, Any, Run]:
    """A run of the action that changes something that is there."""
    if key == "xero.create_or_update_contact":
        stage.sandbox.make("contact", name="Pinworks Studio", EmailAddress="old@pinworks.example")
        overwrites = next(f for f in registry.action(key).Inputs.fields() if f.name == "when_found")
        return begin(stage, key, when_found=type(overwrites.default).OVERWRITE)
    if key == "xero.add_stock_item":
        xero = stage.api(registry.action(key))
        item = {"Code": "PRINT-A3", "SalesDetails": {"UnitPrice": 40, "AccountCode": "200"}}
        xero.write(Request.of_json("PUT", "/Items", {"Items": [item]}))
    return begin(stage, key)


@either
@pytest.mark.parametrize("later", [within_the_window, after_the_window])
@pytest.mark.parametrize("key", CHANGED_LATER)
def test_what_a_person_did_after_the_send_is_not_written_over(
    stage: Stage, settings: Any, key: str, later: Any, fault: str
) -> None:
    action, inputs, run = to_change(stage, key)
    if later is within_the_window:
        settings.TIME_SCALE = SLOW
    lose(stage, action, run, fault)
    is_theirs = CHANGED_LATER[key](stage, inputs)
    assert is_theirs()
    mark = stage.mark()
    later(stage, run)
    if run.status == "waiting":
        # Where no key is kept, the look-ups come first.
        finish(stage, settings, run)
    assert run.status == "needs_review", (run.status, run.error)
    assert "since then the record has changed" in run.error
    assert is_theirs()
    assert stage.written(mark) == []
    decisions.send_again(run, by=stage.cast.builder, reason="It is meant so.")
    settings.TIME_SCALE = FAST
    stage.settle(run)
    assert not is_theirs() or run.status == "failed"


@either
@pytest.mark.parametrize("key", CHANGED_LATER)
def test_a_change_that_nobody_disturbs_is_written_once(stage: Stage, settings: Any, key: str, fault: str) -> None:
    action, _, run = to_change(stage, key)
    mark = stage.mark()
    settings.TIME_SCALE = SLOW
    lose(stage, action, run, fault)
    within_the_window(stage, run)
    finish(stage, settings, run)
    assert (run.status, run.error) == ("succeeded", "")
    assert len(stage.written(mark)) == 1
