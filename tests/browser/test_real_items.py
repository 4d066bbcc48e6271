"""What comes from outside, in the editor and a backtest: hostile texts, lists, an organisation, a month's items."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both
from tests.hostile_texts import MARKUP, VALUES

pytestmark = pytest.mark.browser

DEMO, OTHER = "Demo Company (NZ) (demo company)", "Northwind Ltd"
CUSTOMER = "Ridgeway University"
BOARD = "Backtested"
#: Whatever a text would run says so, which the person at the browser complains of.
WATCH = "window.pwned = (...told) => console.error(`a text was run: ${told}`);"
FOREIGN = "[onclick], [onerror], [onload], [onfocus], [pwned], pwned-text, pwned-title, pwned-data, base, iframe, math"


@pytest.fixture(scope="module")
def session(stage: Stage, browser: Any) -> Iterator[Any]:
    """A builder with both providers connected, and a workflow of a board's pins with an invoice for those of oak."""
    stage.sandbox.lift_limits()
    stage.sandbox.add_board(BOARD)
    stage.sandbox.add_pins(BOARD, 3, title="Oak table {n}")
    stage.sandbox.add_pins(BOARD, title="=Ash <b>chair</b>")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    builder = Person(context, stage.url)
    builder.sign_in("builder")
    connect_both(builder)
    begin_workflow(builder, "Pins", board=BOARD)
    _add_invoice(builder)
    assert builder.complaints == []
    yield context.storage_state()
    context.close()


@pytest.fixture
def builder(session: Any, person_at: Callable[..., Person]) -> Person:
    return person_at(storage_state=session)


def _begin_invoice(builder: Person) -> None:
    begin_invoice_step(builder)
    builder.field("Xero organisation").select_option(label=DEMO)
    _pick_customer(builder)


def _pick_customer(builder: Person) -> None:
    builder.field("Contact").locator("option", has_text=CUSTOMER).wait_for(state="attached")
    builder.field("Contact").select_option(label=CUSTOMER)


def _add_invoice(builder: Person) -> None:
    _begin_invoice(builder)
    builder.field("Description").fill("{{ trigger.title }}")
    builder.field("Unit price").fill("99.90")
    builder.field("Account").select_option(label="200 - Sales")
    builder.click("Save the step")
    assert builder.reads("Create invoice is saved.")


def test_a_backtest_over_a_month_is_begun_watched_read_downloaded_and_stopped_by_clicking(
    builder: Person, stage: Stage
) -> None:
    page = builder.page
    written = len(stage.sandbox.invoices())
    builder.open("/workflows/1/")
    builder.click("Backtest…", role="link")
    page.get_by_label("30 days").check()
    builder.click("Begin the backtest")
    page.wait_for_url("**/backtests/*/")
    page.get_by_role("heading", name="Backtest of the last 30 days").wait_for()
    page.get_by_text("of 4 items gone through. Nothing was written.").wait_for()
    page.get_by_role("progressbar", name="Progress").wait_for(state="detached")
    assert re.sub(r"\s+", " ", page.locator(".px-figures").inner_text()).startswith("4 would have run")
    assert "459.56" in page.get_by_role("region", name="Totals by currency").inner_text()
    assert "399.60" in page.get_by_role("region", name="Totals by account").inner_text()
    assert looks.violations(page) == []
    with page.expect_download() as download:
        page.get_by_role("link", name=re.compile("^Documents as CSV")).click()
    head, *rows = csv.reader(Path(download.value.path()).read_text("utf-8-sig").splitlines())
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert sorted(each["Item"] for each in found) == ["'=Ash <b>chair</b>", *(f"Oak table {n}" for n in (1, 2, 3))]
    assert {each["Subtotal"] for each in found} == {"99.90"}
    builder.click("Show the items", role="link")
    page.get_by_role("button", name=re.compile("^Step by step ?: Oak table 1$")).click()
    page.wait_for_url("**/previews/**")
    assert builder.reads("Oak table 1")
    assert builder.reads("Would be written")
    stage.sandbox.faults(p_slow_commit=1.0, slow_commit_seconds=5.0, methods=["GET"])
    builder.open("/workflows/1/backtest/")
    page.get_by_label("90 days").check()
    builder.click("Begin the backtest")
    builder.click("Stop")
    assert builder.reads("Stopped")
    stage.sandbox.faults(p_slow_commit=0.0)
    assert len(stage.sandbox.invoices()) == written


def test_hostile_texts_in_a_sample_are_picked_worked_with_and_stored_letter_by_letter(
    builder: Person, stage: Stage
) -> None:
    builder.context.add_init_script(WATCH)
    sample = {"title": MARKUP[1], "description": " ".join(VALUES), "board_name": MARKUP[3]}
    sample |= {f"{text[:60]}": text for text in VALUES}
    stage.python(
        "import json\nfrom workflows.models import Workflow\nfrom workflows.definitions import samples\n"
        f"samples.keep_typed(Workflow.objects.get(pk=1), json.loads({json.dumps(json.dumps(sample))}))"
    )
    page, keyboard = builder.page, builder.page.keyboard
    builder.open("/workflows/1/")
    page.get_by_role("link", name=re.compile("^Edit.*Create invoice|^Create invoice")).first.click()
    page.get_by_role("heading", name="Create invoice").first.wait_for()
    for n, text in enumerate(MARKUP[2:9]):
        builder.field("Description").focus()
        keyboard.press("Control+End")
        keyboard.type(" /")
        page.get_by_label("Find a value by its name or content").fill(text[:60])
        _nothing_was_made(builder)
        page.locator(".px-option").first.click()
        assert builder.field("Description").locator(".px-chip").count() == n + 2
    picked = builder.source("Description")
    builder.field("Description").locator(".px-chip").last.click()
    page.get_by_text("Gives with the sample:").wait_for()
    page.get_by_label("Find a function to add").fill("upper")
    keyboard.press("Enter")
    page.get_by_text(MARKUP[8].upper(), exact=True).first.wait_for()
    _nothing_was_made(builder)
    builder.click("Done")
    stored = builder.source("Description")
    assert stored == picked.removesuffix(" }}") + " | upper }}"
    builder.click("Save the step")
    assert builder.reads("Create invoice is saved.")
    stage.python(
        "import json\nfrom workflows.models import Mapping\n"
        f"assert Mapping.objects.get(column='description').value == json.loads({json.dumps(json.dumps(stored))})"
    )
    builder.click("Preview")
    page.wait_for_url("**/previews/**")
    assert MARKUP[2] in builder.text()
    _nothing_was_made(builder)
    builder.open("/workflows/1/filter/")
    builder.field("Value").focus()
    builder.pick_value("Title")
    builder.field("Compared with").fill(MARKUP[1])
    page.locator("#trial-0.px-trial--true", has_text=MARKUP[1]).wait_for()
    _nothing_was_made(builder)


def _nothing_was_made(person: Person) -> None:
    """No element or attribute of a hostile text is on the page; the person's complaints tell of scripts and dialogs."""
    assert person.page.locator(FOREIGN).evaluate_all("all => all.map(each => each.outerHTML)") == []
    assert looks.unsafe(looks.links(person.page)) == []
    assert "49819" not in person.text()
    assert person.complaints == []


def test_the_triggers_organisation_is_taken_over_and_another_asks_about_what_it_does_not_have(builder: Person) -> None:
    page = builder.page
    builder.open("/workflows/new/")
    builder.field("Name").fill("Quotes")
    page.get_by_label("Quote accepted").check()
    builder.click("Create the workflow")
    builder.field("Xero organisation").select_option(label=DEMO)
    builder.click("Save the trigger")
    assert builder.reads("The trigger is saved.")
    begin_invoice_step(builder)
    assert builder.field("Xero organisation").locator("option:checked").inner_text() == DEMO
    _pick_customer(builder)
    builder.field("Account").select_option(label="200 - Sales")
    builder.field("Xero organisation").select_option(label=OTHER)
    note = page.get_by_role("alert").filter(has_text=f"{OTHER} does not have")
    note.wait_for()
    assert f"Contact: {CUSTOMER}" in note.inner_text()
    assert builder.field("Contact").locator("option:checked").inner_text() == f"{CUSTOMER} (not in {OTHER})"
    builder.field("Unit price").fill("1")
    builder.field("Description").fill("Chairs")
    builder.click("Save the step")
    assert builder.reads("Not saved yet.")
    builder.field("Xero organisation").select_option(label=DEMO)
    note.wait_for(state="detached")
    assert builder.field("Contact").locator("option:checked").inner_text() == CUSTOMER


def test_a_list_becomes_one_value_or_a_row_for_each_of_its_items(builder: Person) -> None:
    page, keyboard = builder.page, builder.page.keyboard
    builder.open("/workflows/?q=Quotes")
    page.get_by_role("link", name="Quotes", exact=True).first.click()
    begin_invoice_step(builder)
    for typed, source in (
        ("number of items", "{{ trigger.LineItems | count }}"),
        ("first: description", "{{ trigger.LineItems[0].Description }}"),
        ("sum of line amount", '{{ trigger.LineItems | sum("LineAmount") }}'),
        ("each, in one text: desc", '{{ trigger.LineItems | pluck("Description") | join(", ") }}'),
        ("all of it", "{{ trigger.LineItems }}"),
    ):
        builder.field("Reference").fill("")
        _open_list(builder, "Reference")
        keyboard.type(typed)
        keyboard.press("Enter")
        assert builder.source("Reference") == source
    _pick_customer(builder)
    _open_list(builder, "Description")
    assert looks.violations(page) == []
    keyboard.press("Enter")
    page.get_by_label("One row for each item of").first.wait_for()
    assert builder.source("Description") == "{{ item.Description }}"
    assert page.locator("[name='in.lines.0.~each']").input_value() == "{{ trigger.LineItems }}"
    builder.field("Unit price").focus()
    keyboard.type("/each unit amount")
    keyboard.press("Enter")
    assert builder.source("Unit price") == "{{ item.UnitAmount }}"
    page.get_by_text("This is a list, and the field holds one value.").wait_for()
    assert (
        page.locator("px-value", has=page.locator("[name='in.lines.0.description']")).locator(".px-gives").count() == 1
    )
    assert looks.violations(page) == []
    builder.click("Only the first")
    page.get_by_text("This is a list, and the field holds one value.").wait_for(state="detached")
    assert builder.source("Reference") == "{{ trigger.LineItems | first }}"


def _open_list(builder: Person, field: str) -> None:
    """The ways to use the quote's line items, in a list at this field."""
    builder.field(field).focus()
    builder.page.keyboard.type("/line items")
    builder.page.locator(".px-option--list", has_text="Line items").first.click()
    builder.page.get_by_role("option", name="Number of items").wait_for()
