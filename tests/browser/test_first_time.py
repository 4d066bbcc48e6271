"""A person who has never seen it, from an empty team to the audit page of a finished run; then who else may see that.

Nothing is done by an API or in the database: the tests of this file follow one another on one stage, by clicking.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_invoice_step, connect, publish_and_switch_on
from tests.provider import DEMO

pytestmark = pytest.mark.browser

TITLE = "Peach tart <b>& cream</b>"
CONTACT = "Boom FM (accounts@boomfm.example)"
RUN = "/runs/1/"


def test_a_person_who_has_never_seen_it_gets_a_pin_into_xero_as_a_draft_invoice(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    builder = person_at()
    builder.sign_in("builder")
    assert builder.reads("Connect Pinterest")
    builder.click("Go to connections", role="link")
    connect(builder, "Pinterest")
    assert builder.reads("Pinworks is connected.")
    connect(builder, "Xero", leaving_out="Northwind Ltd")
    assert builder.reads("Demo Company (NZ) is connected.")
    assert "Northwind" not in builder.text()
    builder.click("Dashboard", role="link")
    builder.click("See recipes", role="link")
    builder.click("Start from nothing", role="link")
    _create_workflow(builder)
    _add_filter(builder)
    _add_invoice_step(builder)
    publish_and_switch_on(builder, note="Tarts are invoiced to the radio.")
    assert builder.reads("Tarts are invoiced to the radio.")
    assert builder.reads("None yet."), "What was there before must not start a run."
    _add_pin_in_the_sandbox(builder, stage)
    builder.click("Check now")
    builder.click("Runs", role="link")
    row = builder.page.get_by_role("row").filter(has_text=TITLE)
    builder.reload_until(lambda: "Succeeded" in row.inner_text() if row.count() else False)
    assert "INV-0002" in row.inner_text()
    row.get_by_role("link", name=TITLE).click()
    builder.page.get_by_role("heading", name=TITLE).wait_for()
    assert builder.page.url == f"{builder.home}{RUN}"
    _read_run(builder, stage)
    [known] = stage.sandbox.invoices()
    invoice = _as_xero_tells(stage, known["id"])
    assert (invoice["Status"], invoice["Type"], invoice["InvoiceNumber"]) == ("DRAFT", "ACCREC", "INV-0002")
    assert invoice["Contact"]["Name"] == "Boom FM"
    assert [invoice[name] for name in ("SubTotal", "TotalTax", "Total")] == [
        Decimal("99.90"),
        Decimal("14.99"),
        Decimal("114.89"),
    ]
    [line] = invoice["LineItems"]
    assert line["Description"] == TITLE
    assert (line["Quantity"], line["UnitAmount"]) == (Decimal("2"), Decimal("49.95"))
    assert (line["AccountCode"], line["TaxType"]) == ("200", "OUTPUT2")
    builder.click("Dashboard", role="link")
    assert "First steps" not in builder.text()
    assert builder.reads(TITLE)


def _as_xero_tells(stage: Stage, invoice_id: str) -> dict[str, Any]:
    token = stage.sandbox.tokens("xero")["access_token"]
    answer = stage.sandbox.session.get(
        f"{stage.sandbox.url}/api.xro/2.0/Invoices/{invoice_id}",
        headers={"Authorization": f"Bearer {token}", "xero-tenant-id": DEMO, "Accept": "application/json"},
        timeout=10,
    )
    [invoice] = json.loads(answer.text, parse_float=Decimal)["Invoices"]
    return dict(invoice)


def _create_workflow(person: Person) -> None:
    person.field("Name").fill("Tarts to invoices")
    person.page.get_by_label("New pin").check()
    person.click("Create the workflow")
    person.field("Board").select_option(label="Summer recipes")
    person.click("Save the trigger")
    person.page.get_by_text("The trigger is saved.").first.wait_for()
    assert person.reads("Summer recipes")


def _add_filter(person: Person) -> None:
    person.click("Add conditions", role="link")
    person.field("Value").click()
    person.pick_value("Title")
    person.field("Comparison").select_option(label="contains")
    person.field("Compared with").fill("tart")
    person.click("Save the filter")
    assert person.reads("The filter is saved.")
    assert person.reads("Go on only if this is true")
    assert "Title (New pin) contains tart" in " ".join(person.text().split())


def _add_invoice_step(person: Person) -> None:
    begin_invoice_step(person)
    person.field("Contact").select_option(label=CONTACT)
    person.field("Description").click()
    person.pick_value("Title")
    assert person.source("Description") == "{{ trigger.title }}"
    person.field("Quantity").fill("2")
    person.field("Unit price").fill("49.95")
    person.field("Account").select_option(label="200 - Sales")
    person.field("Tax rate").select_option(label="15% GST on Income (15%)")
    person.click("Save the step")
    assert person.reads("Create invoice is saved.")
    assert person.reads(CONTACT)


def _add_pin_in_the_sandbox(person: Person, stage: Stage) -> None:
    tab = person.context.new_page()
    tab.goto(stage.sandbox.url)
    tab.locator("select[name=board]").select_option(label="Summer recipes")
    tab.locator("input[name=title]").fill(TITLE)
    tab.locator("textarea[name=description]").fill("For eight.")
    tab.get_by_role("button", name="Add pin").click()
    tab.get_by_role("cell", name=TITLE).wait_for()
    tab.close()


def _read_run(person: Person, stage: Stage) -> None:
    """The audit page: what came in, what was decided, what was sent to the last byte, what was answered."""
    page = person.page
    event = page.get_by_label("Event", exact=True)
    assert TITLE in event.inner_text()
    assert "For eight." in event.inner_text()
    condition = page.get_by_label("Filter", exact=True).inner_text()
    assert "Passed" in condition
    assert f'title contains "tart": yes, title is "{TITLE}".' in condition
    step = page.get_by_label("Create invoice", exact=True)
    document = step.locator(".px-paper").inner_text()
    for words in ("Boom FM", TITLE, "49.95", "99.90", "14.99", "114.89", "Totals agree with Xero"):
        assert words in document
    person.open_all_details()
    inputs = step.locator("details").filter(has_text="Inputs").first.inner_text()
    for words in (CONTACT, TITLE, "49.95", "2", "200 - Sales", "15% GST on Income (15%)"):
        assert words in inputs
    marker = step.locator("dt", has_text="Marker in the document").locator("+ dd").inner_text()
    body = step.get_by_label("Exact body of the request").text_content() or ""
    [sent] = json.loads(body, parse_float=Decimal)["Invoices"]
    [line] = sent["LineItems"]
    assert sent["Status"] == "DRAFT"
    assert marker in sent["Url"]
    assert line == {
        "Description": TITLE,
        "Quantity": 2,
        "UnitAmount": Decimal("49.95"),
        "AccountCode": "200",
        "TaxType": "OUTPUT2",
    }
    [write] = stage.sandbox.ledger(method="PUT")
    assert hashlib.sha256(body.encode()).hexdigest() == write["body_sha256"], "The page shows the bytes of the wire."
    assert step.locator("dt", has_text="Idempotency key").locator("+ dd").inner_text() == write["key"]
    secret = step.get_by_role("row").filter(has=page.get_by_role("rowheader", name="Authorization", exact=True))
    assert secret.get_by_role("cell").inner_text() == "••••••••"
    answer = step.get_by_label("Body of the answer", exact=True).text_content() or ""
    assert '"InvoiceNumber": "INV-0002"' in answer
    [invoice] = stage.sandbox.invoices()
    link = step.get_by_role("link", name=re.compile("Open in Xero")).get_attribute("href")
    assert link is not None
    assert link.startswith(f"{stage.sandbox.url}/app/")
    assert link.endswith(f"/invoicing/view/{invoice['id']}")


def test_the_auditor_reads_all_of_the_run_and_can_change_nothing(person_at: Callable[..., Person]) -> None:
    auditor = person_at()
    auditor.sign_in("auditor")
    auditor.click("Runs", role="link")
    auditor.page.get_by_role("link", name=TITLE).click()
    auditor.page.wait_for_url(f"{auditor.home}{RUN}")
    for words in ("Exactly what was sent", "The answer (200)", "Passed", "Succeeded"):
        assert auditor.reads(words)
    paths = ["/admin/", "/workflows/", "/workflows/1/", "/workflows/1/versions/1/", "/connections/", "/connections/1/"]
    for path in [RUN, *paths]:
        assert auditor.open(path).status == 200
        forms = auditor.page.locator("form[method=post i]").evaluate_all("all => all.map(form => form.action)")
        assert [form for form in forms if not form.endswith("/logout/")] == [], path
        assert auditor.page.locator("[hx-post]").count() == 0, path
    for path in ("/workflows/new/", "/workflows/1/publish/", "/workflows/1/pause/", "/connections/1/disconnect/"):
        assert auditor.open(path).status == 403, path


def test_the_outsider_finds_nothing(person_at: Callable[..., Person]) -> None:
    outsider = person_at()
    outsider.sign_in("outsider")
    for path in (
        RUN,
        "/workflows/1/",
        "/connections/1/",
        "/workflows/1/versions/1/",
    ):
        assert outsider.open(path).status == 404, path
        assert "Peach" not in outsider.page.content()
    for path, words in (
        ("/runs/", "No runs yet"),
        ("/workflows/", "No workflows yet"),
        ("/connections/", "Nothing is connected yet"),
    ):
        outsider.open(path)
        assert outsider.reads(words)
        assert "Tarts to invoices" not in outsider.page.content()
