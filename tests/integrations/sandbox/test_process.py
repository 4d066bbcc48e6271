"""The process: where it listens, how it refuses, how it ends, that it keeps what it had."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.integrations.sandbox.conftest import Xero
from tests.provider import CHECKOUT, running_sandbox


def run(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "integrations.sandbox", *options]
    return subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=20, check=False)


def test_a_taken_port_is_said_clearly_with_the_settings_name(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run("--port", port, "--database", str(tmp_path / "a.sqlite3"))
    assert ended.returncode == 2
    assert f"127.0.0.1:{port}" in ended.stderr
    assert "SANDBOX_PORT" in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "example.org", ""])
def test_it_listens_on_this_machine_only(tmp_path: Path, host: str) -> None:
    ended = run("--port", "0", "--host", host, "--database", str(tmp_path / "a.sqlite3"))
    assert ended.returncode == 2
    assert "not a loopback address" in ended.stderr


def test_a_second_one_on_the_same_file_is_refused(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "a.sqlite3"):
        ended = run("--port", "0", "--database", str(tmp_path / "a.sqlite3"))
    assert ended.returncode == 2
    assert "Another sandbox uses the database" in ended.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_at_once_when_told_even_while_silent(tmp_path: Path, number: signal.Signals) -> None:
    with running_sandbox(tmp_path / "a.sqlite3") as server:
        assert server.process is not None
        xero = Xero(server)
        server.faults(p_commit_then_silence=1)
        with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2]))) as held:
            head = f"PUT /api.xro/2.0/Contacts HTTP/1.1\r\nAuthorization: {xero.session.headers['Authorization']!s}\r\n"
            head += f"Host: 127.0.0.1\r\nAccept: application/json\r\nxero-tenant-id: {xero.tenant}\r\n"
            body = '{"Contacts": [{"Name": "Held"}]}'
            held.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
            while not server.ledger(method="PUT"):
                time.sleep(0.02)
            began = time.monotonic()
            server.process.send_signal(number)
            assert server.process.wait(timeout=5) == 0
            assert time.monotonic() - began < 2


def test_it_keeps_what_it_had_after_a_restart(tmp_path: Path) -> None:
    with running_sandbox(tmp_path / "a.sqlite3") as server:
        server.faults(p429=0.25)
        xero = Xero(server)
        server.faults(p429=0)
        made = xero.create()
        server.faults(p429=0.25)
        token = xero.session.headers["Authorization"]
    with running_sandbox(tmp_path / "a.sqlite3") as server:
        assert server.faults()["p429"] == pytest.approx(0.25)
        assert [invoice["id"] for invoice in server.invoices()] == [made["InvoiceID"]]
        assert len(server.ledger(method="PUT")) == 1
        server.faults(p429=0)
        again = Xero(server)
        again.session.headers["Authorization"] = token
        assert again.get(f"/Invoices/{made['InvoiceID']}").status_code == 200


def test_client_names_and_secrets_come_from_the_environment(tmp_path: Path) -> None:
    own = {"SANDBOX_XERO_CLIENT_ID": "mine", "SANDBOX_XERO_CLIENT_SECRET": "hush"}
    with running_sandbox(tmp_path / "a.sqlite3", environment=own) as server:
        form = {"grant_type": "refresh_token", "refresh_token": server.tokens("xero")["refresh_token"]}
        address = server.url + "/connect/token"
        assert server.session.post(address, data=form, auth=("sandbox-xero", "sandbox-xero-secret")).status_code == 401
        assert server.session.post(address, data=form, auth=("mine", "hush")).status_code == 200


def test_many_requests_go_over_one_connection(tmp_path: Path) -> None:
    ask = b"GET /_sandbox/health HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    chunked = b"POST /_sandbox/reset HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n"
    with (
        running_sandbox(tmp_path / "a.sqlite3") as server,
        socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=5) as connection,
    ):
        for _ in range(3):
            connection.sendall(ask)
            assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
        connection.sendall(chunked)
        assert connection.recv(4096).startswith(b"HTTP/1.1 411 ")


def test_the_command_refuses_in_production(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PINXERO_MODE = "production"  # type: ignore[attr-defined]
    monkeypatch.setattr(os, "execv", lambda *_: pytest.fail("It was started."))
    with pytest.raises(CommandError, match="does not start in production"):
        call_command("sandbox", "--port", "8199")


def test_the_command_becomes_the_sandbox(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.PINXERO_MODE = "development"  # type: ignore[attr-defined]
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execv", lambda program, command: started.append([program, *command]))
    call_command("sandbox", "--port", "8199", "--time-scale", "60", "--database", "x.sqlite3")
    options = ["--port", "8199", "--host", "127.0.0.1", "--time-scale", "60.0", "--database", "x.sqlite3"]
    assert started == [[sys.executable, sys.executable, "-m", "integrations.sandbox", *options]]
