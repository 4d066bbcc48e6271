"""Line items by keyboard alone: lines come and go, what they come to is there at once, and the focus is never lost."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Stage:
    """Without a worker: only forms are filled in."""
    return stage_without_worker


@pytest.fixture
def builder(stage: Stage, person_at: Callable[..., Person]) -> Person:
    """At the empty form of an invoice for the demo company."""
    person = person_at(viewport={"width": 1600, "height": 1000})
    person.sign_in("builder")
    if not person.open("/workflows/1/").ok:
        person.complaints.clear()
        connect_both(person)
        begin_workflow(person, "Pins", board="Office styling")
    person.open("/workflows/1/")
    begin_invoice_step(person)
    person.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    person.field("Contact").locator("option", has_text="Ridgeway University").wait_for(state="attached")
    return person


def _settled(page: Page) -> None:
    page.wait_for_timeout(100)
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")


def _focused(page: Page) -> str:
    said = """() => {
      const at = document.activeElement;
      const field = at.closest(".px-value-editor") ? at.parentNode.querySelector("input, textarea") : at;
      return field.name || field.id;
    }"""
    return str(page.evaluate(said))


def _lines(page: Page) -> int:
    return page.locator("[data-px-line]").count()


def test_lines_are_added_and_removed_by_keyboard_and_the_focus_stays(builder: Person) -> None:
    page = builder.page
    builder.field("Description").focus()
    page.keyboard.type("Oak table")
    page.keyboard.press("Control+Enter")
    page.locator("[data-px-line]").nth(1).wait_for()
    _settled(page)
    assert _focused(page) == "in.lines.1.description"
    page.keyboard.type("Ash chair")
    page.locator("[name='in.lines.1.tax_type']").focus()
    page.keyboard.press("Enter")
    page.locator("[data-px-line]").nth(2).wait_for()
    _settled(page)
    assert _focused(page) == "in.lines.2.description"
    page.keyboard.type("Elm stool")
    page.locator("[name='in.lines.0.tax_type']").focus()
    page.keyboard.press("Enter")
    assert _focused(page) == "in.lines.1.description", "within the table it goes on, and adds nothing"
    assert _lines(page) == 3
    page.get_by_role("button", name="Remove line 1 of Line items").press("Enter")
    page.locator("[data-px-line]").nth(2).wait_for(state="detached")
    _settled(page)
    assert _focused(page) == "_remove_row"
    assert page.evaluate("() => document.activeElement.id") == "id_in-lines-remove-0"
    typed = [page.locator(f"[name='in.lines.{n}.description']").input_value() for n in (0, 1)]
    assert typed == ["Ash chair", "Elm stool"]
    for left in (1, 0):
        page.get_by_role("button", name=f"Remove line {left + 1} of Line items").press("Enter")
        page.wait_for_function(f"() => document.querySelectorAll('[data-px-line]').length === {left}")
        _settled(page)
    assert page.evaluate("() => document.activeElement.id") == "id_in-lines-add-row"


def test_a_line_break_in_a_description_is_no_new_line(builder: Person) -> None:
    page = builder.page
    builder.field("Description").focus()
    page.keyboard.type("Oak")
    page.keyboard.press("Enter")
    page.keyboard.type("table")
    assert builder.source("Description") == "Oak\ntable"
    assert _lines(page) == 1


def test_what_the_lines_come_to_follows_the_typing(builder: Person) -> None:
    page = builder.page
    builder.field("Unit price").fill("10.10")
    builder.field("Quantity").fill("2")
    page.locator("#px-totals", has_text="in NZD").wait_for()
    page.locator("#px-totals .px-total dd", has_text="20.20").wait_for()
    builder.field("Account").select_option(label="200 - Sales")
    page.locator("#px-totals .px-total dd", has_text="23.23").wait_for()
    assert page.locator("[data-px-amount='0']").inner_text() == "20.20"
    builder.field("Unit price").fill("ten")
    page.locator("#px-totals", has_text="Line 1: Unit price takes a number").wait_for()
    assert page.locator("[data-px-amount='0']").inner_text() == ""


def test_what_is_folded_away_stays_open_while_lines_come(builder: Person) -> None:
    page = builder.page
    more = page.locator("#id_in-lines-more-0")
    more.locator("summary").first.press("Enter")
    builder.click("Add a row")
    page.locator("[data-px-line]").nth(1).wait_for()
    _settled(page)
    assert more.evaluate("details => details.open")
    assert not page.locator("#id_in-lines-more-1").evaluate("details => details.open")


@pytest.mark.parametrize(("width", "is_one_line"), [(1600, True), (1280, False), (390, False)])
def test_lines_stand_in_one_line_where_there_is_room_and_never_beside_the_page(
    builder: Person, width: int, is_one_line: bool
) -> None:
    page = builder.page
    builder.click("Add a row")
    page.locator("[data-px-line]").nth(1).wait_for()
    page.set_viewport_size({"width": width, "height": 900})
    tops = (
        page.locator("[data-px-line]")
        .nth(0)
        .locator("[data-px-cell]")
        .evaluate_all("all => all.map(each => Math.round(each.getBoundingClientRect().top))")
    )
    assert (len(set(tops)) == 1) is is_one_line
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    assert looks.violations(page) == []


def test_it_works_without_a_script(stage: Stage, builder: Person, person_at: Callable[..., Person]) -> None:
    plain = person_at(java_script_enabled=False, storage_state=builder.context.storage_state())
    plain.open("/workflows/1/steps/new/?operation=xero.create_invoice")
    plain.field("Description").fill("Oak")
    plain.page.get_by_role("button", name="Add a row", exact=True).press("Enter")
    plain.page.get_by_role("button", name="Remove line 2 of Line items").wait_for()
    assert _lines(plain.page) == 2
    assert plain.page.locator("[name='in.lines.0.description']").input_value() == "Oak"
    plain.page.get_by_role("button", name="Remove line 1 of Line items").press("Enter")
    plain.page.get_by_role("button", name="Remove line 2 of Line items").wait_for(state="detached")
    plain.page.get_by_role("button", name="Add a row", exact=True).wait_for()
    assert _lines(plain.page) == 1
