"""What listens for long: own writes that come back, a past that is released, a day that runs low."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from integrations.framework import registry
from integrations.models import CallBudget
from tests.walk.stage import Stage, step_of
from workflows.definitions import editing
from workflows.models import Event, Run, StepRun, TriggerState, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import pacing


def workflow_of(stage: Stage, trigger: str, action: str, inputs: dict[str, Any], **trigger_inputs: Any) -> Workflow:
    """Published, not switched on: when `trigger`, do `action`, both in Xero."""
    xero = stage.connections["xero"]
    made = editing.create_workflow(
        stage.cast.team, name=f"{trigger} {action}", operation=trigger, connection=xero, by=stage.cast.builder
    )
    editing.set_trigger(made, operation=trigger, connection=xero, inputs=trigger_inputs, interval_minutes=5)
    editing.save_step(made, None, editing.StepDraft("Do it", action, xero, inputs))
    publish.publish(made, by=stage.cast.builder, note="First version")
    return made


def live(stage: Stage, workflow: Workflow) -> Workflow:
    activation.activate(workflow, by=stage.cast.builder)
    stage.look(workflow)
    return workflow


def runs_of(workflow: Workflow) -> list[str]:
    return sorted(Run.objects.filter(workflow=workflow).values_list("event__key", flat=True))


# --- own writes -------------------------------------------------------------------------------------------------------


@pytest.fixture
def copying(stage: Stage) -> Workflow:
    """Each new contact gets a companion: without a guard it would never end."""
    return live(stage, workflow_of(stage, "xero.new_contact", "xero.create_contact", {"name": "{{ trigger.Name }}+"}))


def test_what_a_workflow_creates_does_not_start_it_and_starts_others(stage: Stage, copying: Workflow) -> None:
    other = live(stage, workflow_of(stage, "xero.new_contact", "xero.find_contact", {"value": "a", "if_none": "empty"}))
    made = stage.sandbox.make("contact", name="Pinworks")["id"]
    stage.look(copying)
    assert runs_of(copying) == [made]
    stage.settle(Run.objects.get(workflow=copying))
    companion = step_of(Run.objects.get(workflow=copying)).provider_id
    for _ in range(3):
        stage.look(copying)
    assert runs_of(copying) == [made]
    assert runs_of(other) == sorted([made, companion])
    names = [contact["Name"] for contact in stage.sandbox.contacts()]
    assert (names.count("Pinworks+"), names.count("Pinworks++")) == (1, 0)


def test_a_write_whose_answer_is_not_there_yet_is_known_by_its_marker(stage: Stage, copying: Workflow) -> None:
    stage.sandbox.make("contact", name="Pinworks")
    stage.look(copying)
    stage.settle(Run.objects.get(workflow=copying))
    StepRun.objects.filter(kind="action").update(provider_id="", output=None, state=StepRun.State.SENT)
    stage.look(copying)
    assert Run.objects.count() == 1
    assert Event.objects.count() == 2


def test_a_persons_copy_that_carries_the_marker_is_new(stage: Stage, copying: Workflow) -> None:
    stage.sandbox.make("contact", name="Pinworks")
    stage.look(copying)
    stage.settle(Run.objects.get(workflow=copying))
    marker = step_of(Run.objects.get(workflow=copying)).marker
    copy = stage.sandbox.make("contact", name="A copy", AccountNumber=marker)["id"]
    stage.look(copying)
    assert copy in runs_of(copying)


def test_a_change_of_ones_own_is_no_event_and_the_next_persons_change_is(stage: Stage) -> None:
    inputs = {"match_by": "contact_id", "contact_id": "{{ trigger.ContactID }}", "name": "{{ trigger.Name }}"}
    inputs |= {"account_number": "{{ trigger.FirstName }}", "when_found": "overwrite"}
    numbering = workflow_of(stage, "xero.new_or_updated_contact", "xero.create_or_update_contact", inputs)
    live(stage, numbering)
    contact = stage.sandbox.make("contact", name="Pinworks", FirstName="Ada")["id"]
    for count, first_name in enumerate(("Ada", "Bob"), start=1):
        if count > 1:
            stage.sandbox.change("contact", contact, FirstName=first_name)
        for _ in range(3):
            stage.look(numbering)
            for run in Run.objects.filter(workflow=numbering, status=Run.Status.QUEUED):
                assert stage.settle(run).status == "succeeded", run.error
        assert Run.objects.filter(workflow=numbering).count() == count


# --- the past ---------------------------------------------------------------------------------------------------------


def test_invoices_dated_since_a_day_are_counted_cheaply_and_released(stage: Stage) -> None:
    today = datetime.now(UTC).date()
    days = [today - timedelta(days=number) for number in (40, 20, 10)]
    old, first, second = (stage.sandbox.make("invoice", date=day.isoformat())["id"] for day in days)
    gone = stage.sandbox.make("invoice", date=days[2].isoformat())["id"]
    stage.sandbox.change("invoice", gone, Status="DELETED")
    noting = workflow_of(
        stage, "xero.new_invoice", "xero.add_note_to_invoice", {"invoice_id": "{{ trigger.InvoiceID }}", "note": "Seen"}
    )
    since = today - timedelta(days=20)
    before = stage.mark()
    counted = activation.count_backfill(noting, since)
    (call,) = stage.sandbox.ledger(after=before)
    assert f"Date>=DateTime({since.year}, {since.month}, {since.day})" in parse_qs(call["query"])["where"][0]
    activation.activate(noting, by=stage.cast.builder, since=since, counted=counted)
    stage.look(noting)
    released = runs_of(noting)
    assert {first, second} <= set(released)
    assert not {old, gone} & set(released)
    assert counted.number == len(released)
    stage.look(noting)
    assert runs_of(noting) == released


def test_pins_made_since_a_day_are_counted(stage: Stage) -> None:
    workflow = stage.listen(registry.trigger("pinterest.new_pin"), {})
    activation.pause(workflow, by=stage.cast.builder)
    today = datetime.now(UTC).date()
    everything = activation.count_backfill(workflow, today - timedelta(days=3650)).number
    stage.sandbox.add_pins("Office styling", count=3, title="Pin {n}")
    assert activation.count_backfill(workflow, today - timedelta(days=3650)).number == everything + 3
    activation.activate(workflow, by=stage.cast.builder, since=today - timedelta(days=3650))
    stage.look(workflow)
    assert Run.objects.filter(workflow=workflow).count() == everything + 3


def test_contacts_tell_no_day_so_only_now_is_offered(stage: Stage) -> None:
    workflow = workflow_of(stage, "xero.new_contact", "xero.find_contact", {"value": "a", "if_none": "empty"})
    with pytest.raises(activation.NotAllowedNowError, match="Xero does not say when a contact was created"):
        activation.count_backfill(workflow, datetime.now(UTC).date())


# --- a day that runs low ----------------------------------------------------------------------------------------------


def test_the_providers_own_count_slows_the_looks(stage: Stage, settings: Any) -> None:
    settings.XERO_DAY_LIMIT = 1000
    stage.sandbox.faults(day_limit=300)
    workflow = workflow_of(stage, "xero.new_quote", "xero.find_contact", {"value": "a", "if_none": "empty"})
    live(stage, workflow)
    state = TriggerState.objects.get()
    budget = CallBudget.objects.get(connection=stage.connections["xero"])
    left = budget.day_limit - budget.day_used
    assert left < 300
    pace = pacing.pace_of(state)
    assert pace is not None
    assert (pace.day.left, pace.day.limit) == (left, 1000)
    # 288 looks are wanted until the day ends, and a fifth of 1,000 calls is never touched.
    assert state.every_minutes == pace.minutes == -(-5 * 288 // (left - 200))
    assert f"{left} of 1,000 calls are left for Demo Company (NZ)." in stage.workflow_page(workflow)
