"""A provider that does not answer: after five failures in a row it is left alone, but for one try a minute."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from integrations.core.errors import Hold, IntegrationError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.models import CallBudget, Connection
from integrations.transport import call_budget, http, token_refresh
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient, Request, Response
from tests.base import Cast, make_connection


class Client(ApiClient):
    provider_name = "Somewhere"

    def base(self, path: str) -> str:
        return "https://api.example.com"

    def limits(self) -> Limits:
        return Limits(per_minute=0, at_once=0, per_day=0)

    def refusal(self, response: Response) -> IntegrationError:
        return RejectedError("No.")


@pytest.fixture
def connection(cast: Cast) -> Connection:
    return make_connection(cast.team, "xero")


@dataclass
class Wire:
    """What comes back, in order: a status, or an error of the wire; stays at the last one. And what went out."""

    answers: list[Any]
    made: list[Any]


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Wire:
    told = Wire([200], [])

    def send(*args: Any, **kwargs: Any) -> Response:
        line = told.answers.pop(0) if len(told.answers) > 1 else told.answers[0]
        told.made.append(line)
        if isinstance(line, Exception):
            raise line
        return Response(line, body=b"{}")

    monkeypatch.setattr(http, "_send", send)
    monkeypatch.setattr(token_refresh, "access_token", lambda *args, **kwargs: "token")
    return told


def read(connection: Connection) -> str:
    """How a read went: "well", or the hold of the error."""
    try:
        Client(connection).read("/things")
    except TemporaryError as error:
        return error.hold.value
    except RejectedError:
        return "refused"
    return "well"


def budget(connection: Connection) -> CallBudget:
    return CallBudget.objects.get(connection=connection)


def let_a_minute_pass(connection: Connection) -> None:
    CallBudget.objects.filter(connection=connection).update(probe_at=timezone.now() - timedelta(seconds=1))


def test_the_fifth_failure_in_a_row_opens_it_and_no_further_call_is_made(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503]
    assert [read(connection) for _ in range(7)] == ["retry"] * 4 + ["down"] * 3
    assert wire.made == [503] * 5
    found = budget(connection)
    assert found.down_since is not None
    assert found.down_reason == "it answered 503"
    assert found.day_used == 5


def test_a_success_or_a_refusal_in_between_begins_the_count_anew(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503, 503, 503, 503, 200, 503, 503, 503, 503, 400, 503]
    said = [read(connection) for _ in range(11)]
    assert said == ["retry"] * 4 + ["well"] + ["retry"] * 4 + ["refused"] + ["retry"]
    assert budget(connection).troubles == 1


def test_after_a_minute_one_call_tries_and_only_one(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503]
    for _ in range(5):
        read(connection)
    since = budget(connection).down_since
    let_a_minute_pass(connection)
    assert read(connection) == "down"
    assert len(wire.made) == 6
    assert read(connection) == "down"
    assert len(wire.made) == 6
    assert budget(connection).down_since == since, "the outage is still the same one"


def test_the_try_that_is_answered_closes_it(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503]
    for _ in range(5):
        read(connection)
    let_a_minute_pass(connection)
    wire.answers[:] = [200]
    assert read(connection) == "well"
    found = budget(connection)
    assert (found.troubles, found.down_since, found.down_reason, found.probe_at) == (0, None, "", None)
    assert read(connection) == "well"


def test_the_time_of_the_next_try_is_told(connection: Connection, wire: Wire, settings: Any) -> None:
    settings.TIME_SCALE = 60
    wire.answers[:] = [503]
    for _ in range(5):
        read(connection)
    with pytest.raises(TemporaryError) as caught:
        Client(connection).read("/things")
    assert caught.value.hold is Hold.DOWN
    assert 0 < (caught.value.retry_after or 0) <= 60, "in real seconds"
    assert caught.value.since == budget(connection).down_since
    assert caught.value.message.startswith("Somewhere has not answered since ")
    assert caught.value.message.endswith(
        " UTC: it answered 503. One call a minute tries whether it is back; everything goes on by itself then."
    )


def test_time_outs_and_closed_doors_count_and_what_never_could_be_sent_does_not(
    connection: Connection, wire: Wire
) -> None:
    wire.answers[:] = [requests.exceptions.InvalidHeader("ours")]
    for _ in range(6):
        assert read(connection) == "retry"
    assert budget(connection).troubles == 0
    wire.answers[:] = [requests.ReadTimeout("slow"), requests.ConnectTimeout("shut"), requests.ReadTimeout("slow")]
    assert [read(connection) for _ in range(5)] == ["retry"] * 4 + ["down"]
    assert budget(connection).down_reason == "Somewhere gave no answer."


def test_a_pause_that_the_provider_asks_for_is_an_answer(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503, 503, 503, 503, 429]
    for _ in range(5):
        read(connection)
    assert budget(connection).troubles == 0


def test_a_write_without_an_answer_stays_unknown_and_the_next_one_is_not_sent(
    connection: Connection, wire: Wire
) -> None:
    wire.answers[:] = [503]
    request = Request.of_json("PUT", "/things", {})
    for _ in range(5):
        with pytest.raises(OutcomeUnknownError):
            Client(connection).write(request)
    with pytest.raises(TemporaryError) as caught:
        Client(connection).write(request)
    assert caught.value.hold is Hold.DOWN
    assert len(wire.made) == 5


def test_an_access_that_cannot_be_renewed_counts_like_a_call(
    connection: Connection, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: Any, **kwargs: Any) -> str:
        raise TemporaryError("Xero gave no answer when asked for access.", retry_after=5)

    monkeypatch.setattr(token_refresh, "access_token", fail)
    assert [read(connection) for _ in range(6)] == ["retry"] * 4 + ["down"] * 2
    assert wire.made == []
    monkeypatch.setattr(token_refresh, "access_token", lambda *args, **kwargs: "token")
    let_a_minute_pass(connection)
    assert read(connection) == "well"


def test_each_organisation_has_its_own(connection: Connection, cast: Cast, wire: Wire) -> None:
    other = make_connection(cast.team, "xero", external_id="other")
    wire.answers[:] = [503]
    for _ in range(5):
        read(connection)
    wire.answers[:] = [200]
    assert read(other) == "well"
    assert read(connection) == "down"


def test_an_outage_is_part_of_how_a_connection_stands(connection: Connection, wire: Wire) -> None:
    wire.answers[:] = [503]
    for _ in range(5):
        read(connection)
    found = budget(connection)
    told = call_budget.budget_status(found, Limits(per_minute=0, at_once=0, per_day=0), timezone.now())
    assert told.outage == call_budget.Outage(found.down_since, "it answered 503")
