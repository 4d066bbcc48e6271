"""The call budget: sliding minute, calls at once, the day, what is kept from polling, and pauses that were told."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from django.utils import timezone

from integrations.core.errors import Hold, TemporaryError
from integrations.models import CallBudget, Connection
from integrations.transport import call_budget
from integrations.transport.call_budget import Limits, Purpose
from tests.base import Cast, make_cast, make_connection

# A minute at time scale 60 is a second; a busy machine measures a start up to some tenths of it late.
MEASURABLE = 0.7
XERO = Limits(per_minute=60, at_once=5, per_day=1000)


@pytest.fixture
def connection(cast: Cast) -> Connection:
    return make_connection(cast.team, "xero")


def call(connection: Connection, told: Limits = XERO, purpose: Purpose = Purpose.RUN) -> None:
    with call_budget.slot(connection.pk, told, purpose):
        pass


def refused(connection: Connection, told: Limits = XERO, purpose: Purpose = Purpose.RUN) -> TemporaryError:
    with pytest.raises(TemporaryError) as caught:
        call(connection, told, purpose)
    assert caught.value.hold is Hold.BUDGET
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 0
    return caught.value


def budget_of(connection: Connection) -> CallBudget:
    return CallBudget.objects.get(connection=connection)


def change(connection: Connection, **values: Any) -> None:
    CallBudget.objects.update_or_create(connection=connection, defaults=values)


# --- a minute -------------------------------------------------------------------------------------------------------


def test_sixty_calls_fit_into_a_minute_and_the_next_waits_for_the_oldest(connection: Connection) -> None:
    now = time.time()
    change(connection, recent=[now - 40, *[now - 1] * 59])
    error = refused(connection)
    assert error.message == "No call was made: The limit of 60 calls a minute is reached."
    assert 20 < (error.retry_after or 0) <= 21.5, "the oldest is 61 seconds old in 21"
    assert budget_of(connection).day_used == 0


def test_the_minute_slides(connection: Connection) -> None:
    now = time.time()
    change(connection, recent=[now - 61.5, *[now - 1] * 59])
    call(connection)
    assert len(budget_of(connection).recent) == 60
    refused(connection)


def test_times_out_of_order_are_counted_alike(connection: Connection) -> None:
    now = time.time()
    change(connection, recent=[*[now - 1] * 59, now - 40])
    assert 20 < (refused(connection).retry_after or 0) <= 21.5


def test_without_limits_nothing_is_refused(connection: Connection) -> None:
    for _ in range(70):
        call(connection, Limits(per_minute=0, at_once=0, per_day=0))


# --- at once --------------------------------------------------------------------------------------------------------


def test_the_sixth_call_at_once_is_moved(connection: Connection) -> None:
    places = [call_budget.slot(connection.pk, XERO, Purpose.RUN) for _ in range(5)]
    for place in places:
        place.__enter__()
    error = refused(connection)
    assert error.message == "No call was made: 5 calls are under way at once, which is the limit."
    assert error.retry_after == pytest.approx(1)
    places[0].__exit__(None, None, None)
    call(connection)
    assert len(budget_of(connection).in_flight) == 4


def test_a_place_is_given_back_after_an_error(connection: Connection) -> None:
    with pytest.raises(ZeroDivisionError), call_budget.slot(connection.pk, XERO, Purpose.RUN):
        raise ZeroDivisionError
    assert budget_of(connection).in_flight == {}


def test_a_place_that_somebody_left_open_is_not_given_back_by_the_garbage_collector(connection: Connection) -> None:
    """It would write at any moment; on PostgreSQL it waited for ever, for the statement that it had interrupted."""
    place = call_budget.slot(connection.pk, XERO, Purpose.RUN)
    place.__enter__()
    before = budget_of(connection).in_flight
    del place
    gc.collect()
    assert len(before) == 1
    assert budget_of(connection).in_flight == before


def test_the_places_of_vanished_workers_expire(connection: Connection) -> None:
    now = time.time()
    gone = {str(number): now - 1 for number in range(5)}
    change(connection, in_flight=gone)
    call(connection)
    change(connection, in_flight={str(number): now + 60 for number in range(5)})
    refused(connection)


def test_a_place_outlives_the_longest_call(connection: Connection, settings: Any) -> None:
    from integrations.transport import http

    with call_budget.slot(connection.pk, XERO, Purpose.RUN):
        (until,) = budget_of(connection).in_flight.values()
    assert float(until) - time.time() > http.CONNECT_SECONDS + 2 * http.READ_SECONDS
    settings.TIME_SCALE = 1000
    with call_budget.slot(connection.pk, XERO, Purpose.RUN):
        (until,) = budget_of(connection).in_flight.values()
    assert float(until) - time.time() > 3, "time-outs are never below a second each, whatever the scale"


# --- a day ----------------------------------------------------------------------------------------------------------


def test_the_day_ends_at_its_limit_and_begins_anew_after_24_hours(connection: Connection) -> None:
    started = timezone.now() - timedelta(hours=23)
    change(connection, day_started_at=started, day_used=1000, day_limit=1000)
    error = refused(connection)
    assert error.message == "No call was made: The 1000 calls a day allowed are used up."
    assert 3500 < (error.retry_after or 0) <= 3600
    change(connection, day_started_at=started - timedelta(hours=1, seconds=1))
    call(connection)
    assert budget_of(connection).day_used == 1


def test_a_fifth_of_the_day_is_kept_from_polling(connection: Connection) -> None:
    change(connection, day_started_at=timezone.now(), day_used=800, day_limit=1000)
    assert refused(connection, purpose=Purpose.POLL).message == (
        "No call was made: The 800 calls a day kept for polling are used up."
    )
    call(connection, purpose=Purpose.RUN)
    call(connection, purpose=Purpose.PERSON)
    assert budget_of(connection).day_used == 802


def test_half_of_the_day_is_kept_from_backtests(connection: Connection) -> None:
    change(connection, day_started_at=timezone.now(), day_used=499, day_limit=1000)
    call(connection, purpose=Purpose.BACKTEST)
    assert refused(connection, purpose=Purpose.BACKTEST).message == (
        "No call was made: The 500 calls a day that backtests may make are used up."
    )
    call(connection, purpose=Purpose.POLL)


def test_the_last_call_that_polling_may_make_is_made(connection: Connection) -> None:
    change(connection, day_started_at=timezone.now(), day_used=799, day_limit=1000)
    call(connection, purpose=Purpose.POLL)
    refused(connection, purpose=Purpose.POLL)


@pytest.mark.parametrize(("remaining", "used"), [(300, 700), (999, 1), (0, 1000), (1000, 0), (-3, 1000), (5000, 500)])
def test_the_providers_count_replaces_ours_in_both_directions(
    connection: Connection, remaining: int, used: int
) -> None:
    change(connection, day_started_at=timezone.now(), day_used=500, day_limit=1000)
    call_budget.learn(connection.pk, day_remaining=remaining)
    assert budget_of(connection).day_used == used


def test_no_count_changes_nothing(connection: Connection) -> None:
    change(connection, day_started_at=timezone.now(), day_used=500, day_limit=1000)
    call_budget.learn(connection.pk, day_remaining=None)
    assert budget_of(connection).day_used == 500


# --- pauses that were told ------------------------------------------------------------------------------------------


def test_a_told_pause_stops_every_call_and_says_why(connection: Connection) -> None:
    call(connection)
    call_budget.block(connection.pk, for_seconds=30, reason="Xero's limit of calls a minute is reached.")
    error = refused(connection)
    assert error.message == "No call was made: Xero's limit of calls a minute is reached."
    assert 28 < (error.retry_after or 0) <= 30


def test_a_shorter_pause_never_replaces_a_longer_one(connection: Connection) -> None:
    call(connection)
    call_budget.block(connection.pk, for_seconds=3600, reason="day")
    call_budget.block(connection.pk, for_seconds=1, reason="concurrent")
    assert "day" in refused(connection).message
    call_budget.block(connection.pk, for_seconds=7200, reason="longer day")
    assert 7100 < (refused(connection).retry_after or 0) <= 7200


def test_a_pause_ends(connection: Connection) -> None:
    call(connection)
    call_budget.block(connection.pk, for_seconds=0.05, reason="brief")
    time.sleep(0.1)
    call(connection)


def test_a_long_reason_is_shortened_to_what_a_row_holds(connection: Connection) -> None:
    call(connection)
    call_budget.block(connection.pk, for_seconds=30, reason="x" * 500)
    assert len(budget_of(connection).blocked_reason) == 200


def test_waits_shrink_with_the_time_scale_but_are_told_in_real_seconds(connection: Connection, settings: Any) -> None:
    settings.TIME_SCALE = 60
    call(connection)
    call_budget.block(connection.pk, for_seconds=60, reason="minute")
    until = budget_of(connection).blocked_until
    assert until is not None
    assert until - timezone.now() <= timedelta(seconds=1)
    assert 50 < (refused(connection).retry_after or 0) <= 60


# --- what people see ------------------------------------------------------------------------------------------------


def test_the_standing_of_a_budget(connection: Connection) -> None:
    now = timezone.now()
    assert call_budget.budget_status(None, XERO, now) == call_budget.BudgetStatus(0, 1000, None, None, "")
    change(connection, day_started_at=now - timedelta(hours=1), day_used=420, day_limit=1000)
    standing = call_budget.budget_status(budget_of(connection), XERO, now)
    assert (standing.day_used, standing.percent) == (420, 42)
    assert standing.resets_at == now + timedelta(hours=23)
    late = call_budget.budget_status(budget_of(connection), XERO, now + timedelta(hours=23, seconds=1))
    assert late.day_used == 0


@pytest.mark.parametrize(("text", "number"), [("12", 12), ("", None), ("many", None), ("0", 0)])
def test_a_number_in_a_header(text: str, number: int | None) -> None:
    assert call_budget.header_number({"x-left": text}, "x-left") == number


# --- several workers ------------------------------------------------------------------------------------------------

_WORKER = """
import json, sys, time
import django; django.setup()
from django.conf import settings
settings.TIME_SCALE = 60.0
from integrations.transport import call_budget
from integrations.core.errors import TemporaryError
told = call_budget.Limits(per_minute=60, at_once=5, per_day=0)
spans = []
end = time.monotonic() + 3.0
while time.monotonic() < end:
    try:
        with call_budget.slot(int(sys.argv[1]), told, call_budget.Purpose.RUN):
            started = time.time()
            time.sleep(0.03)
            spans.append((started, time.time()))
    except TemporaryError:
        time.sleep(0.004)
print(json.dumps(spans))
"""


def test_several_processes_keep_one_budget(tmp_path: Path) -> None:
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{tmp_path / 'budget.sqlite3'}",
        "DJANGO_SETTINGS_MODULE": "tests.settings",
    }
    setup = (
        "import django; django.setup()\n"
        "from django.core.management import call_command\n"
        "call_command('migrate', 'integrations', verbosity=0)\n"
        "from integrations.models import Team\n"
        "from tests.base import make_connection\n"
        "print(make_connection(Team.objects.create(name='T'), 'xero').pk)"
    )
    made = subprocess.run(
        [sys.executable, "-c", setup], env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORKER, made.stdout.strip()], env=environment, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    spans = [tuple(span) for worker in workers for span in json.loads(worker.communicate(timeout=60)[0])]
    starts = sorted(start for start, _ in spans)
    assert len(starts) > 60, "the budget is used, not only kept"
    assert _most_in_a_window(starts, MEASURABLE) <= 60
    assert _most_at_once(spans) <= 5


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_several_threads_keep_one_budget(settings: Any) -> None:
    settings.TIME_SCALE = 60.0
    pk = make_connection(make_cast().team, "xero").pk
    spans: list[tuple[float, float]] = []

    def work() -> None:
        end = time.monotonic() + 2.5
        while time.monotonic() < end:
            try:
                with call_budget.slot(pk, Limits(per_minute=60, at_once=5, per_day=0), Purpose.RUN):
                    started = time.time()
                    time.sleep(0.03)
                    spans.append((started, time.time()))
            except TemporaryError:
                time.sleep(0.004)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(spans) > 60
    assert _most_in_a_window(sorted(start for start, _ in spans), MEASURABLE) <= 60
    assert _most_at_once(spans) <= 5


def _most_in_a_window(starts: list[float], width: float) -> int:
    most, first = 0, 0
    for last, start in enumerate(starts):
        while start - starts[first] >= width:
            first += 1
        most = max(most, last - first + 1)
    return most


def _most_at_once(spans: list[Any]) -> int:
    edges = sorted([(start, 1) for start, _ in spans] + [(end, -1) for _, end in spans])
    most = running = 0
    for _, step in edges:
        running += step
        most = max(most, running)
    return most
