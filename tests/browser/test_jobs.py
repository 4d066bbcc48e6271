"""Real jobs from the empty workflow, by somebody who clicks and types what a person would: few clicks, few fields, no
syntax, and each seen in a preview before it is published."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from tests.browser.counting import Count, counted
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect_both

pytestmark = pytest.mark.browser

MOST_CLICKS, MOST_FIELDS = 25, 8


@pytest.fixture(scope="module")
def session(stage: Stage, browser: Any) -> Iterator[Any]:
    """A builder with both providers connected, which is done once per company."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    builder = Person(context, stage.url)
    builder.sign_in("builder")
    connect_both(builder, leaving_out="Northwind Ltd")
    assert builder.complaints == []
    yield context.storage_state()
    context.close()


@pytest.fixture
def builder(session: Any, person_at: Callable[..., Person]) -> Person:
    """At the list of workflows."""
    person = person_at(storage_state=session)
    person.open("/workflows/")
    return person


def test_a_pin_becomes_a_draft_invoice_over_the_price_in_its_description(builder: Person, stage: Stage) -> None:
    stage.sandbox.add_pins("Summer recipes", title="Peach tart", description="For eight. 49.95 a piece, fresh.")
    with counted(builder) as count:
        _begin(builder, "Tarts to invoices", "New pin")
        builder.field("Board").select_option(label="Summer recipes")
        _save(builder, "Save the trigger")
        _add_step(builder, "Create invoice")
        builder.field("Contact").select_option(label="Ridgeway University")
        _pick(builder, "Description", "Title")
        _pick(builder, "Unit price", "Description")
        _apply(builder, "Unit price", "Find a number")
        builder.field("Account").select_option(label="200 - Sales")
        _pick(builder, "Due date", "14 days after the run")
        _save(builder, "Save the step")
        _preview(builder)
        invoice = builder.page.get_by_label("Create invoice", exact=True).inner_text()
        for words in ("Ridgeway University", "Peach tart", "200 - Sales", "49.95", "57.44"):
            assert words in invoice
        assert "a real item" in builder.text()
        _publish_and_switch_on(builder)
    _is_quick(count)
    cake = {"title": "Plum cake", "description": "Now 31.50, for six"}
    _run_with(builder, "Plum cake", lambda: stage.sandbox.add_pins("Summer recipes", **cake))
    [made] = stage.sandbox.invoices()
    assert (made["Status"], made["Total"]) == ("DRAFT", Decimal("36.23"))


def test_an_accepted_quote_of_more_than_a_thousand_becomes_a_project(builder: Person, stage: Stage) -> None:
    _accept_quote(stage, "City Limousines", "QU-0600", title="Ten lamps", amount="600")
    _accept_quote(stage, "Boom FM", "QU-2400", title="A whole studio", amount="2400")
    with counted(builder) as count:
        _begin(builder, "Quotes to projects", "Quote accepted")
        _save(builder, "Save the trigger")
        builder.click("Add conditions", role="link")
        _pick(builder, "Value", "Total")
        builder.field("Comparison").select_option(label="is more than")
        builder.field("Compared with").fill("1000")
        _save(builder, "Save the filter")
        builder.click("Add a step", role="link")
        _add_step(builder, "Create project")
        _choose(builder, "Contact", "The contact of Quote accepted")
        _pick(builder, "Name", "Title")
        _save(builder, "Save the step")
        _preview(builder)
        project = builder.page.get_by_label("Create project", exact=True).inner_text()
        for words in ("Would be written", "Boom FM", "A whole studio"):
            assert words in project
        _choose(builder, "Another item", "QU-0600")
        builder.click("Preview with it")
        assert builder.reads("Total is more than 1000: no, Total is 690.00")
        assert builder.reads("A run with this item would end here")
        _publish_and_switch_on(builder)
    _is_quick(count)
    quotes = [("QU-0700", "Four chairs", "700"), ("QU-3000", "A shop window", "3000")]
    accept = [partial(_accept_quote, stage, "Boom FM", n, title=title, amount=amount) for n, title, amount in quotes]
    _run_with(builder, "QU-3000", lambda: [each() for each in accept])
    assert [each["label"] for each in stage.sandbox.documents("projects")] == ["A shop window"]


def test_a_new_contact_gets_a_board(builder: Person, stage: Stage) -> None:
    stage.sandbox.make("contact", name="Harbour Café")
    with counted(builder) as count:
        _begin(builder, "A board per customer", "New contact")
        _save(builder, "Save the trigger")
        _add_step(builder, "Create board")
        _pick(builder, "Name", "Name")
        _save(builder, "Save the step")
        _preview(builder)
        assert "Harbour Café" in builder.page.get_by_label("Create board", exact=True).inner_text()
        _publish_and_switch_on(builder)
    _is_quick(count)
    _run_with(builder, "Sea View Ltd", lambda: stage.sandbox.make("contact", name="Sea View Ltd"))
    assert "Sea View Ltd" in [each["name"] for each in stage.sandbox.state()["boards"]]


def _is_quick(count: Count) -> None:
    assert count.clicks <= MOST_CLICKS, count
    assert count.fields <= MOST_FIELDS, count


def _begin(person: Person, name: str, trigger: str) -> None:
    person.click("New workflow", role="link")
    person.field("Name").fill(name)
    person.page.get_by_role("radio", name=re.compile(rf"^{trigger}\b")).first.check()
    person.click("Create the workflow")


def _add_step(person: Person, name: str) -> None:
    """From what should happen then."""
    person.page.get_by_role("link", name=re.compile(rf"^{name}\b")).first.click()
    person.page.get_by_role("heading", name=name).first.wait_for()


def _choose(person: Person, label: str, begins: str) -> None:
    """The entry of the list that begins so."""
    field = person.field(label)
    entry = field.locator("option").filter(has_text=re.compile(rf"^\s*{re.escape(begins)}")).first
    field.select_option(label=entry.inner_text())


def _pick(person: Person, label: str, value: str) -> None:
    """With the mouse: the button in the field, then a value."""
    person.page.get_by_role("button", name=f"Pick a value for {label}", exact=True).click()
    offered = person.page.get_by_role("dialog", name="Pick a value")
    exactly = person.page.get_by_text(value, exact=True)
    offered.get_by_role("option").filter(has=exactly).first.click()


def _apply(person: Person, label: str, function: str) -> None:
    """What is done with the value in the field."""
    person.field(label).locator(".px-chip").click()
    form = person.page.get_by_role("dialog", name="What is done with the value")
    form.get_by_role("option", name=re.compile(f"^{function}")).first.click()
    form.get_by_role("button", name="Done").click()


def _save(person: Person, button: str) -> None:
    person.click(button)
    person.page.locator("#px-said").get_by_text("is saved.").wait_for()
    person.page.locator("#px-form").wait_for(state="detached")


def _preview(person: Person) -> None:
    person.click("Preview")
    person.page.wait_for_url("**/previews/*/")


def _publish_and_switch_on(person: Person) -> None:
    person.click("Publish…", role="link")
    person.click("Publish and switch on")
    person.page.get_by_text("is active").first.wait_for()


def _run_with(person: Person, title: str, happens: Callable[[], object]) -> None:
    """Something happens at the provider once the workflow listens, and its run succeeds."""
    person.page.get_by_text("It is recording what is already there.").wait_for(state="detached", timeout=120_000)
    person.page.wait_for_load_state()
    happens()
    person.click("Check now")
    run = person.page.get_by_role("listitem").filter(has_text=title)
    run.get_by_text("Succeeded").wait_for(timeout=120_000)


def _accept_quote(stage: Stage, contact: str, number: str, *, title: str, amount: str) -> None:
    made = stage.sandbox.make("quote", contact=contact, number=number, amount=amount, status="SENT", Title=title)
    stage.sandbox.change("quote", made["id"], Status="ACCEPTED")
