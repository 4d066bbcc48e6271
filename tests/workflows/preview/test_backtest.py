"""A backtest takes every item since a day, says what would have come of each, waits its turn, and writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from integrations.core.errors import Hold, TemporaryError
from integrations.framework.base import Item
from integrations.framework.checks import Facts, Finding, stops
from integrations.schema.documents import Document, DocumentLine, Totals
from tests.base import Cast
from tests.workflows.conftest import Make, thing
from tests.workflows.scripted.connector import Provider, WriteThing
from workflows.engine import portions
from workflows.models import Backtest, BacktestDocument, BacktestItem, Event, Run, Workflow
from workflows.preview import backtest, backtest_items
from workflows.preview.backtest_totals import added

pytestmark = pytest.mark.django_db


def dated(number: int, *, days_ago: int = 1, **data: Any) -> Item:
    """An item of the scripted trigger, made some days ago."""
    made = thing(number, **data)
    return Item(key=made.key, data=made.data, happened=datetime.now(UTC) - timedelta(days=days_ago))


def begin(workflow: Workflow, cast: Cast, *, days: int = 30) -> Backtest:
    assert workflow.published is not None
    return backtest.begin(workflow, workflow.published.plan, days=days, by=cast.builder, version=workflow.published)


def outcomes(made: Backtest) -> list[tuple[str, str]]:
    return list(made.items.order_by("number").values_list("key", "outcome"))


CONDITION = {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "Thing"}


def test_it_says_of_each_item_since_the_day_what_would_have_come_of_it(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    provider.items = [
        dated(1),
        dated(2, title="Other"),
        dated(3, title="Thing " + "x" * 60),
        dated(4, days_ago=29),
        dated(5, days_ago=32),
        thing(6),
    ]
    made = begin(make_workflow(condition=CONDITION, is_active=False), cast)
    assert made.since == timezone.now().astimezone(backtest_items.zone_of(made.workflow.trigger_connection)).date() - (
        timedelta(days=30)
    )
    backtest.work()
    made.refresh_from_db()
    assert outcomes(made) == [("1", "ran"), ("2", "filtered"), ("3", "failed"), ("4", "ran")]
    assert (made.status, made.found, made.done, made.is_cut) == ("done", 4, 4, False)
    assert backtest.outcomes(made) == {"ran": 2, "filtered": 1, "failed": 1}
    assert [(row["outcome"], row["group"], row["many"]) for row in backtest.groups(made)] == [
        ("failed", "Write thing: Name", 1),
        ("filtered", 'Not met: title contains "Thing"', 1),
    ]
    assert list(made.documents.values_list("item__key", "name", "what")) == [
        ("1", "Write thing", "Write thing"),
        ("4", "Write thing", "Write thing"),
    ]


def test_nothing_is_sent_and_no_run_or_event_is_made(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.items = [dated(number) for number in range(1, 6)]
    workflow = make_workflow(actions=("read_thing", "write_thing", "write_unsurely"), is_active=False)
    begin(workflow, cast)
    backtest.work()
    assert (provider.sent, provider.books, Run.objects.count(), Event.objects.count()) == ([], [], 0, 0)
    assert BacktestDocument.objects.count() == 10


def test_equal_reasons_are_counted_together(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.items = [dated(number, title="x" * (50 + number)) for number in (1, 2, 3)]
    made = begin(make_workflow(is_active=False), cast)
    backtest.work()
    assert [(row["group"], row["many"]) for row in backtest.groups(made)] == [("Write thing: Name", 3)]
    assert len(set(made.items.values_list("message", flat=True))) == 3


def test_of_more_items_than_are_taken_the_rest_is_cut_and_that_is_said(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backtest_items, "MOST_ITEMS", 3)
    monkeypatch.setattr(backtest_items, "_PORTION", 2)
    provider.items = [dated(number) for number in range(1, 6)]
    made = begin(make_workflow(is_active=False), cast)
    backtest.work()
    made.refresh_from_db()
    assert (made.found, made.is_cut, made.status) == (3, True, "done")


def test_reading_that_was_interrupted_goes_on_where_it_was(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.items, provider.marks = [dated(number) for number in range(1, 4)], True
    made = begin(make_workflow(is_active=False), cast)
    for _ in range(2):
        claimed = backtest._portions.claim()
        assert claimed is not None
        backtest._continue(claimed, 0)
    made.refresh_from_db()
    assert (made.status, made.found, made.resume) == ("reading", 2, "2")
    backtest.work()
    assert outcomes(made) == [("1", "ran"), ("2", "ran"), ("3", "ran")]
    assert provider.resumed == ["", "1", "2"]


def test_without_room_in_the_call_budget_it_waits_and_says_so(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    provider.items = [dated(1), dated(2)]
    made = begin(make_workflow(actions=("read_thing", "write_thing"), is_active=False), cast)
    provider.reads = [TemporaryError("The 500 calls a day are used up.", retry_after=3600, hold=Hold.BUDGET)]
    backtest.work()
    made.refresh_from_db()
    assert (made.status, made.message) == ("walking", "The 500 calls a day are used up.")
    assert made.wake_at is not None
    assert made.wake_at > timezone.now()
    assert outcomes(made) == [("1", "pending"), ("2", "pending")]
    assert backtest.work() == 0, "it waits"
    Backtest.objects.update(wake_at=timezone.now() - timedelta(seconds=1))
    backtest.work()
    made.refresh_from_db()
    assert (made.status, made.message, made.done) == ("done", "", 2)


def test_what_checks_read_is_read_once_and_they_wait_for_room_in_the_budget_too(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    errors = [TemporaryError("The 500 calls a day are used up.", retry_after=3600, hold=Hold.BUDGET)]

    def read(api: Any) -> str:
        asked.append("shelf")
        if errors:
            raise errors.pop()
        return "full"

    def checks(self: WriteThing, facts: Facts, inputs: Any, found: Any) -> Iterator[Finding]:
        yield from facts.tried(
            "whether there is room", lambda: [stops("full", "", f"It is {facts.ask('shelf', read)}.")]
        )

    monkeypatch.setattr(WriteThing, "checks", checks)
    provider.items = [dated(1), dated(2), dated(3)]
    made = begin(make_workflow(is_active=False), cast)
    backtest.work()
    made.refresh_from_db()
    assert (made.done, made.message) == (0, "The 500 calls a day are used up.")
    Backtest.objects.update(wake_at=None)
    backtest.work()
    assert asked == ["shelf", "shelf"]
    assert [(row["group"], row["many"]) for row in backtest.groups(made)] == [("Write thing: It is full.", 3)]
    assert list(made.documents.values_list("is_refused", flat=True)) == [True] * 3


def test_an_item_that_cannot_be_read_for_long_is_passed_over(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    provider.items = [dated(1), dated(2)]
    made = begin(make_workflow(actions=("read_thing", "write_thing"), is_active=False), cast)
    provider.reads = [TemporaryError("Not now.")] * 6
    for _ in range(7):
        Backtest.objects.update(wake_at=None)
        backtest.work()
    assert outcomes(made) == [("1", "unfinished"), ("2", "ran")]


def test_a_worker_that_dies_is_followed_by_one_that_goes_on_and_counts_nothing_twice(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.items = [dated(number) for number in range(1, 5)]
    made = begin(make_workflow(is_active=False), cast)
    real, calls = backtest.judge, []

    def die(walked: Any, item: BacktestItem) -> Any:
        calls.append(item.key)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(walked, item)

    monkeypatch.setattr(backtest, "judge", die)
    with pytest.raises(KeyboardInterrupt):
        backtest.work()
    assert backtest.work() == 0, "its lease is still held"
    Backtest.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    backtest.work()
    made.refresh_from_db()
    assert (made.status, made.done, made.documents.count()) == ("done", 4, 4)


def test_an_item_that_kills_its_workers_is_given_up(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.items = [dated(1), dated(2)]
    made = begin(make_workflow(is_active=False), cast)
    claimed = backtest._portions.claim()
    assert claimed is not None
    backtest._continue(claimed, 0)
    BacktestItem.objects.filter(key="1").update(tries=3)
    backtest.work()
    assert outcomes(made) == [("1", "unfinished"), ("2", "ran")]


def test_a_worker_that_was_thought_dead_stores_nothing(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.items = [dated(1), dated(2)]
    made = begin(make_workflow(is_active=False), cast)
    real = backtest.judge

    def late(walked: Any, item: BacktestItem) -> Any:
        Backtest.objects.update(lease_token=made.lease_token + 99)
        return real(walked, item)

    monkeypatch.setattr(backtest, "judge", late)
    backtest.work()
    made.refresh_from_db()
    assert (made.done, made.documents.count(), outcomes(made)) == (0, 0, [("1", "pending"), ("2", "pending")])


def test_it_can_be_stopped_and_keeps_what_it_has(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.items = [dated(number) for number in range(1, 4)]
    made = begin(make_workflow(is_active=False), cast)
    real, calls = backtest.judge, []

    def stop_at_the_second(walked: Any, item: BacktestItem) -> Any:
        calls.append(item.key)
        if len(calls) == 2:
            assert backtest.stop(made)
        return real(walked, item)

    monkeypatch.setattr(backtest, "judge", stop_at_the_second)
    backtest.work()
    made.refresh_from_db()
    assert (made.status, made.done) == ("stopped", 1)
    assert outcomes(made) == [("1", "ran"), ("2", "pending"), ("3", "pending")]
    assert backtest.stop(made) is False


def test_a_second_press_gives_the_one_under_way(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    workflow = make_workflow(is_active=False)
    first = begin(workflow, cast)
    assert begin(workflow, cast, days=7).pk == first.pk
    backtest.stop(first)
    assert begin(workflow, cast).pk != first.pk


def test_real_runs_go_first(
    provider: Provider, make_workflow: Make, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.items = [dated(number) for number in range(1, 4)]
    made = begin(make_workflow(is_active=False), cast)
    backtest._continue(backtest._portions.claim(), 0)  # type: ignore[arg-type]
    monkeypatch.setattr(portions, "is_any_due", lambda: True)
    backtest.work()
    made.refresh_from_db()
    assert (made.status, made.done) == ("walking", 1)


def test_it_is_kept_for_a_week(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    provider.items = [dated(1)]
    made = begin(make_workflow(is_active=False), cast)
    backtest.work()
    assert backtest.forget_old() == 0
    Backtest.objects.update(asked_at=timezone.now() - timedelta(days=8))
    assert backtest.forget_old() == 1
    assert not BacktestDocument.objects.filter(backtest=made.pk).exists()


def invoice(
    *lines: DocumentLine, currency: str = "GBP", total: str = "12.00", prices: str = "Tax exclusive"
) -> Document:
    sums = Totals(sub_total=Decimal("10.00"), tax=Decimal("2.00"), total=Decimal(total))
    return Document(
        what="Sales invoice", organisation="Acme", currency=currency, totals=sums, lines=lines, prices=prices
    )


def test_totals_are_exact_and_kept_apart_by_account_currency_and_kind() -> None:
    cents = [DocumentLine(account="200", amount=Decimal("0.10")) for _ in range(3)]
    totals = added({}, [invoice(*cents), invoice(DocumentLine(account="200", amount=Decimal(5)), currency="EUR")])
    bill = Document(what="Bill", organisation="Acme", lines=(DocumentLine(account="200", amount=Decimal(7)),))
    totals = added(totals, [bill, invoice(DocumentLine(account="260", amount=None))])
    assert [
        (row["what"], row["currency"], row["count"], row["total"], row["unknown"]) for row in totals["documents"]
    ] == [
        ("Sales invoice", "GBP", 2, Decimal("24.00"), 0),
        ("Sales invoice", "EUR", 1, Decimal("12.00"), 0),
        ("Bill", "", 1, Decimal(0), 1),
    ]
    assert [
        (row["what"], row["currency"], row["account"], row["lines"], row["amount"], row["unknown"])
        for row in totals["accounts"]
    ] == [
        ("Sales invoice", "GBP", "200", 3, Decimal("0.30"), 0),
        ("Sales invoice", "EUR", "200", 1, Decimal(5), 0),
        ("Bill", "", "200", 1, Decimal(7), 0),
        ("Sales invoice", "GBP", "260", 1, Decimal(0), 1),
    ]  # fmt: skip


def test_amounts_by_account_are_without_tax() -> None:
    line = DocumentLine(account="200", amount=Decimal("12.00"), tax=Decimal("2.00"))
    (row,) = added({}, [invoice(line, prices="Tax inclusive")])["accounts"]
    assert row["amount"] == Decimal("10.00")
