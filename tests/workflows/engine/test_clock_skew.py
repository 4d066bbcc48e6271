"""A provider's clock that is not ours: what was written is still found, and nothing is doubled on its word."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.models import CallBudget, Connection
from tests.base import Cast, make_connection
from tests.workflows.conftest import Make, said, settle, start, the_run, the_write, unknown
from tests.workflows.scripted.connector import Provider, WriteThing
from workflows.runs import decisions

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_its_clock(provider: Provider, connection: Connection, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Set the provider's clock, by which lookups find what was changed since a moment."""
    ahead = [0]

    def find(self: Any, api: Any, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        changed = timezone.now() + timedelta(seconds=ahead[0])
        CallBudget.objects.filter(connection=connection).update(clock_skew=ahead[0])
        return [each for each in provider.books if each["marker"] == marker and since is not None and changed >= since]

    monkeypatch.setattr(WriteThing, "find", find)

    def set_clock(seconds: int, *, is_known: bool) -> None:
        ahead[0] = seconds
        CallBudget.objects.create(connection=connection, clock_skew=seconds if is_known else 0)

    return set_clock


@pytest.mark.parametrize("is_known", [True, False])
def test_a_lost_answer_is_found_where_the_providers_clock_is_twenty_minutes_behind(
    is_known: bool, provider: Provider, make_workflow: Make, by_its_clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WriteThing, "key_window", 0)
    by_its_clock(-1200, is_known=is_known)
    start(provider, make_workflow)
    provider.script = ["commit and be silent"]
    settle()
    assert the_run().status == "succeeded"
    assert said(the_write()) == [("send", "unknown"), ("look up", "found")]
    assert [len(provider.sent), len(provider.books)] == [1, 1]


@pytest.mark.parametrize("ahead", [301, -301])
def test_nothing_is_sent_a_second_time_where_the_clocks_are_more_than_five_minutes_apart(
    ahead: int, provider: Provider, make_workflow: Make, by_its_clock: Any
) -> None:
    by_its_clock(ahead, is_known=True)
    start(provider, make_workflow)
    provider.script = [unknown()]
    settle()
    run = the_run()
    assert run.status == "needs_review"
    assert "Its clock differs from this installation's by 5 minutes" in run.error
    assert [said(the_write())[0], set(said(the_write())[1:])] == [("send", "unknown"), {("look up", "not found")}]
    assert [len(provider.sent), provider.books] == [1, []]
    decisions.send_again(run, by=None, reason="It is not there")
    settle()
    assert [the_run().status, len(provider.books)] == ["succeeded", 1]


def test_clocks_five_minutes_apart_change_nothing(provider: Provider, make_workflow: Make, by_its_clock: Any) -> None:
    by_its_clock(-300, is_known=True)
    start(provider, make_workflow)
    provider.script = [unknown()]
    settle()
    assert [the_run().status, len(provider.sent), len(provider.books)] == ["succeeded", 2, 1]
    assert provider.sent[0] == provider.sent[1]


@pytest.mark.parametrize(
    ("ahead", "told"),
    [
        (-1200, "20 min behind this installation&#x27;s"),
        (31, "31 s ahead of this installation&#x27;s"),
        (30, ""),
        (-30, ""),
    ],
)
def test_people_are_told_above_half_a_minute(ahead: int, told: str, cast: Cast, client: Client) -> None:
    connection = make_connection(cast.team, "xero")
    CallBudget.objects.create(connection=connection, clock_skew=ahead)
    client.force_login(cast.builder)
    pages = [client.get(reverse("connection", args=[connection.pk])), client.get(reverse("admin:index"))]
    texts = [page.content.decode().replace("&#39;", "&#x27;") for page in pages]
    assert [("clock is" in text, told in text) for text in texts] == [(bool(told), True)] * 2
    assert ("is not sent a second time by itself" in texts[0]) is (ahead == -1200)
