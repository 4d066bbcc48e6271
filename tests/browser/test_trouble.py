"""When something goes wrong, the page says what happened and what to do, and nothing that was typed is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Route

from tests.browser.person import Person
from tests.browser.stage import Stage, running_stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Without a worker: nothing has to run here, and the dashboard has to say that nothing does."""
    with running_stage(tmp_path_factory.mktemp("stage"), has_worker=False) as stage:
        yield stage


def test_a_wrong_password_is_refused_and_the_name_stays(stage: Stage, person_at: Callable[..., Person]) -> None:
    stranger = person_at()
    stranger.open("/")
    stranger.page.get_by_label("Username or e-mail").fill("builder")
    stranger.page.get_by_label("Password").fill("not the password")
    stranger.click("Sign in")
    stranger.page.get_by_role("alert").first.wait_for()
    assert stranger.page.get_by_label("Username or e-mail").input_value() == "builder"
    assert stranger.page.get_by_label("Password").input_value() == ""


def test_the_dashboard_says_that_no_worker_is_running(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    assert "No worker is running, so no workflow runs." in builder.page.get_by_role("alert").inner_text()


def test_a_denied_consent_says_so_and_connects_nothing(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    for provider in ("Pinterest", "Xero"):
        builder.open("/connections/")
        builder.click(f"Connect {provider}")
        builder.click("Cancel")
        builder.page.get_by_text("What to do").wait_for()
        assert builder.page.url.startswith(builder.home)
        assert provider in builder.page.get_by_role("heading", level=2).first.inner_text()
        assert builder.page.get_by_role("button", name=f"Connect {provider} again").is_visible()
        builder.click("Back to the connections", role="link")
        assert builder.reads("Nothing is connected yet")


def test_after_a_denied_consent_connecting_again_leads_to_the_consent_and_connects(
    person_at: Callable[..., Person],
) -> None:
    outsider = person_at()  # so that the other tests find their team without connections
    outsider.sign_in("outsider")
    connected: list[int] = []
    for provider, accounts in (("Pinterest", 1), ("Xero", 2)):
        connected.append(accounts)
        outsider.open("/connections/")
        outsider.click(f"Connect {provider}")
        outsider.click("Cancel")
        for _ in range(2):
            outsider.click(f"Connect {provider} again")
            outsider.click("Cancel")
        outsider.click(f"Connect {provider} again")
        outsider.click("Allow access")
        outsider.page.get_by_role("heading", name=f"Choose what to connect from {provider}").first.wait_for()
        assert outsider.page.locator("[name=account]").count() == accounts
        outsider.click("Connect the selected ones")
        outsider.page.get_by_role("heading", name="Connections").first.wait_for()
        assert outsider.page.get_by_text("Connected", exact=True).count() == sum(connected)


def test_a_trigger_with_a_wrong_number_keeps_what_was_chosen(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder, leaving_out="Northwind Ltd")
    begin_workflow(builder, "Pins", board="Office styling")
    builder.page.get_by_label("Trigger").get_by_role("link", name="Edit").click()
    builder.field("Board").select_option(label="Summer recipes")
    builder.field("Check every (minutes)").fill("45")  # while the sections of the board are being fetched
    builder.page.wait_for_load_state("networkidle")
    builder.page.locator("#px-form").evaluate("form => { form.noValidate = true; }")  # as a browser that does not check
    builder.click("Save the trigger")
    assert builder.reads("Not saved yet.")
    assert builder.reads("less than or equal to 15")
    assert builder.field("Check every (minutes)").input_value() == "45"
    assert _chosen(builder, "Board") == "Summer recipes"
    builder.click("Cancel", role="link")
    assert builder.reads("Office styling")


def test_a_step_with_errors_marks_each_field_and_keeps_everything_typed(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/")
    begin_invoice_step(builder)
    builder.field("Name").fill("Invoice <the> radio")
    builder.field("Contact").select_option(label="Ridgeway University")
    builder.field("Description").fill("{{ trigger.title | upperr }} & more")
    builder.field("Quantity").fill("two and a half")
    builder.field("Unit price").fill("49,95")
    builder.field("Account").select_option(label="200 - Sales")
    builder.field("Reference").fill("{{ trigger.title ")
    builder.click("Save the step")
    assert builder.reads("Not saved yet.")
    for label in ("Description", "Quantity", "Reference"):
        field = builder.field(label)
        assert field.get_attribute("aria-invalid") == "true", label
        described = (field.get_attribute("aria-describedby") or "").split()
        said = builder.page.locator(f"#{described[-1]}").inner_text()
        assert said, label
    assert builder.field("Name").input_value() == "Invoice <the> radio"
    assert _chosen(builder, "Contact") == "Ridgeway University"
    assert builder.source("Description") == "{{ trigger.title | upperr }} & more"
    assert builder.source("Quantity") == "two and a half"
    assert builder.source("Unit price") == "49,95"
    assert _chosen(builder, "Account") == "200 - Sales"
    assert builder.source("Reference") == "{{ trigger.title "
    builder.click("Add a row")
    builder.page.get_by_text("Line 2").wait_for()
    assert builder.source("Description") == "{{ trigger.title | upperr }} & more"
    builder.page.get_by_role("button", name="Remove line 2 of Line items").click()
    builder.page.get_by_text("Line 2").wait_for(state="detached")
    builder.field("Description").fill("{{ trigger.title | upper }}")
    builder.field("Quantity").fill("2.5")
    builder.field("Unit price").fill("49.95")
    builder.field("Reference").fill("")
    builder.click("Save the step")
    assert builder.reads("Invoice <the> radio")
    assert builder.reads("2.5")


def test_a_filter_with_an_error_keeps_every_condition(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/filter/")
    builder.field("Value").fill("{{ trigger.title")
    builder.field("Compared with").fill("tart, cake")
    builder.click("Add a condition")
    builder.page.get_by_text("Condition 2").wait_for()
    assert builder.source("Value") == "{{ trigger.title"
    second = builder.page.locator("[data-px-comparison]").nth(1)
    second.get_by_label("Compared as").select_option(label="Number")
    second.get_by_label("Value", exact=True).fill("{{ trigger.image_width }}")
    second.get_by_label("Comparison").select_option(index=2)
    second.get_by_label("Compared with", exact=True).fill("wide")
    builder.click("Save the filter")
    assert builder.reads("Not saved yet.")
    assert builder.source("Value") == "{{ trigger.title"
    assert builder.source("Compared with") == "tart, cake"
    assert builder.source("Compared with", 1) == "wide"
    assert builder.page.locator("[aria-invalid=true]").count() >= 1


def test_a_provider_that_goes_down_during_the_consent_is_named_and_nothing_is_lost(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/connections/")
    builder.click("Connect another Xero organisation")
    builder.page.get_by_role("button", name="Allow access").wait_for()

    def answer_and_go_down(route: Route) -> None:
        if route.request.method != "POST":  # the page's own icon
            route.continue_()
            return
        answer = route.fetch(max_redirects=0)
        stage.stop_sandbox()
        route.fulfill(response=answer)

    builder.context.route(f"{stage.sandbox.url}/**", answer_and_go_down)
    builder.click("Allow access")
    builder.page.get_by_text("What to do").wait_for()
    assert "Xero" in builder.page.get_by_role("heading", level=2).first.inner_text()
    assert builder.page.get_by_role("button", name="Connect Xero again").is_visible()
    builder.click("Back to the connections", role="link")
    assert builder.reads("Demo Company (NZ)")
    assert "Needs reconnecting" not in builder.text()


def test_while_the_providers_are_down_a_form_keeps_what_is_chosen_and_says_that_the_list_is_not_there(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    stage.stop_sandbox()
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/")
    builder.page.get_by_label("Step 1").get_by_role("link", name="Edit").click()
    builder.page.locator("#px-form").wait_for()
    assert _chosen(builder, "Contact") == "Ridgeway University"
    contact = builder.field("Contact").input_value()
    builder.page.get_by_role("button", name="Fetch the list of Contact again").click()
    builder.page.get_by_text("Contact could not be read from Demo Company (NZ). Xero could not be reached").wait_for()
    assert builder.field("Contact").input_value() == contact
    assert builder.source("Description") == "{{ trigger.title | upper }}"


def _chosen(person: Person, label: str) -> str:
    return str(person.field(label).evaluate("each => each.selectedOptions[0].text"))
