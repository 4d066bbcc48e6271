"""A few processes that start and stop together, their output line by line under their names.

Each runs in its own session, so that Ctrl+C reaches only this supervisor: it stops them in order, by SIGTERM to the
main process of each (a signal to a whole group makes django-q2 hang). A process that does not stop in time is killed,
and so are the orphans it leaves: on Linux they become our children, and children end with us.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FrameType

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LINES_KEPT = 25
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform.startswith("linux") else None


class ProcessEndedError(Exception):
    """A process failed, or ended too early; the message names it and shows its last lines."""


class Interrupted(Exception):
    """Somebody asked to stop everything; nothing is wrong."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


class Process:
    """One of the processes."""

    def __init__(
        self, name: str, popen: subprocess.Popen[str], write: Callable[[str], None], *, is_lasting: bool
    ) -> None:
        self.name = name
        self.popen = popen
        self.is_lasting = is_lasting
        self.last_lines: deque[str] = deque(maxlen=_LINES_KEPT)
        self._write = write
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stdout is not None
        for line in self.popen.stdout:
            self.last_lines.append(line.rstrip("\n"))
            self._write(line.rstrip("\n"))

    def drain(self) -> None:
        """Wait until its output has been read, but not for an orphan that holds the pipe open."""
        self._reader.join(timeout=2)

    def report(self) -> str:
        """How it ended; for a lasting one, whose lines may be far up among others, with its last lines."""
        self.drain()
        code = self.popen.returncode
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        if not self.is_lasting:
            return f"The process {self.name} {how}; see above."
        lines = "\n".join(f"    {line}" for line in self.last_lines) or "    (it printed nothing)"
        return f"The process {self.name} {how}. Its last lines:\n{lines}"


class Processes:
    """Start them, monitor them, stop them. Use as a context: leaving it leaves no process behind."""

    def __init__(self, folder: Path, environment: Mapping[str, str], write: Callable[[str], None]) -> None:
        self.folder = folder
        self.environment = dict(environment)
        self._write = write
        self._processes: list[Process] = []
        self._interrupted_by = 0
        self._is_quiet = False
        self._strangers = set(_children())

    def __enter__(self) -> Processes:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._interrupt)
        if _libc is not None:
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        self._interrupted_by = self._interrupted_by or number

    def start(self, name: str, *command: str, is_lasting: bool = True, is_plain: bool = False) -> Process:
        """Start a process. One that `is_lasting` must not end before it is stopped; the lines of a plain one have no
        name.
        """
        popen = subprocess.Popen(  # noqa: S603 - our own command lines, no shell
            command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            preexec_fn=_die_with_parent,
        )
        prefix = "" if is_plain else f"{name:<8}| "
        process = Process(name, popen, lambda line: self._show(prefix + line), is_lasting=is_lasting)
        self._processes.append(process)
        return process

    def _show(self, line: str) -> None:
        if not self._is_quiet:
            self._write(line)

    def hush(self) -> None:
        """Show no lines from now on; the last ones are still kept."""
        self._is_quiet = True

    def finish(self, process: Process, *, within: float) -> None:
        """Wait until a process that should end has succeeded. Raises ProcessEndedError or Interrupted."""
        self.wait_until(lambda: process.popen.poll() is not None, within=within, what=process.name)
        process.drain()
        if process.popen.returncode:
            raise ProcessEndedError(process.report())

    def wait_until(self, is_done: Callable[[], bool], *, within: float, what: str) -> None:
        """Wait for something. Raises ProcessEndedError when a lasting process ends or it takes too long."""
        deadline = time.monotonic() + within
        while not is_done():
            self.check()
            if time.monotonic() > deadline:
                raise ProcessEndedError(f"{what} did not get ready within {within:g} seconds.")
            time.sleep(0.05)

    def wait(self) -> None:
        """Wait until somebody interrupts or a lasting process ends."""
        while True:
            self.check()
            time.sleep(0.2)

    def check(self) -> None:
        """Raises Interrupted or ProcessEndedError if there is a reason to stop."""
        if self._interrupted_by:
            raise Interrupted(self._interrupted_by)
        for process in self._processes:
            if process.is_lasting and process.popen.poll() is not None:
                raise ProcessEndedError(process.report())

    def stop(self, *, within: float = 12) -> None:
        """Stop all, the last started first, with SIGTERM; then kill what is left, orphans included."""
        self.hush()
        for process in reversed(self._processes):
            if process.popen.poll() is None:
                process.popen.terminate()
        deadline = time.monotonic() + within
        for process in reversed(self._processes):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.popen.wait(max(0.1, deadline - time.monotonic()))
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.popen.pid, signal.SIGKILL)
            process.popen.wait()
        self._processes.clear()
        self._kill_orphans()

    def _kill_orphans(self) -> None:
        """Kill processes whose own parents have ended: they are our children now (Linux)."""
        for _ in range(200):
            orphans = set(_children()) - self._strangers
            if not orphans:
                return
            for pid in orphans:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, 0)


def _die_with_parent() -> None:
    """In the child: get a SIGTERM when the supervisor ends, for whatever reason."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _children() -> list[int]:
    try:
        return [int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()]
    except OSError:  # not Linux, or a kernel without that list
        return []
