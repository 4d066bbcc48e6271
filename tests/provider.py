"""The sandbox for tests: the real process, started once per test worker, and a handle to look and to meddle.

`from tests.provider import sandbox, sandbox_server` in a conftest makes the fixtures known.
"""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from integrations.connectors import CONNECTORS
from integrations.framework.connector_settings import all_declared
from tests import exchanges
from tests.integrations.sandbox.contract import validate_exchange

__all__ = ["DEMO", "NORTHWIND", "Sandbox", "running_sandbox", "sandbox", "sandbox_server", "validate_exchange"]

CHECKOUT = Path(__file__).resolve().parents[1]
DEMO = "7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001"
NORTHWIND = "b1c9e2d4-3f60-4c1b-8b7e-6d2c4e9f0002"
DECLARED = all_declared(CONNECTORS)
CLIENTS = {each.key: (f"sandbox-{each.key}", f"sandbox-{each.key}-secret") for each in DECLARED if each.is_in_sandbox}
#: As many rows of the ledger as one answer holds; fewer mean that there are no more.
_LEDGER_ROWS = 5000
_NO_LIMITS = {
    "minute_limit": 1_000_000,
    "day_limit": 1_000_000,
    "concurrent_limit": 1_000,
    "app_minute_limit": 1_000_000,
    "pinterest_read_limit": 1_000_000,
    "pinterest_write_limit": 1_000_000,
}


class _Session(requests.Session):
    """A session that never waits for ever: a sandbox that does not answer is a failure, not a hang."""

    def request(self, *args: Any, **options: Any) -> requests.Response:
        options.setdefault("timeout", 30)
        return super().request(*args, **options)


class Sandbox:
    """A running sandbox. Its controls answer at once; what they refuse raises AssertionError with the reason."""

    def __init__(self, url: str, process: subprocess.Popen[bytes] | None = None) -> None:
        self.url = url
        self.process = process
        self.session = _Session()
        self.session.trust_env = False

    def settings(self) -> dict[str, str]:
        """The product's provider hosts, pointed here. Links lead where they always lead."""
        urls = {name: url for each in DECLARED for name, url in each.hosts_in_sandbox(self.url).items()}
        return {host.name: urls[host.name] for each in DECLARED for host in each.called if host.name in urls}

    def control(self, method: str, name: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """One call of `/_sandbox/<name>`; fractions come back as Decimal."""
        response = self.session.request(method, f"{self.url}/_sandbox/{name}", json=body, params=query, timeout=30)
        answer = json.loads(response.text, parse_float=Decimal)
        assert response.status_code == 200, f"/_sandbox/{name}: {answer.get('error', response.text)}"
        return answer

    def reset(self, *, seed: int | None = None, empty: bool = False) -> None:
        """As freshly started. The ledger starts a new chapter."""
        body: dict[str, Any] = {"empty": empty}
        if seed is not None:
            body["seed"] = seed
        self.control("POST", "reset", body)

    def faults(self, **values: Any) -> dict[str, Any]:
        """Turn the fault dial; without values just read it."""
        return dict(self.control("POST", "faults", values) if values else self.control("GET", "faults"))

    def lift_limits(self) -> None:
        """Let as many calls through as come."""
        self.faults(**_NO_LIMITS)

    def add_board(self, name: str, **details: Any) -> dict[str, Any]:
        return dict(self.control("POST", "boards", {"name": name, **details}))

    def add_pins(self, board: str, count: int = 1, **details: Any) -> list[dict[str, Any]]:
        """Pins on a board named by name or id; `{n}` in a text becomes the pin's number."""
        return list(self.control("POST", "pins", {"board": board, "count": count, **details})["pins"])

    def make(self, what: str, **details: Any) -> dict[str, Any]:
        """One thing as if a person had made it in the provider; every detail has a default. Its id and label."""
        return dict(self.control("POST", "make", {"what": what, **details}))

    def change(self, what: str, key: str, **fields: Any) -> dict[str, Any]:
        """What a person changes in Xero: `change("quote", key, Status="SENT")`."""
        return dict(self.control("POST", "change", {"what": what, "id": key, **fields}))

    def merge(self, contact: str, into: str, **details: Any) -> dict[str, Any]:
        """A person merges one contact into another, both by id; the one that is left."""
        return dict(self.control("POST", "merge", {"contact": contact, "into": into, **details}))

    def webhook(self, url: str, key: str, **details: Any) -> dict[str, Any]:
        """Let this address be told of changes; what came of the intent to receive."""
        return dict(self.control("POST", "webhook", {"url": url, "key": key, **details}))

    def webhook_state(self) -> dict[str, Any]:
        return dict(self.control("GET", "webhook"))

    def burst(self, n: int, what: str = "contact") -> dict[str, Any]:
        """Make so many at once, each told of by an event of its own."""
        return dict(self.control("POST", "webhook/burst", {"n": n, "what": what}))

    def tokens(
        self, provider: str, scopes: str | list[str] | None = None, tenants: list[str] | None = None
    ) -> dict[str, Any]:
        """A consent without a browser: access_token, refresh_token, expires_in, scope, user_id, tenants."""
        body: dict[str, Any] = {"provider": provider}
        if scopes is not None:
            body["scopes"] = scopes
        if tenants is not None:
            body["tenants"] = tenants
        return dict(self.control("POST", "tokens", body))

    def expire(self, **which: str) -> int:
        """Let access tokens run out: all, or those of `provider`, or one `access_token`."""
        return int(self.control("POST", "expire", dict(which))["expired"])

    def revoke(self, **which: str) -> dict[str, int]:
        """Withdraw consents (`provider`, `access_token`), or disconnect one organisation (`tenant`)."""
        return dict(self.control("POST", "revoke", dict(which)))

    def ledger(self, after: int = 0, **matching: Any) -> list[dict[str, Any]]:
        """Every API request of this chapter after `after`, oldest first; keywords narrow it: `method="PUT"`."""
        found: list[dict[str, Any]] = []
        while True:
            answer = self.control("GET", "ledger", after=after, limit=_LEDGER_ROWS)
            found += answer["entries"]
            if len(answer["entries"]) < _LEDGER_ROWS:
                return [row for row in found if all(row[name] == value for name, value in matching.items())]
            after = answer["next"]

    def state(self) -> dict[str, Any]:
        return dict(self.control("GET", "state"))

    def invoices(self, tenant: str = DEMO, *, ours: bool = True) -> list[dict[str, Any]]:
        """The invoices of an organisation; with `ours` those made through the API only."""
        books = next(one for one in self.state()["organisations"] if one["id"] == tenant)
        return [invoice for invoice in books["invoices"] if invoice["is_ours"] or not ours]

    def documents(self, name: str, tenant: str = DEMO, *, ours: bool = True) -> list[dict[str, Any]]:
        """One list of an organisation, short; with `ours` what was made through the API only. The lists are quotes,
        purchase_orders, credit_notes, payments, bank_transactions, bank_transfers, projects and items."""
        books = next(one for one in self.state()["organisations"] if one["id"] == tenant)
        return [one for one in books[name] if one["is_ours"] or not ours]

    def contacts(self, tenant: str = DEMO) -> list[dict[str, Any]]:
        books = next(one for one in self.state()["organisations"] if one["id"] == tenant)
        return list(books["contacts"])

    def contact_id(self, name: str, tenant: str = DEMO) -> str:
        return next(str(contact["id"]) for contact in self.contacts(tenant) if contact["Name"] == name)


@contextlib.contextmanager
def running_sandbox(
    database: Path, *, port: int = 0, time_scale: float = 1.0, environment: dict[str, str] | None = None
) -> Iterator[Sandbox]:
    """The real process on a free port; it ends with the block, whatever happens in it."""
    command = [sys.executable, "-m", "integrations.sandbox", "--port", str(port), "--database", str(database)]
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("DJANGO_", "SANDBOX_"))}
    log = database.with_suffix(".log")  # a pipe that nobody empties would stop a sandbox that has much to say
    with log.open("w") as output:
        process = subprocess.Popen(
            [*command, "--time-scale", str(time_scale)],
            cwd=CHECKOUT,
            env={**clean, "SANDBOX_RECORD": str(exchanges.recording(database)), **(environment or {})},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        yield Sandbox(_address(process, log), process)
    finally:
        _stop(process)


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where it listens, as it says itself once it is ready."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        said = log.read_text()
        ready = re.search(r"Sandbox ready at (http://\S+)", said)
        if ready:
            return ready[1]
        if process.poll() is not None:
            break
        time.sleep(0.02)
    raise AssertionError(f"The sandbox did not start. It said: {log.read_text()}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 5
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    if process.poll() is None:
        process.kill()
    process.wait()


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One sandbox process per test worker, with a database file of its own."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox") / "sandbox.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """The worker's sandbox as freshly seeded, without call limits; a test of limits sets its own."""
    sandbox_server.reset()
    sandbox_server.lift_limits()
    return sandbox_server
