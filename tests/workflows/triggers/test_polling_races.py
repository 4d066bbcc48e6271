"""What may happen while a poll is under way, and what a poll may bring: races, odd keys, odd text."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from integrations.core.errors import RejectedError
from integrations.framework.base import Item, Poll
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, thing
from tests.workflows.scripted.connector import NewThing, Provider
from workflows.models import Beat, Event, Run, Safeguards, SeenItem, TriggerState, Workflow
from workflows.publishing import activation
from workflows.runtime import heartbeats
from workflows.triggers import intake, polling

pytestmark = pytest.mark.django_db


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Let something happen once, in the midst of the next poll: after its items were read, before they are stored."""

    def set_up(do: Callable[[], object]) -> None:
        plain = NewThing.poll

        def poll(self: NewThing, poll: Poll) -> Iterator[Item]:
            items = list(plain(self, poll))
            monkeypatch.setattr(NewThing, "poll", plain)
            do()
            yield from items

        monkeypatch.setattr(NewThing, "poll", poll)

    return set_up


def test_a_workflow_that_joins_during_a_poll_gets_its_baseline_at_once(
    provider: Provider, make_workflow: Make, cast: Cast, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    first, second = make_workflow(name="First"), make_workflow(name="Second", is_active=False)
    drain()
    meanwhile(lambda: activation.activate(second, by=cast.builder))
    activation.poll_now(first, by=cast.builder)
    drain()
    second.refresh_from_db()
    assert not second.awaits_baseline


def test_the_last_listeners_pause_and_return_during_a_poll_does_not_leave_the_trigger_unpolled(
    provider: Provider, make_workflow: Make, cast: Cast, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    workflow = make_workflow()
    drain()

    def leave_and_return() -> None:
        activation.pause(workflow, by=cast.builder)
        activation.activate(workflow, by=cast.builder)

    meanwhile(leave_and_return)
    activation.poll_now(workflow, by=cast.builder)
    drain()
    workflow.refresh_from_db()
    assert not workflow.awaits_baseline
    assert TriggerState.objects.get().next_due_at is not None


def test_looking_now_during_a_poll_looks_once_more(
    provider: Provider, make_workflow: Make, cast: Cast, meanwhile: Callable[[Callable[[], object]], None]
) -> None:
    workflow = make_workflow()
    drain()

    def add_and_look() -> None:
        provider.items.append(thing(1))
        activation.poll_now(workflow, by=cast.builder)

    workflow.refresh_from_db()
    meanwhile(add_and_look)
    activation.poll_now(workflow, by=cast.builder)
    settle()
    assert [run.event.key for run in Run.objects.all()] == ["1"]


def test_a_trigger_that_fails_is_not_asked_again_when_nobody_listens_any_more(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    drain()
    provider.items = [thing(1)]
    provider.polls = [RejectedError("The board is gone.")]
    activation.poll_now(workflow, by=cast.builder)
    activation.pause(workflow, by=cast.builder)
    drain()
    state = TriggerState.objects.get()
    assert [state.next_due_at, state.last_error] == [None, "The board is gone."]


def test_two_long_keys_that_begin_alike_are_two_items(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow()
    drain()
    keys = ["k" * 250 + end for end in "ab"]
    provider.items = [Item(key=key, data={"title": key[-1], "price": 1}) for key in keys]
    for _ in range(2):
        activation.poll_now(workflow, by=cast.builder)
        settle()
    assert sorted(book["name"] for book in provider.books) == ["a", "b"]
    assert {len(key) for key in Event.objects.values_list("key", flat=True)} == {197}
    assert intake.known(TriggerState.objects.get(), [*keys, "k" * 251]) == set(keys)


def test_storing_a_hundred_items_takes_no_query_per_item(provider: Provider, make_workflow: Make) -> None:
    Safeguards.objects.create(workflow=make_workflow(), hold_above=0)
    drain()
    state = TriggerState.objects.get()
    counts = []
    for items in ([thing(1)], [thing(number) for number in range(2, 102)]):
        with CaptureQueriesContext(database) as queries:
            intake.accept(state, items)
        counts.append(len(queries))
    assert SeenItem.objects.count() == 101
    assert counts[1] <= counts[0] + 2


def test_a_poll_that_reads_many_known_pages_keeps_its_lease_and_shows_life(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow()
    drain()
    leases: list[Any] = []

    def poll(self: NewThing, poll: Poll) -> Iterator[Item]:
        for _ in range(2):
            TriggerState.objects.update(lease_until="2020-01-01T00:00:00Z")
            poll.known(["1"])
            leases.append(polling.claim())
        Beat.objects.all().delete()
        monkeypatch.setattr(heartbeats, "_noted", {})
        poll.known(["1"])
        assert Beat.objects.filter(name__startswith="worker@").count() == 1
        yield from ()

    monkeypatch.setattr(NewThing, "poll", poll)
    activation.poll_now(Workflow.objects.get(pk=workflow.pk), by=None)
    drain()
    assert leases == [None, None]
    assert TriggerState.objects.get().last_error == ""
