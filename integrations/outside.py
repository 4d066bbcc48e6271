"""Safe calls to addresses that people give: a link to a file, the host of an HTTP request.

Providers are called by `http.py`, whose hosts are fixed and whose calls carry tokens. Here the address is somebody's
input. So: the name is resolved once, every address it has is checked, and the connection is made to a checked one,
with the name kept for the certificate and the Host header; a name that changes its mind in between changes nothing.
No redirects, no proxy from the environment, nothing compressed, no more bytes and no more time than agreed.

An administrator may open hosts inside the own network by name (`OUTSIDE_PRIVATE_HOSTS`), this machine only in
development. http.client is used beneath, not requests, because requests resolves names itself and offers no way to
limit the time a call takes in all.
"""

from __future__ import annotations

import io
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import ip_address
from typing import TYPE_CHECKING

import certifi
from django.conf import settings

from integrations.addresses import IPAddress, Rule, Target, is_private, is_public, parse, rules
from integrations.errors import IntegrationError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.pause import retry_after

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

CONNECT_SECONDS = 5.0
#: Longest silence of the other side.
READ_SECONDS = 15.0
#: The whole call, from the first question for the name to the last byte.
TOTAL_SECONDS = 30.0
MAX_BYTES = 10 * 1024 * 1024
#: A name with more addresses than this is tried no longer.
_MOST_TRIES = 3
_PIECE = 65_536

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\x20-\x7e]{0,4000}")
#: Headers that decide how the call itself is framed, or that a proxy acts on.
_OURS = {
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


@dataclass(frozen=True)
class Answer:
    """What came back. Header names are lower case; `took` is in milliseconds.

    `is_cut` tells that there was more than `max_bytes`, of which `body` is the beginning.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    is_cut: bool = False
    took: int = 0


@dataclass(frozen=True)
class Fetched:
    """A file from a link: its bytes, its type as the host says (without parameters), and the address as called."""

    content: bytes
    content_type: str
    url: str


def fetch(
    url: str,
    *,
    hosts: Iterable[str] | None = None,
    max_bytes: int = MAX_BYTES,
    timeout: float = TOTAL_SECONDS,
) -> Fetched:
    """The content behind a link, in `timeout` seconds at most.

    `hosts` are the hosts allowed, as in `HTTP_REQUEST_HOSTS`; None allows every public host by https.
    Raises RejectedError for an address that is not allowed and for an answer that is not the content, TemporaryError
    where another try may help.
    """
    target = parse(url)
    answer = send("GET", url, hosts=hosts, max_bytes=max_bytes, timeout=timeout, is_write=False)
    host = target.netloc
    if 300 <= answer.status < 400:
        raise RejectedError(f"{host} leads on to another address, which is not followed. Give the final address.")
    if answer.status in (408, 425, 429) or answer.status >= 500:
        raise TemporaryError(f"{host} answered {answer.status}.", retry_after=retry_after(answer.headers))
    if answer.status != 200:
        raise RejectedError(f"{host} answered {answer.status} instead of giving the file.", status=answer.status)
    if answer.is_cut:
        raise RejectedError(f"What {host} holds there is larger than {max_bytes // 1024:,} KiB.")
    if answer.headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        raise RejectedError(f"{host} sent the file compressed, although it was asked not to.")
    content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Fetched(content=answer.body, content_type=content_type or "application/octet-stream", url=target.url)


def send(
    method: str,
    url: str,
    *,
    headers: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
    hosts: Iterable[str] | None,
    max_bytes: int = MAX_BYTES,
    timeout: float = TOTAL_SECONDS,
    is_write: bool,
) -> Answer:
    """One call, whatever it is answered; redirects are answers too.

    Raises RejectedError where the address or a header is not allowed, TemporaryError where nothing was sent, and where
    no answer came OutcomeUnknownError for a write, else TemporaryError.
    """
    started = time.monotonic()
    clock = _Clock(started + timeout)
    target = allowed(url, hosts=hosts)
    if not _TOKEN.fullmatch(method):
        raise RejectedError(f"{method!r} is no HTTP method. Nothing was sent.")
    lines = checked_headers(headers)
    connection = _connect(target, _checked_numbers(target, clock), clock)
    with connection:
        return _exchange(connection, target, method, lines, body, clock, max_bytes=max_bytes, is_write=is_write)


def allowed(url: str, *, hosts: Iterable[str] | None) -> Target:
    """The address taken apart, where its form and host are allowed. Raises RejectedError. Asks no name server."""
    target = parse(url)
    listed = None if hosts is None else any(rule.fits(target) for rule in rules(hosts))
    private = _private_rule(target) is not None
    if listed is False:
        raise RejectedError(
            f"{target.netloc} is not among the hosts that an administrator has allowed. Nothing was sent. "
            "Ask an administrator to add it to the setting HTTP_REQUEST_HOSTS."
        )
    if listed or private:
        return target
    if target.scheme != "https":
        raise RejectedError("The address has to begin with https://. Nothing was sent.")
    if target.is_number:
        raise RejectedError(f"{target.host} is a number, not the name of a host. Nothing was sent.")
    if target.port != 443:
        raise RejectedError(
            f"The address names port {target.port}; only 443, the usual one, is open. Nothing was sent."
        )
    return target


def _private_rule(target: Target) -> Rule | None:
    return next((rule for rule in rules(settings.OUTSIDE_PRIVATE_HOSTS) if rule.fits(target)), None)


def checked_headers(headers: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The headers, where each can be sent as it is. Raises RejectedError for one that would change the call itself."""
    lines = list(headers)
    for name, value in lines:
        if not _TOKEN.fullmatch(name):
            raise RejectedError(f"{name!r} cannot be the name of a header. Nothing was sent.")
        if name.lower() in _OURS or name.lower().startswith("proxy-"):
            raise RejectedError(f"The header {name} is set by Pinxero itself and cannot be given. Nothing was sent.")
        if not _VALUE.fullmatch(value):
            raise RejectedError(
                f"The header {name} has line breaks or letters beyond plain ones in its value. Nothing was sent."
            )
    return lines


# --- names and numbers ----------------------------------------------------------------------------------------------


def _checked_numbers(target: Target, clock: _Clock) -> list[IPAddress]:
    """Every address of the host, all of them allowed. Raises RejectedError where one is not."""
    numbers = _resolve(target, clock)
    private = _private_rule(target) is not None
    for number in numbers:
        if not is_public(number) and not (private and is_private(number, loopback=not settings.IS_PRODUCTION)):
            # The number stays untold: it would draw a map of the network from outside.
            raise RejectedError(
                f"{target.host} leads into a private network, which is closed. Nothing was sent. "
                "An administrator can open it with the setting OUTSIDE_PRIVATE_HOSTS."
            )
    return numbers


def _resolve(target: Target, clock: _Clock) -> list[IPAddress]:
    found: list[IPAddress] = []
    problems: list[OSError] = []

    def ask() -> None:
        try:
            for entry in socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM):
                number = ip_address(str(entry[4][0]))
                if number not in found:
                    found.append(number)
        except (OSError, UnicodeError, ValueError) as error:
            problems.append(OSError(str(error)))

    # The system's resolver takes no time limit, and whoever owns a name decides how slowly it is answered.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(clock.left(CONNECT_SECONDS))
    if asking.is_alive() or problems or not found:
        raise TemporaryError(f"The host {target.host} could not be found. Nothing was sent.")
    return list(found)


def _connect(target: Target, numbers: list[IPAddress], clock: _Clock) -> socket.socket:
    for number in numbers[:_MOST_TRIES]:
        try:
            plain = socket.create_connection((str(number), target.port), timeout=clock.left(CONNECT_SECONDS))
        except OSError:
            continue
        return _encrypted(plain, target, clock) if target.scheme == "https" else plain
    raise TemporaryError(f"{target.netloc} could not be reached. Nothing was sent.")


def _encrypted(plain: socket.socket, target: Target, clock: _Clock) -> socket.socket:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    try:
        plain.settimeout(clock.left(CONNECT_SECONDS))
        return context.wrap_socket(plain, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise TemporaryError(
            f"{target.netloc} could not prove who it is (certificate: {error.verify_message}). Nothing was sent."
        ) from None
    except OSError:
        plain.close()
        raise TemporaryError(f"{target.netloc} did not agree on an encrypted connection. Nothing was sent.") from None


# --- the wire -------------------------------------------------------------------------------------------------------


class _Clock:
    """The time left of a call."""

    def __init__(self, until: float) -> None:
        self.until = until

    def left(self, most: float) -> float:
        """Seconds until the end, `most` at most. Raises TimeoutError when it is over."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, most)


class _Wire(io.RawIOBase):
    """A socket whose every wait is cut to the time that is left; what http.client reads from and writes to."""

    def __init__(self, connection: socket.socket, clock: _Clock) -> None:
        self._connection = connection
        self._clock = clock
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._connection.settimeout(self._clock.left(READ_SECONDS))
        size = self._connection.recv_into(buffer)
        self.has_ended = size == 0
        return size

    def sendall(self, data: bytes) -> None:
        """All of it, as long as there is time."""
        rest = memoryview(data)
        while rest:
            self._connection.settimeout(self._clock.left(READ_SECONDS))
            rest = rest[self._connection.send(rest) :]

    def makefile(self, *_: object, **__: object) -> io.BufferedReader:
        """What http.client asks a socket for."""
        return io.BufferedReader(self, _PIECE)

    def close(self) -> None:
        """http.client closes before it has read; whoever opened the socket closes it."""


def _exchange(
    connection: socket.socket,
    target: Target,
    method: str,
    headers: list[tuple[str, str]],
    body: bytes,
    clock: _Clock,
    *,
    max_bytes: int,
    is_write: bool,
) -> Answer:
    started = time.monotonic()
    client = HTTPConnection(target.host, target.port)
    client.sock = wire = _Wire(connection, clock)
    try:
        client.putrequest(method, target.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (("Host", target.netloc), ("Accept-Encoding", "identity"), ("Connection", "close")):
            client.putheader(name, value)
        for name, value in headers:
            client.putheader(name, value)
        if body or method not in ("GET", "HEAD", "OPTIONS"):
            client.putheader("Content-Length", str(len(body)))
        client.endheaders(body or None)
        answer = client.getresponse()
        if wire.has_ended:
            raise HTTPException("The answer ended within its headers, which http.client takes for their end.")
        content, is_cut = _read(answer, max_bytes)
    except TimeoutError:
        raise _no_answer(f"{target.netloc} did not answer in time", is_write=is_write) from None
    except (OSError, HTTPException):
        raise _no_answer(f"{target.netloc} gave no complete answer", is_write=is_write) from None
    finally:
        client.close()
    return Answer(
        status=answer.status,
        headers={name.lower(): value for name, value in answer.getheaders()},
        body=content,
        is_cut=is_cut,
        took=round((time.monotonic() - started) * 1000),
    )


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
