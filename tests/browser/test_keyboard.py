"""The first job by keyboard alone: after signing in there is no mouse, and the focus is seen wherever it goes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.keyboard import Keyboard
from tests.browser.person import Person
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

NAME = "Pins to invoices"
TITLE = "Peach tart"
#: From the list of workflows to the one that listens: about as many as there are things on the way.
MOST_TABS_IN_ALL = 120
DESCRIPTION = "For eight, 49.95 a piece"


def test_a_new_pin_becomes_a_draft_invoice_by_keyboard_alone(stage: Stage, person_at: Callable[..., Person]) -> None:
    stage.sandbox.add_pins("Summer recipes", title=TITLE, description=DESCRIPTION)
    builder = person_at()
    builder.sign_in("builder")
    keyboard = Keyboard(builder)
    _connect(keyboard)
    before = keyboard.tabs
    _begin(keyboard)
    _add_invoice(keyboard)
    _publish(keyboard)
    _switch_on(keyboard)
    assert builder.reads("Active")
    assert keyboard.tabs - before <= MOST_TABS_IN_ALL


def _connect(keyboard: Keyboard) -> None:
    keyboard.to("Connections")
    keyboard.go("Connections")
    for provider in ("Pinterest", "Xero"):
        keyboard.skip()
        keyboard.to(f"Connect {provider}")
        keyboard.go("wants access to your")
        keyboard.to("Allow access")
        keyboard.go(f"Choose what to connect from {provider}")
        keyboard.skip()
        if provider == "Xero":
            keyboard.to("Northwind Ltd")
            keyboard.press("Space")
        keyboard.to("Connect the selected ones")
        keyboard.go("Connections")


def _begin(keyboard: Keyboard) -> None:
    """A workflow that begins with a pin of one board."""
    keyboard.to("Workflows", back=True)
    keyboard.go("Workflows")
    keyboard.skip()
    keyboard.to("New workflow")
    keyboard.go("New workflow")
    keyboard.skip()
    keyboard.to("Name")
    keyboard.type(NAME)
    keyboard.to("Find what starts it")
    keyboard.type("new pin")
    keyboard.to("New pin", role="radio")
    keyboard.press("Space")
    keyboard.to("Create the workflow")
    keyboard.go("New pin")
    keyboard.skip()
    keyboard.to("Skip the steps", most=1)
    keyboard.press("Enter")
    keyboard.is_seen()
    keyboard.to("Board", role="combobox")
    keyboard.type("Summer recipes")
    keyboard.is_seen()
    keyboard.to("Save the trigger")
    keyboard.press("Enter")
    keyboard.stands_on("What should happen?", role="heading", saying="The trigger is saved.")


def _add_invoice(keyboard: Keyboard) -> None:
    keyboard.to("Find a step")
    keyboard.type("create invoice")
    keyboard.to("Create invoice", role="link")
    keyboard.press("Enter")
    keyboard.stands_on("Create invoice", role="heading")
    keyboard.to("Contact", role="combobox")
    keyboard.type("Boom FM")
    keyboard.is_seen()
    keyboard.to("Description")
    keyboard.pick("Title")
    assert keyboard.person.source("Description") == "{{ trigger.title }}"
    _price(keyboard)
    keyboard.to("Account")
    keyboard.type("200")
    keyboard.to("Save the step")
    keyboard.press("Enter")
    keyboard.stands_on("Edit Create invoice", saying="Create invoice is saved.")


def _price(keyboard: Keyboard) -> None:
    """The number in the pin's description, found by a form on the token."""
    keyboard.to("Unit price")
    keyboard.pick("Description")
    keyboard.press("Alt+ArrowDown")
    keyboard.stands_on("Find a function to add")
    keyboard.type("find a number")
    keyboard.press("Enter")
    keyboard.is_seen()
    assert keyboard.person.page.get_by_role("dialog").get_by_text("49.95").last.inner_text()
    keyboard.to("Done")
    keyboard.press("Enter")
    keyboard.stands_on("Unit price")
    assert keyboard.person.source("Unit price") == "{{ trigger.description | extract_number }}"


def _publish(keyboard: Keyboard) -> None:
    keyboard.to("Publish…", back=True)
    keyboard.go("Publish")
    keyboard.skip()
    keyboard.to("Preview it")
    keyboard.go(f"Preview: {TITLE}")
    for words in ("Would be written", "Boom FM", "49.95"):
        assert keyboard.person.reads(words)
    keyboard.skip()
    keyboard.to("Publish…")
    keyboard.go("Publish")
    keyboard.skip()
    keyboard.to("What has changed, and why?")
    keyboard.type("Tarts are invoiced to the radio.")
    keyboard.to("Publish", is_exact=True)
    keyboard.go(NAME)


def _switch_on(keyboard: Keyboard) -> None:
    keyboard.skip()
    keyboard.to("Switch on…")
    keyboard.go(f"Switch on {NAME}?")
    keyboard.skip()
    keyboard.to("Switch it on")
    keyboard.go(NAME)
