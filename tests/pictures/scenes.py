"""What is on the pictures: workflows, their steps, previews and backtests. Each scene goes where the last one ended."""

from __future__ import annotations

from playwright.sync_api import Locator

from pinxero import demo
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.pictures.camera import Camera

_PINS = [
    *("Grilled nectarines", "Draft: plum cake", "Iced rooibos with mint", "Cold cucumber soup", "Charred corn salad"),
    *("Raspberry shrub", "Draft: fig jam", "Tomato focaccia", "Apricot galette", "Melon and feta", "Basil lemonade"),
]
#: Runs of a fresh demo are all of today; the bars of the dashboard show two weeks.
_SPREAD = """
from datetime import timedelta
from workflows.models import Run
for place, run in enumerate(Run.objects.order_by("-pk")):
    if place > 2:
        Run.objects.filter(pk=run.pk).update(created_at=run.created_at - timedelta(days=(place * 7) % 13))
"""
#: So high that the panel of the editor, which scrolls by itself, shows all of its form.
EDITOR, LIST, PAGE = [{"width": width, "height": height} for width, height in ((1200, 2000), (1200, 900), (960, 900))]
WORKFLOW = "/workflows/1/"


def runs(stage: Stage, person: Person, camera: Camera) -> None:
    for title in _PINS:
        stage.sandbox.add_pins(demo.BOARD, title=title, description="For the summer issue.")
    person.page.set_viewport_size(PAGE)
    person.open(WORKFLOW)
    person.click("Check now")
    person.open("/runs/?q=Iced+rooibos")
    ended = person.page.get_by_role("row").filter(has_text="Succeeded")
    person.reload_until(lambda: ended.count() > 0, seconds=120)
    person.click("Iced rooibos with mint", role="link")
    camera.take("run", person.page.locator(".px-head"), person.page.locator(".px-paper"), highest=1560)
    person.click("Take back…", role="link")
    person.page.locator("summary", has_text="Exactly what would be sent").click()
    camera.take("take-back", person.page.locator("#px-take-back"), highest=1000)
    person.page.set_viewport_size(LIST)
    person.open("/runs/")
    person.reload_until(lambda: person.page.get_by_role("row").count() > len(_PINS), seconds=120)
    camera.take("runs", person.page.locator("#px-runs"), highest=420)
    person.open("/documents/")
    sections = [page_section(person, heading) for heading in ("What they come to", "Documents")]
    camera.take("documents", *sections, highest=760)
    stage.python(_SPREAD)


def reconciliation(stage: Stage, person: Person, camera: Camera) -> None:
    """After somebody has changed some of what the runs have written."""
    changed, renumbered, deleted = stage.sandbox.invoices()[:3]
    line = {"Description": "Grilled nectarines", "Quantity": 1, "UnitAmount": 95, "AccountCode": "260"}
    stage.sandbox.change("invoice", changed["id"], LineItems=[line])
    stage.sandbox.change("invoice", renumbered["id"], InvoiceNumber="INV-2044")
    stage.sandbox.change("invoice", deleted["id"], Status="DELETED")
    person.page.set_viewport_size(LIST)
    person.open("/reconciliations/")
    person.field("Organisation").select_option(label="Demo Company (NZ)")
    person.click("Reconcile now")
    done = person.page.locator(".px-head").get_by_text("Done", exact=True)
    person.reload_until(lambda: done.count() > 0, seconds=120)
    camera.take("reconciliation", person.page.locator(".px-head"), person.page.locator("#px-listed"), highest=760)


def activity(stage: Stage, person: Person, camera: Camera) -> None:
    """Late, so that there is something to see."""
    person.page.set_viewport_size(LIST)
    person.open("/activity/?what=workflow")
    person.page.locator("summary", has_text="What it does").first.click()
    camera.take("activity", person.page.get_by_role("search").last, page_section(person, "Entries"), highest=880)


def page_section(person: Person, heading: str) -> Locator:
    """The card with this heading."""
    return person.page.locator("section", has=person.page.get_by_role("heading", name=heading, exact=True))


def recipes(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open("/recipes/")
    camera.take("recipes", page.get_by_role("search").last, page.locator(".px-choice-list").last, highest=560)
    page.get_by_role("link", name="Profit and loss at the month's end").click()
    choose_organisation(person)
    person.field("Send it to").fill("team@demo.invalid")
    camera.take("recipe", person.page.locator("#px-form"), highest=620)
    person.click("Create the draft")
    page.wait_for_url("**/previews/*/")
    camera.take("reports-by-mail", page.get_by_label("Send e-mail", exact=True), highest=760)


def choose_organisation(person: Person) -> None:
    """In the form of a recipe, which then reads the lists of this one."""
    field = person.field("Xero organisation")
    field.select_option(label="Demo Company (NZ) (demo company)")
    person.page.wait_for_load_state("networkidle")


def editor(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(EDITOR)
    person.open(WORKFLOW)
    page.get_by_role("link", name="Edit Create invoice").click()
    page.get_by_role("heading", name="Create invoice").last.wait_for()
    camera.take("workflow", page.locator("#px-state"), page.locator(".px-editor"), highest=860)
    lines = page.locator("fieldset, .px-field").filter(has_text="Add a row per item of a list").last
    camera.take("invoices", lines, page.locator("#px-totals"))
    page.get_by_role("button", name="Pick a value for Description").click()
    camera.take("values", lines, page.get_by_role("dialog", name="Pick a value"))
    page.keyboard.press("Escape")
    page.locator("[data-px-editor]").get_by_text("Title · New pin").first.click()
    camera.take("functions", lines, page.get_by_role("dialog", name="What is done with the value"))
    page.keyboard.press("Escape")


def panels(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(EDITOR)
    person.open(f"{WORKFLOW}trigger/")
    page.locator("#px-sample").wait_for()
    camera.take("what-starts-it", page.locator("#px-sample"), highest=720)
    person.open(f"{WORKFLOW}steps/new/")
    camera.take("steps", page.locator("#panel"), highest=560)
    person.open(WORKFLOW)
    page.get_by_label("More for Create invoice").click()
    card = page.get_by_label("Step 1", exact=True)
    camera.take("step-menu", card, page.locator(".px-menu-items:visible"), highest=330)
    person.open(f"{WORKFLOW}filter/")
    camera.take("conditions", page.locator("#px-form"), highest=760)


def previews(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open(WORKFLOW)
    person.click("Preview")
    page.wait_for_url("**/previews/*/")
    camera.take("preview", page.get_by_label("Create invoice", exact=True), highest=700)
    person.open(f"{WORKFLOW}backtest/")
    person.click("Begin the backtest")
    done = page.locator(".px-head").get_by_text("Done", exact=True)
    person.reload_until(lambda: done.count() > 0, seconds=120)
    camera.take("backtest", page.locator(".px-head"), page.locator("#px-listed"), highest=680)


def publishing(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(EDITOR)
    person.open(WORKFLOW)
    page.get_by_role("link", name="Edit Create invoice").click()
    person.field("Unit price").fill("45.00")
    person.click("Save the step")
    page.get_by_text("Changes not published yet:").wait_for()
    page.set_viewport_size(PAGE)
    begin_publishing(person, note="The new price list.")
    camera.take("publish", page.locator(".px-card").first, page.locator("form.px-form").last, highest=1000)
    person.click("Publish")
    page.get_by_text("Changes not published yet:").wait_for(state="detached")


def begin_publishing(person: Person, *, note: str) -> None:
    """From the workflow's page by a preview to the page that asks once more."""
    person.click("Preview")
    person.page.wait_for_url("**/previews/*/")
    person.click("Publish…", role="link")
    person.field("What has changed, and why?").fill(note)
