"""Headers of outside answers come to an end, however the other side goes on."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from integrations.core.errors import OutcomeUnknownError, TemporaryError
from integrations.transport.exchange import MOST_HEAD_BYTES
from integrations.transport.safe_fetch import fetch, send
from tests.integrations.outside import Start, answer, start

__all__ = ["start"]
WORDS = "127.0.0.1:{port} sent more than 64 kB of headers, which no answer needs"


class Talking:
    """A host that sends as much as is taken, and counts it."""

    def __init__(self, begin: bytes, piece: bytes, pieces: int) -> None:
        self.begin, self.piece, self.pieces = begin, piece, pieces
        self.sent = 0

    def __call__(self, peer: socket.socket, _heard: bytes) -> None:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        peer.sendall(self.begin)
        for _ in range(self.pieces):
            peer.sendall(self.piece)
            self.sent += len(self.piece)
        peer.sendall(b"\r\n")


LONG_LINES = (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", b"X-A: " + b"x" * 60_000 + b"\r\n", 95)
INTERIM = (b"", b"HTTP/1.1 100 Continue\r\nX-A: " + b"x" * 900 + b"\r\n\r\n", 20_000)


@pytest.mark.parametrize("told", [LONG_LINES, INTERIM], ids=["long lines", "interim answers"])
def test_headers_without_end_are_read_no_further_than_64_kb(start: Start, told: tuple[bytes, bytes, int]) -> None:
    host = start(talking := Talking(*told))
    with pytest.raises(TemporaryError) as caught:
        fetch(host.url())
    assert caught.value.message == f"{WORDS.format(port=host.port)}."
    assert talking.sent < 3_000_000
    with pytest.raises(OutcomeUnknownError) as unknown:
        send("POST", host.url(), hosts=[host.rule], is_write=True)
    assert unknown.value.message == (f"{WORDS.format(port=host.port)}; whether it acted on the call is not known.")


def test_headers_of_an_ordinary_length_and_a_body_right_behind_them_are_read(start: Start) -> None:
    many: dict[str, Any] = {f"X-{number}": "x" * 600 for number in range(90)}
    body = b"y" * (3 * MOST_HEAD_BYTES)
    assert fetch(start(answer(body, headers=many)).url()).content == body
