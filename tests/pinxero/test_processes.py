"""Processes that live and die together: nobody is left behind, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pinxero.development.processes import ProcessEndedError, Processes

ROOT = Path(__file__).resolve().parents[2]
PYTHON = sys.executable
SLEEP = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
# A parent that starts a child in a session of its own and leaves it behind.
LEAVES_CHILD = (
    "import subprocess, sys, time; "
    f"child = subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True); "
    "print(child.pid, flush=True); time.sleep(60)"
)

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="orphans are found on Linux only")


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def processes(lines: list[str]) -> Iterator[Processes]:
    """A supervisor in this process; the handlers of the tests' runner come back afterwards."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Processes(ROOT, dict(os.environ), lines.append) as started:
        yield started
    for number, handler in handlers.items():
        signal.signal(number, handler)


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def await_true(what: object, seconds: float = 10) -> None:
    assert callable(what)
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def test_output_shows_line_by_line_under_the_name_of_the_process(processes: Processes, lines: list[str]) -> None:
    job = processes.start("job", PYTHON, "-c", "print('one'); print('two')", is_lasting=False)
    processes.finish(job, within=20)
    assert lines == ["job     | one", "job     | two"]


def test_a_lasting_process_that_ends_is_named_with_its_last_lines(processes: Processes) -> None:
    processes.start("worker", PYTHON, "-c", "print('first'); print('boom'); raise SystemExit(3)")
    with pytest.raises(ProcessEndedError) as ended:
        processes.wait()
    assert str(ended.value) == "The process worker ended with code 3. Its last lines:\n    first\n    boom"


def test_a_killed_process_is_named_with_the_signal(processes: Processes) -> None:
    process = processes.start("web", PYTHON, "-c", SLEEP)
    process.popen.kill()
    with pytest.raises(ProcessEndedError, match=r"^The process web was ended by SIGKILL\."):
        processes.wait()


def test_a_job_that_fails_is_an_error(processes: Processes) -> None:
    job = processes.start("data", PYTHON, "-c", "raise SystemExit(2)", is_lasting=False)
    with pytest.raises(ProcessEndedError, match=r"^The process data ended with code 2; see above\.$"):
        processes.finish(job, within=20)


def test_waiting_ends_with_a_name_when_it_takes_too_long(processes: Processes) -> None:
    with pytest.raises(ProcessEndedError, match=r"^web did not get ready within 0\.1 seconds\.$"):
        processes.wait_until(lambda: False, within=0.1, what="web")


def test_stopping_kills_who_ignores_the_request(processes: Processes, lines: list[str]) -> None:
    stubborn = processes.start("stubborn", PYTHON, "-c", STUBBORN)
    await_true(lambda: lines)
    began = time.monotonic()
    processes.stop(within=0.3)
    assert time.monotonic() - began < 3
    assert not is_alive(stubborn.popen.pid)
    assert stubborn.popen.returncode == -signal.SIGKILL


@linux_only
def test_stopping_kills_children_that_their_parents_left_behind(processes: Processes, lines: list[str]) -> None:
    processes.start("parent", PYTHON, "-c", LEAVES_CHILD)
    await_true(lambda: lines)
    child = int(lines[0].rpartition(" ")[2])
    assert is_alive(child)
    processes.stop(within=3)
    assert not is_alive(child)


@linux_only
def test_stopping_leaves_alone_what_somebody_else_started() -> None:
    with subprocess.Popen([PYTHON, "-c", SLEEP]) as other:
        handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
        with Processes(ROOT, dict(os.environ), print):
            pass
        for number, handler in handlers.items():
            signal.signal(number, handler)
        assert is_alive(other.pid)
        other.kill()


# --- the supervisor as a process of its own -------------------------------------------------------------------------

SUPERVISOR = """
import os, sys
from pathlib import Path
from pinxero.development.processes import Interrupted, Processes
with Processes(Path("."), dict(os.environ), lambda line: print(line, flush=True)) as processes:
    processes.start("child", sys.executable, "-c", "import os, time; print(os.getpid(), flush=True); time.sleep(60)")
    try:
        processes.wait()
    except Interrupted as error:
        print("interrupted by", error, flush=True)
"""


@pytest.fixture
def supervisor() -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A supervisor with one child, and the child's process id."""
    process = subprocess.Popen([PYTHON, "-c", SUPERVISOR], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline().rpartition(" ")[2])
    yield process, child
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(supervisor: tuple[subprocess.Popen[str], int], number: signal.Signals) -> None:
    process, child = supervisor
    process.send_signal(number)
    output, _ = process.communicate(timeout=20)
    assert output == f"interrupted by {number.name}\n"
    assert process.returncode == 0
    assert not is_alive(child)


@linux_only
def test_a_killed_supervisor_leaves_nobody_behind(supervisor: tuple[subprocess.Popen[str], int]) -> None:
    process, child = supervisor
    process.kill()
    process.wait()
    await_true(lambda: not is_alive(child))
