"""A policy is written by clicking, a second person agrees, and what it asks for waits for whoever may approve it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect_both
from tests.provider import DEMO

pytestmark = pytest.mark.browser

_START = """
from django.contrib.auth.models import User
from integrations.models import Connection, Team
from workflows.definitions import editing
from workflows.models import Workflow
from workflows.publishing import activation, publish
from workflows.triggers import starting
builder, team = User.objects.get(username="builder"), Team.objects.get(name="Acme Finance")
xero = Connection.objects.get(team=team, external_id="{tenant}")
workflow = Workflow.objects.filter(name="Monthly fees").first()
if workflow is None:
    workflow = editing.create_workflow(team, name="Monthly fees", operation="start.manual", connection=None, by=builder)
    asked = [dict(label="Title", holds="text"), dict(label="Amount", holds="number")]
    start = dict(operation="start.manual", connection=None)
    editing.set_trigger(workflow, **start, inputs=dict(fields_asked=asked), interval_minutes=5)
    line = dict(description="Fee", quantity="1", unit_amount="{{{{ trigger.amount }}}}", account_code="200")
    sources = dict(contact_id="{contact}", lines=[line], reference="{{{{ trigger.title }}}}")
    editing.save_step(workflow, None, editing.StepDraft("Invoice", "xero.create_invoice", xero, sources))
    publish.publish(workflow, by=builder, note="Fees")
    activation.activate(workflow, by=builder)
for title, amount in {rows}:
    data = dict(title=title, amount=amount)
    starting.start(workflow, operation="start.manual", key=title, data=data)
"""


def start_fees(stage: Stage, *rows: tuple[str, str]) -> None:
    stage.python(_START.format(tenant=DEMO, contact=stage.sandbox.contacts()[0]["id"], rows=list(rows)))


def _policy(person_at: Callable[..., Person]) -> None:
    """Approval from 1,000 on, tax included, proposed by one person and put into force by another."""
    administrator = person_at()
    looks.bring_axe(administrator.context)
    administrator.sign_in("administrator")
    administrator.click("Policy", role="link")
    administrator.click("Write a policy", role="link")
    administrator.click("Add a rule", role="link")
    administrator.field("Amount at least").fill("a thousand")
    administrator.click("Keep this rule")
    assert administrator.reads("This is an amount, as 1000 or 1000.50."), "it is said at the field"
    assert looks.violations(administrator.page) == []
    administrator.field("Amount at least").fill("1,000")
    administrator.field("Message").fill("Look at the contract")
    administrator.click("Keep this rule")
    assert administrator.reads("If the amount is 1,000 or more")
    assert looks.violations(administrator.page) == []
    administrator.field("Why is the policy changed?").fill("The auditors ask for it")
    administrator.click("Propose this policy")
    assert administrator.reads("a second person has to decide on it")
    approver = person_at()
    approver.sign_in("approver")
    approver.open("/policy/")
    approver.click("Look at it", role="link")
    assert approver.reads("The auditors ask for it")
    approver.click("Agree: put it into force")
    assert approver.reads("in force from now on")


def _open(person: Person, amount: str) -> None:
    person.page.get_by_role("row").filter(has_text=amount).get_by_role("link").first.click()
    person.page.wait_for_url("**/approvals/*/")


def test_what_the_policy_asks_for_waits_and_is_written_once_when_it_is_approved(
    stage: Stage, person_at: Callable[..., Person]
) -> None:
    _policy(person_at)
    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder)
    start_fees(stage, ("Small", "100"), ("Large", "1500"), ("Larger", "2500"), ("Largest", "3500"))
    builder.open("/runs/")
    waiting = builder.page.get_by_role("row").filter(has_text="Waiting")
    done = builder.page.get_by_role("row").filter(has_text="Succeeded")
    builder.reload_until(lambda: waiting.count() == 3 and done.count() == 1)
    assert [each["Reference"] for each in stage.sandbox.invoices()] == ["Small"]
    builder.open("/approvals/")
    assert builder.reads("Nothing waits for you")
    builder.page.locator("a[href^='/approvals/']", has_text="Sales invoice").first.click()
    assert builder.reads("you or your other account published this version")
    assert builder.page.get_by_role("button", name="Approve").count() == 0

    approver = person_at(viewport={"width": 390, "height": 844})
    looks.bring_axe(approver.context)
    approver.sign_in("approver")
    approver.open("/approvals/")
    assert looks.overflow(approver.page) == []
    assert approver.page.locator("input[name=approval]:enabled").count() == 0, "nothing was looked at yet"
    _open(approver, "1,725.00")
    assert approver.reads("Look at the contract")
    assert approver.reads("Compared with the last one of this workflow")
    assert "1,725.00" in approver.text()
    assert looks.overflow(approver.page) == []
    assert looks.violations(approver.page) == []
    approver.click("Approve")
    assert approver.reads("it is being written")
    assert approver.reads("What would be written"), "the next one is shown at once"
    approver.open("/approvals/")
    _open(approver, "2,875.00")
    approver.click("Refuse")
    assert approver.reads("Say why you refuse it")
    approver.field("Why?").fill("It was cancelled")
    approver.click("Refuse")
    assert approver.reads("nothing is sent")
    assert approver.reads("4,025.00"), "the last one is shown"
    approver.open("/approvals/")
    approver.page.locator("input[name=approval]").check()
    approver.click("Approve the chosen…")
    assert approver.reads("4,025.00")
    assert looks.violations(approver.page) == []
    approver.click("Approve")
    assert approver.reads("1 is approved")

    builder.open("/runs/")
    builder.reload_until(lambda: done.count() == 3)
    assert sorted(each["Reference"] for each in stage.sandbox.invoices()) == ["Large", "Largest", "Small"]
    builder.page.get_by_role("link", name="Larger", exact=True).first.click()
    assert builder.reads("approver refused it: It was cancelled")
    builder.page.locator("a[href^='/approvals/']").last.click()
    assert builder.reads("It was cancelled")
    builder.open("/approvals/?show=decided")
    assert builder.page.get_by_role("row").filter(has_text="Approved").count() == 2
