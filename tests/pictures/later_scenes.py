"""What is on the pictures of everything beside workflows: files, tables, connections, people, and a run that fails."""

from __future__ import annotations

from pinxero import demo
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.pictures.camera import Camera
from tests.pictures.scenes import EDITOR, LIST, PAGE, WORKFLOW, begin_publishing, choose_organisation

_ROWS = b"""Customer;Email;Description;Amount;Due date
Northwind Interiors;accounts@northwind.example;Styling, two days;1,480.00;14/01/2027
Ridgeway University;;Recipe cards;96.50;20/01/2027
Boom FM;accounts@boomfm.example;Summer issue;240.00;31/01/2027
"""
_BOARDS = b"""Board,Account,Customer
Summer recipes,200,Boom FM
Oak tables,260,Rex Media Group
Garden,200,Ridgeway University
"""


def files(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open("/recipes/csv-rows-to-draft-invoices/")
    choose_organisation(person)
    person.field("Sales account").select_option(label="200 - Sales")
    person.click("Create the draft")
    page.wait_for_url("**/previews/*/")
    person.click("Publish…", role="link")
    person.field("What has changed, and why?").fill("The orders of the shop.")
    person.click("Publish")
    person.click("Switch on…", role="link")
    person.click("Switch it on")
    person.click("Rows of a file…", role="link")
    page.get_by_label("CSV file").set_input_files({"name": "orders.csv", "mimeType": "text/csv", "buffer": _ROWS})
    person.click("Show the rows")
    camera.take("files-and-forms", page.locator(".px-head"), page.locator("#px-form"), highest=700)


def lookup_tables(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open("/lookup-tables/new/")
    person.field("Name").fill("Boards")
    person.field("What is it for?").fill("Which account and which customer a board belongs to.")
    person.field("or a CSV file").set_input_files({"name": "b.csv", "mimeType": "text/csv", "buffer": _BOARDS})
    person.click("Create")
    page.get_by_text("Boards is there").wait_for()
    camera.take("lookup-tables", page.locator(".px-head"), page.locator(".px-table").last)


def import_and_export(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    exported = person.context.request.get(f"{person.home}{WORKFLOW}export/").body()
    page.set_viewport_size(PAGE)
    person.open("/workflows/import/")
    page.locator("input[type=file]").set_input_files(
        {"name": "workflow.json", "mimeType": "application/json", "buffer": exported}
    )
    person.click("Next")
    page.get_by_role("heading", name="Match the file to your accounts").wait_for()
    camera.take("import-and-export", page.locator(".px-head"), page.locator("form.px-form"), highest=700)


def around(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open(f"{WORKFLOW}safeguards/")
    camera.take("notices", page.locator("form.px-form").last, highest=760)
    person.open("/connections/")
    camera.take("connections", page.locator(".px-head"), page.locator(".px-card").nth(1), highest=620)
    person.open("/api-tokens/")
    person.field("What is it for?").fill("Web shop")
    person.click("Create the token")
    person.open("/api-tokens/")
    camera.take("other-programs", page.locator(".px-card").first, page.locator("form.px-form"))
    page.set_viewport_size({"width": 1440, "height": 900})
    page.get_by_role("button", name="Your account").click()
    camera.take("your-account", page.locator("#px-account"), page.get_by_role("button", name="Your account"))


def people(stage: Stage, person: Person, camera: Camera) -> None:
    person.page.set_viewport_size(LIST)
    person.open("/people/")
    camera.take("people", person.page.locator("#content-main, .px-page").first, highest=520)


def failures(stage: Stage, person: Person, camera: Camera) -> None:
    """A run that Xero refuses, and a newer version that puts it right; then the dashboard, which tells of it."""
    page = person.page
    page.set_viewport_size(EDITOR)
    stage.sandbox.faults(archived_accounts=["200"])
    stage.sandbox.add_pins(demo.BOARD, title="Plum crumble", description="For the autumn issue.")
    person.open(WORKFLOW)
    person.click("Check now")
    person.open("/runs/?q=Plum+crumble")
    failed = page.get_by_role("row").filter(has_text="Failed")
    person.reload_until(lambda: failed.count() > 0, seconds=120)
    person.click("Plum crumble", role="link")
    run = page.url.removeprefix(person.home)
    page.get_by_role("link", name="Fix in the editor").first.click()
    person.field("Account").select_option(label="260 - Other Revenue")
    person.click("Save the step")
    page.get_by_text("Changes not published yet:").wait_for()
    begin_publishing(person, note="Account 200 is archived.")
    person.click("Publish")
    page.set_viewport_size(PAGE)
    person.open(run)
    camera.take("when-a-run-fails", page.locator(".px-head"), page.locator(".px-note").first)
    page.set_viewport_size(LIST)
    person.open("/admin/")
    camera.take("dashboard", page.locator(".px-card--warn").first, page.locator(".px-grid"), highest=760)
