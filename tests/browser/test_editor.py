"""The editor's one page in a browser: the panel changes, the steps stay, and nothing typed is lost unasked."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

_ROWS = """
from django.contrib.auth.models import User
from integrations.models import Team
from tests.base import Cast
from tests.world import make_world
people = {user.username: user for user in User.objects.all()}
team, other = Team.objects.get(name="Acme Finance"), Team.objects.get(name="Other Company")
workflow = make_world(Cast(team=team, other_team=other, **people)).draft
from workflows.definitions import editing
for name in ("Cool down", "Then warm up"):
    settings = {"how": "for", "amount": "3", "unit": "days"}
    editing.save_kind(workflow, None, kind="delay", name=name, settings=settings, sources={})
rows = [workflow.pk, *workflow.steps.order_by("position").values_list("pk", flat=True)]
open(FILE, "w").write(" ".join(map(str, rows)))
"""


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Stage:
    """Without a worker: the rows are to stay as they are."""
    return stage_without_worker


@pytest.fixture(scope="module")
def rows(stage: Stage) -> list[str]:
    """A draft, and its two delays."""
    file = stage.folder / "rows.txt"
    stage.python(f"FILE = {str(file)!r}\n{_ROWS}")
    return file.read_text().split()


def _focused(person: Person) -> str:
    return str(person.page.evaluate("() => document.activeElement.id || document.activeElement.textContent.trim()"))


def _edit(person: Person, step: str) -> None:
    person.page.locator(f"#edit-{step}").click()
    person.page.locator(f"#edit-{step}[aria-current=true]").wait_for()
    person.page.locator("#px-form").wait_for()


def test_a_step_is_changed_beside_the_others_and_the_place_is_kept(
    rows: list[str], person_at: Callable[..., Person]
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    workflow, first, second = rows
    builder.open(f"/workflows/{workflow}/")
    page = builder.page
    page.evaluate("() => { window.pxSamePage = true; }")
    _edit(builder, first)
    assert page.url.endswith(f"/workflows/{workflow}/steps/{first}/")
    assert _focused(builder) == "Delay"
    builder.field("Name").fill("")
    builder.click("Save the step")
    page.locator("[aria-invalid=true]").wait_for()
    page.wait_for_function("() => document.activeElement.name === 'name'")
    builder.field("Name").fill("Cool down well")
    builder.field("How many").fill("4")
    builder.click("Save the step")
    page.locator("#flow").get_by_text("4 days").wait_for()
    page.wait_for_function(f"() => document.activeElement.id === 'edit-{first}'")
    assert page.locator("#px-said").inner_text() == "Cool down well is saved."
    assert page.url.endswith(f"/workflows/{workflow}/")
    page.get_by_label("Move Then warm up up").press("Enter")
    page.wait_for_function(f"() => document.activeElement.id === 'edit-{second}'")
    assert page.locator("#flow .px-card-title").all_inner_texts()[-2:] == ["Then warm up", "Cool down well"]
    assert page.evaluate("() => window.pxSamePage"), "all of it happened on one page"
    page.go_back()
    page.locator("#px-form").wait_for()
    assert page.url.endswith(f"/workflows/{workflow}/steps/{first}/")
    assert builder.source("How many") == "4"
    page.set_viewport_size({"width": 390, "height": 844})
    assert not page.locator("#flow").is_visible(), "one at a time where there is room for one"
    assert looks.overflow(page) == []
    builder.click("Close", role="link")
    page.locator("#flow").wait_for()
    page.wait_for_function(f"() => document.activeElement.id === 'edit-{first}'")


def test_leaving_a_form_with_something_typed_asks(rows: list[str], person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    workflow, first, second = rows
    builder.open(f"/workflows/{workflow}/")
    page = builder.page
    _edit(builder, first)
    _edit(builder, second)
    builder.field("How many").fill("7")
    page.locator(f"#edit-{first}").click()
    builder.click("Go on editing")
    assert builder.source("How many") == "7"
    page.locator(f"#edit-{first}").click()
    assert looks.violations(page) == []
    builder.click("Leave without saving")
    page.locator(f"#edit-{first}[aria-current=true]").wait_for()
    builder.field("How many").fill("8")
    builder.click("Save the step")
    _edit(builder, second)
    assert not page.locator("#px-leave").is_visible(), "what was saved needs no question"
    assert builder.source("How many") == "3"


def test_the_second_of_two_tabs_is_shown_both_values(rows: list[str], person_at: Callable[..., Person]) -> None:
    builder = person_at(color_scheme="dark")
    builder.sign_in("builder")
    workflow, first, _ = rows
    builder.open(f"/workflows/{workflow}/steps/{first}/")
    page = builder.page
    other = builder.context.new_page()
    other.goto(page.url)
    other.get_by_role("textbox", name="How many").fill("20")
    other.get_by_role("button", name="Save the step").click()
    other.get_by_text("20 days").wait_for()
    builder.field("How many").fill("30")
    builder.click("Save the step")
    row = page.get_by_role("row").filter(has_text="How many")
    row.wait_for()
    assert row.get_by_role("cell").all_inner_texts() == ["20", "30"]
    assert builder.source("How many") == "30"
    assert looks.violations(page) == []
    builder.click("Save mine anyway")
    page.locator("#flow").get_by_text("30 days").wait_for()


_LOOP = """
from workflows.definitions import editing
from workflows.models import Workflow
workflow = Workflow.objects.get(pk=WORKFLOW)
sources = {"items": "{{ trigger.name }}"}
loop = editing.save_kind(workflow, None, kind="loop", name="Each of them", settings=sources, sources={})
open(FILE, "w").write(str(loop.pk))
"""


def test_a_step_is_dragged_by_its_handle_into_a_loop_and_out_again(
    stage: Stage, rows: list[str], person_at: Callable[..., Person]
) -> None:
    builder = person_at(viewport={"width": 1280, "height": 1400})  # so that nothing scrolls while it is dragged
    builder.sign_in("builder")
    workflow, first, second = rows
    file = stage.folder / "loop.txt"
    stage.python(f"FILE, WORKFLOW = {str(file)!r}, {workflow}\n{_LOOP}")
    loop = file.read_text()
    builder.open(f"/workflows/{workflow}/")
    page = builder.page
    page.evaluate("() => { window.pxSamePage = true; }")
    inside = page.locator(f"[data-px-place='{loop}-0']")
    _drag(builder, first, inside)
    page.locator(f"#step-{loop} #step-{first}").wait_for()
    assert builder.reads("was moved.")
    page.wait_for_function(f"() => document.activeElement.id === 'edit-{first}'")
    _drag(builder, loop, inside, drops="inside itself")
    assert page.locator(f"#step-{loop}.px-drag--refused").count() == 1
    page.mouse.up()
    assert page.locator(".px-drag, .px-drop").count() == 0
    _drag(builder, first, page.locator(f"[data-px-place='0-{second}']"))
    page.locator(f"#flow > .px-flow > #step-{first}").wait_for()
    order = page.locator("#flow > .px-flow > [id^=step-]").evaluate_all("all => all.map((each) => each.id)")
    assert order.index(f"step-{first}") < order.index(f"step-{second}")
    assert page.evaluate("() => window.pxSamePage"), "all of it happened on one page"
    assert page.locator("[data-px-drag]").first.get_attribute("aria-hidden") == "true"
    assert looks.violations(page) == []


def _drag(person: Person, step: str, place: Locator, *, drops: str = "") -> None:
    """Take the step by its handle with the mouse to a place, and let it go there, unless the test looks first."""
    handle = person.page.locator(f"#step-{step} > .px-card [data-px-drag]")
    handle.hover()
    person.page.mouse.down()
    box = place.bounding_box()
    assert box is not None
    for each in range(2):  # the first begins the drag
        person.page.mouse.move(box["x"] + box["width"] / 2 + each, box["y"] + box["height"] / 2)
    if not drops:
        person.page.locator(".px-drop").wait_for(state="attached")
        person.page.mouse.up()


def test_a_problem_on_a_card_opens_its_field(stage: Stage, rows: list[str], person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    workflow, first, _ = rows
    page = builder.page
    stage.python(
        "from workflows.models import Step\n"
        f"step = Step.objects.get(pk={first})\n"
        "step.settings = {**step.settings, 'amount': '{{ trigger.nothing }}'}\n"
        "step.save()\n"
    )
    builder.open(f"/workflows/{workflow}/")
    page.evaluate("() => { window.pxSamePage = true; }")
    page.locator("#flow").get_by_role("link", name="How many").click()
    page.locator("#px-form").wait_for()
    page.wait_for_function("() => document.activeElement.closest('.px-field')?.querySelector('#id_in-amount')")
    assert page.url.endswith(f"/steps/{first}/#id_in-amount")
    assert page.evaluate("() => window.pxSamePage")
