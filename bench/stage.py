"""The stage of a proof: a database, the sandbox, a team with its connections, a case's workflows, and the worker."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import requests

from bench.descendants import descendants

CHECKOUT = Path(__file__).resolve().parents[1]
TENANT = "7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001"
BOARD = TEAM = "Proof"
_MANY = 1_000_000


def environment(folder: Path, *, time_scale: float) -> dict[str, str]:
    """The environment variables of the prover and the worker; of the caller's only DATABASE_URL is used."""
    from cryptography.fernet import Fernet

    return {
        "PINXERO_ENV_FILE": "",
        "PINXERO_MODE": "development",
        "DJANGO_SETTINGS_MODULE": "pinxero.settings",
        "SECRET_KEY": "prover-" + os.urandom(32).hex(),
        "TOKEN_KEYS": Fernet.generate_key().decode(),
        "DATABASE_URL": os.environ.get("DATABASE_URL") or f"sqlite:///{folder / 'pinxero.sqlite3'}",
        "PINXERO_TIME_SCALE": str(time_scale),
        "PINXERO_SAFETIES_OFF": "",
        "PINXERO_STALE_SECONDS": "5",
        "PINXERO_WORKERS": "4",
        "XERO_CLIENT_ID": "sandbox-xero",
        "XERO_CLIENT_SECRET": "sandbox-xero-secret",
        "PINTEREST_CLIENT_ID": "sandbox-pinterest",
        "PINTEREST_CLIENT_SECRET": "sandbox-pinterest-secret",
        "XERO_DAY_LIMIT": str(_MANY),
        "PINTEREST_DAY_LIMIT": str(_MANY),
        "LOG_LEVEL": "WARNING",
        **{name: "http://127.0.0.1:0" for name in _BASES},
    }


_BASES = ("PINTEREST_OAUTH_BASE", "PINTEREST_API_BASE", "XERO_LOGIN_BASE", "XERO_IDENTITY_BASE", "XERO_API_BASE")


class Stage:
    """Everything that a proof needs. Entering builds it, leaving takes it down."""

    def __init__(self, folder: Path, *, time_scale: float, build: Callable[[Stage], None], quiet: bool = True) -> None:
        self.folder, self.time_scale, self.build, self.quiet = folder, time_scale, build, quiet
        self.session = requests.Session()
        self.session.trust_env = False
        self.worker: subprocess.Popen[bytes] | None = None
        self.web: subprocess.Popen[bytes] | None = None
        self.log = folder / "worker.log"

    def __enter__(self) -> Self:
        self._start_sandbox()
        try:
            self._make_database()
            self._connect()
            self.build(self)
            self._lift_safeguards()
            self.start_worker()
            self._wait_for_baseline()
        except BaseException:
            self._take_down()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._take_down()

    # --- processes --------------------------------------------------------------------------------------------------

    def _start_sandbox(self) -> None:
        database = self.folder / "sandbox.sqlite3"
        command = [sys.executable, "-m", "integrations.sandbox", "--port", "0", "--database", str(database)]
        environ = {name: value for name, value in os.environ.items() if not name.startswith("DJANGO_")}
        self.sandbox = subprocess.Popen(
            [*command, "--time-scale", str(self.time_scale)],
            cwd=CHECKOUT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.sandbox.stdout is not None
        line = self.sandbox.stdout.readline()
        match = re.search(r"http://[\d.]+:\d+", line)
        if match is None:
            raise SystemExit(f"The sandbox did not start: {line}")
        self.url = match[0]
        bases = {name: self.url for name in _BASES} | {"PINTEREST_API_BASE": f"{self.url}/v5"}
        os.environ.update(bases)
        from django.conf import settings

        for name, value in bases.items():
            setattr(settings, name, value)

    def start_worker(self) -> None:
        """Start `manage.py worker`, as a host would."""
        self.worker = subprocess.Popen(
            [sys.executable, str(CHECKOUT / "manage.py"), "worker", "--grace-seconds", "10"],
            cwd=CHECKOUT,
            stdout=None if not self.quiet else self.log.open("ab"),
            stderr=None if not self.quiet else subprocess.STDOUT,
        )

    def start_web(self) -> str:
        """Start gunicorn as docs/deploy.md does; returns its address."""
        log = self.folder / "web.log"
        with log.open("wb") as file:
            self.web = subprocess.Popen(
                [sys.executable, "-m", "gunicorn", "pinxero.wsgi", "--bind", "127.0.0.1:0", *_LIKE_DEPLOYED],
                cwd=CHECKOUT,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        ends = time.monotonic() + 120
        while time.monotonic() < ends and self.web.poll() is None:
            match = re.search(r"Listening at: (http://[\d.]+:\d+)", log.read_text())
            if match is not None and self._is_quick(match[1]):
                return match[1]
            time.sleep(0.1)
        raise SystemExit(f"The web server did not start: {log.read_text()[-3000:]}")

    def _is_quick(self, url: str) -> bool:
        """Whether each of its processes is fully loaded: several answers in a row take less than a second."""
        try:
            for _ in range(8):
                self.session.get(f"{url}/accounts/login/", timeout=1, headers={"Connection": "close"})
        except requests.RequestException:
            return False
        return True

    def _take_down(self) -> None:
        for process in (self.web, self.worker, self.sandbox):
            if process is None or process.poll() is not None:
                continue
            below = descendants(process.pid)
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in below:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    continue

    def restarts(self) -> int:
        """How often the supervisor had to restart its cluster."""
        return self.log.read_text().count("Starting it anew") if self.log.exists() else 0

    # --- database and rows ------------------------------------------------------------------------------------------

    def _make_database(self) -> None:
        from django.core.management import call_command
        from django.db import connection

        from pinxero.development.emptying import unprotected

        self._refuse_foreign_data()
        call_command("migrate", verbosity=0, interactive=False)
        call_command("createcachetable", verbosity=0)
        if connection.vendor == "postgresql":
            with unprotected():
                call_command("flush", verbosity=0, interactive=False)
        self.vendor = connection.vendor

    def _refuse_foreign_data(self) -> None:
        """Raise if the database, which a proof empties first, has held anything but proofs."""
        from django.contrib.auth.models import User
        from django.db import connection

        from integrations.models import Team

        if "integrations_team" not in connection.introspection.table_names():
            return
        if Team.objects.exclude(name=TEAM).exists() or User.objects.exists():
            raise SystemExit(
                "The database in DATABASE_URL holds teams or people, and a proof would delete them. "
                "Name an empty database."
            )

    def _lift_safeguards(self) -> None:
        """Switch safeguards off: a proof writes more at once, and fails more often, than a workflow ever should."""
        from workflows.models import Safeguards, Workflow

        for workflow in Workflow.objects.filter(safeguards__isnull=True):
            Safeguards.objects.create(workflow=workflow, hold_above=0, most_per_hour=0, pause_after=0)

    def _connect(self) -> None:
        """A team with a connection to each provider."""
        from integrations.models import Connection, Grant, Team

        self.control("POST", "faults", **_LIMITS)
        self.team = team = Team.objects.create(name=TEAM)
        self.connections = {}
        for provider, external_id, name in (("pinterest", "", "Pinterest"), ("xero", TENANT, "Demo Company (NZ)")):
            grant = self._grant(Grant, team, provider)
            self.connections[provider] = Connection.objects.create(
                team=team,
                grant=grant,
                provider=provider,
                external_id=external_id or grant.external_user_id,
                name=name,
                details={"timezone": "Pacific/Auckland", "currency": "NZD"},
            )
        self.contact_id = self._contact()

    def pin_to_invoice(self) -> None:
        """The usual workflow, switched on: a pin on the board becomes a draft invoice."""
        from workflows.models import Condition, Mapping, Step, Workflow
        from workflows.publishing import activation, publish

        self.control("POST", "boards", name=BOARD)
        workflow = Workflow.objects.create(
            team=self.team,
            name="Pin to draft invoice",
            trigger_operation="pinterest.new_pin",
            trigger_connection=self.connections["pinterest"],
            interval_minutes=1,
        )
        check = Step.objects.create(workflow=workflow, key="filter", name="Filter", kind="filter", position=1)
        Condition.objects.create(
            step=check, position=1, left="{{ trigger.board_name }}", type="text", operator="equals", right=BOARD
        )
        write = Step.objects.create(
            workflow=workflow,
            key="invoice",
            name="Create invoice",
            kind="action",
            position=2,
            operation="xero.create_invoice",
            connection=self.connections["xero"],
            max_attempts=20,
        )
        for name, value in {"contact_id": self.contact_id, "reference": "{{ trigger.id }}"}.items():
            Mapping.objects.create(step=write, input=name, value=value)
        for column, value in _LINE.items():
            Mapping.objects.create(step=write, input="lines", row=0, column=column, value=value)
        publish.publish(workflow, by=None, note="Proof")
        activation.activate(workflow, by=None)

    def _grant(self, model: Any, team: Any, provider: str) -> Any:
        from django.utils import timezone

        told = self.control("POST", "tokens", provider=provider)
        return model.objects.create(
            team=team,
            provider=provider,
            external_user_id=told["user_id"],
            access_token=told["access_token"],
            refresh_token=told["refresh_token"],
            expires_at=timezone.now() + timedelta(seconds=told["expires_in"] / self.time_scale),
            scopes=told["scope"].replace(",", " ").split(),
        )

    def _contact(self) -> str:
        state = self.control("GET", "state")
        books = next(each for each in state["organisations"] if each["id"] == TENANT)
        return str(books["contacts"][0]["id"])

    # --- what a proof does ------------------------------------------------------------------------------------------

    def control(self, method: str, name: str, /, **body: Any) -> Any:
        """One call of the sandbox's own controls."""
        answer = self.session.request(
            method, f"{self.url}/_sandbox/{name}", json=body if method == "POST" else None, timeout=120
        )
        answer.raise_for_status()
        return answer.json(parse_float=Decimal)

    def faults(self, **rates: Any) -> None:
        """Set the fault dial."""
        self.control("POST", "faults", **rates)

    def calm(self) -> None:
        """Let the sandbox behave from now on: no faults, no limits."""
        names = ("p500", "p429", "p_commit_then_silence", "p_slow_commit", "p_reset", "p_html_503")
        self.faults(**dict.fromkeys(names, 0), minute_limit=_MANY, concurrent_limit=1000)

    def add_pins(self, count: int) -> list[dict[str, Any]]:
        """Put pins on the board; their numbers are in their titles."""
        body = {"board": BOARD, "count": count, "title": "Chair number {n}", "link": "https://shop.example/chair/{n}"}
        return list(self.control("POST", "pins", **body)["pins"])

    def _wait_for_baseline(self) -> None:
        from workflows.models import TriggerState

        ends = time.monotonic() + 60
        while time.monotonic() < ends:
            if not TriggerState.objects.exclude(status="listening").exists():
                return
            time.sleep(0.2)
        raise SystemExit(f"The baselines did not end. {self._tail()}")

    def wait_until_done(self, runs: int, *, longest: float) -> None:
        """Wait until this many runs exist and none is open, or the time is over."""
        from django.db import DatabaseError, connection

        from workflows.models import Run

        ends, shown = time.monotonic() + longest, time.monotonic()
        while time.monotonic() < ends:
            try:
                total = Run.objects.count()
                still = Run.objects.filter(status__in=Run.OPEN).count()
            except DatabaseError:
                connection.close()
                total = still = -1
            if total >= runs and not still:
                return
            if time.monotonic() - shown > 10:
                shown = time.monotonic()
                print(f"  {total} runs, {still} still open", file=sys.stderr, flush=True)
            time.sleep(0.5)

    def _tail(self) -> str:
        return self.log.read_text()[-3000:] if self.log.exists() else ""


_LIKE_DEPLOYED = ("--workers", "2", "--threads", "4", "--preload", "--no-control-socket")
_LIMITS = {"day_limit": _MANY, "app_minute_limit": _MANY, "pinterest_read_limit": _MANY, "pinterest_write_limit": _MANY}
_LINE = {
    "description": "{{ trigger.title }}",
    "quantity": "2",
    "unit_amount": "{{ trigger.title | extract_number }}",
    "account_code": "200",
    "tax_type": "OUTPUT2",
}
