"""Safe calls to addresses that people give: a link to a file, the host of an HTTP request.

Providers are called by `http.py`, whose hosts are fixed and whose calls carry tokens. Here the address is somebody's
input. So the name is resolved once, every address it has is checked, and the connection is made to a checked one, with
the name kept for the certificate and the Host header; a name that resolves differently in between has no effect. No
redirects, no proxy from the environment, nothing compressed, no more bytes and no more time than the caller allows.

A connection is kept for the next call that only reads from the same host, if the host's name, resolved again, still
gives the same IP address. A write always gets a new one: on a kept one that the host is just closing it would be lost
without anybody knowing whether it arrived.

An administrator may allow hosts in the private network by name (`OUTSIDE_PRIVATE_HOSTS`), this machine only in
development. It uses http.client, not requests, because requests resolves names itself and cannot limit the total time
of a call.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_address

from django.conf import settings

from integrations.core.errors import RejectedError, TemporaryError
from integrations.core.retry_after import retry_after
from integrations.transport import certificates
from integrations.transport.exchange import Clock, FetchResponse, OutgoingCall, WasEndedError, exchange
from integrations.transport.kept_sockets import Connected, kept
from integrations.transport.url_rules import IPAddress, Rule, Target, is_private, is_public, parse, rules

CONNECT_SECONDS = 5.0
#: The whole call, from resolving the name to the last byte.
TOTAL_SECONDS = 30.0
MAX_BYTES = 10 * 1024 * 1024
#: At most this many of a name's addresses are tried.
_MOST_TRIES = 3

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
) -> FetchResponse:
    """One call, whatever the answer; redirects are answers too.

    Raises RejectedError if the address or a header is not allowed, TemporaryError where nothing was sent. Where no
    answer came it raises OutcomeUnknownError for a write, else TemporaryError.
    """
    started = time.monotonic()
    clock = Clock(started + timeout)
    target = allowed(url, hosts=hosts)
    if not _TOKEN.fullmatch(method):
        raise RejectedError(f"{method!r} is no HTTP method. Nothing was sent.")
    call = OutgoingCall(target, method, checked_headers(headers), body, clock, max_bytes=max_bytes, is_write=is_write)
    numbers = _checked_numbers(target, clock)
    connected = None if is_write else kept.take(call.purpose, numbers)
    if connected is not None:
        try:
            return exchange(connected, call)
        except WasEndedError:
            pass
    return exchange(_connect(target, numbers, clock), call)


def allowed(url: str, *, hosts: Iterable[str] | None) -> Target:
    """The address parsed, if its form and host are allowed. Raises RejectedError. Does not resolve the name."""
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
    """The headers, if each can be sent as it is. Raises RejectedError for one that would change the call itself."""
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


# --- names and IP addresses -------------------------------------------------------------------------------------------


def _checked_numbers(target: Target, clock: Clock) -> list[IPAddress]:
    """Every address of the host, all of them allowed. Raises RejectedError if one is not."""
    numbers = _resolve(target, clock)
    private = _private_rule(target) is not None
    for number in numbers:
        if not is_public(number) and not (private and is_private(number, loopback=not settings.IS_PRODUCTION)):
            # The IP address is not shown: it would let outsiders map the network.
            raise RejectedError(
                f"{target.host} leads into a private network, which is closed. Nothing was sent. "
                "An administrator can open it with the setting OUTSIDE_PRIVATE_HOSTS."
            )
    return numbers


def _resolve(target: Target, clock: Clock) -> list[IPAddress]:
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


def _connect(target: Target, numbers: list[IPAddress], clock: Clock) -> Connected:
    for number in numbers[:_MOST_TRIES]:
        try:
            plain = socket.create_connection((str(number), target.port), timeout=clock.left(CONNECT_SECONDS))
        except OSError:
            continue
        connection = _encrypted(plain, target, clock) if target.scheme == "https" else plain
        return Connected(connection, number, opened=time.monotonic())
    raise TemporaryError(f"{target.netloc} could not be reached. Nothing was sent.")


def _encrypted(plain: socket.socket, target: Target, clock: Clock) -> socket.socket:
    try:
        plain.settimeout(clock.left(CONNECT_SECONDS))
        return certificates.for_outside().wrap_socket(plain, server_hostname=target.host)
    except ssl.SSLCertVerificationError as error:
        plain.close()
        raise TemporaryError(
            f"{target.netloc} could not prove who it is (certificate: {error.verify_message}). Nothing was sent."
        ) from None
    except OSError:
        plain.close()
        raise TemporaryError(f"{target.netloc} did not agree on an encrypted connection. Nothing was sent.") from None
