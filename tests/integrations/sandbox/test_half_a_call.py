"""A call whose sender died over it is no call: nothing is done, and its key is not taken."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit

from tests.provider import Sandbox


def test_a_body_that_breaks_off_is_not_taken_for_a_request(sandbox: Sandbox) -> None:
    before = sandbox.ledger()
    target = urlsplit(sandbox.url)
    with socket.create_connection((str(target.hostname), target.port or 80), timeout=10) as wire:
        head = f"PUT /api.xro/2.0/Invoices HTTP/1.1\r\nHost: {target.netloc}\r\nIdempotency-Key: k1\r\n"
        wire.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
        wire.shutdown(socket.SHUT_WR)
        assert wire.recv(1000) == b""
    assert sandbox.ledger() == before
