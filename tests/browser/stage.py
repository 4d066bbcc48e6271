"""The stage of a browser test: a database of its own, the sandbox, the web server and the worker, all real processes.

Every process is started by the test's own process and ends with the block; what a worker leaves behind is killed.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from cryptography.fernet import Fernet

from tests import migrated
from tests.provider import CHECKOUT, CLIENTS, Sandbox, running_sandbox

_START_SECONDS = 60
_STOP_SECONDS = 15
_DATABASE, _BEGUN = "pinxero.sqlite3", "begun.sqlite3"
_SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
"""
#: Runs what it is given line by line as JSON, and answers each with what went wrong.
_INTERPRETER = """
import json, sys, traceback
import django
from django.db import connections
django.setup()
answers, sys.stdout = sys.stdout, sys.stderr
for line in sys.stdin:
    wrong = ""
    try:
        exec(json.loads(line), {"__name__": "__main__"})
    except BaseException:
        wrong = traceback.format_exc()
    connections.close_all()
    print(json.dumps(wrong), file=answers, flush=True)
"""
_CAST = "from tests.base import make_cast; make_cast()"


@dataclass(frozen=True)
class Stage:
    """Pinxero at `url`, with the cast's accounts and nothing else, beside a freshly seeded sandbox."""

    url: str
    sandbox: Sandbox
    folder: Path
    environment: Mapping[str, str]
    interpreter: subprocess.Popen[str]

    def begin_anew(self) -> None:
        """As at the start, without another start of its processes; no worker may be at work on it."""
        begun, now = sqlite3.connect(self.folder / _BEGUN), sqlite3.connect(self.folder / _DATABASE, timeout=20)
        with closing(begun), closing(now):
            begun.backup(now)
        self.sandbox.reset()

    @contextlib.contextmanager
    def worker(self) -> Iterator[None]:
        """A worker is at work, as long as the block lasts."""
        command = [sys.executable, "manage.py", "worker", "--grace-seconds", "8"]
        with _running("worker", command, self):
            yield

    def stop_sandbox(self) -> None:
        """Let both providers be gone, for the rest of the stage."""
        assert self.sandbox.process is not None
        self.sandbox.process.send_signal(signal.SIGTERM)
        self.sandbox.process.wait(_STOP_SECONDS)

    def python(self, code: str) -> None:
        """Run a few lines inside Pinxero; for accounts, and for rows that stand for a past nobody clicked through."""
        asked, answers = self.interpreter.stdin, self.interpreter.stdout
        assert asked is not None
        assert answers is not None
        print(json.dumps(code), file=asked, flush=True)
        answer = answers.readline()
        assert answer, f"The interpreter has ended. {self.logs()}"
        assert json.loads(answer) == "", f"The lines did not run: {json.loads(answer)}"

    def logs(self) -> str:
        """What the processes have said."""
        return "\n".join(f"--- {path.name}\n{path.read_text()[-4000:]}" for path in sorted(self.folder.glob("*.log")))


@contextlib.contextmanager
def running_stage(folder: Path, *, has_worker: bool = True, people: str = _CAST, **variables: str) -> Iterator[Stage]:
    """Everything up, and everything gone afterwards whatever happened in between; `people` are lines that make them."""
    with contextlib.ExitStack() as cleanup:
        sandbox = cleanup.enter_context(running_sandbox(folder / "sandbox.sqlite3"))
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        environment = _environment(folder, url, sandbox) | variables
        interpreter = cleanup.enter_context(_interpreter(folder, environment))
        stage = Stage(url, sandbox, folder, environment, interpreter)
        if (kept := migrated.kept_file()).exists():
            shutil.copyfile(kept, folder / _DATABASE)
        stage.python(_SET_UP + people)
        shutil.copyfile(folder / _DATABASE, folder / _BEGUN)
        web = [sys.executable, "-m", "gunicorn", "pinxero.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
        web += ["--graceful-timeout", "1", "--log-level", "warning", "--no-control-socket"]
        cleanup.enter_context(_running("web", web, stage))
        if has_worker:
            cleanup.enter_context(stage.worker())
        _await(f"{url}/accounts/login/", stage)
        yield stage


def _environment(folder: Path, url: str, sandbox: Sandbox) -> dict[str, str]:
    """Of the machine's own variables only what a process needs to run; the rest is this stage's."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    clients = {
        f"{provider.upper()}_CLIENT_{what}": value
        for provider, pair in CLIENTS.items()
        for what, value in zip(("ID", "SECRET"), pair, strict=True)
    }
    own = {
        "PINXERO_ENV_FILE": "",
        "PINXERO_MODE": "development",
        "DJANGO_SETTINGS_MODULE": "pinxero.settings",
        "SECRET_KEY": "browser-tests-" + "0" * 40,
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "BASE_URL": url,
        "ALLOWED_HOSTS": "127.0.0.1",
        "DATABASE_URL": f"sqlite:///{folder / _DATABASE}",
        "EMAIL_URL": "dummy://",
        "XERO_WEB_BASE": sandbox.url,
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": "ignore:No directory at:UserWarning",
    }
    return kept | clients | sandbox.settings() | own


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextlib.contextmanager
def _interpreter(folder: Path, environment: Mapping[str, str]) -> Iterator[subprocess.Popen[str]]:
    """A Python inside Pinxero that waits for lines, because each start of one takes two seconds of a processor."""
    pipe = subprocess.PIPE
    with (
        (folder / "interpreter.log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-c", _INTERPRETER], cwd=CHECKOUT, env=dict(environment), text=True,
            stdin=pipe, stdout=pipe, stderr=log,
        ) as process,
    ):  # fmt: skip
        try:
            yield process
        finally:
            process.terminate()


@contextlib.contextmanager
def _running(name: str, command: list[str], stage: Stage) -> Iterator[None]:
    with (stage.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=CHECKOUT, env=dict(stage.environment), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Gently the process, then whatever is left of those it had started."""
    below = _below(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        below += _below(process.pid)
        process.kill()
        process.wait()
    for each in below:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(below, timeout=5)


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def _await(url: str, stage: Stage) -> None:
    session = requests.Session()
    session.trust_env = False
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(requests.RequestException):
            if session.get(url, timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise AssertionError(f"Pinxero did not answer at {url}. {stage.logs()}")
