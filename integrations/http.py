"""The only code that opens a socket to a provider, beside the token endpoint's in `oauth.py`.

A Request is what will be sent, to the byte, before it is sent: preview, run log and wire show the same. An ApiClient
keeps the call budget, adds the token, refreshes once on a 401, never follows a redirect, never sleeps, never retries
on its own, and turns every outcome into a Response or one of the five errors.
"""

from __future__ import annotations

import base64
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode, urlsplit

import requests
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from requests_oauthlib import OAuth2Session
from urllib3.exceptions import InvalidHeader as InvalidHeaderOfAnswer
from urllib3.exceptions import NewConnectionError, SSLError

from integrations import limits, oauth
from integrations.clock import scaled
from integrations.errors import (
    Hold,
    IntegrationError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.jsonfield import dumps, loads_answer, storable_text
from integrations.limits import Limits, Purpose
from integrations.oauth import AnswerTooLargeError

if TYPE_CHECKING:
    from integrations.models import Connection

CONNECT_SECONDS = 5
READ_SECONDS = 30
#: More than any answer we ask for; a larger one is refused instead of filling the memory.
MAX_BODY_BYTES = 10 * 1024 * 1024
#: 4xx that say nothing about the call itself: Request Timeout and Too Early.
_NO_VERDICT = frozenset({408, 425})
_NOT_SENDABLE = (InvalidHeader, InvalidSchema, InvalidURL, MissingSchema)


@dataclass(frozen=True)
class Request:
    """A call, complete but for the token: `path` is below the connector's base address.

    `expected` are the statuses that count as a yes where these are not the 2xx, as a connector without a provider
    writes them; no part of what decides the effect.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    expected: str = ""

    @classmethod
    def of_json(cls, method: str, path: str, payload: Any, *, query: Mapping[str, str] | None = None) -> Request:
        """A call with a JSON body in which Decimals are numbers."""
        return cls(
            method=method,
            path=path,
            query=tuple((query or {}).items()),
            body=dumps(payload).encode(),
            headers=(("Content-Type", "application/json"),),
        )

    @property
    def sha256(self) -> str:
        """Of what decides the effect: method, path, query and body."""
        text = f"{self.method} {self.path}?{urlencode(self.query)}\n".encode()
        return hashlib.sha256(text + self.body).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """For storage; `from_dict` gives the same bytes back. What is no text, as a file, is kept as base64."""
        text = self.text
        return {
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "headers": [list(pair) for pair in self.headers],
            **({"body": text} if text is not None else {"body_base64": base64.b64encode(self.body).decode()}),
            **({"expected": self.expected} if self.expected else {}),
        }

    @property
    def text(self) -> str | None:
        """The body as text; None for a file of bytes. A NUL makes it one: no database keeps that in a text."""
        try:
            return None if b"\0" in self.body else self.body.decode()
        except UnicodeDecodeError:
            return None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Request:
        """The stored call again."""
        return cls(
            method=stored["method"],
            path=stored["path"],
            query=tuple((name, value) for name, value in stored["query"]),
            body=base64.b64decode(stored["body_base64"]) if "body_base64" in stored else stored["body"].encode(),
            headers=tuple((name, value) for name, value in stored["headers"]),
            expected=stored.get("expected", ""),
        )


@dataclass(frozen=True)
class Response:
    """A provider's answer. Header names are lower case; `took` is in milliseconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    took: int = 0

    def json(self) -> Any:
        """The body parsed with exact numbers. Raises ValueError where it is not JSON."""
        return loads_answer(self.body)

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return storable_text(self.body.decode("utf-8", errors="replace"))


class ApiClient:
    """Calls to one connection. A subclass per connector knows addresses, headers, limits and error shapes."""

    provider_name: ClassVar[str]

    def __init__(
        self,
        connection: Connection | None,
        *,
        purpose: Purpose = Purpose.RUN,
        before_call: Callable[[], None] | None = None,
    ) -> None:
        """`before_call` is called before each call; what it raises keeps the call from being made.

        There is no connection where the connector needs none.
        """
        self._connection = connection
        self.purpose = purpose
        self.before_call = before_call
        self._outage: limits.Outage | None = None

    @property
    def connection(self) -> Connection:
        """What the calls are for. A connector that needs no connection never asks."""
        assert self._connection is not None, f"{self.provider_name} works without a connection."
        return self._connection

    @property
    def organisation(self) -> Mapping[str, Any]:
        """What is known of the connection's organisation; nothing without a connection."""
        return self._connection.details if self._connection is not None else {}

    # --- what a connector's client says -----------------------------------------------------------------------------

    def base(self, path: str) -> str:
        """The address that a path is below."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Sent with every call."""
        return {"Accept": "application/json"}

    def limits(self) -> Limits:
        """The provider's limits for this connection."""
        raise NotImplementedError

    def refusal(self, response: Response) -> IntegrationError:
        """What a 4xx other than 429 means, and a 401 that a fresh token did not cure."""
        raise NotImplementedError

    def pause(self, response: Response) -> IntegrationError:
        """What a 429 means: nearly always a TemporaryError, which then blocks the connection for that long."""
        return TemporaryError(f"{self.provider_name} asked for a pause (429).", retry_after=60, hold=Hold.BUDGET)

    def is_stale_token(self, response: Response) -> bool:
        """Whether a 401 may be cured by a fresh token."""
        return response.status == 401

    def day_remaining(self, response: Response) -> int | None:
        """How many calls are left today by the provider's own count."""
        return None

    # --- what everybody calls ---------------------------------------------------------------------------------------

    def read(
        self, path: str, query: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """GET. Raises RejectedError, ReconnectError, or TemporaryError (5xx, time-outs, answers without JSON too)."""
        request = Request("GET", path, tuple((query or {}).items()), headers=tuple((headers or {}).items()))
        response = self._call(request, {}, is_write=False)
        try:
            response.json()
        except ValueError:
            raise _with(
                TemporaryError(f"{self.provider_name} answered with something that is not JSON."), response
            ) from None
        return response

    def write(self, request: Request, *, idempotency_key: str = "") -> Response:
        """Send a write. Raises RejectedError, TemporaryError and ReconnectError where it certainly did not happen,
        OutcomeUnknownError where it may have."""
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call(request, extra, is_write=True)

    # --- the wire ---------------------------------------------------------------------------------------------------

    def _call(self, request: Request, extra: Mapping[str, str], *, is_write: bool) -> Response:
        if self.before_call is not None:
            self.before_call()
        token = self._token()
        response = self._send_in_place(request, extra, token, is_write=is_write)
        if response.status == 401 and self.is_stale_token(response):
            # A 401 is certainly not executed, so the same bytes may go out again, once.
            token = self._token(unless=token)
            response = self._send_in_place(request, extra, token, is_write=is_write)
        return self._judge(response, is_write=is_write)

    def _token(self, *, unless: str | None = None) -> str:
        """The access token. Where it cannot be renewed just now, that counts like a call that was not answered."""
        try:
            return oauth.access_token(self.connection.grant_id, unless=unless)
        except TemporaryError as error:
            self._outage = limits.note_trouble(self.connection.pk, error.message)
            raise self._or_down(error) from error

    def _or_down(self, failure: IntegrationError) -> IntegrationError:
        """A passing failure, or, where it was one too many, the wait for the provider to be back."""
        if self._outage is None or not isinstance(failure, TemporaryError) or failure.hold is not Hold.RETRY:
            return failure
        told = limits.down(self._outage, self.provider_name)
        told.__cause__ = failure
        return told

    def _send_in_place(self, request: Request, extra: Mapping[str, str], token: str, *, is_write: bool) -> Response:
        url = self.url(request)
        headers = {**self.headers(), **dict(request.headers), **extra}
        response, failure = None, None
        with limits.place(self.connection.pk, self.limits(), self.purpose, name=self.provider_name) as place:
            try:
                response = _send(request.method, url, token, headers=headers, body=request.body)
            except requests.RequestException as error:
                failure = _wire_error(self.provider_name, error, is_write=is_write)
                failure.__cause__ = error
                if not isinstance(error, (*_NOT_SENDABLE, AnswerTooLargeError)):
                    place.trouble = failure.message
            else:
                place.is_answered = response.status < 500
                place.trouble = "" if place.is_answered else f"it answered {response.status}"
        self._outage = place.outage
        if failure is not None:
            raise self._or_down(failure)
        assert response is not None
        limits.learn(self.connection.pk, day_remaining=self.day_remaining(response))
        limits.note_use(self.connection)
        return response

    def _judge(self, response: Response, *, is_write: bool) -> Response:
        status = response.status
        if 200 <= status < 300:
            return response
        if status == 429:
            paused = self.pause(response)
            if isinstance(paused, TemporaryError) and paused.retry_after:
                limits.block(self.connection.pk, for_seconds=paused.retry_after, reason=paused.message)
            raise _with(paused, response)
        if status >= 500 or status < 400 or status in _NO_VERDICT:
            if is_write:
                raise _with(
                    OutcomeUnknownError(f"{self.provider_name} answered {status}; whether it wrote is not known."),
                    response,
                )
            raise _with(self._or_down(TemporaryError(f"{self.provider_name} answered {status}.")), response)
        raise _with(self.refusal(response), response)

    def url(self, request: Request) -> str:
        """The full address of a call. Raises RejectedError for one that would leave the connector's base."""
        base = self.base(request.path)
        url = f"{base}{request.path}"
        try:
            is_ours = urlsplit(url).netloc == urlsplit(base).netloc and url.startswith(base)
            # What sends it would resolve these, and might leave the base.
            is_ours = is_ours and not {".", ".."} & set(request.path.split("/"))
        except ValueError:
            is_ours = False
        if not is_ours:
            raise RejectedError(f"A call to {self.provider_name} would have gone to another address; nothing was sent.")
        return f"{url}?{urlencode(request.query)}" if request.query else url


def ask(provider_name: str, method: str, url: str, token: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """One call with a token but without a connection: what a consent reaches, or the end of it.

    Gives every answer below 500 but 429, redirects included, for the caller to judge. Raises TemporaryError.
    """
    try:
        response = _send(method, url, token, headers={"Accept": "application/json", **(headers or {})}, body=b"")
    except requests.RequestException as error:
        raise _wire_error(provider_name, error, is_write=False) from error
    if response.status >= 500 or response.status == 429:
        raise _with(TemporaryError(f"{provider_name} answered {response.status}."), response)
    return response


class _Session(oauth.StaysHere, OAuth2Session):
    """A session that adds the token and takes a redirect for an answer."""


def _send(method: str, url: str, token: str, *, headers: Mapping[str, str], body: bytes) -> Response:
    started = time.monotonic()
    read_seconds = max(1.0, scaled(READ_SECONDS))
    with _Session(token={"access_token": token, "token_type": "Bearer"}) as session:
        session.trust_env = False
        answer = session.request(
            method,
            url,
            data=body or None,
            headers=dict(headers),
            timeout=(max(1.0, scaled(CONNECT_SECONDS)), read_seconds),
            allow_redirects=False,
            stream=True,
        )
        content = oauth.read_body(answer, most=MAX_BODY_BYTES, until=started + read_seconds)
    return Response(
        status=answer.status_code,
        headers={name.lower(): value for name, value in answer.headers.items()},
        body=content,
        took=round((time.monotonic() - started) * 1000),
    )


def _wire_error(provider: str, error: requests.RequestException, *, is_write: bool) -> IntegrationError:
    reason = _reason(error)
    never_left = isinstance(error, (requests.ConnectTimeout, *_NOT_SENDABLE)) or isinstance(reason, NewConnectionError)
    # requests calls the provider's headers invalid by the same name as ours.
    if never_left and not isinstance(reason, InvalidHeaderOfAnswer):
        return TemporaryError(f"{provider} could not be reached; nothing was sent.")
    if isinstance(reason, SSLError) and "CERTIFICATE_VERIFY_FAILED" in str(reason):
        return TemporaryError(f"{provider} could not prove who it is (its certificate); nothing was sent.")
    what = "gave an answer that is too large" if isinstance(error, AnswerTooLargeError) else "gave no answer"
    if is_write:
        return OutcomeUnknownError(f"{provider} {what}; whether it wrote is not known.")
    return TemporaryError(f"{provider} {what}.")


def _reason(error: requests.RequestException) -> object:
    inner = error.args[0] if error.args else None
    return getattr(inner, "reason", inner)


def _with(error: IntegrationError, response: Response) -> IntegrationError:
    error.response = response
    return error


__all__ = ["ApiClient", "OutcomeUnknownError", "ReconnectError", "Request", "Response", "ask"]
