"""Postings of what was written before there were postings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.workflows.pages.test_documents import ROWS, WRITTEN
from tests.world import World
from workflows.books import filling
from workflows.models import Posting, PostingLine, Run, StepRun

_FILLS = "0033_postings_of_old_runs"


def steps_of_an_older_version(world: World) -> dict[str, int]:
    """Step runs by what has become of them."""
    made = {}
    common = {"run": world.run, "kind": "action", "connection": world.xero, "finished_at": timezone.now()}
    common |= {"operation": "xero.create_invoice", "state": "succeeded", "name": "Write it"}
    sent = {"first_sent_at": timezone.now(), "output": WRITTEN, "provider_id": "abc", "marker": "PX-1"}
    by_hand = [{"at": "2026-11-23T05:00:00+00:00", "what": "person", "outcome": "marked as done", "message": "Seen."}]
    rows: dict[str, dict[str, Any]] = {
        "without a document": {**sent, "inputs": {"contact_id": "x", "lines": ROWS}},
        "in a loop": {**sent, "iteration": "3.12"},
        "of an operation that is gone": {**sent, "operation": "xero.gone"},
        "without a connection": {**sent, "connection": None},
        "marked as done": {"attempts": by_hand, "provider_id": "seen"},
        "nothing to write": {"output": WRITTEN},
        "a read": {**sent, "operation": "xero.find_invoice"},
        "failed": {**sent, "state": "failed"},
        "no action": {**sent, "kind": "format", "operation": ""},
    }
    for position, (what, values) in enumerate(rows.items(), start=10):
        made[what] = StepRun.objects.create(**{**common, "step": f"s{position}", "position": position, **values}).pk
    return made


WRITTEN_ONES = {
    *("without a document", "in a loop", "of an operation that is gone", "without a connection", "marked as done"),
}


@pytest.mark.django_db(transaction=True)
def test_old_writes_are_posted_once_and_an_interrupted_migration_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = steps_of_an_older_version(world)
    monkeypatch.setattr(filling, "BATCH", 2)
    real, calls = filling.postings.made_of, iter(range(100))

    def killed_on_the_way(row: Any) -> Any:
        if next(calls) == 5:
            raise KeyboardInterrupt
        return real(row)

    monkeypatch.setattr(filling.postings, "made_of", killed_on_the_way)
    executor = MigrationExecutor(connection)
    executor.recorder.record_unapplied("workflows", _FILLS)
    executor.loader.build_graph()
    with pytest.raises(KeyboardInterrupt):
        executor.migrate([("workflows", _FILLS)])
    assert 0 < Posting.objects.count() < len(WRITTEN_ONES)
    executor = MigrationExecutor(connection)
    executor.migrate([("workflows", _FILLS)])
    assert set(Posting.objects.values_list("pk", flat=True)) == {made[name] for name in WRITTEN_ONES}
    found = {name: Posting.objects.get(pk=made[name]) for name in WRITTEN_ONES}
    assert found["in a loop"].iteration == "3.12"
    assert (found["marked as done"].origin, found["marked as done"].provider_id) == ("person", "seen")
    assert (found["without a document"].number, str(found["without a document"].amount)) == ("INV-0007", "87.7400")
    assert found["without a connection"].organisation == "Xero"
    assert found["of an operation that is gone"].noun == "xero.gone"


@pytest.mark.django_db
def test_what_a_worker_of_an_older_version_finished_after_the_migration_is_posted_the_next_day(world: World) -> None:
    made = steps_of_an_older_version(world)
    Run.objects.filter(pk=world.run.pk).update(finished_at=timezone.now() - timedelta(days=1))
    assert filling.fill_recent() == len(WRITTEN_ONES)
    assert set(Posting.objects.values_list("pk", flat=True)) == {made[name] for name in WRITTEN_ONES}
    assert filling.fill_recent() == 0


@pytest.mark.django_db
def test_filling_costs_few_queries_for_each_batch(world: World) -> None:
    steps_of_an_older_version(world)
    with CaptureQueriesContext(connection) as seen:
        filling.fill(StepRun.objects.all(), Posting, PostingLine)
    # Two reads, of which the second finds no more; a transaction with two inserts.
    assert sum(each["sql"].startswith(("SELECT", "INSERT")) for each in seen) == 4
