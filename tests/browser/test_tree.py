"""A person builds a tree by clicking: filter, branch, loop, an invoice for each item; and the runs go through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Locator

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both, publish_and_switch_on
from tests.provider import DEMO

pytestmark = pytest.mark.browser

BOARD = "Summer recipes"
ORDER, NO_ORDER = "Peach tart, Plum tart", "Pear tart"


def test_a_person_builds_a_branch_and_a_loop_and_each_item_is_invoiced(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder, leaving_out="Northwind Ltd")
    begin_workflow(builder, "Orders to invoices", board=BOARD)
    _add_filter(builder)
    _add_branch(builder)
    _add_stop_to_the_last_path(builder)
    _add_loop_to_the_first_path(builder)
    _add_invoice_to_the_loop(builder)
    _read_tree(builder)
    publish_and_switch_on(builder, note="Every tart of an order is invoiced.")
    stage.sandbox.add_pins(BOARD, title=ORDER, description="An order.")
    stage.sandbox.add_pins(BOARD, title=NO_ORDER, description="Only a picture.")
    stage.sandbox.add_pins(BOARD, title="Lemon cake", description="An order.")
    builder.click("Check now")
    builder.open("/runs/")
    for title, status in ((ORDER, "Succeeded"), (NO_ORDER, "Filtered"), ("Lemon cake", "Filtered")):
        _await(builder, title, status)
    told = [_as_xero_tells(stage, known["id"]) for known in stage.sandbox.invoices()]
    lines = [(line["Description"], line["UnitAmount"]) for invoice in told for line in invoice["LineItems"]]
    assert sorted(lines) == [("Peach tart", Decimal("12.50")), ("Plum tart", Decimal("12.50"))]


def test_an_invoice_has_a_row_for_each_item_of_a_list_beside_a_fixed_one(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    begin_workflow(builder, "Chairs on one invoice", board=BOARD)
    begin_invoice_step(builder)
    builder.field("Contact").select_option(label="Boom FM (accounts@boomfm.example)")
    _fill_row(builder, 0, "Delivery", "20")
    builder.click("Add a row per item of a list")
    builder.page.get_by_text("Line 2: one per item of a list").wait_for()
    repeated = builder.page.locator(".px-rows-item").nth(1)
    repeated.locator("summary", has_text="Use a value instead").first.click()
    list_of = repeated.get_by_role("textbox", name="One row for each item of: value from an earlier step")
    list_of.fill('{{ trigger.title | split(", ") }}')
    _fill_row(builder, 1, "{{ item }}", "5")
    builder.click("Save the step")
    assert builder.reads("Create invoice is saved.")
    assert builder.reads("For each item of:")
    publish_and_switch_on(builder, note="All chairs of a pin.")
    before = {each["id"] for each in stage.sandbox.invoices()}
    stage.sandbox.add_pins(BOARD, title="Chair, Stool")
    builder.click("Check now")
    builder.open("/runs/")
    _await(builder, "Chairs on one invoice", "Succeeded")
    [made] = [each["id"] for each in stage.sandbox.invoices() if each["id"] not in before]
    invoice = _as_xero_tells(stage, made)
    assert [(line["Description"], line["UnitAmount"]) for line in invoice["LineItems"]] == [
        ("Delivery", Decimal("20.00")),
        ("Chair", Decimal("5.00")),
        ("Stool", Decimal("5.00")),
    ]
    assert invoice["SubTotal"] == Decimal("30.00")


def _fill_row(person: Person, place: int, description: str, price: str) -> None:
    row = person.page.locator(".px-rows-item").nth(place)
    for label, value in (("Description", description), ("Quantity", "1"), ("Unit price", price)):
        row.get_by_role("textbox", name=label).fill(value)


def _await(person: Person, title: str, status: str) -> None:
    row = person.page.get_by_role("row").filter(has_text=title)
    person.reload_until(lambda: status in row.inner_text() if row.count() else False)


def _as_xero_tells(stage: Stage, invoice_id: str) -> dict[str, Any]:
    token = stage.sandbox.tokens("xero")["access_token"]
    answer = stage.sandbox.session.get(
        f"{stage.sandbox.url}/api.xro/2.0/Invoices/{invoice_id}",
        headers={"Authorization": f"Bearer {token}", "xero-tenant-id": DEMO, "Accept": "application/json"},
        timeout=10,
    )
    [invoice] = json.loads(answer.text, parse_float=Decimal)["Invoices"]
    return dict(invoice)


def _add_filter(person: Person) -> None:
    person.click("Add conditions", role="link")
    person.field("Value").click()
    person.pick_value("Title")
    person.field("Comparison").select_option(label="contains")
    person.field("Compared with").fill("tart")
    person.click("Save the filter")
    assert person.reads("The filter is saved.")
    assert person.reads("Go on only if this is true")


def _add_branch(person: Person) -> None:
    person.click("Add a step", role="link")
    person.page.get_by_label("Find a step").fill("if, else")
    assert person.page.locator(".px-choice:visible").count() == 1
    person.page.get_by_role("link", name="Branch").click()
    person.field("Name").fill("Is it an order?")
    person.click("Add the branch")
    person.page.get_by_role("heading", name="When is the path “Path 1” taken?").wait_for()
    person.field("Name").fill("An order")
    person.field("Take this path if").select_option(label="at least one of these is true")
    _condition(person, 0, "Description", "contains", "order")
    person.page.get_by_role("button", name="Add a group", exact=True).click()
    person.page.get_by_label("Group 2: true if").select_option(label="all of these are true")
    _condition(person, 1, "Title", "contains", "invoice me")
    person.click("Show it in words")
    assert person.reads('take this path if description contains "order" or title contains "invoice me"')
    person.click("Save the path")
    assert person.reads("For everything that no other path takes.")


def _condition(person: Person, place: int, value: str, comparison: str, right: str) -> None:
    row = person.page.locator("[data-px-comparison]").nth(place)
    if row.count() == 0:
        person.page.get_by_role("button", name="Add a condition", exact=True).last.click()
    row.get_by_label("Value", exact=True).click()
    person.pick_value(value)
    row.get_by_label("Comparison").select_option(label=comparison)
    row.get_by_label("Compared with", exact=True).fill(right)


def _path(person: Person, name: str) -> Locator:
    return person.page.get_by_label(f"Path {name}", exact=True)


def _add_stop_to_the_last_path(person: Person) -> None:
    _path(person, "Otherwise").get_by_role("link", name="Add a step to the path Otherwise").click()
    person.page.get_by_role("link", name=re.compile("^Stop")).click()
    person.field("Name").fill("No order")
    person.field("The run counts as").select_option(label="Filtered")
    person.field("Message").fill("Only a picture")
    person.click("Save the step")
    assert person.reads("Ends the run here, as filtered: Only a picture")


def _add_loop_to_the_first_path(person: Person) -> None:
    _path(person, "An order").get_by_role("link", name="Add a step to the path An order").click()
    person.page.get_by_role("link", name=re.compile("^Loop")).click()
    person.field("Name").fill("Each tart")
    person.page.locator("summary", has_text="Use a value instead").first.click()
    list_of = person.page.get_by_role("textbox", name="List: value from an earlier step")
    list_of.fill('{{ trigger.title | split(", ") }}')
    person.field("Maximum items").fill("10")
    person.click("Save the step")
    assert person.reads("Each tart is saved.")
    assert person.reads("If one item fails, the loop stops.")


def _add_invoice_to_the_loop(person: Person) -> None:
    person.page.get_by_role("link", name="Add a step to the loop Each tart").click()
    person.page.get_by_role("link", name=re.compile("^Create invoice")).click()
    person.field("Contact").select_option(label="Boom FM (accounts@boomfm.example)")
    person.field("Description").click()
    person.pick_value("The item")
    assert person.source("Description") == "{{ item }}"
    person.field("Quantity").fill("1")
    person.field("Unit price").fill("12.50")
    person.click("Save the step")
    assert person.reads("Create invoice is saved.")
    assert person.reads("Boom FM")


_TOP = """(each) => {
  each.scrollIntoView({block: "center"});
  const {x, y, width, height} = each.getBoundingClientRect();
  return each.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}"""


def _read_tree(person: Person) -> None:
    """It reads as what it does, fits every screen, and each control has a name."""
    inside = person.page.get_by_label("For each item of Each tart").inner_text()
    assert "Create invoice" in inside
    assert "The item (Item of Each tart)" in inside
    for width, scheme in ((1280, "light"), (390, "dark")):
        person.page.set_viewport_size({"width": width, "height": 900})
        person.page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        person.page.reload()
        assert looks.overflow(person.page) == []
        assert looks.nameless(person.page) == []
        for menu in person.page.locator(".px-menu").all():
            menu.locator("summary").click()
            box = menu.locator(".px-menu-items").bounding_box()
            assert box is not None
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
            top = menu.get_by_role("link", name="Delete…").evaluate(_TOP)
            assert top, "The menu is covered by something."
            menu.locator("summary").click()
    forms = [each for each in looks.links(person.page) if "/steps/" in each]
    assert len(forms) > 20
    for address in forms:
        person.page.goto(address)
        assert looks.overflow(person.page) == [], address
        assert looks.nameless(person.page) == [], address
    person.page.set_viewport_size({"width": 1280, "height": 900})
    person.open("/workflows/1/")
    person.page.get_by_label("More for Each tart").focus()
    person.page.keyboard.press("Enter")
    assert person.page.get_by_role("link", name="Move elsewhere…").last.is_visible()
    person.page.keyboard.press("Escape")
    assert person.page.locator(".px-menu[open]").count() == 0
