"""start(): an event, a run and a bell, once per key, and only where the workflow may be started."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from integrations.core.errors import InvalidInputError
from tests.base import Cast
from tests.workflows.conftest import Make, settle
from tests.workflows.scripted import connector as scripted
from workflows.definitions import start_values, validation
from workflows.models import Event, Mapping, Run, Step, Workflow
from workflows.publishing import activation, publish
from workflows.runtime.broker import unread_messages
from workflows.triggers import schedules, starting

CONNECTORS = ["tests.workflows.scripted", "integrations.connectors.start"]


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Any:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


FIELDS = [
    {"label": "Title"},
    {"label": "Amount", "holds": "number", "is_required": "false"},
    {"label": "Paid on", "holds": "date", "is_required": "false"},
    {"label": "Kind", "holds": "choice", "options": "Sale, Refund", "is_required": "false"},
]


def by_hand(cast: Cast, make_workflow: Make, *, operation: str = "start.manual", **inputs: Any) -> Workflow:
    """An active workflow that is started with a title and writes it."""
    workflow = make_workflow(is_active=False)
    workflow.trigger_operation, workflow.trigger_connection = operation, None
    workflow.trigger_inputs = inputs or {"fields_asked": FIELDS}
    workflow.save()
    publish.publish(workflow, by=cast.builder)
    activation.activate(workflow, by=cast.builder)
    return workflow


def go(workflow: Workflow, key: str = "hand:1", **options: Any) -> starting.Started:
    data = {"title": "Oak table", "amount": 10}
    return starting.start_once(workflow, operation="start.manual", key=key, data=data, **options)


def test_a_start_is_an_event_a_run_of_the_published_version_and_a_bell(
    cast: Cast, make_workflow: Make, provider: scripted.Provider
) -> None:
    workflow = by_hand(cast, make_workflow)
    before = unread_messages()
    started = go(workflow, by=cast.builder)
    assert started.is_new
    assert started.run is not None
    event = Event.objects.get()
    assert (event.starts, event.key, event.by, event.trigger_state) == (workflow, "hand:1", cast.builder, None)
    assert (started.run.event, started.run.version, started.run.title) == (event, workflow.published, "Oak table")
    assert unread_messages() == before + 1
    settle()
    assert Run.objects.get().status == Run.Status.SUCCEEDED
    assert [thing["name"] for thing in provider.books] == ["Oak table"]


def test_the_same_key_gives_the_same_run_and_another_key_another(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    first, again, other = go(workflow), go(workflow), go(workflow, "hand:2")
    assert first.run is not None
    assert other.run is not None
    assert (again.run, again.is_new) == (first.run, False)
    assert other.run.pk != first.run.pk
    assert Run.objects.count() == Event.objects.count() == 2


def test_a_key_counts_within_its_workflow_only(cast: Cast, make_workflow: Make) -> None:
    first = by_hand(cast, make_workflow)
    second = make_workflow(name="Another", is_active=False)
    Workflow.objects.filter(pk=second.pk).update(trigger_operation="start.manual", status="active")
    assert go(first).run != go(Workflow.objects.get(pk=second.pk)).run
    assert Run.objects.count() == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"status": "paused"}, "is not switched on"),
        ({"published": None}, "has not been published yet"),
        ({"deleted_at": "2026-11-30T00:00:00Z"}, "has been deleted"),
    ],
)
def test_nothing_starts_where_it_may_not_and_it_says_why(
    change: dict[str, Any], said: str, cast: Cast, make_workflow: Make
) -> None:
    workflow = by_hand(cast, make_workflow)
    Workflow.objects.filter(pk=workflow.pk).update(**change)
    with pytest.raises(start_values.NotStartedError, match=said):
        go(workflow)
    assert not Run.objects.exists()
    assert not Event.objects.exists()


def test_a_person_may_try_one_that_is_not_switched_on(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    activation.pause(workflow, by=cast.builder)
    assert go(workflow, even_paused=True).is_new


def test_a_called_run_knows_its_caller_and_a_circle_ends(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    run = go(workflow).run
    for depth in range(1, starting.DEEPEST + 1):
        assert run is not None
        called = go(workflow, f"call:{depth}", called_by=run).run
        assert called is not None
        assert (called.called_by, called.depth) == (run, depth)
        run = called
    with pytest.raises(start_values.NotStartedError, match="call in a circle"):
        go(workflow, "call:last", called_by=run)


def test_a_start_needs_no_connection_to_be_published_and_switched_on(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    assert workflow.status == Workflow.Status.ACTIVE
    assert (workflow.listens_to, workflow.awaits_baseline) == (None, False)
    assert validation.problems(workflow) == []


def test_a_reference_to_a_value_that_is_not_asked_for_stops_publishing(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    Mapping.objects.update(value="{{ trigger.colour }}")
    assert [problem.message for problem in validation.problems(workflow)] == [
        "The trigger brings no value called colour. Pick one from the list."
    ]


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("2026-11-30", "2026-11-30"),
        ("2026-11-30T23:30:00", "2026-11-30"),
        ("2026-11-30 23:30:00 UTC", "2026-12-01"),
        (1796081400, "2026-12-01"),
        ("Mon, 30 Nov 2026 23:30:00 GMT", "2026-12-01"),
    ],
)
def test_a_moment_given_for_a_day_is_the_organisations_day(
    cast: Cast, make_workflow: Make, given: object, day: str
) -> None:
    workflow = by_hand(cast, make_workflow)
    fields, zone = start_values.fields_of(workflow), schedules.default_zone(workflow)
    assert zone == "Pacific/Auckland"
    assert start_values.cleaned(fields, {"title": "Oak", "paid_on": given}, zone=zone)["paid_on"] == day
    with pytest.raises(InvalidInputError) as error:
        start_values.cleaned(fields, {"title": "Oak", "paid_on": "2026-02-30"}, zone=zone)
    assert error.value.problems == {"paid_on": 'Paid on takes a date such as 2026-11-30; this is "2026-02-30".'}


def test_values_are_cleaned_as_they_are_declared(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    fields = start_values.fields_of(workflow)
    given = {"title": "Oak", "amount": "12.50", "paid_on": "2026-11-30", "kind": "refund"}
    assert str(start_values.cleaned(fields, given)["amount"]) == "12.50"
    assert start_values.cleaned(fields, given)["kind"] == "Refund"
    assert start_values.cleaned(fields, {"title": "Oak"}) == {
        "title": "Oak",
        "amount": None,
        "paid_on": None,
        "kind": None,
    }
    with pytest.raises(InvalidInputError) as error:
        start_values.cleaned(fields, {"amount": "ten", "paid_on": "tomorrow", "kind": "Gift", "colour": "red"})
    assert error.value.problems == {
        "title": "Title is needed, but nothing was given.",
        "amount": 'Amount takes a number such as 1250.50; this is "ten".',
        "paid_on": 'Paid on takes a date such as 2026-11-30; this is "tomorrow".',
        "kind": "Kind takes one of Sale, Refund; this is “Gift”.",
        "colour": "The workflow asks for no such value.",
    }


def test_two_values_of_one_name_stop_publishing(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow)
    workflow.trigger_inputs = {"fields_asked": [{"label": "Title"}, {"label": "TITLE!"}]}
    assert [(p.input, p.message) for p in validation.problems(workflow)] == [
        ("fields_asked.1.label", "“TITLE!” and “Title” would be the same value. Rename one of them.")
    ]


def test_many_starts_are_made_at_once_and_known_ones_are_left_out(cast: Cast, make_workflow: Make) -> None:
    workflow = by_hand(cast, make_workflow, operation="start.csv", fields_asked=FIELDS)
    items = [(f"csv:{number}", {"title": f"Row {number}"}) for number in range(700)]
    assert starting.start_many(workflow, operation="start.csv", items=items[:3], by=cast.builder) == 3
    assert starting.start_many(workflow, operation="start.csv", items=items, by=cast.builder) == 697
    assert starting.start_many(workflow, operation="start.csv", items=items, by=cast.builder) == 0
    assert Run.objects.count() == 700
    assert Run.objects.filter(title="Row 5").count() == 1
    assert Step.objects.filter(workflow=workflow).exists()
