"""Locked periods and how much is written in an hour and a day: what is over is held, refused or dated later."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from integrations.models import Connection
from tests.base import Cast, make_connection
from tests.workflows.conftest import drain, the_write
from tests.workflows.guards.conftest import Write, guarded
from tests.workflows.scripted.connector import Provider
from workflows.guards import locked, volume
from workflows.guards.amounts import Sum
from workflows.models import Posting
from workflows.runs import decisions

pytestmark = pytest.mark.django_db
MARCH = date(2026, 3, 31)


@pytest.mark.parametrize(("do", "status"), [("hold", "waiting"), ("fail", "failed"), ("off", "succeeded")])
def test_what_is_dated_in_a_locked_period_is_held_or_refused_and_the_day_after_passes(
    write: Write, cast: Cast, do: str, status: str
) -> None:
    guarded(cast, period=do, lock_until=MARCH)
    run = write(day="2026-03-31")
    assert run.status == status
    assert ("the books are locked up to 31 March 2026" in run.error) == (do != "off")
    assert write(day="2026-04-01").status == "succeeded"


def test_a_date_moves_to_the_first_open_day_and_the_run_says_so_once(
    provider: Provider, write: Write, cast: Cast
) -> None:
    guarded(cast, period="move", lock_until=MARCH, largest={"NZD": Decimal(50)})
    run = write(day="2026-03-02")
    assert run.status == "waiting"
    decisions.release(run, by=cast.approver)
    drain()
    assert len(provider.sent) == 1
    assert b'"day": "2026-04-01"' in provider.sent[0][0] or b'"day":"2026-04-01"' in provider.sent[0][0]
    told = [line["message"] for line in the_write().attempts if line["outcome"] == "moved"]
    assert told == [
        "It was dated 2 March 2026, and the books are locked up to 31 March 2026: its date is 1 April 2026 now."
    ]
    assert Posting.objects.get().day == date(2026, 4, 1)


def test_the_later_of_the_teams_and_the_organisations_lock_dates_counts(connection: Connection) -> None:
    connection.details = {"period_lock_date": "2026-01-31", "end_of_year_lock_date": "2025-12-31"}
    assert locked.locked_until(MARCH, connection) == MARCH
    assert locked.locked_until(date(2026, 1, 1), connection) == date(2026, 1, 31)
    assert locked.locked_until(None, connection) == date(2026, 1, 31)
    connection.details = {"period_lock_date": "soon"}
    assert locked.locked_until(None, connection) is None
    assert locked.locked_until(None, None) is None


def test_a_document_without_a_date_counts_on_the_day_it_is_written(write: Write, cast: Cast) -> None:
    guarded(cast, period="hold", lock_until=timezone.localdate() + timedelta(days=2))
    assert write(day="").status == "waiting"


def test_the_document_over_the_number_of_an_hour_is_held_and_only_that_one_is_let_go(
    provider: Provider, write: Write, cast: Cast
) -> None:
    guarded(cast, documents_per_hour=2)
    assert [write().status for _ in range(3)] == ["succeeded", "succeeded", "waiting"]
    run = write()
    assert run.error == "The team’s runs have created 2 in the last 60 minutes; its limit is 2 documents."
    decisions.release(run, by=cast.approver)
    drain()
    assert len(provider.sent) == 3
    assert write().status == "waiting"


def test_what_is_older_than_an_hour_counts_for_the_day_only(write: Write, cast: Cast) -> None:
    guarded(cast, documents_per_hour=1)
    write()
    Posting.objects.update(written_at=timezone.now() - timedelta(minutes=61))
    assert write().status == "succeeded"
    guarded(cast, documents_per_day=2)
    assert write().status == "waiting"
    Posting.objects.update(written_at=timezone.now() - timedelta(hours=25))
    assert write().status == "succeeded"


def test_amounts_add_up_within_their_currency(write: Write, cast: Cast) -> None:
    guarded(cast, per_day={"NZD": Decimal(150)})
    assert write("100").status == "succeeded"
    assert write("100", currency="EUR").status == "succeeded"
    assert write("50").status == "succeeded"
    run = write("0.01")
    assert run.status == "waiting"
    assert "more than the team’s limit of 150.00 NZD in the last 24 hours, of which 150.00 are written" in run.error


def test_the_first_document_in_live_books_after_a_demo_company_is_held(
    write: Write, cast: Cast, connection: Connection
) -> None:
    guarded(cast, holds_first_live=True)
    Connection.objects.update(details={"is_demo": False})
    assert write().status == "succeeded", "it was never tried on a demo company"
    demo = make_connection(cast.team, "scripted", name="Demo company", external_id="demo", is_demo=True)
    Posting.objects.update(connection=demo)
    run = write()
    assert run.status == "waiting"
    assert "the first that it writes to Scripted account, whose books are live" in run.error
    decisions.release(run, by=cast.approver)
    drain()
    assert write().status == "succeeded", "the first one is written"


@pytest.mark.parametrize("details", [{"is_demo": True}, {}])
def test_a_demo_company_and_books_nobody_knows_of_pass(
    write: Write, cast: Cast, connection: Connection, details: dict[str, bool]
) -> None:
    guarded(cast, holds_first_live=True)
    demo = make_connection(cast.team, "scripted", name="Demo company", external_id="demo", is_demo=True)
    write()
    Posting.objects.update(connection=demo)
    Connection.objects.filter(pk=connection.pk).update(details=details)
    assert write().status == "succeeded"


def test_an_amount_that_is_not_known_may_be_over_the_limit() -> None:
    unknown = Sum(None, "NZD")
    assert volume.decide_amount(volume.DAY, Decimal(0), unknown, Decimal(1)) is not None
    assert volume.decide_amount(volume.DAY, Decimal(0), unknown, None) is None
    assert volume.decide_count(volume.HOUR, 5, None) is None
    assert volume.decide_count(volume.HOUR, 0, 0) is not None
