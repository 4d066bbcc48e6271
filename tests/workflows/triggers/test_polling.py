"""Polling and intake: the baseline, what is new, what is shared, and what a failure leaves behind."""

from __future__ import annotations

import pytest

from integrations.core.errors import ReconnectError, TemporaryError
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, thing
from tests.workflows.scripted.connector import Provider
from workflows.engine import work_loop as engine_drain
from workflows.models import Event, Mapping, Run, Safeguards, SeenItem, Step, TriggerState, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import intake, polling
from workflows.worker.sweeper import sweep

pytestmark = pytest.mark.django_db


def look(workflow: Workflow) -> None:
    """Make the trigger due and do all that follows."""
    workflow.refresh_from_db()
    assert workflow.listens_to is not None
    polling.poll_now(workflow.listens_to)
    settle()


def test_the_first_look_notes_what_is_there_and_runs_nothing(provider: Provider, make_workflow: Make) -> None:
    provider.items = [thing(1), thing(2)]
    make_workflow()
    polling.poll(polling.claim())
    assert SeenItem.objects.count() == 2
    assert [Event.objects.count(), Run.objects.count()] == [0, 0]
    state = TriggerState.objects.get()
    assert [state.status, state.last_found] == ["listening", 2]


def test_what_is_new_runs_once_however_often_it_is_seen(provider: Provider, make_workflow: Make) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1), thing(1), thing(2)]
    for _ in range(3):
        look(workflow)
    assert sorted(Event.objects.values_list("key", flat=True)) == ["1", "2"]
    assert [thing["name"] for thing in provider.books] == ["Thing 1", "Thing 2"]


def test_a_baseline_that_breaks_off_starts_over_and_runs_nothing(provider: Provider, make_workflow: Make) -> None:
    provider.items = [thing(number) for number in range(250)]
    provider.polls = [TemporaryError("The provider answered 500.")]
    workflow = make_workflow()
    drain()
    state = TriggerState.objects.get()
    assert [state.status, state.failures, state.last_error] == ["baseline", 1, "The provider answered 500."]
    assert SeenItem.objects.count() == 200
    look(workflow)
    assert TriggerState.objects.get().status == "listening"
    assert SeenItem.objects.count() == 250
    assert Run.objects.count() == 0


def test_a_poll_that_breaks_off_keeps_what_it_stored_and_the_next_one_finds_the_rest(
    provider: Provider, make_workflow: Make
) -> None:
    workflow = make_workflow()
    Safeguards.objects.create(workflow=workflow, hold_above=0)
    drain()
    provider.items = [thing(number) for number in range(150)]
    provider.polls = [TemporaryError("The provider answered 500.")]
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    polling.poll(polling.claim())
    assert Run.objects.count() == 100
    look(workflow)
    assert Run.objects.count() == 150
    assert len(provider.books) == 150


def test_workflows_with_the_same_trigger_share_one_poll(provider: Provider, make_workflow: Make) -> None:
    first, second = make_workflow(name="First"), make_workflow(name="Second")
    drain()
    assert TriggerState.objects.count() == 1
    provider.items = [thing(1)]
    look(first)
    assert Event.objects.count() == 1
    assert {run.workflow_id for run in Run.objects.all()} == {first.pk, second.pk}


def test_a_workflow_that_joins_later_has_a_baseline_of_its_own(provider: Provider, make_workflow: Make) -> None:
    first = make_workflow(name="First")
    drain()
    provider.items = [thing(1)]
    second = make_workflow(name="Second")
    second.refresh_from_db()
    assert second.awaits_baseline
    look(first)
    assert [run.workflow.name for run in Run.objects.all()] == ["First"]
    provider.items.append(thing(2))
    look(first)
    assert sorted(run.workflow.name for run in Run.objects.filter(event__key="2")) == ["First", "Second"]


def test_a_paused_workflow_starts_nothing_and_begins_with_a_baseline_again(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    drain()
    activation.pause(workflow, by=cast.builder)
    provider.items = [thing(1)]
    drain()
    activation.activate(workflow, by=cast.builder)
    settle()
    assert Run.objects.count() == 0
    provider.items.append(thing(2))
    look(workflow)
    assert [run.event.key for run in Run.objects.all()] == ["2"]


def test_publishing_again_loses_no_event_and_repeats_none(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    look(workflow)
    provider.items.append(thing(2))
    Mapping.objects.filter(step__workflow=workflow).update(value="{{ trigger.title }}, changed")
    publish.publish(workflow, by=cast.builder, note="Say that it changed")
    look(workflow)
    assert [book["name"] for book in provider.books] == ["Thing 1", "Thing 2, changed"]
    assert [run.version.number for run in Run.objects.order_by("pk")] == [1, 2]


def test_a_run_in_flight_finishes_on_its_own_version(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    provider.script = [TemporaryError("Later.", retry_after=60)]
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    drain()
    Step.objects.filter(workflow=workflow).delete()
    Step.objects.create(
        workflow=workflow,
        key="read",
        name="Read",
        kind="action",
        position=1,
        operation="scripted.read_thing",
        connection=Connection.objects.get(),
    )
    publish.publish(workflow, by=cast.builder, note="Only read")
    settle()
    assert [run.status for run in Run.objects.all()] == ["succeeded"]
    assert [book["name"] for book in provider.books] == ["Thing 1"]


def test_a_poll_taken_over_by_another_worker_stores_nothing(provider: Provider, make_workflow: Make) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    state = polling.claim()
    TriggerState.objects.update(lease_token=state.lease_token + 1)
    polling.poll(state)
    assert Event.objects.count() == 0
    with pytest.raises(intake.LostPollError):
        intake.accept(state, [thing(1)])


def test_events_runs_and_bell_are_one_transaction(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    with monkeypatch.context() as broken:
        broken.setattr("workflows.triggers.intake.wake_worker", lambda: 1 / 0)
        polling.poll(polling.claim())
    assert [SeenItem.objects.count(), Event.objects.count(), Run.objects.count()] == [0, 0, 0]
    look(workflow)
    assert [run.status for run in Run.objects.all()] == ["succeeded"]


def test_a_trigger_without_access_flags_its_connection_and_is_polled_again_after_reconnecting(
    provider: Provider, make_workflow: Make
) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    provider.polls = [ReconnectError("Access was withdrawn.")]
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    drain()
    assert Connection.objects.get().status == Connection.Status.NEEDS_RECONNECT
    assert TriggerState.objects.get().last_error == "Access was withdrawn."
    TriggerState.objects.update(next_due_at="2020-01-01T00:00:00Z")
    assert drain() == 0
    Connection.objects.update(status=Connection.Status.CONNECTED)
    settle()
    assert [run.status for run in Run.objects.all()] == ["succeeded"]


def test_a_trigger_that_nobody_listens_to_any_more_is_not_polled(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    drain()
    activation.pause(workflow, by=cast.builder)
    TriggerState.objects.update(next_due_at="2020-01-01T00:00:00Z")
    drain()
    assert TriggerState.objects.get().next_due_at is None


def test_the_sweeper_rings_for_what_is_due_and_only_then(provider: Provider, make_workflow: Make) -> None:
    from django_q.models import OrmQ

    make_workflow()
    OrmQ.objects.all().delete()
    assert sweep() == 1
    OrmQ.objects.all().delete()
    drain()
    assert sweep() == 0
    assert OrmQ.objects.count() == 0


def test_runs_have_their_turn_where_a_trigger_is_always_due(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    workflow.refresh_from_db()
    assert workflow.listens_to is not None
    polling.poll_now(workflow.listens_to)
    looks: list[int] = []

    def look_for_long(state: TriggerState) -> None:
        poll(state)
        looks.append(state.pk)
        TriggerState.objects.update(next_due_at="2020-01-01T00:00:00Z")  # as if looking took longer than the interval
        assert len(looks) < 10, "The runs never have their turn."

    poll = polling.poll
    monkeypatch.setattr(polling, "poll", look_for_long)
    monkeypatch.setattr(engine_drain, "wake_worker", lambda: None)
    while not provider.books:
        engine_drain.drain(longest=0.001)


def test_an_inactive_workflow_cannot_look_and_an_unpublished_one_cannot_be_switched_on(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow(is_active=False)
    with pytest.raises(activation.NotAllowedNowError, match="Switch it on first"):
        activation.poll_now(workflow, by=cast.builder)
    draft = Workflow.objects.create(team=cast.team, name="Draft")
    with pytest.raises(activation.NotAllowedNowError, match="Publish the workflow first"):
        activation.activate(draft, by=cast.builder)


def test_every_page_is_read_at_first_when_a_workflow_joins_and_once_a_day(
    provider: Provider, make_workflow: Make
) -> None:
    first = make_workflow(name="First")
    drain()
    look(first)
    assert provider.thorough == [True, False]
    make_workflow(name="Second")
    drain()
    assert provider.thorough == [True, False, True]
    TriggerState.objects.update(thorough_at="2020-01-01T00:00:00Z")
    look(first)
    look(first)
    assert provider.thorough == [True, False, True, True, False]
