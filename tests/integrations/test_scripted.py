"""The provider that tests script leaves nothing behind and waits for nobody for ever."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tests.integrations import scripted
from tests.integrations.scripted import ScriptedProvider, json_answer, running_provider


def _ask(provider: ScriptedProvider, *parts: bytes, is_ended: bool = False) -> bytes:
    with socket.create_connection(("127.0.0.1", provider.port), timeout=10) as asking:
        for part in parts:
            asking.sendall(part)
        if is_ended:
            asking.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: asking.recv(65536), b""))


def test_no_thread_is_left_when_it_ends() -> None:
    before = set(threading.enumerate())
    with running_provider() as provider:
        provider.says(json_answer(200, b'{"a": 1}'))
        assert _ask(provider, b"GET / HTTP/1.1\r\n\r\n").endswith(b'{"a": 1}')
        silent = socket.create_connection(("127.0.0.1", provider.port), timeout=10)
        assert set(threading.enumerate()) - before != set()
    assert set(threading.enumerate()) - before == set()
    silent.close()


def test_a_silence_ends_with_the_provider() -> None:
    before = set(threading.enumerate())
    with running_provider() as provider:
        provider.says(3600.0)
        waiting = socket.create_connection(("127.0.0.1", provider.port), timeout=10)
        waiting.sendall(b"GET / HTTP/1.1\r\n\r\n")
        while not provider.requests:
            time.sleep(0.01)
    assert waiting.recv(10) == b""
    assert set(threading.enumerate()) - before == set()
    waiting.close()


def test_a_request_comes_in_as_many_parts_as_it_likes() -> None:
    with running_provider() as provider:
        provider.says(json_answer(200))
        _ask(provider, b"PUT / HTTP/1.1\r\nContent-", b"Length: 4\r\n\r\n", b"ab", b"cd")
        assert provider.requests == [b"PUT / HTTP/1.1\r\nContent-Length: 4\r\n\r\nabcd"]


@pytest.mark.parametrize(
    "sent", [b"", b"PUT / HTTP/1.1\r\nContent-Le", b"PUT / HTTP/1.1\r\nContent-Length: 10\r\n\r\nabcd"]
)
def test_a_request_that_breaks_off_is_what_came_of_it(sent: bytes) -> None:
    with running_provider() as provider:
        provider.says(json_answer(200))
        assert _ask(provider, sent, is_ended=True).startswith(b"HTTP/1.1 200")
        assert provider.requests == [sent]


def test_a_request_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scripted, "_LONGEST_REQUEST", 1000)
    with running_provider() as provider:
        provider.says(json_answer(200))
        assert _ask(provider, b"x" * 1000).startswith(b"HTTP/1.1 200")
        assert provider.requests == [b"x" * 1000]
