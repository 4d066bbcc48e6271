"""What is wrong leads to its field: the publish page lists it, and a click stands in the field."""

from __future__ import annotations

import os
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
    """Without a worker: nothing is run."""
    return stage_without_worker


def test_a_finding_on_the_publish_page_leads_into_its_field(stage: Stage, person_at: Callable[..., Person]) -> None:
    person = person_at()
    page = person.page
    person.sign_in("builder")
    connect_both(person)
    begin_workflow(person, "Pins", board="Office styling")
    person.open("/workflows/1/")
    begin_invoice_step(person)
    person.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    person.field("Contact").locator("option", has_text="Ridgeway University").wait_for(state="attached")
    person.field("Contact").select_option(label=_option(page, "Ridgeway University"))
    person.field("Description").fill("Oak table")
    person.field("Unit price").fill("0")
    person.click("Save the step")
    assert person.reads("Create invoice is saved.")
    person.click("Publish…", role="link")
    found = page.get_by_text("The total of a sales invoice is zero.")
    found.wait_for()
    assert "Tried with the samples" in person.text()
    assert looks.violations(page) == []
    shots(page, "publish")
    page.get_by_role("link", name="Line items", exact=True).click()
    page.wait_for_url("**/steps/*/#id_in-lines")
    page.wait_for_load_state()
    page.wait_for_timeout(500)
    focused = page.evaluate("() => document.activeElement.outerHTML.slice(0, 300)")
    assert page.evaluate("() => document.activeElement.closest('#id_in-lines') !== null"), focused


def _option(page: Page, text: str) -> str:
    return str(page.locator("select option", has_text=text).first.text_content())


def shots(page: Page, name: str) -> None:
    """Pictures for whoever wants to look, in the folder that SHOTS names."""
    folder = os.environ.get("SHOTS")
    if not folder:
        return
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        for width in (1280, 390):
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)
    page.set_viewport_size({"width": 1280, "height": 900})
