"""What is on the pictures of a team's controls: its policy, its guards, and what waits for approval."""

from __future__ import annotations

from pinxero import demo
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.pictures.camera import Camera
from tests.pictures.scenes import LIST, PAGE

_AGREE = """
from django.contrib.auth.models import User
from workflows.approvals import policy
from workflows.models import PolicyVersion
policy.decide(PolicyVersion.objects.get(status="proposed"), by=User.objects.get(username="approver"), agrees=True)
"""
_CHECK = """
from workflows.models import Workflow
from workflows.triggers import polling
polling.poll_now(Workflow.objects.get(pk=1).listens_to)
"""


def policies(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open("/policy/change/")
    for amount, who, message in (("5000", "Administrators", ""), ("50", "", "Compare it with the contract.")):
        person.click("Add a rule", role="link")
        person.field("Amount at least").fill(amount)
        person.field("Currency").fill("NZD")
        if who:
            person.field("Then").select_option(label=who)
        person.field("Message").fill(message)
        person.click("Keep this rule")
    person.field("Why is the policy changed?").fill("What is large is looked at by two people.")
    camera.take("policies", page.locator(".px-head"), page.locator("form.px-form").last, highest=900)
    person.click("Propose this policy")
    stage.python(_AGREE)


def guards(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    person.open("/guards/")
    page.get_by_role("textbox", name="Currency").first.fill("NZD")
    page.get_by_role("textbox", name="Largest single amount").first.fill("25,000")
    page.get_by_role("textbox", name="All within 24 hours").first.fill("100,000")
    person.click("Hold it until a person lets it go", role="radio")
    person.click("Save the guards")
    camera.take("guards", page.locator(".px-head"), page.locator("form.px-form"), highest=900)
    page.set_viewport_size(LIST)


def approvals(stage: Stage, person: Person, camera: Camera) -> None:
    page = person.page
    page.set_viewport_size(PAGE)
    stage.sandbox.faults(archived_accounts=[])
    stage.sandbox.add_pins(demo.BOARD, title="Quince jelly", description="For the winter issue. 95.00")
    stage.python(_CHECK)
    person.open("/approvals/")
    waiting = page.locator("td a[href^='/approvals/']")
    person.reload_until(lambda: waiting.count() > 0, seconds=120)
    waiting.first.click()
    camera.take("approvals", page.locator(".px-head"), page.locator("#differences"), highest=900)
    page.set_viewport_size(LIST)
