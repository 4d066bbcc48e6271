"""A wrong run of three invoices is taken back by a person in finance, who has clicked nothing like it before."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect_both
from tests.provider import DEMO

pytestmark = pytest.mark.browser

_RUN = """
from django.contrib.auth.models import User
from integrations.models import Connection, Team
from tests.base import Cast
from workflows.definitions import editing
from workflows.publishing import activation, publish
from workflows.triggers import starting
builder, team = User.objects.get(username="builder"), Team.objects.get(name="Acme Finance")
xero = Connection.objects.get(team=team, external_id="{tenant}")
workflow = editing.create_workflow(team, name="Monthly fees", operation="start.manual", connection=None, by=builder)
for number in (1, 2, 3):
    line = dict(description="Fee", quantity="1", unit_amount=f"{{number}}00", account_code="200")
    sources = dict(contact_id="{contact}", lines=[line], reference=f"Fee {{number}}")
    editing.save_step(workflow, None, editing.StepDraft(f"Invoice {{number}}", "xero.create_invoice", xero, sources))
publish.publish(workflow, by=builder, note="Fees")
activation.activate(workflow, by=builder)
starting.start(workflow, operation="start.manual", key="november", data={{}})
"""


def test_a_wrong_run_of_three_invoices_is_taken_back(stage: Stage, person_at: Callable[..., Person]) -> None:
    person = person_at()
    looks.bring_axe(person.page.context)
    person.sign_in("builder")
    connect_both(person)
    stage.python(_RUN.format(tenant=DEMO, contact=stage.sandbox.contacts()[0]["id"]))
    person.open("/runs/")
    ended = person.page.get_by_role("row").filter(has_text="Succeeded")
    person.reload_until(lambda: ended.count() > 0)
    person.page.locator("#px-runs a[href*='/runs/']").first.click()
    assert person.reads("3 × Sales invoice")

    person.click("Take back…", role="link")
    assert person.reads("Take back what it wrote?")
    assert person.page.locator("input[name=take]:checked").count() == 3
    assert looks.violations(person.page) == []
    person.page.locator("summary", has_text="Exactly what would be sent").first.click()
    assert person.reads('"Status": "DELETED"')
    assert {each["Status"] for each in stage.sandbox.invoices()} == {"DRAFT"}, "nothing is sent before it is confirmed"
    person.click("Take back what is ticked")
    assert person.reads("Say why"), "the reason is asked for"
    person.field("Reason").fill("The fees were for October.")
    person.click("Take back what is ticked")

    assert person.reads("3 × Undo of sales invoice", seconds=60), "its page brings itself up to date"
    assert "The fees were for October." in person.text()
    assert [each["Status"] for each in stage.sandbox.invoices()] == ["DELETED"] * 3
    person.click("run 1", role="link")
    assert person.reads("Taken back by")
    person.open("/documents/?noun=Sales+invoice")
    assert person.page.get_by_text("Taken back").count() >= 3
    person.open("/activity/?what=run")
    assert person.reads("Documents of a run taken back")


@pytest.mark.parametrize("options", [{"viewport": {"width": 390, "height": 844}}, {"color_scheme": "dark"}])
def test_the_page_fits_a_phone_and_the_dark(
    stage: Stage, person_at: Callable[..., Person], options: dict[str, object]
) -> None:
    person = person_at(**options)
    person.sign_in("builder")
    person.open("/runs/1/take-back/")
    assert person.reads("Taken back")
    assert looks.overflow(person.page) == []
    assert looks.nameless(person.page) == []
