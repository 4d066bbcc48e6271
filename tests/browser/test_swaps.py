"""A page that brings a part of itself up to date leaves alone what a person is doing in it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route

from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both

pytestmark = pytest.mark.browser

_RUN = """
from django.contrib.auth.models import User
from integrations.models import Team
from tests.base import Cast
from tests.world import make_event, make_run, make_world
people = {user.username: user for user in User.objects.all()}
team, other = Team.objects.get(name="Acme Finance"), Team.objects.get(name="Other Company")
world = make_world(Cast(team=team, other_team=other, **people))
event = make_event(world.state, "one")
make_run(world.workflow, world.version, event, world.xero, pk=90001, status="running", finished_at=None)
"""
_CHANGE = "from workflows.models import Run\nRun.objects.filter(pk=90001).update(status={status!r})"


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Stage:
    """Without a worker: a run stays as far as it is."""
    return stage_without_worker


def _hold_posts(page: Page) -> list[Route]:
    """From now on what brings the form up to date waits in this list; not what asks only for totals or values."""
    held: list[Route] = []

    def hold(route: Route) -> None:
        asked = route.request
        is_held = asked.method == "POST" and "hx-request" in asked.headers and "_totals" not in (asked.post_data or "")
        held.append(route) if is_held else route.continue_()

    page.route("**/*", hold)
    return held


def _wait_for_one(page: Page, held: list[Route]) -> None:
    deadline = time.monotonic() + 10
    while not held:
        assert time.monotonic() < deadline, "The page has posted nothing."
        page.wait_for_timeout(50)


def _let_go(page: Page, held: list[Route]) -> None:
    _wait_for_one(page, held)
    with page.expect_response(lambda response: response.request.method == "POST"):
        held.pop().continue_()
    page.wait_for_function("() => !document.querySelector('.htmx-request, .htmx-swapping, .htmx-settling')")
    page.wait_for_timeout(200)


def test_focus_sections_scroll_and_what_is_typed_meanwhile_survive_a_form_brought_up_to_date(
    person_at: Callable[..., Person],
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder)
    begin_workflow(builder, "Pins", board="Office styling")
    begin_invoice_step(builder)
    page = builder.page
    page.get_by_text("If something goes wrong").click()
    builder.field("Description").fill("typed before")
    held = _hold_posts(page)
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    reference = builder.field("Reference")
    reference.fill("typed meanwhile")
    for key in ("ArrowLeft", "ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowLeft"):
        reference.press(key)
    reference.evaluate("field => { window.pxField = field; }")
    builder.field("Name").evaluate("field => { field.value = 'Renamed meanwhile'; }")
    page.evaluate("() => window.scrollTo(0, 240)")
    scrolled = page.evaluate("() => window.scrollY")
    assert scrolled > 0
    assert builder.field("Contact").locator("option").count() == 1
    _let_go(page, held)
    assert builder.field("Contact").locator("option").count() > 1, "the list of the organisation has come"
    assert builder.source("Reference") == reference.inner_text() == "typed meanwhile"
    assert reference.evaluate("field => field === window.pxField && field === document.activeElement")
    assert page.evaluate("() => document.getSelection().toString()") == "whi"
    assert builder.field("Name").input_value() == "Renamed meanwhile"
    assert builder.source("Description") == builder.field("Description").inner_text() == "typed before"
    section = page.locator("#px-form > details").filter(has_text="If something goes wrong")
    assert section.evaluate("details => details.open")
    assert page.evaluate("() => window.scrollY") == scrolled


def test_a_list_of_values_stays_open_while_the_form_is_brought_up_to_date(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/")
    begin_invoice_step(builder)
    page = builder.page
    held = _hold_posts(page)
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    builder.field("Description").click()
    page.keyboard.press("Alt+ArrowDown")
    page.keyboard.type("tit")
    _let_go(page, held)
    assert builder.field("Contact").locator("option").count() > 1, "the list of the organisation has come"
    page.keyboard.type("le")
    page.keyboard.press("Enter")
    assert builder.source("Description") == "{{ trigger.title }}"
    assert page.get_by_role("dialog", name="Pick a value").count() == 0


def test_a_choice_made_meanwhile_survives_and_so_does_the_focus_where_rows_come_and_go(
    person_at: Callable[..., Person],
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/")
    begin_invoice_step(builder)
    page = builder.page
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    builder.field("Contact").locator("option", has_text="Ridgeway University").wait_for(state="attached")
    held = _hold_posts(page)
    page.get_by_role("button", name="Add a row", exact=True).click()
    builder.field("Prices are").select_option(label="Tax inclusive")
    _let_go(page, held)
    rows = page.get_by_role("button", name="Add a row", exact=True).locator("xpath=../..").locator(".px-rows-item")
    assert rows.count() == 2
    lines = "[...document.querySelectorAll('[data-px-line]')]"
    stands_in = f"() => {lines}.indexOf(document.activeElement.closest('[data-px-line]'))"
    assert page.evaluate(stands_in) == 1 or builder.field("Prices are").evaluate(
        "list => list === document.activeElement"
    )
    assert builder.field("Prices are").evaluate("list => list.selectedOptions[0].label") == "Tax inclusive"
    page.get_by_role("button", name="Remove row 2").or_(page.get_by_role("button", name="Remove line 2")).first.focus()
    page.keyboard.press("Enter")
    _let_go(page, held)
    assert rows.count() == 1
    assert page.evaluate("() => document.activeElement.closest('#px-form') !== null"), "the focus stays in the form"


def test_comparisons_narrow_again_after_one_was_added(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/1/filter/")
    page = builder.page
    page.locator("#type-0").select_option("number")
    page.locator("#operator-0").select_option("number.between")
    builder.field("Value").first.fill("{{ trigger.title }}")
    builder.field("Compared with").first.fill("7")
    page.get_by_role("button", name="Add a condition", exact=True).press("Enter")
    page.locator("#left-1").wait_for(state="attached")
    page.wait_for_timeout(300)
    assert page.evaluate("() => document.activeElement.id") == "add-row-root"
    assert page.locator("#operator-0").input_value() == "number.between"
    assert page.locator("#type-0").input_value() == "number"
    for number, type_ in (("0", "number"), ("1", "text")):
        groups = page.locator(f"#operator-{number} optgroup")
        assert groups.evaluate_all("all => all.map(each => each.dataset.type)") == [type_]
    assert page.locator("[data-px-operand='2']").nth(0).is_visible()
    assert not page.locator("[data-px-operand='2']").nth(1).is_visible()
    page.locator("#type-1").select_option("number")
    assert page.locator("#operator-1 optgroup").evaluate_all("all => all.map(each => each.dataset.type)") == ["number"]
    page.locator("#remove-0").press("Enter")
    page.locator("#left-1").wait_for(state="detached")
    page.wait_for_timeout(300)
    assert page.locator("#left-0").input_value() == ""
    assert page.evaluate("() => document.activeElement.id") == "remove-0"


def test_a_run_under_way_keeps_open_what_was_opened_and_stops_asking_when_it_is_over(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    stage.python(_RUN)
    builder = person_at(viewport={"width": 1280, "height": 500})
    builder.sign_in("builder")
    builder.open("/runs/90001/")
    page = builder.page
    sections = page.locator("#px-run details")
    assert sections.count() > 0
    before = sections.evaluate_all("all => all.map(each => (each.open = !each.open))")
    page.locator("#px-run summary").last.focus()
    page.evaluate("() => window.scrollTo(0, 150)")
    scrolled = page.evaluate("() => window.scrollY")
    stage.python(_CHANGE.format(status="queued"))
    assert builder.reads("Queued")
    stage.python(_CHANGE.format(status="succeeded"))
    assert builder.reads("Succeeded"), "it goes on asking after the first change"
    page.wait_for_timeout(300)
    assert sections.evaluate_all("all => all.map(each => each.open)") == before
    assert page.locator("#px-run summary").last.evaluate("each => each === document.activeElement")
    assert page.evaluate("() => window.scrollY") == scrolled
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(4000)
    assert asked == []
