"""The only code that opens a socket to a provider, except for the token endpoint (`token_refresh.py`).

A Request holds exactly the bytes that will be sent: the preview, the run log and the call are the same. An ApiClient
respects the call budget, adds the token, refreshes once on a 401, never follows a redirect, never sleeps, never retries
by itself, and turns every outcome into a Response or one of the five errors.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import unquote, urlencode, urlsplit

import requests
from requests.exceptions import InvalidHeader, InvalidSchema, InvalidURL, MissingSchema
from requests_oauthlib import OAuth2Session
from urllib3.exceptions import InvalidHeader as InvalidHeaderOfAnswer
from urllib3.exceptions import NewConnectionError, SSLError

from integrations.core.clock import scaled
from integrations.core.errors import (
    Hold,
    IntegrationError,
    OutcomeUnknownError,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.core.messages import Request, Response
from integrations.core.retry_after import told_time
from integrations.transport import call_budget, token_refresh
from integrations.transport.call_budget import Limits, Purpose
from integrations.transport.sessions import Adapter, AnswerTooLargeError, StaysHere, read_body

if TYPE_CHECKING:
    from integrations.models import Connection

CONNECT_SECONDS = 5
READ_SECONDS = 30
#: How long an unused connection is kept, in seconds: less than any provider's gateway keeps it.
KEPT_SECONDS = 4.0
#: However busy it is, because the trusted certificates change.
MOST_KEPT_SECONDS = 600.0
#: Larger than any answer we ask for; one above this is refused instead of filling the memory.
MAX_BODY_BYTES = 10 * 1024 * 1024
#: 4xx that say nothing about the call itself: Request Timeout and Too Early.
_NO_VERDICT = frozenset({408, 425})
_NOT_SENDABLE = (InvalidHeader, InvalidSchema, InvalidURL, MissingSchema)


class ApiClient:
    """Calls to one connection. A subclass per connector knows addresses, headers, limits and error shapes."""

    provider_name: ClassVar[str]

    def __init__(
        self,
        connection: Connection | None,
        *,
        purpose: Purpose = Purpose.RUN,
        before_call: Callable[[], None] | None = None,
        longest: float = READ_SECONDS,
    ) -> None:
        """`before_call` is called before each call; if it raises, the call is not made. `longest` is how many seconds
        an answer may take, less than usual where a person waits for it.

        `connection` is None if the connector needs none.
        """
        self._connection = connection
        self.purpose = purpose
        self.before_call = before_call
        self.longest = longest
        self._outage: call_budget.Outage | None = None

    @property
    def connection(self) -> Connection:
        """What the calls are for. A connector without connections never uses it."""
        assert self._connection is not None, f"{self.provider_name} works without a connection."
        return self._connection

    @property
    def has_connection(self) -> bool:
        """Whether the calls are made with a connection."""
        return self._connection is not None

    @property
    def organisation(self) -> Mapping[str, Any]:
        """What is known of the connection's organisation; empty without a connection."""
        return self._connection.details if self._connection is not None else {}

    def clock_skew(self) -> int:
        """By how many seconds the provider's clock is ahead of ours, as last seen in its answers; 0 if unknown."""
        return call_budget.skew_of(self._connection.pk) if self._connection is not None else 0

    # --- what a connector's client defines ----------------------------------------------------------------------------

    def base(self, path: str) -> str:
        """The address that paths are appended to."""
        raise NotImplementedError

    def headers(self) -> dict[str, str]:
        """Sent with every call."""
        return {"Accept": "application/json"}

    def limits(self) -> Limits:
        """The provider's limits for this connection."""
        raise NotImplementedError

    def refusal(self, response: Response) -> IntegrationError:
        """The error for a 4xx other than 429, and for a 401 that a fresh token did not cure."""
        raise NotImplementedError

    def retry_error(self, response: Response) -> IntegrationError:
        """The error for a 429: nearly always a TemporaryError, which then blocks the connection for that long."""
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
        """GET. Raises RejectedError, ReconnectError or TemporaryError (also for 5xx, time-outs and answers that are not
        JSON).
        """
        request = Request("GET", path, tuple((query or {}).items()), headers=tuple((headers or {}).items()))
        response = self._call(request, {}, is_write=False)
        try:
            response.json()
        except ValueError:
            raise _with(
                TemporaryError(f"{self.provider_name} answered with something that is not JSON."), response
            ) from None
        return response

    def write(self, request: Request, *, idempotency_key: str = "", had_401: bool = False) -> Response:
        """Send a write. Raises RejectedError, TemporaryError and ReconnectError where it certainly did not happen,
        OutcomeUnknownError where it may have.

        `had_401` means that the access token was renewed because the last attempt at this write was refused. Only
        callers without an idempotency key need it; another 401 is then a ReconnectError.
        """
        extra = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        return self._call(request, extra, is_write=True, had_401=had_401)

    # --- the wire ---------------------------------------------------------------------------------------------------

    def _call(self, request: Request, extra: Mapping[str, str], *, is_write: bool, had_401: bool = False) -> Response:
        if self.before_call is not None:
            self.before_call()
        token = self._token()
        response = self._send_in_place(request, extra, token, is_write=is_write)
        is_without_key = is_write and not extra
        if response.status == 401 and self.is_stale_token(response) and not (is_without_key and had_401):
            # The same bytes may be sent once more: a read does no harm, and a key prevents a second write.
            token = self._renewed(token, response)
            if is_without_key:
                # A gateway may answer this after the write was made; without a key only a look-up can tell.
                raise _with(
                    TemporaryError(f"{self.provider_name} did not take the access token; it was renewed."), response
                )
            response = self._send_in_place(request, extra, token, is_write=is_write)
        return self._judge(response, is_write=is_write)

    def _token(self, *, unless: str | None = None) -> str:
        """The access token. If it cannot be renewed now, that counts as an unanswered call."""
        try:
            return token_refresh.access_token(self.connection.grant_id, unless=unless)
        except TemporaryError as error:
            self._outage = call_budget.note_trouble(self.connection.pk, error.message)
            raise self._or_down(error) from error

    def _renewed(self, token: str, response: Response) -> str:
        """A new access token, other than the one that was refused."""
        try:
            return self._token(unless=token)
        except IntegrationError as error:
            raise _with(error, response) from error

    def _or_down(self, failure: IntegrationError) -> IntegrationError:
        """A temporary failure or, after too many in a row, the error that waits for the provider to be back."""
        if self._outage is None or not isinstance(failure, TemporaryError) or failure.hold is not Hold.RETRY:
            return failure
        told = call_budget.down_error(self._outage, self.provider_name)
        told.__cause__ = failure
        return told

    def _send_in_place(self, request: Request, extra: Mapping[str, str], token: str, *, is_write: bool) -> Response:
        url = self.url(request)
        headers = {**self.headers(), **dict(request.headers), **extra}
        response, failure = None, None
        with call_budget.slot(self.connection.pk, self.limits(), self.purpose, name=self.provider_name) as slot:
            try:
                response = _send(request.method, url, token, headers=headers, body=request.body, longest=self.longest)
            except requests.RequestException as error:
                failure = _wire_error(self.provider_name, error, is_write=is_write)
                failure.__cause__ = error
                if not isinstance(error, (*_NOT_SENDABLE, AnswerTooLargeError)):
                    slot.trouble = failure.message
            else:
                slot.is_answered = response.status < 500
                slot.trouble = "" if slot.is_answered else f"it answered {response.status}"
                slot.read_clock(told_time(response.headers))
        self._outage = slot.outage
        if failure is not None:
            raise self._or_down(failure)
        assert response is not None
        call_budget.learn(self.connection.pk, day_remaining=self.day_remaining(response))
        call_budget.note_use(self.connection)
        return response

    def _judge(self, response: Response, *, is_write: bool) -> Response:
        status = response.status
        if 200 <= status < 300:
            return response
        if status == 429:
            paused = self.retry_error(response)
            if isinstance(paused, TemporaryError) and paused.retry_after:
                call_budget.block(self.connection.pk, for_seconds=paused.retry_after, reason=paused.message)
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
            # requests would resolve dots, encoded or not, and might leave the base; the other characters would end the
            # path.
            is_ours = is_ours and not {".", ".."} & set(re.split(r"[/\\]", unquote(request.path)))
            is_ours = is_ours and not re.search(r"[?#\\\x00-\x20\x7f]", request.path)
        except ValueError:
            is_ours = False
        if not is_ours:
            raise RejectedError(f"A call to {self.provider_name} would have gone to another address; nothing was sent.")
        return f"{url}?{urlencode(request.query)}" if request.query else url


def ask(provider_name: str, method: str, url: str, token: str, *, headers: Mapping[str, str] | None = None) -> Response:
    """One call with a token but without a connection, to list what a consent covers or to end it.

    Returns every answer below 500 except 429, redirects included; the caller judges them. Raises TemporaryError.
    """
    try:
        response = _send(method, url, token, headers={"Accept": "application/json", **(headers or {})}, body=b"")
    except requests.RequestException as error:
        raise _wire_error(provider_name, error, is_write=False) from error
    if response.status >= 500 or response.status == 429:
        raise _with(TemporaryError(f"{provider_name} answered {response.status}."), response)
    return response


class _Session(StaysHere, OAuth2Session):
    """A session that adds the token and treats a redirect as an answer."""


class _Kept(threading.local):
    """This thread's connections to providers, kept from one call to the next: the TLS handshake takes longer than the
    call. Tokens and cookies belong to a session, and each call has its own.

    A connection unused for a while is closed: a write on one that the other side is just closing would have an unknown
    outcome.
    """

    adapter: Adapter | None = None
    owner = 0
    used_at = 0.0
    made_at = 0.0

    def __call__(self) -> Adapter:
        now = time.monotonic()
        # A fork shares its parent's sockets and would read its answers.
        is_ours = self.owner == os.getpid()
        is_over = now - self.used_at > KEPT_SECONDS or now - self.made_at > MOST_KEPT_SECONDS
        if self.adapter is not None and is_ours and is_over:
            self.adapter.close()
            self.adapter = None
        if self.adapter is None or not is_ours:
            self.adapter, self.owner = Adapter(pool_connections=4, pool_maxsize=1), os.getpid()
            self.made_at = now
        self.used_at = now
        return self.adapter


_kept = _Kept()


def _send(
    method: str, url: str, token: str, *, headers: Mapping[str, str], body: bytes, longest: float = READ_SECONDS
) -> Response:
    started = time.monotonic()
    read_seconds = max(1.0, scaled(longest))
    session = _Session(token={"access_token": token, "token_type": "Bearer"})
    session.trust_env = False
    for scheme in ("https://", "http://"):
        session.mount(scheme, _kept())
    # Not closed after the call: that would close the kept connections too.
    answer = session.request(
        method,
        url,
        data=body or None,
        headers=dict(headers),
        timeout=(max(1.0, scaled(CONNECT_SECONDS)), read_seconds),
        allow_redirects=False,
        stream=True,
    )
    try:
        content = read_body(answer, most=MAX_BODY_BYTES, until=started + read_seconds)
    finally:
        # Kept if it was read to its end, else closed.
        answer.close()
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
