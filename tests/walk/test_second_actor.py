"""A second actor between a write without a clear answer and its look-up: a person, another app, another run.

What they make is never taken for ours, what they change is never written over, and nothing is written twice.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from html import escape
from typing import Any

import pytest

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.transport.http import Request
from tests.integrations.examples import example
from tests.walk.second_actor import LOST, NEVER, after_the_window, begin, either, finish, lose, pair, pass_time
from tests.walk.stage import Stage, step_of
from workflows.models import StepRun

# --- only what is ours is adopted -----------------------------------------------------------------------------------


def projects(stage: Stage) -> list[str]:
    return [each["id"] for each in stage.sandbox.documents("projects", ours=False)]


def make_project(stage: Stage, inputs: Any, *, is_alike: bool = True) -> str:
    """Somebody makes a project as the workflow does."""
    record = {"contactId": inputs.contact_id, "name": inputs.name}
    if is_alike:
        record |= {"deadlineUtc": "2026-12-10T12:59:59Z", "estimateAmount": 9800}
    xero = stage.api(registry.action("xero.create_project"))
    return str(xero.write(Request.of_json("POST", "/Projects", record)).json()["projectId"])


def test_last_months_project_of_the_same_name_is_not_taken_for_this_months(stage: Stage) -> None:
    action = registry.action("xero.create_project")
    inputs = example(action, stage.api(action), stage.sandbox)
    make_project(stage, inputs)
    run = stage.start(action, inputs)
    mark = stage.mark()
    lose(stage, action, run, NEVER)
    after_the_window(stage, run)
    assert run.status == "needs_review"
    assert "it was not found at the provider afterwards" in run.error
    assert stage.written(mark) == []


def test_the_new_project_is_found_beside_last_months(stage: Stage) -> None:
    action = registry.action("xero.create_project")
    inputs = example(action, stage.api(action), stage.sandbox)
    old = make_project(stage, inputs)
    run = stage.start(action, inputs)
    lose(stage, action, run, LOST)
    after_the_window(stage, run)
    assert (run.status, run.error) == ("succeeded", "")
    assert [old, step_of(run).provider_id] == projects(stage)


def test_a_project_that_says_something_else_is_a_persons_to_judge(stage: Stage) -> None:
    action, inputs, run = begin(stage, "xero.create_project")
    lose(stage, action, run, NEVER)
    theirs = make_project(stage, inputs, is_alike=False)
    after_the_window(stage, run)
    assert run.status == "needs_review"
    assert f"Project Kitchen ({theirs}); its deadline is empty" in run.error
    assert escape(f"Project Kitchen ({theirs})") in stage.page(run)
    assert projects(stage) == [theirs]


def test_of_two_runs_that_wait_for_the_same_neither_takes_the_one_that_is_there(stage: Stage, settings: Any) -> None:
    first, second, _ = pair(stage, settings, registry.action("xero.create_project"))
    for run, fault in zip((first, second), (NEVER, LOST), strict=True):
        lose(stage, registry.action("xero.create_project"), run, fault)
    for run in (first, second):
        pass_time(run, 400)
    finish(stage, settings, first, second)
    assert [first.status, second.status] == ["needs_review", "needs_review"]
    (there,) = projects(stage)
    for run in (first, second):
        run.refresh_from_db()
        assert "Another run sent the very same without an answer" in run.error
        assert f"Project Kitchen ({there})" in run.error


def test_of_two_runs_that_wait_the_one_takes_it_that_was_sent_before_the_other_looked(
    stage: Stage, settings: Any
) -> None:
    first, second, _ = pair(stage, settings, registry.action("xero.create_project"))
    for run, fault in zip((first, second), (LOST, NEVER), strict=True):
        lose(stage, registry.action("xero.create_project"), run, fault)
    for run in (first, second):
        pass_time(run, 400)
    finish(stage, settings, first, second)
    second.refresh_from_db()
    assert [first.status, second.status] == ["succeeded", "needs_review"]
    assert [step_of(first).provider_id] == projects(stage)


@pytest.mark.parametrize("key", ["xero.create_project", "pinterest.create_pin"])
def test_what_another_run_wrote_in_the_meantime_is_its_own(stage: Stage, settings: Any, key: str) -> None:
    action = registry.action(key)
    inputs = example(action, stage.api(action), stage.sandbox)
    if key == "pinterest.create_pin":
        inputs = replace(inputs, link=None)
    first, second, _ = pair(stage, settings, action, inputs)
    lose(stage, action, first, NEVER)
    stage.advance(second)
    assert second.status == "succeeded"
    mark = stage.mark()
    pass_time(first, 400)
    finish(stage, settings, first)
    assert first.status == "needs_review"
    assert stage.written(mark) == []


@either
def test_a_twin_pin_that_was_there_before_is_not_taken_for_this_one(stage: Stage, settings: Any, fault: str) -> None:
    action = registry.action("pinterest.create_pin")
    inputs = replace(example(action, stage.api(action), stage.sandbox), link=None)
    other, run, _ = pair(stage, settings, action, inputs)
    stage.advance(other)
    assert other.status == "succeeded"
    StepRun.objects.filter(run=other).update(provider_id="")  # as if a person had made it
    lose(stage, action, run, fault)
    mark = stage.mark()
    pass_time(run, 400)
    finish(stage, settings, run)
    assert run.status == ("succeeded" if fault == LOST else "needs_review")
    assert stage.written(mark) == []
    if fault == LOST:
        assert step_of(run).provider_id != other.step_runs.get(kind="action").output["id"]


def suppliers_note(stage: Stage) -> tuple[Action, Any]:
    action = registry.action("xero.create_credit_note")
    inputs = example(action, stage.api(action), stage.sandbox)
    kind = type(inputs.type)
    return action, replace(inputs, type=kind.SUPPLIER, note_number="TT-CN-4")


def enter_the_note(stage: Stage, inputs: Any) -> None:
    """A person enters one with that number, of another amount."""
    stage.sandbox.make("credit_note", contact=inputs.contact_id, type="ACCPAYCREDIT", number="TT-CN-4", amount="75")


def test_a_suppliers_note_of_the_same_number_and_another_amount_is_not_this_one(stage: Stage) -> None:
    action, inputs = suppliers_note(stage)
    run = stage.start(action, inputs)
    lose(stage, action, run, NEVER)
    enter_the_note(stage, inputs)
    after_the_window(stage, run)
    assert run.status == "needs_review", step_of(run).output
    assert "its total is 86.25, of other rows than those that were sent" in run.error
    assert stage.sandbox.documents("credit_notes") == []


@either
def test_a_suppliers_note_is_found_beside_an_older_one_of_its_number(stage: Stage, fault: str) -> None:
    action, inputs = suppliers_note(stage)
    enter_the_note(stage, inputs)
    run = stage.start(action, inputs)
    lose(stage, action, run, fault)
    after_the_window(stage, run)
    assert len(stage.sandbox.documents("credit_notes")) == 1
    assert (run.status, run.error) == ("succeeded", "")
    assert step_of(run).output["Total"] == Decimal("57.5")


def mail_it(stage: Stage, inputs: Any) -> None:
    """A person sends the invoice."""
    xero = stage.api(registry.action("xero.email_invoice"))
    xero.write(Request.of_json("POST", f"/Invoices/{inputs.invoice_id}/Email", {}))


def test_a_mail_that_a_person_sent_a_moment_before_is_not_the_one_more(stage: Stage) -> None:
    action = registry.action("xero.email_invoice")
    inputs = example(action, stage.api(action), stage.sandbox)
    mail_it(stage, inputs)
    run = stage.start(action, inputs)
    mark = stage.mark()
    lose(stage, action, run, NEVER)
    after_the_window(stage, run)
    assert run.status == "needs_review"
    assert stage.written(mark) == []


def test_the_one_mail_more_is_found_behind_a_persons(stage: Stage) -> None:
    action = registry.action("xero.email_invoice")
    inputs = example(action, stage.api(action), stage.sandbox)
    mail_it(stage, inputs)
    run = stage.start(action, inputs)
    lose(stage, action, run, LOST)
    after_the_window(stage, run)
    assert (run.status, run.error) == ("succeeded", "")
    assert set(step_of(run).output) == set(action.sample)


def test_a_contact_with_the_same_number_that_was_there_is_not_this_one(stage: Stage) -> None:
    stage.sandbox.make("contact", name="Old Friend", ContactNumber="C-9")
    action, _, run = begin(stage, "xero.create_contact", contact_number="C-9")
    lose(stage, action, run, NEVER)
    after_the_window(stage, run)
    assert run.status == "failed"
    assert "is already assigned" in run.error or "C-9" in run.error
    assert step_of(run).provider_id == ""
