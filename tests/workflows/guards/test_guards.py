"""Guards at the moment of sending: what one stops is not sent, and a person lets go exactly what was held."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from integrations.models import AuditEntry, Connection
from tests.base import Cast
from tests.workflows.conftest import drain
from tests.workflows.scripted.connector import Provider
from workflows.guards import duplicates, largest
from workflows.guards.amounts import Sum
from workflows.guards.duplicates import Bill
from workflows.models import Posting, Undo, WriteHold
from workflows.runs import decisions

from .conftest import Write, guarded

pytestmark = pytest.mark.django_db
LIMIT = {"largest": {"NZD": Decimal("1000")}}


def test_without_settings_everything_is_written(provider: Provider, write: Write) -> None:
    assert write("1000000").status == "succeeded"
    assert write("1000000").status == "succeeded"
    assert len(provider.sent) == 2


def test_an_amount_over_the_limit_is_held_and_sent_once_when_it_is_let_go(
    provider: Provider, write: Write, cast: Cast
) -> None:
    guarded(cast, **LIMIT)
    run = write("1000.01")
    assert [run.status, run.wait_reason, provider.sent] == ["waiting", "hold", []]
    assert run.error == "1,000.01 NZD is more than the team’s largest single amount, 1,000.00 NZD."
    decisions.release(run, by=cast.approver, reason="It was ordered.")
    drain()
    run.refresh_from_db()
    assert run.status == "succeeded"
    assert len(provider.sent) == 1
    hold = WriteHold.objects.get()
    assert (hold.released_by, hold.released_at is not None) == (cast.approver, True)


@pytest.mark.parametrize(
    ("amount", "currency", "is_held"),
    [("1000", "NZD", False), ("5000", "EUR", False), (None, "NZD", True), ("-1000.01", "NZD", True)],
)
def test_the_limit_itself_passes_and_so_does_a_currency_without_one_but_not_what_is_unknown(
    write: Write, cast: Cast, amount: str | None, currency: str, is_held: bool
) -> None:
    guarded(cast, **LIMIT)
    assert (write(amount, currency=currency).status == "waiting") == is_held


def test_a_document_without_a_currency_counts_in_that_of_the_organisation(
    write: Write, cast: Cast, connection: Connection
) -> None:
    guarded(cast, largest={"NZD": Decimal("1000"), "EUR": Decimal("5000")})
    Connection.objects.filter(pk=connection.pk).update(details={**connection.details, "currency": "EUR"})
    assert write("4000", currency="").status == "succeeded"
    assert write("5001", currency="").status == "waiting"


def test_where_no_currency_is_known_the_smallest_limit_counts() -> None:
    limits = {"NZD": Decimal(1000), "EUR": Decimal(500)}
    assert largest.decide(Sum(Decimal(500), ""), limits) is None
    assert largest.decide(Sum(Decimal("500.01"), ""), limits) is not None


def test_letting_go_lets_no_other_bytes_go(provider: Provider, write: Write, cast: Cast) -> None:
    guarded(cast, **LIMIT)
    run = write("2000")
    first = WriteHold.objects.get()
    other = WriteHold.objects.create(
        step_run=first.step_run, code=first.code, fingerprint="0" * 64, message="As it stood before."
    )
    decisions.release(run, by=cast.approver)
    other.refresh_from_db()
    first.refresh_from_db()
    assert [first.released_at is not None, other.released_at] == [True, None]


@pytest.mark.parametrize(
    ("second", "is_same"),
    [
        ({"number": "b 7", "amount": "1", "day": "2020-01-01"}, True),
        ({"number": "B-8"}, True),
        ({"number": "B-8", "amount": "100.01"}, False),
        ({"number": "B-8", "day": "2026-12-05"}, True),
        ({"number": "B-8", "day": "2026-12-06"}, False),
        ({"number": "B-8", "currency": "EUR"}, False),
        ({"number": "B-7", "supplier": "S-2"}, False),
    ],
)
def test_a_bill_like_one_before_is_held_by_its_number_or_by_its_amount_within_the_days(
    write: Write, cast: Cast, second: dict[str, str], is_same: bool
) -> None:
    guarded(cast, duplicates="hold", duplicate_days=15)
    assert write(number="B-7").status == "succeeded"
    run = write(**second)
    assert (run.status, "written" in run.error) == (("waiting", True) if is_same else ("succeeded", False))


def test_a_duplicate_fails_where_the_team_says_so(provider: Provider, write: Write, cast: Cast) -> None:
    guarded(cast, duplicates="fail")
    first = write(number="B-7")
    second = write(number="B-7")
    assert second.status == "failed"
    assert "number B-7 was written before" in second.error
    assert f"by run {first.pk}" in second.error
    assert len(provider.sent) == 1


def test_what_was_taken_back_is_no_duplicate(write: Write, cast: Cast) -> None:
    guarded(cast, duplicates="hold")
    first = write(number="B-7")
    Undo.objects.create(run=first, posting=Posting.objects.get(), step="undo_1", position=1, state="done")
    assert write(number="B-7").status == "succeeded"


def test_the_number_counts_before_the_amount() -> None:
    day = date(2026, 11, 20)
    bill = Bill("7", day, Decimal(5), "NZD")
    said = duplicates.decide(bill, [Bill("8", day, Decimal(5), "NZD"), Bill("7", day, None, "")], within=3)
    assert said is not None
    assert "with the number 7" in said
    assert duplicates.decide(Bill("", day, None, ""), [Bill("", day, None, "")], within=3) is None


def test_a_change_of_the_guards_is_recorded_in_words(cast: Cast) -> None:
    guarded(cast, **LIMIT)
    guarded(cast, **LIMIT)
    guarded(cast, duplicates="fail")
    entries = AuditEntry.objects.filter(action="guards.changed").order_by("pk")
    assert [each.after for each in entries] == [
        {"Largest single amount in NZD": "1,000.00"},
        {"Duplicate bills": "Refuse it: the step fails", "Days between bills over the same amount": "30"},
    ]
