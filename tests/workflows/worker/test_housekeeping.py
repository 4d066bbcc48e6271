"""Chores: once a day, by one worker, and one that fails keeps none of the others from running."""

from __future__ import annotations

import logging

import pytest

from integrations.connections import service
from integrations.core.errors import TemporaryError
from integrations.models import Connection
from integrations.transport import token_refresh
from tests.base import Cast, make_connection
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider
from workflows.models import Beat
from workflows.presenters.connection_usage import usages
from workflows.publishing import activation
from workflows.worker import housekeeping

pytestmark = pytest.mark.django_db


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was done, in order; nothing is really asked of a provider."""
    calls: list[str] = []

    def noted(name: str) -> object:
        return lambda: calls.append(name) or 0

    monkeypatch.setattr(token_refresh, "finish_refreshes", noted("finish"))
    monkeypatch.setattr(token_refresh, "refresh_idle_grants", noted("idle"))
    monkeypatch.setattr(service, "forget_abandoned_grants", noted("abandoned"))
    monkeypatch.setattr(housekeeping, "refresh_organisations", noted("facts"))
    return calls


def test_daily_chores_are_done_once_a_day_and_the_others_each_time(provider: Provider, done: list[str]) -> None:
    housekeeping.do_chores()
    housekeeping.do_chores()
    assert done == ["finish", "facts", "idle", "abandoned", "finish"]
    Beat.objects.filter(name="chore:daily").update(at="2020-01-01T00:00:00Z")
    housekeeping.do_chores()
    assert done[-3:] == ["finish", "idle", "abandoned"]


def test_a_chore_that_fails_is_logged_and_the_others_are_done(
    provider: Provider, done: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(token_refresh, "refresh_idle_grants", lambda: 1 // 0)
    with caplog.at_level(logging.ERROR):
        housekeeping.do_chores()
    assert done == ["finish", "facts", "abandoned"]
    assert "'refresh idle grants' failed" in caplog.text


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whose facts were asked for; "Broken" never gives them."""
    names: list[str] = []

    def refresh(connection: Connection) -> None:
        names.append(connection.name)
        if connection.name == "Broken":
            raise TemporaryError("It does not answer.")

    monkeypatch.setattr(service, "refresh_details", refresh)
    return names


def test_facts_of_connected_organisations_are_read_again_once_a_day(connection: Connection, read: list[str]) -> None:
    assert housekeeping.refresh_organisations() == 1
    assert housekeeping.refresh_organisations() == 0
    Beat.objects.update(at="2020-01-01T00:00:00Z")
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECT)
    assert housekeeping.refresh_organisations() == 0
    assert read == ["Scripted account"]


def test_a_round_stops_in_time_and_the_next_goes_on_with_those_whose_turn_was_longest_ago(
    cast: Cast, provider: Provider, read: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("Broken", "Second", "Third"):
        make_connection(cast.team, "scripted", external_id=name, name=name)
    moments = iter([0.0, 1.0, 61.0, 100.0, 101.0, 102.0, 103.0])
    monkeypatch.setattr(housekeeping.time, "monotonic", lambda: next(moments))
    monkeypatch.setattr(housekeeping.heartbeats, "note_progress", lambda: None)
    assert housekeeping.refresh_organisations() == 0
    assert read == ["Broken"], "one that fails has had its turn"
    assert housekeeping.refresh_organisations() == 2
    assert read == ["Broken", "Second", "Third"]


def test_a_connection_tells_which_workflows_use_it_now_or_as_published(
    provider: Provider, make_workflow: Make, connection: Connection
) -> None:
    active = make_workflow(name="Active")
    draft = make_workflow(name="Draft", is_active=False)
    published_only = make_workflow(name="Published only", is_active=False)
    published_only.steps.update(connection=None)
    type(published_only).objects.filter(pk=published_only.pk).update(trigger_connection=None)
    found = {usage.name: usage.is_active for usage in usages(connection)}
    assert found == {"Active": True, "Draft": False, "Published only": False}
    activation.pause(active, by=None)
    assert not any(usage.is_active for usage in usages(connection))
    assert {usage.url for usage in usages(connection)} >= {f"/workflows/{draft.pk}/"}
