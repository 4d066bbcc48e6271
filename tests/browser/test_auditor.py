"""An auditor's eight questions, each answered by clicking in under two minutes by somebody who changes nothing."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from django.utils import timezone

from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect_both
from tests.provider import DEMO

pytestmark = pytest.mark.browser

_PAST = """
from django.contrib.auth.models import User
from integrations.models import Connection, Team
from workflows.approvals import policy
from workflows.approvals.rules import Rule, Stage, Then
from workflows.definitions import editing
from workflows.publishing import activation, publish
from workflows.triggers import starting
team = Team.objects.get(name="Acme Finance")
people = {{each.username: each for each in User.objects.all()}}
proposed = policy.propose(
    team, [Rule(then=Then.APPROVAL, stages=(Stage(),))], by=people["administrator"], note="Two people look"
)
policy.decide(proposed, by=people["approver"], agrees=True)
xero = Connection.objects.get(team=team, external_id="{tenant}")
builder = people["builder"]
made = editing.create_workflow(team, name="Monthly fees", operation="start.manual", connection=None, by=builder)
for number, account in ((1, "200"), (2, "260")):
    line = dict(description="Fee", quantity="1", unit_amount=f"{{number}}00", account_code=account)
    sources = dict(contact_id="{contact}", lines=[line], reference=f"Fee {{number}}")
    editing.save_step(made, None, editing.StepDraft(f"Invoice {{number}}", "xero.create_invoice", xero, sources))
publish.publish(made, by=builder, note="The fees of 2027")
activation.activate(made, by=builder)
starting.start(made, operation="start.manual", key="november", data={{}})
"""


@contextmanager
def _question(seconds: float = 120) -> Iterator[None]:
    """Answered within two minutes."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < seconds


def _written(stage: Stage, person_at: Callable[..., Person]) -> None:
    """Two invoices that were approved and written, one of which somebody changes in Xero."""
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder)
    stage.python(_PAST.format(tenant=DEMO, contact=stage.sandbox.contacts()[0]["id"]))
    builder.open("/workflows/1/settings/")
    builder.field("Name").fill("Monthly fees, all customers")
    builder.click("Save")
    approver = person_at()
    approver.sign_in("approver")
    waiting = approver.page.locator("td a[href^='/approvals/']")
    for _ in range(2):
        approver.open("/approvals/")
        approver.reload_until(lambda: waiting.count() > 0)
        waiting.first.click()
        approver.field("Why?").fill("As in the contract")
        approver.click("Approve")
        assert approver.reads("it is being written")
    builder.open("/runs/")
    ended = builder.page.get_by_role("row").filter(has_text="Succeeded")
    builder.reload_until(lambda: ended.count() > 0)
    invoice = next(each for each in stage.sandbox.invoices() if each["Reference"] == "Fee 2")
    line = {"Description": "Fee", "Quantity": 1, "UnitAmount": 999, "AccountCode": "260"}
    stage.sandbox.change("invoice", invoice["id"], LineItems=[line])
    builder.open("/reconciliations/")
    builder.field("Organisation").select_option(label="Demo Company (NZ)")
    builder.click("Reconcile now")
    done = builder.page.locator(".px-head").get_by_text("Done", exact=True)
    builder.reload_until(lambda: done.count() > 0)


def test_each_of_the_eight_questions_is_answered_in_two_minutes(stage: Stage, person_at: Callable[..., Person]) -> None:
    _written(stage, person_at)
    auditor = person_at()
    auditor.sign_in("auditor")
    page = auditor.page

    with _question():  # Who wrote this invoice?
        auditor.click("Documents", role="link")
        page.get_by_role("row").filter(has_text="Fee 2").get_by_role("link", name="Run 1").click()
        page.wait_for_url("**/runs/*/**")
        assert auditor.reads("Monthly fees, all customers")
        assert auditor.reads("version 1")
    run = page.url

    with _question():  # What exactly was sent?
        page.locator("summary", has_text="Exactly what was sent").last.click()
        assert auditor.reads('"Reference": "Fee 2"')

    with _question():  # Who allowed it?
        assert auditor.reads("Approved by approver")
        assert auditor.reads("As in the contract")

    with _question():  # Who changed the workflow, and why?
        page.goto(run)
        auditor.click("Monthly fees, all customers", role="link")
        page.get_by_role("link", name="Activity", exact=True).last.click()
        assert auditor.reads("Workflow published")
        assert auditor.reads("The fees of 2027")
        assert auditor.reads("builder")
        assert "Monthly fees, all customers" in auditor.text()

    with _question():  # What did we write in a month, by account and currency?
        auditor.click("Documents", role="link")
        today = timezone.localdate()
        auditor.field("On or after").fill(str(today.replace(day=1)))
        auditor.field("On or before").fill(str(today))
        auditor.click("Show")
        assert auditor.reads("What they come to")
        totals = auditor.text().partition("What they come to")[2]
        assert "200 - Sales" in totals
        assert "260 - Other Revenue" in totals
        assert "NZD" in totals

    with _question():  # What of it was changed in Xero since?
        auditor.click("Reconciliation", role="link")
        page.get_by_role("row").filter(has_text="to look at").get_by_role("link").first.click()
        assert auditor.reads("Fee 2") or auditor.reads("999")

    with _question():  # Who has access?
        auditor.click("People", role="link")
        assert auditor.reads("administrator@acme.example")
        assert auditor.reads("Last sign-in")

    with _question():  # Is the record untouched?
        auditor.click("Activity", role="link")
        auditor.click("Check the record")
        assert auditor.reads("The record is whole.")
