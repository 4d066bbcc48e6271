"""One call on a connection that is already open: writes it, reads the answer, and decides whether the connection can be
reused. `safe_fetch.py` says where a connection may lead.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import TYPE_CHECKING

from integrations.core.errors import IntegrationError, OutcomeUnknownError, TemporaryError
from integrations.transport import certificates
from integrations.transport.kept_sockets import Connected, kept
from integrations.transport.url_rules import Target

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

#: Longest wait for the other side to send something.
READ_SECONDS = 15.0
#: The status line and all headers of an answer, with those of interim ones (1xx) before it.
MOST_HEAD_BYTES = 64 * 1024
_PIECE = 65_536


@dataclass(frozen=True)
class FetchResponse:
    """What came back. Header names are lower case; `took` is in milliseconds.

    `is_cut` means that there was more than `max_bytes`; `body` is the beginning of it.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    took: int = 0


class Clock:
    """The time left of a call."""

    def __init__(self, until: float) -> None:
        self.until = until

    def left(self, most: float) -> float:
        """Seconds left, `most` at most. Raises TimeoutError when there are none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class _HeadTooLongError(OSError):
    """The headers are too long; http.client alone would read 6 MB of them, and interim answers without end."""


class WasEndedError(Exception):
    """The host had closed a kept connection: the call was not made."""


class _Wire(io.RawIOBase):
    """The socket that http.client reads and writes: every wait is limited to the time left, and the length of the
    headers is limited too.
    """

    def __init__(self, connection: socket.socket, clock: Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.has_ended = False
        self.is_in_head = True
        self.size = 0
        self.is_over = False
        self.rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if self.is_over:
            return None
        if self.is_in_head:
            if self.size >= MOST_HEAD_BYTES:
                raise _HeadTooLongError
            # Reads no more than that, although the beginning of the body may be part of it.
            buffer = memoryview(buffer)[: MOST_HEAD_BYTES - self.size]
        self._connection.settimeout(self._clock.left(READ_SECONDS))
        size = self._connection.recv_into(buffer)
        self.size += size
        self.has_ended = size == 0
        return size

    def sendall(self, data: bytes) -> None:
        """Send all of it. Raises TimeoutError when the time is over."""
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(self._clock.left(READ_SECONDS))
            rest = rest[self._connection.send(rest) :]

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return _Reader(self, _PIECE)

    def close(self) -> None:
        """http.client closes before it has read; the code that opened the socket closes it."""


class _Reader(io.BufferedReader):
    """What http.client reads an answer from, and closes at its end."""

    raw: _Wire

    def close(self) -> None:
        """Record what came after the end of the answer."""
        if not self.closed:
            self.raw.is_over = True
            self.raw.rest = self.peek()
        super().close()


@dataclass(frozen=True)
class OutgoingCall:
    """One call as it is sent, and what is made of its answer."""

    target: Target
    method: str
    headers: list[tuple[str, str]]
    body: bytes
    clock: Clock
    max_bytes: int
    is_write: bool

    @property
    def purpose(self) -> Hashable:
        """What two calls must have in common to use the same connection."""
        target = self.target
        trusted = certificates.for_outside() if target.scheme == "https" else None
        return target.scheme, target.host, target.port, trusted


def exchange(connected: Connected, call: OutgoingCall) -> FetchResponse:
    """Send the call, read the answer, and keep the connection if it can be reused. Also raises WasEndedError."""
    started, is_kept = time.monotonic(), False
    host = call.target.netloc
    client = HTTPConnection(call.target.host, call.target.port)
    client.sock = wire = _Wire(connected.socket, call.clock)
    try:
        _ask(client, call)
        answer = client.getresponse()
        wire.is_in_head = False
        if wire.has_ended:
            raise HTTPException("The answer ended within its headers, which http.client takes for their end.")
        content, is_cut = _read(answer, call.max_bytes)
        is_kept = not is_cut and not wire.rest and _may_be_kept(answer)
    except TimeoutError:
        raise _no_answer(f"{host} did not answer in time", is_write=call.is_write) from None
    except _HeadTooLongError:
        said = f"{host} sent more than {MOST_HEAD_BYTES // 1024} kB of headers, which no answer needs"
        raise _no_answer(said, is_write=call.is_write) from None
    except (OSError, HTTPException):
        if connected.was_kept and not wire.size:
            raise WasEndedError from None
        raise _no_answer(f"{host} gave no complete answer", is_write=call.is_write) from None
    finally:
        client.close()
        if is_kept:
            kept.give(call.purpose, connected)
        else:
            connected.socket.close()
    return FetchResponse(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.getheaders()},
        body=content,
        is_cut=is_cut,
        took=round((time.monotonic() - started) * 1000),
    )


def _ask(client: HTTPConnection, call: OutgoingCall) -> None:
    client.putrequest(call.method, call.target.path, skip_host=True, skip_accept_encoding=True)
    for name, value in (("Host", call.target.netloc), ("Accept-Encoding", "identity"), *call.headers):
        client.putheader(name, value)
    if call.body or call.method not in ("GET", "HEAD", "OPTIONS"):
        client.putheader("Content-Length", str(len(call.body)))
    client.endheaders(call.body or None)


def _may_be_kept(answer: HTTPResponse) -> bool:
    """Whether it is certain where the answer ended; else its rest would be taken for the next answer."""
    lengths, codings = (answer.headers.get_all(name, []) for name in ("Content-Length", "Transfer-Encoding"))
    return answer.status >= 200 and answer.isclosed() and not answer.will_close and len(lengths) + len(codings) <= 1


def _read(answer: HTTPResponse, max_bytes: int) -> tuple[bytes, bool]:
    parts, size = [], 0
    while size <= max_bytes and (part := answer.read(min(_PIECE, max_bytes + 1 - size))):
        parts.append(part)
        size += len(part)
    content = b"".join(parts)
    if size > max_bytes:
        return content[:max_bytes], True
    if answer.length:
        raise HTTPException("The answer ended before its end.")
    return content, False


def _no_answer(sentence: str, *, is_write: bool) -> IntegrationError:
    if is_write:
        return OutcomeUnknownError(f"{sentence}; whether it acted on the call is not known.")
    return TemporaryError(f"{sentence}.")
