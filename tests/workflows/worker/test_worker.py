"""The worker as real processes: whatever is killed, work goes on, and nothing stays behind."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest
from django.db import OperationalError

from tests import migrated
from workflows.runtime.heartbeats import Heartbeats
from workflows.worker.supervisor import Supervisor

CHECKOUT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("signs", "is_stale"),
    [
        (Heartbeats(worker=ago(5), finished=ago(5), monitor=ago(5)), False),
        (Heartbeats(worker=None, finished=None, monitor=None), True),
        (Heartbeats(worker=ago(46), finished=ago(46), monitor=ago(46)), True),
        # At its first task, which takes long but gets on.
        (Heartbeats(worker=ago(5), finished=None, monitor=None), False),
        # Tasks end, nobody acknowledges them.
        (Heartbeats(worker=ago(1), finished=ago(1), monitor=ago(50)), True),
        (Heartbeats(worker=ago(1), finished=ago(50), monitor=None), True),
        # One long task gets on; nothing has ended, so nothing is to be acknowledged.
        (Heartbeats(worker=ago(1), finished=ago(300), monitor=ago(300)), False),
    ],
)
def test_a_cluster_is_stale_when_tasks_stand_still_or_nobody_acknowledges_them(
    signs: Heartbeats, is_stale: bool
) -> None:
    assert signs.is_stale(NOW, 45) is is_stale


def test_a_database_that_is_away_when_the_cluster_has_to_start_does_not_end_the_supervisor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    supervisor = Supervisor(stale_seconds=4)
    asked: list[str] = []

    def away(host: str) -> None:
        asked.append(host)
        supervisor.is_stopping = len(asked) == 2
        raise OperationalError("the connection was refused")

    monkeypatch.setattr("workflows.worker.supervisor.heartbeats.forget", away)
    monkeypatch.setattr("workflows.worker.supervisor.schema_version.unknown_migrations", list)
    monkeypatch.setattr("workflows.worker.supervisor.signal.signal", lambda *args: None)
    monkeypatch.setattr("workflows.worker.supervisor.connection.close", lambda: None)
    monkeypatch.setattr("workflows.worker.supervisor.close_old_connections", lambda: None)
    assert supervisor.run() == 0
    assert asked == [supervisor.host] * 2


@dataclass
class Worker:
    """A running `manage.py worker`, and what can be seen of it from outside."""

    process: subprocess.Popen[bytes]
    database: Path

    def cluster(self) -> psutil.Process:
        return wait_for(lambda: next(iter(psutil.Process(self.process.pid).children()), None), "a cluster")

    def children(self, role: str) -> list[psutil.Process]:
        """The cluster's processes of that role."""
        found = []
        for process in psutil.Process(self.process.pid).children(recursive=True):
            try:
                if role in " ".join(process.cmdline()):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def below(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def newest(self, part: str) -> str:
        """When that part last gave a sign, as the database writes it."""
        with sqlite3.connect(self.database, timeout=20) as database:
            row = database.execute("SELECT max(at) FROM workflows_beat WHERE name LIKE ?", [f"{part}@%"]).fetchone()
        return row[0] or ""

    def lives(self) -> None:
        """Wait until a task has run and has been acknowledged after now."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        wait_for(lambda: min(self.newest("worker"), self.newest("monitor")) > now, "signs of life", 40)


def wait_for(condition: Callable[[], object], what: str, seconds: float = 20) -> object:
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError(f"No {what} within {seconds} s.")


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    """A worker on an empty database of its own."""
    database = tmp_path / "pinxero.sqlite3"
    migrated.copy_to(database)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "pinxero.settings",
        "DATABASE_URL": f"sqlite:///{database}",
        "PINXERO_STALE_SECONDS": "4",
        "LOG_LEVEL": "ERROR",
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "worker", "--grace-seconds", "10"],
        cwd=CHECKOUT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    started = Worker(process, database)
    try:
        started.lives()
        yield started
    finally:
        left = started.below() if process.poll() is None else []
        for each in [*left, process]:
            each.kill()
        process.wait()


def test_work_goes_on_after_any_part_of_the_cluster_is_killed(worker: Worker) -> None:
    for role in ("idle", "monitor", "sentinel", "pusher"):
        victims = worker.children(role) if role != "sentinel" else worker.cluster().children()
        assert victims, role
        victims[-1].kill()
        worker.lives()
    worker.cluster().kill()
    worker.lives()


def test_killing_the_worker_itself_leaves_no_process_behind(worker: Worker) -> None:
    below = worker.below()
    assert len(below) >= 5
    worker.process.kill()
    worker.process.wait()
    wait_for(lambda: not any(is_alive(each) for each in below), "end of all processes", 15)


def test_a_stop_ends_every_process_and_says_that_all_is_well(worker: Worker) -> None:
    below = worker.below()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(15) == 0
    assert not any(is_alive(each) for each in below)


def test_a_worker_waits_while_the_database_is_newer_and_goes_on_when_it_is_not(worker: Worker) -> None:
    def tell(statement: str) -> None:
        with sqlite3.connect(worker.database, timeout=20) as database:
            database.execute(statement)

    tell("INSERT INTO django_migrations (app, name, applied) VALUES ('workflows', '9999_next', CURRENT_TIMESTAMP)")
    wait_for(lambda: not worker.below(), "end of the cluster", 30)
    assert worker.process.poll() is None
    tell("DELETE FROM django_migrations WHERE name = '9999_next'")
    worker.lives()


def is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
