"""What is asked with every run must cost the same with a million runs in the books as with ten.

The rows are really there, made by `generate_series` with the indexes put aside meanwhile: statistics that were
only claimed would not show how many rows a plan touches, and that number, unlike a time, is the same on any machine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from integrations.models import Membership, Team
from pinxero import navigation
from workflows.engine import lease
from workflows.models import Event, Run, SeenItem, StepRun, Workflow
from workflows.triggers import holds
from workflows.worker import sweeper

#: Rows of runs that one of these questions may touch: some pages of a list, never a part of the table.
_MOST_TOUCHED = 400
_FINISHED, _QUEUED, _HELD = 1_000_000, 10_000, 10_000


@pytest.fixture
def books(transactional_db: None) -> Books:
    """A million finished runs, as many more as wait or are queued as an import brings, and three left behind."""
    return Books()


class Books:
    """`quiet` has half of the runs and none of this hour; nothing of `clean` has ever failed, much of others has."""

    def __init__(self) -> None:
        self.clean, self.other = (Team.objects.create(name=name) for name in ("Clean", "Other"))
        self.quiet = Workflow.objects.create(team=self.clean, name="Quiet", trigger_operation="x.y")
        self.busy = Workflow.objects.create(team=self.other, name="Busy", trigger_operation="x.y")
        self.event = Event.objects.create(team=self.other, operation="x.y", key="1", data={})
        with transaction.atomic(), connection.cursor() as cursor:
            # The foreign keys are kept here by hand: they alone would take a minute.
            cursor.execute("SET LOCAL session_replication_role = replica")
            cursor.execute("SET LOCAL synchronous_commit = off")
            cursor.execute("SET LOCAL maintenance_work_mem = '256MB'")
            with _without_indexes(cursor):
                self._fill(cursor)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE, INDEX_CLEANUP OFF) workflows_run")

    def _fill(self, cursor: Any) -> None:
        quiet = f"CASE WHEN mod(g, 2) = 0 THEN {self.clean.pk} ELSE {self.other.pk} END"
        workflow = f"CASE WHEN mod(g, 2) = 0 THEN {self.quiet.pk} ELSE {self.busy.pk} END"
        ended = "WHEN mod(g, 7) = 0 THEN 'filtered' ELSE 'succeeded'"
        status = f"CASE WHEN mod(g, 2) = 1 AND mod(g, 5) = 0 THEN 'failed' {ended} END"
        began = f"now() - interval '2 hours' - ({_FINISHED} - g) * interval '10 seconds'"
        self._insert(cursor, _FINISHED, quiet, workflow, status, began, "", "now()")
        mine = (str(self.other.pk), str(self.busy.pk))
        self._insert(cursor, _QUEUED, *mine, "'queued'", "now()", "", "NULL")
        self._insert(cursor, _HELD, *mine, "'waiting'", "now()", "hold", "NULL")
        self._insert(cursor, _HELD, *mine, "'waiting'", "now()", "delay", "NULL", wake="now() + interval '1 day'")
        self._insert(cursor, 3, *mine, "'running'", "now()", "", "NULL")

    def _insert(
        self, cursor: Any, many: int, team: str, workflow: str, status: str, began: str, reason: str, ended: str,
        *, wake: str = "NULL",
    ) -> None:  # fmt: skip
        cursor.execute(
            "INSERT INTO workflows_run (replay, status, wait_reason, wake_at, lease_until, lease_token, claims, kills, "
            "error, title, result, created_at, finished_at, event_id, team_id, workflow_id, version_id, depth) "
            f"SELECT (SELECT coalesce(max(replay), 0) FROM workflows_run) + g, {status}, %s, {wake}, "
            "now() - interval '1 hour', 1, 1, 0, '', 'Chair number ' || g, '', "
            f"{began}, {ended}, %s, {team}, {workflow}, 1, 0 FROM generate_series(1, %s) g",
            [reason, self.event.pk, many],
        )


@contextmanager
def _without_indexes(cursor: Any) -> Iterator[None]:
    """Make all indexes anew afterwards, but the key's, which others refer to: to keep them in step takes far longer."""
    cursor.execute(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE conrelid = 'workflows_run'::regclass AND contype = 'u'"
    )
    unique = cursor.fetchall()
    for name, _ in unique:
        cursor.execute(f'ALTER TABLE workflows_run DROP CONSTRAINT "{name}"')
    cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'workflows_run'")
    found = [(name, definition) for name, definition in cursor.fetchall() if " UNIQUE " not in definition]
    for name, _ in found:
        cursor.execute(f'DROP INDEX "{name}"')
    yield
    for _, definition in found:
        cursor.execute(definition)
    for name, definition in unique:
        cursor.execute(f'ALTER TABLE workflows_run ADD CONSTRAINT "{name}" {definition}')


def touched(ask: Callable[[], object]) -> int:
    """How many rows of runs the database looks at to answer all that is asked."""
    told: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        told.append((sql, params))
        return execute(sql, params, many, context)

    with transaction.atomic():
        with connection.execute_wrapper(note):
            ask()
        rows = 0
        for sql, params in told:
            if "workflows_run" in sql:
                with connection.cursor() as cursor:
                    cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", params)
                    found = cursor.fetchone()[0]
                rows += _rows((found if isinstance(found, list) else json.loads(found))[0]["Plan"])
        transaction.set_rollback(True)
    assert told, "Nothing was asked."
    return rows


def _rows(plan: dict[str, Any]) -> int:
    own = 0
    if "Scan" in plan["Node Type"] and plan.get("Relation Name") == "workflows_run":
        removed = sum(count for name, count in plan.items() if name.startswith("Rows Removed"))
        own = (plan["Actual Rows"] + removed) * plan["Actual Loops"]
    return own + sum(_rows(each) for each in plan.get("Plans", []))


@pytest.mark.postgresql
def test_what_is_asked_with_every_run_touches_few_of_a_million(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    def others_first() -> object:
        monkeypatch.setattr(lease, "_behind", (books.event.pk, float("inf")))
        return lease.claim()

    now = timezone.now()
    hot: dict[str, Callable[[], object]] = {
        "a claim": lease.claim,
        "a claim of a worker that lets others go first": others_first,
        "the sweeper": sweeper.sweep,
        "how many began within the hour, quiet": lambda: holds._is_above(books.quiet, 500, 1),
        "whether one was started": lambda: Run.objects.filter(
            workflow=books.quiet, created_at__gt=now - timedelta(hours=1), created_at__lte=now
        ).exists(),
        "the badge": lambda: navigation._runs_badge(Membership(team=books.clean)),
    }
    found = {name: touched(ask) for name, ask in hot.items()}
    assert {name: rows for name, rows in found.items() if rows > _MOST_TOUCHED} == {}


@pytest.mark.parametrize("model", [Run, StepRun, Event, SeenItem])
def test_no_index_of_a_table_that_grows_with_each_run_repeats_another(model: Any) -> None:
    meta = model._meta
    whole: list[Sequence[str]] = [[meta.pk.name]]
    whole += [each.fields for each in meta.constraints if hasattr(each, "fields") and each.condition is None]
    whole += [[name.lstrip("-") for name in each.fields] for each in meta.indexes if each.condition is None]
    alone = [[each.name] for each in meta.concrete_fields if each.db_index or (each.unique and not each.primary_key)]
    lists = [list(each) for each in (*alone, *whole)]
    repeated = [
        columns
        for number, columns in enumerate(lists)
        for longer in (*lists[:number], *lists[number + 1 :])
        if longer[: len(columns)] == columns
    ]
    assert repeated == []
    # PostgreSQL gives such a column a second index, for LIKE, which nobody asks.
    assert [
        each.name for each in meta.concrete_fields if each.get_internal_type() == "CharField" and each.db_index
    ] == []
