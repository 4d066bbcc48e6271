"""What a worker asks the database for when the bell rings: nothing in vain."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connections

from tests.workflows.conftest import Make, start
from tests.workflows.scripted.connector import Provider
from workflows.engine import work_loop
from workflows.management.commands import cluster
from workflows.models import Run
from workflows.triggers import polling


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was asked for while draining: a run, or a trigger that is due."""
    asked: list[str] = []

    def note(what: str, ask: Any) -> Any:
        return lambda: (asked.append(what), ask())[1]

    monkeypatch.setattr(work_loop, "claim", note("run", work_loop.claim))
    monkeypatch.setattr(polling, "claim", note("trigger", polling.claim))
    # However slow the machine is, none of this takes longer.
    monkeypatch.setattr(work_loop, "_ASK_EVERY", 60.0)
    return asked


def test_after_the_only_run_neither_runs_nor_triggers_are_asked_for_again(
    provider: Provider, make_workflow: Make, asked: list[str]
) -> None:
    start(provider, make_workflow)
    asked.clear()
    assert work_loop.drain() == 1
    assert asked == ["run"]
    assert Run.objects.get().status == "succeeded"


def test_after_the_last_of_several_runs_nothing_is_asked_for_again(
    provider: Provider, make_workflow: Make, asked: list[str]
) -> None:
    start(provider, make_workflow)
    first = Run.objects.get()
    for replay in (1, 2):
        Run.objects.create(
            team=first.team, workflow=first.workflow, version=first.version, event=first.event, replay=replay
        )
    asked.clear()
    assert work_loop.drain() == 3
    assert asked == ["run"] * 3
    assert {run.status for run in Run.objects.all()} == {"succeeded"}


def test_a_run_that_is_queued_meanwhile_and_rings_is_found_at_its_bell(
    provider: Provider, make_workflow: Make, asked: list[str]
) -> None:
    start(provider, make_workflow)
    first = Run.objects.get()
    write = provider.write

    def write_and_start_another(*given: Any) -> Any:
        Run.objects.create(team=first.team, workflow=first.workflow, version=first.version, event=first.event, replay=1)
        provider.write = write  # type: ignore[method-assign]
        return write(*given)

    provider.write = write_and_start_another  # type: ignore[method-assign]
    assert work_loop.drain() == 1
    assert Run.objects.get(replay=1).status == "queued"
    assert work_loop.drain() == 1
    assert {run.status for run in Run.objects.all()} == {"succeeded"}


@pytest.mark.django_db(transaction=True)
def test_the_cluster_asks_no_database_whether_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Django would, before the first question after each look at its connections, and the queue looks all the time."""
    pings: list[bool] = []
    connection = connections["default"]
    usable = type(connection).is_usable
    monkeypatch.setattr(type(connection), "is_usable", lambda self: pings.append(True) or usable(self))
    monkeypatch.setitem(connection.settings_dict, "CONN_HEALTH_CHECKS", True)
    monkeypatch.setitem(connection.settings_dict, "CONN_MAX_AGE", None)

    def ask() -> int:
        pings.clear()
        mine = connection.copy()
        try:
            for _ in range(3):
                with mine.cursor() as cursor:
                    cursor.execute("SELECT 2")
                mine.close_if_unusable_or_obsolete()
        finally:
            mine.close()
        return len(pings)

    counted: list[int] = []
    monkeypatch.setattr(cluster, "call_command", lambda name: counted.append(ask()))
    monkeypatch.setattr(cluster, "die_with_parent", lambda number: None)
    monkeypatch.setattr(cluster.os, "register_at_fork", lambda **hooks: None)
    monkeypatch.setattr(cluster, "when_acknowledged", lambda do: None)
    assert ask() == 2
    cluster.Command().handle()
    assert counted == [0]
