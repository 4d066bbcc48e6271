"""Start from a day: what is released, to whom, how often, and what a person is shown before."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import TemporaryError
from integrations.framework.base import Item
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle
from tests.workflows.scripted import connector as scripted
from tests.workflows.scripted.connector import Provider
from workflows.models import Event, Release, Run, SeenItem, TriggerState, Workflow
from workflows.publishing import activation, publish
from workflows.triggers import backfill, polling
from workflows.triggers.backfill import Counted

pytestmark = pytest.mark.django_db

DAY = date(2025, 11, 10)


def made(number: int, day: date | datetime | None) -> Item:
    """A thing with the time at which it was made."""
    return Item(key=str(number), data={"id": str(number), "title": f"Thing {number}", "price": 10}, happened=day)


@pytest.fixture
def history(provider: Provider) -> Provider:
    """Two things made before the day, three since, and one that tells nothing."""
    days = [date(2025, 11, 1), date(2025, 11, 9), DAY, date(2025, 11, 12), date(2025, 11, 20), None]
    provider.items = [made(number, day) for number, day in enumerate(days, start=1)]
    return provider


def keys_of(workflow: Workflow) -> list[str]:
    return sorted(Run.objects.filter(workflow=workflow).values_list("event__key", flat=True))


def test_what_came_since_the_day_runs_once_and_what_comes_later_too(
    history: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow(is_active=False)
    counted = activation.count_backfill(workflow, DAY)
    assert counted == Counted(3)
    assert [SeenItem.objects.count(), Event.objects.count(), TriggerState.objects.count()] == [0, 0, 0]
    activation.activate(workflow, by=cast.builder, since=DAY, counted=counted)
    settle()
    assert keys_of(workflow) == ["3", "4", "5"]
    assert [book["name"] for book in history.books] == ["Thing 3", "Thing 4", "Thing 5"]
    wish = Release.objects.get()
    assert (wish.status, wish.counted, wish.released, wish.asked_by) == ("done", 3, 3, cast.builder)
    assert wish.finished_at is not None
    history.items.append(made(7, date(2025, 1, 1)))
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    settle()
    assert keys_of(workflow) == ["3", "4", "5", "7"]


def test_from_now_nothing_of_the_past_runs(history: Provider, make_workflow: Make) -> None:
    workflow = make_workflow()
    drain()
    assert keys_of(workflow) == []
    assert Release.objects.count() == 0


def test_others_that_share_the_poll_get_nothing_of_it(history: Provider, make_workflow: Make, cast: Cast) -> None:
    first = make_workflow(name="First")
    drain()
    second = make_workflow(name="Second", is_active=False)
    activation.activate(second, by=cast.builder, since=DAY)
    history.items.append(made(7, date(2025, 11, 21)))
    settle()
    assert TriggerState.objects.count() == 1
    assert keys_of(first) == ["7"], "what is new is new for those that listen already"
    assert keys_of(second) == ["3", "4", "5", "7"]


def test_an_event_that_ran_is_not_released_again(history: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    activation.activate(workflow, by=cast.builder, since=date(2025, 11, 15))
    settle()
    assert keys_of(workflow) == ["5"]
    activation.pause(workflow, by=cast.builder)
    assert activation.count_backfill(workflow, DAY) == Counted(2)
    activation.activate(workflow, by=cast.builder, since=DAY)
    settle()
    assert keys_of(workflow) == ["3", "4", "5"]
    assert [wish.released for wish in Release.objects.order_by("pk")] == [1, 2]


def test_nor_under_other_inputs_of_the_same_trigger(history: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    activation.activate(workflow, by=cast.builder, since=DAY)
    settle()
    activation.pause(workflow, by=cast.builder)
    Workflow.objects.filter(pk=workflow.pk).update(trigger_inputs={"shelf": "top"})
    workflow.refresh_from_db()
    publish.publish(workflow, by=cast.builder, note="Another shelf")
    activation.activate(workflow, by=cast.builder, since=date(2025, 11, 1))
    settle()
    assert TriggerState.objects.count() == 2
    assert keys_of(workflow) == ["1", "2", "3", "4", "5"]


def test_a_poll_that_breaks_off_releases_the_rest_later_and_nothing_twice(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    provider.items = [made(number, DAY) for number in range(150)]
    provider.polls = [TemporaryError("The provider answered 500.")]
    workflow = make_workflow(is_active=False)
    activation.activate(workflow, by=cast.builder, since=DAY)
    polling.poll(polling.claim())
    assert (Run.objects.count(), Release.objects.get().status) == (100, "pending")
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    polling.poll(polling.claim())
    assert Run.objects.count() == len(set(keys_of(workflow))) == 150
    assert (Release.objects.get().status, Release.objects.get().released) == ("done", 150)


def test_pausing_drops_what_has_not_been_released(history: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    activation.activate(workflow, by=cast.builder, since=DAY)
    activation.pause(workflow, by=cast.builder)
    assert Release.objects.get().status == "dropped"
    activation.activate(workflow, by=cast.builder)
    settle()
    assert keys_of(workflow) == []


def test_a_wish_made_while_a_poll_is_under_way_gets_a_poll_of_its_own(
    history: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    state = polling.claim()
    look = polling._plan(state)
    activation.pause(workflow, by=cast.builder)
    activation.activate(workflow, by=cast.builder, since=DAY)
    look.run()
    polling._done(state, look)
    workflow.refresh_from_db()
    assert workflow.awaits_baseline
    assert Run.objects.count() == 0
    settle()
    assert keys_of(workflow) == ["3", "4", "5"]


@pytest.mark.parametrize(
    ("happened", "counts"),
    [
        (date(2025, 11, 10), True),
        (date(2025, 11, 9), False),
        (None, False),
        (datetime(2025, 11, 9, 11, 0, tzinfo=UTC), True),  # midnight in Auckland
        (datetime(2025, 11, 9, 10, 59, 59, tzinfo=UTC), False),
        (datetime(2025, 11, 9, 11, 0), True),  # without a zone: UTC
    ],
)
def test_a_moment_counts_on_the_organisations_day(happened: date | datetime | None, counts: bool) -> None:
    assert backfill.is_since(happened, DAY, ZoneInfo("Pacific/Auckland")) is counts


def test_more_than_five_hundred_are_not_counted_further(provider: Provider, make_workflow: Make) -> None:
    provider.items = [made(number, DAY) for number in range(600)]
    workflow = make_workflow(is_active=False)
    assert activation.count_backfill(workflow, DAY) == Counted(500, is_capped=True)
    provider.items = provider.items[:500]
    assert activation.count_backfill(workflow, DAY) == Counted(500)


def test_a_count_that_takes_too_long_says_so(
    history: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backfill, "LONGEST_COUNT_SECONDS", -1.0)
    assert activation.count_backfill(make_workflow(is_active=False), date(2025, 11, 1)) == Counted(1, is_partial=True)


def test_a_day_is_refused_where_it_makes_no_sense(
    history: Provider, make_workflow: Make, cast: Cast, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow(is_active=False)
    tomorrow = backfill.today(connection) + timedelta(days=1)
    with pytest.raises(activation.NotAllowedNowError, match="not in the future"):
        activation.activate(workflow, by=cast.builder, since=tomorrow)
    activation.activate(workflow, by=cast.builder)
    with pytest.raises(activation.NotAllowedNowError, match=r"active already\. Pause it first"):
        activation.activate(workflow, by=cast.builder, since=DAY)
    monkeypatch.setattr(scripted.NewThing, "dated_by", "")
    with pytest.raises(activation.NotAllowedNowError, match="does not say when a thing was created"):
        activation.count_backfill(workflow, DAY)
    assert Release.objects.count() == 0


# --- the page -------------------------------------------------------------------------------------------------------


def page_of(workflow: Workflow) -> str:
    return reverse("activate_workflow", args=[workflow.pk])


def test_the_page_shows_how_many_and_asks_again(
    history: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    client.force_login(cast.builder)
    workflow = make_workflow(is_active=False)
    shown = client.get(page_of(workflow)).content.decode()
    assert "What counts is when the thing was made." in shown
    asked = client.post(page_of(workflow), {"start": "day", "since": "2025-11-10"})
    text = " ".join(asked.content.decode().split())
    assert "<strong>3 runs</strong> will start for what came since 10 November 2025." in text
    assert "Switch it on and start 3 runs" in text
    workflow.refresh_from_db()
    assert workflow.status == "draft"
    confirmed = {"start": "day", "since": "2025-11-10", "counted_for": "2025-11-10", "counted": "3"}
    assert client.post(page_of(workflow), confirmed).status_code == 302
    settle()
    assert keys_of(workflow) == ["3", "4", "5"]


def test_another_day_is_counted_anew_before_anything_happens(
    history: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    client.force_login(cast.builder)
    workflow = make_workflow(is_active=False)
    changed = {"start": "day", "since": "2025-11-01", "counted_for": "2025-11-10", "counted": "3"}
    text = client.post(page_of(workflow), changed).content.decode()
    assert "Switch it on and start 5 runs" in text
    assert Release.objects.count() == 0


@pytest.mark.parametrize(
    ("posted", "said"),
    [
        ({"start": "day"}, "Choose the day to start from."),
        ({"start": "day", "since": "soon"}, "Give a day such as 2026-11-30."),
        ({"start": "day", "since": "2999-01-01"}, "not in the future"),
        ({"start": "now", "since": "2025-11-10"}, "Choose “A day” above to start from this day"),
    ],
)
def test_a_day_that_cannot_be_is_told(
    posted: dict[str, str], said: str, history: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    client.force_login(cast.builder)
    workflow = make_workflow(is_active=False)
    assert said in client.post(page_of(workflow), posted).content.decode()
    workflow.refresh_from_db()
    assert workflow.status == "draft"


def test_very_many_are_warned_of(provider: Provider, make_workflow: Make, cast: Cast, client: Client) -> None:
    provider.items = [made(number, DAY) for number in range(501)]
    client.force_login(cast.builder)
    workflow = make_workflow(is_active=False)
    text = client.post(page_of(workflow), {"start": "day", "since": "2025-11-10"}).content.decode()
    assert "<strong>More than 500 runs</strong>" in text
    assert "may use up its calls for today" in text


def test_where_the_provider_tells_no_day_only_now_is_offered(
    history: Provider, make_workflow: Make, cast: Cast, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripted.NewThing, "dated_by", "")
    client.force_login(cast.builder)
    workflow = make_workflow(is_active=False)
    text = client.get(page_of(workflow)).content.decode()
    assert "Scripted does not say when a thing was created" in text
    assert 'type="date"' not in text
    assert client.post(page_of(workflow), {"start": "now"}).status_code == 302


# --- readings that are broken off -----------------------------------------------------------------------------------


def test_a_long_reading_goes_on_at_its_mark_in_another_task(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "LONGEST_SECONDS", -1)
    provider.marks, provider.items = True, [made(number, None) for number in range(1, 4)]
    make_workflow()
    drain()
    assert provider.resumed == ["", "1", "2", "3"]
    state = TriggerState.objects.get()
    assert (state.status, state.resume, state.reading_since, state.failures) == ("listening", "", None, 0)
    assert (SeenItem.objects.count(), Run.objects.count()) == (3, 0)


def test_a_reading_that_failed_goes_on_where_it_was_but_not_for_ever(provider: Provider, make_workflow: Make) -> None:
    provider.marks, provider.items = True, [made(number, None) for number in range(1, 4)]
    provider.polls = [TemporaryError("The provider answered 500.")] * 2
    workflow = make_workflow()
    drain()
    assert (TriggerState.objects.get().resume, provider.resumed) == ("2", [""])
    workflow.refresh_from_db()
    polling.poll_now(workflow.listens_to)
    drain()
    assert provider.resumed == ["", "2"]
    TriggerState.objects.update(reading_since="2020-01-01T00:00:00Z")
    polling.poll_now(workflow.listens_to)
    drain()
    assert provider.resumed == ["", "2", ""], "an old mark is not trusted"


def test_what_was_passed_over_is_read_again_for_a_workflow_that_starts_from_a_day(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    provider.marks, provider.items = True, [made(number, DAY) for number in range(1, 4)]
    provider.polls = [TemporaryError("The provider answered 500.")]
    make_workflow(name="First")
    drain()
    assert TriggerState.objects.get().resume == "2"
    second = make_workflow(name="Second", is_active=False)
    activation.activate(second, by=cast.builder, since=DAY)
    settle()
    assert provider.resumed == ["", ""]
    assert keys_of(second) == ["1", "2", "3"]
