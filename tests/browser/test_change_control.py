"""A builder asks for publishing, and a second person reads what changes and publishes it, on a phone."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect_both

pytestmark = pytest.mark.browser

_BUILT = """
from django.contrib.auth.models import User
from integrations.models import Connection, Team
from workflows.definitions import editing
builder, team = User.objects.get(username="builder"), Team.objects.get(name="Acme Finance")
xero = Connection.objects.filter(team=team, provider="xero").first()
workflow = editing.create_workflow(team, name="Monthly fees", operation="start.manual", connection=None, by=builder)
line = dict(description="Fee", quantity="1", unit_amount="100", account_code="200")
sources = dict(contact_id="{contact}", lines=[line])
editing.save_step(workflow, None, editing.StepDraft("Invoice", "xero.create_invoice", xero, sources))
"""


def test_a_builder_asks_and_a_second_person_publishes(stage: Stage, person_at: Callable[..., Person]) -> None:
    administrator = person_at()
    looks.bring_axe(administrator.context)
    administrator.sign_in("administrator")
    administrator.open("/policy/")
    administrator.click("Controls", role="link")
    assert looks.violations(administrator.page) == []
    administrator.page.get_by_label("What one person has built, a second person publishes").check()
    administrator.field("Why?").fill("The auditors ask for it")
    administrator.click("Save")
    assert administrator.reads("Saved.")

    builder = person_at()
    looks.bring_axe(builder.context)
    builder.sign_in("builder")
    connect_both(builder)
    stage.python(_BUILT.format(contact=stage.sandbox.contacts()[0]["id"]))
    builder.open("/workflows/1/publish/")
    assert builder.page.get_by_role("button", name="Publish", exact=True).count() == 0
    builder.field("What has changed, and why?").fill("Fees are invoiced every month")
    builder.page.locator("input[name=unpreviewed]").check()
    builder.click("Ask a second person to publish")
    assert builder.reads("You have asked for it yourself")
    assert looks.violations(builder.page) == []

    approver = person_at(viewport={"width": 390, "height": 844}, color_scheme="dark")
    looks.bring_axe(approver.context)
    approver.sign_in("approver")
    approver.open("/workflows/1/")
    approver.click("Look at it", role="link")
    assert approver.reads("Fees are invoiced every month")
    assert approver.reads("Nobody has previewed it as it would be published.")
    assert looks.overflow(approver.page) == []
    assert looks.violations(approver.page) == []
    approver.click("Publish")
    assert approver.reads("Version 1 is published.")
    builder.open("/workflows/1/")
    builder.click("Switch on…", role="link")
    builder.click("Switch it on")
    assert builder.reads("Active")
