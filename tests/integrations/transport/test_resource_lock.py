"""Taking turns: one has it, nobody else until it is given back or has ended by itself."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import Connection, Turn
from integrations.transport import resource_lock
from tests.base import Cast, make_connection

KEY = "/Invoices/1"


@pytest.fixture
def connection(cast: Cast) -> Connection:
    return make_connection(cast.team, "xero", external_id="one")


def test_a_turn_is_one_runs_until_it_is_given_back(connection: Connection) -> None:
    token = resource_lock.take(connection.pk, KEY)
    assert token
    assert resource_lock.take(connection.pk, KEY) == ""
    resource_lock.give_back(token)
    assert resource_lock.take(connection.pk, KEY) not in {"", token}


def test_turns_of_other_things_and_other_connections_are_others(connection: Connection, cast: Cast) -> None:
    other = make_connection(cast.team, "xero", external_id="two")
    tokens = [
        resource_lock.take(connection.pk, KEY),
        resource_lock.take(connection.pk, "/Invoices/2"),
        resource_lock.take(other.pk, KEY),
    ]
    assert all(tokens)
    resource_lock.give_back(tokens[1])
    assert resource_lock.take(connection.pk, KEY) == ""
    assert resource_lock.take(other.pk, KEY) == ""


def test_a_turn_that_nobody_gives_back_ends_and_giving_it_back_late_ends_no_other(connection: Connection) -> None:
    late = resource_lock.take(connection.pk, KEY)
    Turn.objects.update(until=timezone.now() - timedelta(seconds=1))
    second = resource_lock.take(connection.pk, KEY)
    assert second
    resource_lock.give_back(late)
    assert resource_lock.take(connection.pk, KEY) == ""


def test_turns_of_long_ago_are_not_kept(connection: Connection) -> None:
    resource_lock.take(connection.pk, KEY)
    Turn.objects.update(until=timezone.now() - timedelta(days=2))
    assert resource_lock.take(connection.pk, "/Invoices/2")
    assert [turn.key for turn in Turn.objects.all()] == ["/Invoices/2"]
