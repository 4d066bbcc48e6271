"""Every page a builder can reach, full of hostile text: none of it is run, nothing overflows, everything has a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urldefrag, urlsplit

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, begin_workflow, connect_both, publish_and_switch_on

pytestmark = pytest.mark.browser

SCRIPT = "<script>alert('pin')</script>{{7*7}}"
IMAGE = "\"><img src=x onerror=alert('pin')>"
ODD = "\u202eدبوس جديد\u202c \U0001f370\U0001f9c1 ${7*7} #{7*7}"
SHOWN_ODD = "[U+202E]دبوس جديد[U+202C] \U0001f370\U0001f9c1 ${7*7} #{7*7}"  # what turns the text is not obeyed
BOARD = f"{IMAGE} {{{{ 7*7 }}}} ' onmouseover='alert(1)"
CONTACT = '<img src=x onerror="alert(1)"> Rex Media & Co (info@rexmedia.example)'  # the sandbox has it from the start
WORKFLOW = "</title><script>alert('workflow')</script>"
NOTE = "javascript:alert(1) <img src=x onerror=alert('note')>"
RUN = "/runs/1/"
_MOST_PAGES = 260
_LEFT_OUT = ("parent=", "before=", "since=", "until=", "document=")


@dataclass(frozen=True)
class Scene:
    """What there is to look at: the builder's session and the main pages."""

    session: Any
    paths: list[str]


@pytest.fixture(scope="module")
def scene(stage: Stage, browser: Any) -> Iterator[Scene]:
    """Boards, pins, a workflow, versions and runs, each with a text that wants to be more than text."""
    stage.sandbox.lift_limits()
    stage.sandbox.add_board(BOARD)
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    builder = Person(context, stage.url)
    builder.sign_in("builder")
    connect_both(builder)
    begin_workflow(builder, WORKFLOW, board=BOARD)
    begin_invoice_step(builder)
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    builder.field("Contact").select_option(label=CONTACT)
    builder.field("Description").fill("{{ trigger.title }} {{ trigger.description }} {{ trigger.link }} " + SCRIPT[:24])
    builder.field("Reference").fill("{{ trigger.title }}")
    builder.click("Save the step")
    assert builder.reads("Create invoice is saved.")
    publish_and_switch_on(builder, note=NOTE)
    for title, link in (
        (SCRIPT, "javascript:alert(1)"),
        (IMAGE, "data:text/html,<script>alert(1)</script>"),
        (ODD, None),
    ):
        stage.sandbox.add_pins(BOARD, title=title, description=f"{title} " + "unbroken" * 40, link=link)
    builder.click("Check now")
    builder.open("/runs/")
    succeeded = builder.page.locator(".px-badge", has_text="Succeeded")
    builder.reload_until(lambda: succeeded.count() == 3)
    paths = ["/admin/", "/workflows/", "/workflows/new/", "/workflows/1/", "/workflows/1/trigger/"]
    paths += ["/workflows/1/filter/", "/workflows/1/steps/1/", "/workflows/1/publish/", "/workflows/1/versions/1/"]
    paths += ["/runs/", RUN, "/connections/", "/connections/1/", "/connections/2/disconnect/"]
    yield Scene(context.storage_state(), paths)
    assert builder.complaints == []
    context.close()


def test_hostile_text_is_shown_as_text_on_every_page_that_a_builder_can_reach(
    scene: Scene, person_at: Callable[..., Person]
) -> None:
    builder = person_at(storage_state=scene.session)
    seen: set[str] = set()
    todo = [*scene.paths]
    unsafe: list[str] = []
    while todo:
        path = todo.pop(0)
        if (
            path in seen or path.startswith("/accounts/") or re.search(r"/export/|\.(csv|xlsx|zip)\b", path)
        ):  # a file is no page
            continue
        seen.add(path)
        assert len(seen) <= _MOST_PAGES, f"The crawl does not end: {sorted(seen)}"
        response = builder.open(path)
        assert response.status in (200, 403), f"{path} answered {response.status}"
        assert "49}" not in builder.page.title()
        addresses = looks.links(builder.page)
        unsafe += [f"{path}: {each}" for each in looks.unsafe(addresses)]
        todo += [_path(each) for each in addresses if each.startswith(builder.home)]
    assert unsafe == []
    assert {"/runs/2/", "/runs/3/", "/workflows/1/versions/", "/workflows/1/settings/"} <= seen
    said = ""
    for number in (1, 2, 3):
        builder.open(f"/runs/{number}/")
        builder.open_all_details()
        said += builder.page.locator(".px-page").inner_text()
    for text in (SCRIPT, IMAGE, SHOWN_ODD, BOARD, "javascript:alert(1)", WORKFLOW, CONTACT):
        assert text in said, text
    builder.open("/workflows/1/")
    assert builder.reads(NOTE)
    assert BOARD in builder.page.get_by_label("Trigger", exact=True).inner_text()


def _path(address: str) -> str:
    """Without the part of a page, a list of any order and day, the form of a step of any place, what is asked of one
    document of a run: so a crawl ends."""
    parts = urlsplit(urldefrag(address).url)
    query = "&".join(each for each in parts.query.split("&") if not each.startswith(_LEFT_OUT))
    return f"{parts.path}?{query}" if query and "page" not in query else parts.path


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_every_control_has_a_name(
    scene: Scene, person_at: Callable[..., Person], scheme: str, width: int
) -> None:
    builder = person_at(storage_state=scene.session, color_scheme=scheme, viewport={"width": width, "height": 844})
    found = []
    for path in scene.paths:
        builder.open(path)
        found += [f"{path}: nameless {each}" for each in looks.nameless(builder.page)]
        found += [f"{path}: too wide {each}" for each in looks.overflow(builder.page)]
        if (looks.brightness(builder.page) < 0.5) is not (scheme == "dark"):
            found.append(f"{path}: is not {scheme}")
        if path == RUN:
            builder.open_all_details()
            found += [f"{path}, unfolded: too wide {each}" for each in looks.overflow(builder.page)]
    assert found == [], "\n".join(found)


def test_a_workflow_can_be_made_with_the_keyboard_alone(scene: Scene, person_at: Callable[..., Person]) -> None:
    builder = person_at(storage_state=scene.session)
    builder.open("/workflows/new/")
    keyboard = builder.page.keyboard
    _tab_to(builder, "[name=name]")
    keyboard.type("Typed, not clicked")
    _tab_to(builder, "[name=trigger]")
    keyboard.press("Space")
    keyboard.press("Enter")
    builder.page.wait_for_url("**/workflows/2/trigger/")
    _tab_to(builder, "[name='in.board_id']")
    keyboard.type("Office")
    _tab_to(builder, "button.px-button--primary")
    keyboard.press("Enter")
    builder.page.wait_for_url("**/workflows/2/steps/new/")
    assert builder.reads("Typed, not clicked")
    assert builder.reads("Office styling")


def _tab_to(person: Person, selector: str) -> None:
    """Press Tab until it has the focus, and see that the focus is visible."""
    for _ in range(60):
        person.page.keyboard.press("Tab")
        if person.page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab does not reach {selector} on {person.page.url}.")
