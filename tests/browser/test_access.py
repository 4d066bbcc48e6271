"""Every page that has an address, light and dark, held against axe, and ways that the keyboard alone must go.

Which pages there are comes from the resolver and the table of permissions, where an address without a row fails.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.addresses import ADDRESSES
from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.permission_table import RULES, wanted

pytestmark = pytest.mark.browser

#: Answers to a GET that are no pages: files, scripts, and JSON.
NO_PAGES = {
    "admin:autocomplete", "admin:jsi18n", "admin:search", "backtest_file", "backup", "export_lookup_table",
    "export_workflow", "documents_csv", "documents_xlsx", "documents_evidence", "run_evidence", "activity_csv",
    "reconciliation_csv", "activity_xlsx", "guide_picture", "mfa_download_recovery_codes",
}  # fmt: skip
#: In the dark only the colours are others.
COLOURS = ["color-contrast", "link-in-text-block"]
#: Pages with another look for other rows, or in another state, as (who, path); the names stand for the rows' ids.
OTHERS = [
    ("builder", "/no/such/page/"),
    ("anonymous", "/no/such/page/"),
    ("auditor", "/workflows/new/"),
    ("builder", "/workflows/{workflow}/steps/new/?operation=xero.create_invoice"),
    ("builder", "/workflows/{workflow}/steps/new/?kind=branch"),
    ("builder", "/workflows/{workflow}/steps/new/?kind=loop"),
    ("builder", "/workflows/{workflow}/steps/new/?kind=delay"),
    ("builder", "/workflows/{draft}/"),
    ("builder", "/runs/{looped}/"),
    ("builder", "/runs/?status=succeeded"),
    ("builder", "/documents/?noun=Sales%20invoice"),
    ("builder", "/documents/?since=tomorrow"),
    ("builder", "/activity/?about=workflow-{workflow}"),
    ("builder", "/activity/?since=tomorrow"),
    ("root", "/activity/?of=installation"),
    ("builder", "/connections/xero/callback/"),
    ("outsider", "/admin/"),
    ("outsider", "/workflows/"),
    ("outsider", "/runs/"),
    ("outsider", "/documents/"),
    ("outsider", "/activity/"),
    ("outsider", "/connections/"),
    ("outsider", "/lookup-tables/"),
]
#: What differs in every answer, and is never shown.
_SECRETS = re.compile(r'nonce="[^"]*"|name="csrfmiddlewaretoken" value="[^"]*"|"X-CSRFToken": "[^"]*"')
_FURNISH = """
import json
from django.contrib.auth.models import User
from integrations.models import Connection, Membership, Role, Team
from tests.addresses import ADDRESSES, furnish, path_of
from tests.base import Cast, PASSWORD
from tests.world import LOOPED, make_world
from workflows.models import Run
people = {{user.username: user for user in User.objects.all()}}
team, other = Team.objects.get(name="Acme Finance"), Team.objects.get(name="Other Company")
cast = Cast(team=team, other_team=other, **people)
world = make_world(cast)
furnish(world, cast)
root = User.objects.create_superuser("root", "root@acme.example", PASSWORD)
Membership.objects.create(team=team, user=root, role=Role.BUILDER)
rows = dict(workflow=world.workflow.pk, draft=world.draft.pk, looped=Run.objects.get(title=LOOPED).pk)
paths = {{name: path_of(name, world) for name in ADDRESSES if name != "run_by_marker"}}
json.dump([paths, rows], open({file!r}, "w"))
"""


@dataclass(frozen=True)
class Scene:
    """Who is signed in, and where the pages are."""

    sessions: dict[str, Any]
    paths: dict[str, str]
    rows: dict[str, int]


@pytest.fixture(scope="module")
def stage(stage_without_worker: Stage) -> Stage:
    """Without a worker: the rows are to stay as they are."""
    return stage_without_worker


@pytest.fixture(scope="module")
def scene(stage: Stage, browser: Any) -> Scene:
    """One row of everything that has a page."""
    file = stage.folder / "paths.json"
    stage.python(_FURNISH.format(file=str(file)))
    paths, rows = json.loads(file.read_text())
    sessions: dict[str, Any] = {"anonymous": None}
    for name in ("builder", "auditor", "outsider", "administrator", "root"):
        context = browser.new_context()
        Person(context, stage.url).sign_in(name)
        sessions[name] = context.storage_state()
        context.close()
    return Scene(sessions, paths, rows)


def _who(name: str) -> str | None:
    """Who finds a page at this address; nobody where it only takes forms, belongs to programs, or is shut."""
    seen = wanted(RULES[name][0])
    if name in NO_PAGES or seen["builder"] in ("401", "404", "405"):
        return None
    if seen["anonymous"] == "shown":
        return "anonymous"
    if seen["administrator"] == "shown" and seen["builder"] == "403":
        return "administrator"
    return "root" if seen["builder"] == "403" else "builder"


def _area(name: str) -> str:
    """Small enough for one test: parts of the admin by app, other pages by their letter."""
    return "admin, " + name[6:].partition("_")[0] if name.startswith("admin:") else f"pages, {name[0]}"


AREAS: dict[str, list[tuple[str, str]]] = {}
for _name in sorted(set(ADDRESSES) & set(RULES) - {"run_by_marker"}):
    if _reader := _who(_name):
        AREAS.setdefault(_area(_name), []).append((_reader, _name))


def test_what_is_said_to_be_no_page_has_an_address() -> None:
    assert sorted(NO_PAGES - set(ADDRESSES)) == []


@pytest.mark.timeout(480)  # the largest part of the admin has many pages
@pytest.mark.parametrize("area", sorted(AREAS))
def test_axe_finds_nothing_on_any_page(area: str, scene: Scene, person_at: Callable[..., Person]) -> None:
    _hold(scene, person_at, [(who, scene.paths[name]) for who, name in AREAS[area]])


def test_axe_finds_nothing_on_pages_in_other_states(scene: Scene, person_at: Callable[..., Person]) -> None:
    _hold(scene, person_at, [(who, path.format_map(scene.rows)) for who, path in OTHERS])


def _hold(scene: Scene, person_at: Callable[..., Person], pages: list[tuple[str, str]]) -> None:
    """Every page is loaded in the dark, and turned light where it stands: a second load would show nothing else."""
    found: list[str] = []
    people: dict[str, Person] = {}
    seen: set[tuple[str, str]] = set()
    for who, path in pages:
        if who not in people:
            people[who] = person_at(storage_state=scene.sessions[who], color_scheme="dark")
            looks.bring_axe(people[who].context)
        person = people[who]
        answer = person.context.request.get(f"{person.home}{path}")
        assert answer.headers["content-type"].startswith("text/html"), f"{path} is no page"
        assert answer.status != 500, path
        # Many addresses of the admin give the same answer to the last letter, as that somebody may not enter.
        told = (who, f"{answer.status} {_SECRETS.sub('', answer.text())}")
        if told in seen:
            continue
        seen.add(told)
        person.page.emulate_media(color_scheme="dark")
        person.open(path)
        has_themes = person.page.locator("main.px-alone").count() == 0
        for scheme, rules in (("dark", COLOURS), ("light", [])):
            if scheme == "light":
                looks.turn_light(person.page)
            assert looks.is_dark(person.page) is (scheme == "dark" and has_themes), path
            found += [f"{path}, {scheme}: {each}" for each in looks.violations(person.page, *rules)]
    assert found == [], "\n".join(found)


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_the_keyboard_skips_the_sidebar_and_opens_and_closes_it_and_the_account_menu(
    width: int, scene: Scene, person_at: Callable[..., Person]
) -> None:
    builder = person_at(storage_state=scene.sessions["builder"], viewport={"width": width, "height": 800})
    builder.open("/runs/")
    keyboard, page = builder.page.keyboard, builder.page
    keyboard.press("Tab")
    assert _focused(builder) == "Skip to the content"
    keyboard.press("Enter")
    keyboard.press("Tab")
    assert page.evaluate("() => document.getElementById('main').contains(document.activeElement)")
    sidebar, account = page.locator("#nav-sidebar"), page.locator("#px-account")
    if width < 1280:
        sidebar.wait_for(state="hidden")
        page.get_by_role("button", name="Menu", exact=True).focus()
        keyboard.press("Enter")
        sidebar.wait_for(state="visible")
        page.wait_for_function("() => document.activeElement.id === 'px-close-sidebar'")
        keyboard.press("Escape")
        sidebar.wait_for(state="hidden")
        assert _focused(builder) == "Menu"
        keyboard.press("Space")
        # The account is in the sidebar; what is focused before the sidebar has taken the focus would lose it again.
        page.wait_for_function("() => document.activeElement.id === 'px-close-sidebar'")
    else:
        toggle = page.get_by_role("button", name="Sidebar", exact=True)
        assert toggle.get_attribute("aria-expanded") == "true"
        toggle.focus()
        keyboard.press("Enter")
        sidebar.wait_for(state="hidden")
        assert toggle.get_attribute("aria-expanded") == "false"
        keyboard.press("Enter")
        sidebar.wait_for(state="visible")
    mine = page.get_by_role("button", name="Your account")
    mine.focus()
    keyboard.press("Enter")
    account.wait_for(state="visible")
    for name in ("Light", "Dark", "System", "Change password", "Two-factor sign-in"):
        keyboard.press("Tab")
        assert _focused(builder) == name
    keyboard.press("Escape")
    account.wait_for(state="hidden")
    assert _focused(builder).startswith("Your account")
    keyboard.press("Enter")
    account.wait_for(state="visible")
    keyboard.press("Tab")
    keyboard.press("Tab")
    assert _focused(builder) == "Dark"
    keyboard.press("Enter")
    assert page.evaluate("() => document.documentElement.classList.contains('dark')")
    assert page.get_by_role("button", name="Dark", exact=True).get_attribute("aria-pressed") == "true"


def _focused(person: Person) -> str:
    """What the thing with the focus is called, without its icon."""
    script = """() => {
      const each = document.activeElement.cloneNode(true);
      each.querySelectorAll("[aria-hidden=true], .material-symbols-outlined").forEach((icon) => icon.remove());
      return (each.getAttribute("aria-label") || each.textContent).replace(/\\s+/g, " ").trim();
    }"""
    return str(person.page.evaluate(script))


def test_the_focus_stays_where_it_is_while_a_page_brings_itself_up_to_date(
    stage: Stage, scene: Scene, person_at: Callable[..., Person]
) -> None:
    change = "from workflows.models import Run\nRun.objects.filter(pk={pk}).update(status={status!r}, wait_reason='')"
    pk = scene.rows["looped"]
    stage.python(change.format(pk=pk, status="running"))
    builder = person_at(storage_state=scene.sessions["builder"])
    try:
        for path, region, place in (
            (f"/runs/{pk}/", "#px-run", "#px-run .px-kicker a"),
            (f"/runs/{pk}/", "#px-run", "#px-run summary"),
            ("/runs/", "#px-runs", "#px-runs a[href='/runs/1/']"),
        ):
            stage.python(change.format(pk=pk, status="running"))
            builder.open(path)
            builder.page.evaluate("selector => { document.querySelector(selector).dataset.old = '1'; }", region)
            builder.page.locator(place).first.focus()
            stage.python(change.format(pk=pk, status="succeeded"))
            builder.page.locator(f"{region}:not([data-old])").wait_for(state="attached")
            builder.page.wait_for_timeout(300)
            assert builder.page.evaluate("s => document.activeElement === document.querySelector(s)", place), place
    finally:
        stage.python(change.format(pk=pk, status="succeeded"))


LONG = "Walnut sideboard with brass handles, delivered to the second floor of the warehouse at Bristol Docks " * 2
#: Cells whose text is cut off in height, or stands in less room than a few words need.
_CRAMPED = """(list) => [...document.querySelectorAll(`${list} :is(td, th)`)].filter((cell) => {
  if (!cell.checkVisibility() || !cell.textContent.trim()) return false;
  const isCut = cell.scrollHeight > cell.clientHeight + 2;
  const lines = Math.round(cell.getBoundingClientRect().height / 20);
  return isCut || lines > 6;
}).map((cell) => `${cell.clientWidth}x${cell.clientHeight} of ${cell.scrollHeight}: ${cell.textContent.trim()}`)"""
_STACKED = """() => [...document.querySelectorAll("#px-runs td:first-child :is(a, span)")]
  .filter((each) => each.getClientRects().length && each.getBoundingClientRect().height > 46)
  .map((each) => each.textContent)"""


@pytest.mark.parametrize("width", [1280, 768, 390])
def test_long_titles_stand_in_lists_without_being_cut_or_stacked(
    width: int, stage: Stage, scene: Scene, person_at: Callable[..., Person]
) -> None:
    lengthen = (
        "from workflows.models import Run, Workflow\nRun.objects.filter(pk=1).update(title={text!r}, error={text!r})"
    )
    stage.python(lengthen.format(text=LONG[:200]) + f"\nWorkflow.objects.filter(pk=1).update(name={LONG[:100]!r})")
    root = person_at(storage_state=scene.sessions["root"], viewport={"width": width, "height": 900})
    for path, cells in (("/runs/", "#px-runs"), ("/admin/workflows/run/", "#result_list")):
        root.open(path)
        assert root.page.evaluate(_CRAMPED, cells) == [], path
        assert looks.overflow(root.page) == [], path
    root.open("/runs/")
    assert root.page.evaluate(_STACKED) == []


def test_on_paper_there_are_no_buttons_and_no_frame(scene: Scene, person_at: Callable[..., Person]) -> None:
    builder = person_at(storage_state=scene.sessions["builder"], color_scheme="dark")
    for path in ("/runs/1/", "/runs/", "/workflows/1/", "/connections/", "/notices/"):
        builder.open(path)
        builder.page.emulate_media(media="print")
        seen = builder.page.locator(
            "button:visible, .px-button:visible, form input:visible, nav:visible, header:visible"
        )
        assert [each.inner_text() for each in seen.all()] == [], path
        assert builder.page.locator(".px-page").is_visible()
        assert looks.brightness(builder.page) > 0.9, path
        builder.page.emulate_media(media="screen")
