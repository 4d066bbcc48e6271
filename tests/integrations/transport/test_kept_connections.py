"""Connections to providers are kept from one call to the next, by one thread each, and not for long."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from integrations.transport import certificates, http, token_refresh
from tests.integrations.outside import tls_for, trust


class Host(ThreadingHTTPServer):
    """A provider that keeps connections, and notes each, when it ended, and the headers of every call."""

    daemon_threads = True

    def __init__(self) -> None:
        self.opened: list[int] = []
        self.ended: list[int] = []
        self.headers: list[dict[str, str]] = []
        self.closes = False
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Host

    def setup(self) -> None:
        super().setup()
        self.server.opened.append(self.client_address[1])

    def finish(self) -> None:
        super().finish()
        self.server.ended.append(self.client_address[1])

    def do_GET(self) -> None:
        self.server.headers.append(dict(self.headers.items()))
        self.send_response(200)
        self.send_header("Set-Cookie", "who=me; Path=/")
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
        # As a gateway does that has had enough, without a word.
        self.close_connection = self.server.closes

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def host() -> Iterator[Host]:
    with Host() as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def call(host: Host, token: str = "t1") -> int:
    return http._send("GET", host.url, token, headers={}, body=b"").status


def test_calls_of_a_thread_share_a_connection_and_neither_token_nor_cookie(host: Host) -> None:
    assert [call(host, "first"), call(host, "second")] == [200, 200]
    assert len(host.opened) == 1
    assert [each["Authorization"] for each in host.headers] == ["Bearer first", "Bearer second"]
    assert not any("Cookie" in each for each in host.headers)


def test_another_thread_has_a_connection_of_its_own(host: Host) -> None:
    call(host)
    other = threading.Thread(target=call, args=(host,))
    other.start()
    other.join(10)
    assert call(host) == 200
    assert len(host.opened) == 2


def test_another_host_is_never_called_on_it(host: Host) -> None:
    with Host() as second:
        threading.Thread(target=second.serve_forever, daemon=True).start()
        assert [call(host), call(second), call(host)] == [200, 200, 200]
        assert [len(host.opened), len(second.opened)] == [1, 1]
        second.shutdown()


def test_one_that_was_not_used_for_a_while_is_closed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    call(host)
    monkeypatch.setattr(http, "KEPT_SECONDS", -1.0)
    call(host)
    assert len(host.opened) == 2
    assert host.ended == host.opened[:1]


def test_one_that_the_provider_has_closed_is_not_used_again(host: Host) -> None:
    host.closes = True
    assert call(host) == 200
    while not host.ended:
        threading.Event().wait(0.01)
    assert call(host) == 200
    assert len(host.opened) == 2


def test_one_that_is_always_in_use_ends_too(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    call(host)
    monkeypatch.setattr(http, "MOST_KEPT_SECONDS", -1.0)
    call(host)
    assert len(host.opened) == 2


def test_authorities_are_read_once_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    for of in (certificates.for_outside, certificates.for_providers):
        now = of()
        assert of() is now
        monkeypatch.setattr(certificates, "_hour", lambda: -1)
        assert of() is not now
        monkeypatch.undo()


def test_a_provider_is_not_believed_by_what_an_administrator_adds_for_outside_hosts(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path)
    host.socket = tls_for("localhost", tmp_path).wrap_socket(host.socket, server_side=True)
    with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        http._send("GET", f"https://localhost:{host.server_port}/", "t", headers={}, body=b"")
    assert host.headers == []


def test_providers_and_token_endpoints_read_the_authorities_no_second_time(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path)
    believed = ssl.create_default_context(cafile=tmp_path / "authority.pem")
    monkeypatch.setattr(certificates, "for_providers", lambda: believed)
    monkeypatch.setattr(http, "_kept", http._Kept())
    read: list[object] = []
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *given, **named: read.append(given))
    host.socket = tls_for("localhost", tmp_path).wrap_socket(host.socket, server_side=True)
    url = f"https://localhost:{host.server_port}/"
    assert http._send("GET", url, "t", headers={}, body=b"").status == 200
    with token_refresh._Session() as session:
        assert session.get(url).status_code == 200
    assert read == []
