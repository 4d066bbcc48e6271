"""Forms say what they come to with the sample: conditions that are true or false, a contact that is found first."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Stage:
    """Without a worker: only forms are filled in."""
    return stage_without_worker


def test_a_condition_takes_its_type_from_the_value_and_says_whether_it_is_true(
    person_at: Callable[..., Person],
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder)
    begin_workflow(builder, "Pins", board="Office styling")
    builder.open("/workflows/1/filter/")
    page = builder.page
    builder.field("Value").focus()
    builder.pick_value("Image width")
    page.wait_for_function("() => document.querySelector('#type-0').value === 'number'")
    builder.field("Compared with").fill("1.00")
    page.locator("#trial-0.px-trial--false").wait_for()
    builder.field("Comparison").select_option(label="is more than")
    page.locator("#trial-0.px-trial--true", has_text="compared with 1.00").wait_for()
    page.locator("#trial-root", has_text="true, because 1 of 1 is true").wait_for()
    builder.field("Compared as").select_option(label="Text")
    builder.field("Compared with").fill("zzz")
    page.locator("#trial-0.px-trial--false", has_text='compared with "zzz"').wait_for()
    assert page.locator("#type-0").input_value() == "text", "what somebody has chosen stays"
    assert looks.violations(page) == []


def test_a_contact_is_found_or_created_by_a_step_that_the_form_adds(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/")
    begin_invoice_step(builder)
    page = builder.page
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    builder.field("Contact").locator("option", has_text="Ridgeway University").wait_for(state="attached")
    builder.field("Contact").select_option(label="Find or create the contact by name and e-mail")
    finding = page.get_by_role("group", name="Find or create the contact by name and e-mail")
    finding.wait_for()
    assert looks.violations(page) == []
    finding.get_by_role("textbox", name="Name").focus()
    builder.pick_value("Title")
    finding.get_by_role("textbox", name="E-mail").fill("office@acme.example")
    builder.field("Description").fill("Styling")
    builder.field("Unit price").fill("40")
    builder.click("Save the step")
    assert builder.reads("Create invoice is saved.")
    assert builder.reads("The contact (Find or create contact)")
    begin_invoice_step(builder)
    assert builder.field("Xero organisation").locator("option:checked").inner_text().startswith("Demo Company (NZ)")
    offered = builder.field("Contact").locator("optgroup[label='From an earlier step'] option").all_inner_texts()
    assert offered[0].startswith("The contact of Create invoice")
    assert offered[1].startswith("The contact of Find or create contact")
