"""Ways that people go in several tests, by clicking."""

from __future__ import annotations

import re

from tests.browser.person import Person


def connect(person: Person, provider: str, *, leaving_out: str = "") -> None:
    """From the connections page: give the consent at the provider, then pick what to connect."""
    person.click(f"Connect {provider}")
    person.click("Allow access")
    person.page.get_by_role("heading", name=f"Choose what to connect from {provider}").first.wait_for()
    if leaving_out:
        person.page.get_by_label(leaving_out).uncheck()
    person.click("Connect the selected ones")


def connect_both(person: Person, *, leaving_out: str = "") -> None:
    """Pinterest and Xero; `leaving_out` is an organisation of Xero's that is not connected."""
    person.open("/connections/")
    connect(person, "Pinterest")
    connect(person, "Xero", leaving_out=leaving_out)


def begin_workflow(person: Person, name: str, *, board: str = "") -> None:
    """A workflow that begins with a new pin, of one board or of all."""
    person.open("/workflows/new/")
    person.field("Name").fill(name)
    person.page.get_by_label("New pin").check()
    person.click("Create the workflow")
    if board:
        person.field("Board").select_option(label=board)
    person.click("Save the trigger")
    person.page.get_by_text("The trigger is saved.").first.wait_for()


def begin_invoice_step(person: Person) -> None:
    """From the workflow's page, or from where a saved first trigger leads, to the empty form of the step."""
    chooser = person.page.get_by_role("heading", name="What should happen?")
    if not chooser.is_visible():
        person.click("Add a step", role="link")
        chooser.wait_for()
    person.page.get_by_role("link", name=re.compile("^Create invoice")).click()
    person.page.get_by_role("heading", name="Create invoice").first.wait_for()


def publish_and_switch_on(person: Person, *, note: str) -> None:
    """From the workflow's page, until it listens; previewed, whatever the preview says."""
    person.click("Publish…", role="link")
    person.click("Preview it")
    person.page.wait_for_url("**/previews/**")
    person.click("Publish…", role="link")
    if (tick := person.page.get_by_label("Publish without a preview that reached its end")).count():
        tick.check()
    person.field("What has changed, and why?").fill(note)
    person.click("Publish and switch on")
    person.page.get_by_text("is active").first.wait_for()
    assert "Active" in person.text()
    person.page.get_by_text("It is recording what is already there.").wait_for(state="detached", timeout=60_000)
    person.page.wait_for_load_state()
