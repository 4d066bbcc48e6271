"""What every session with a provider has in common, at its API and at its token endpoint."""

from __future__ import annotations

import time
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from integrations.transport import certificates


class StaysHere:
    """For a session of requests: a redirect is an answer like any other.

    Even with redirects off, requests would read its body, whatever its size, and fail on a malformed address.
    """

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """None: never follow a redirect."""
        return None


class Adapter(HTTPAdapter):
    """Shares one TLS context: requests would load all authorities again for each connection."""

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        """As usual, with our TLS context."""
        super().init_poolmanager(connections, maxsize, block=block, ssl_context=certificates.for_providers(), **options)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        """Load nothing: the TLS context has the authorities, and the pool requires a certificate."""


class AnswerTooLargeError(requests.RequestException):
    """The answer is larger than any that we ask for."""


def read_body(answer: requests.Response, *, most: int, until: float) -> bytes:
    """The decoded body of a streamed answer.

    `most` is in bytes after decoding; `until` is a moment of `time.monotonic()`, because the read time-out is per
    packet. Raises AnswerTooLargeError, ReadTimeout, and ConnectionError where the answer breaks off.
    """
    parts, size = [], 0
    while part := _next_part(answer):
        size += len(part)
        if size > most:
            raise AnswerTooLargeError
        if time.monotonic() > until:
            raise requests.ReadTimeout("The answer did not come to its end in time.")
        parts.append(part)
    return b"".join(parts)


def _next_part(answer: requests.Response) -> bytes:
    """The bytes received so far, at least one; none at the end. Never waits for more than one packet."""
    try:
        part: bytes = answer.raw.read1(65_536, decode_content=True)
    except (HTTPError, OSError) as error:
        raise requests.ConnectionError(error) from error
    return part
