"""The stage of a browser test: a database of its own, the sandbox, the web server and the worker, all real processes.

Every process is started by the test's own process and ends with the block; what a worker leaves behind is killed.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from cryptography.fernet import Fernet

from tests import migrated
from tests.provider import CHECKOUT, CLIENTS, Sandbox, running_sandbox

_START_SECONDS = 60
_STOP_SECONDS = 15
_DATABASE = "pinxero.sqlite3"
_SET_UP = """
from django.core.management import call_command
call_command("migrate", verbosity=0)
call_command("createcachetable", verbosity=0)
"""
_CAST = "from tests.base import make_cast; make_cast()"


@dataclass(frozen=True)
class Stage:
    """Pinxero at `url`, with the cast's accounts and nothing else, beside a freshly seeded sandbox."""

    url: str
    sandbox: Sandbox
    folder: Path
    environment: Mapping[str, str]

    def stop_sandbox(self) -> None:
        """Let both providers be gone, for the rest of the stage."""
        assert self.sandbox.process is not None
        self.sandbox.process.send_signal(signal.SIGTERM)
        self.sandbox.process.wait(_STOP_SECONDS)

    def python(self, code: str) -> None:
        """Run a few lines inside Pinxero; for accounts, and for rows that stand for a past nobody clicked through."""
        _run(self.environment, "-c", f"import django\ndjango.setup()\n{code}")

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
        stage = Stage(url, sandbox, folder, environment)
        if (kept := migrated.kept_file()).exists():
            shutil.copyfile(kept, folder / _DATABASE)
        stage.python(_SET_UP + people)
        web = [sys.executable, "-m", "gunicorn", "pinxero.wsgi", "--bind", f"127.0.0.1:{port}", "--threads", "8"]
        web += ["--graceful-timeout", "1", "--log-level", "warning", "--no-control-socket"]
        cleanup.enter_context(_running("web", web, stage))
        if has_worker:
            worker = [sys.executable, "manage.py", "worker", "--grace-seconds", "8"]
            cleanup.enter_context(_running("worker", worker, stage))
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


def _run(environment: Mapping[str, str], *arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=CHECKOUT, env=dict(environment), capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, f"The lines did not run: {done.stdout}{done.stderr}"


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
