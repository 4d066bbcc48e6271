"""Tokens: fetched from the provider's token endpoint, and renewed under one lease per grant.

Providers that rotate refresh tokens refuse the second of two workers that renew at once, and that loses the consent. So
only the holder of the lease on the grant's row renews; everybody else waits for the result or uses a token that still
works. No transaction is open while the provider is asked: a worker that dies leaves only a lease, which expires.

An answer that is lost (time-out, reset, 5xx, HTML) changes nothing here: the old refresh token stays and is sent again,
which Xero allows for 30 minutes (https://developer.xero.com/documentation/guides/oauth2/auth-flow/). The lease then
stays too, expired: it shows `finish_refreshes` that a renewal began and has no outcome yet.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Protocol

import requests
from django.db import transaction
from django.db.models import Q
from requests.auth import HTTPBasicAuth
from urllib3.exceptions import NewConnectionError

from integrations.core.clock import DatabaseNow, scaled
from integrations.core.encryption import UndecryptableError, open_secrets
from integrations.core.errors import IntegrationError, ReconnectError, RejectedError, TemporaryError
from integrations.core.exact_json import loads
from integrations.models import Connection, Grant
from integrations.transport.sessions import Adapter, StaysHere, read_body
from integrations.transport.token_set import OAuthEndpoints, TokenSet, after, is_fresh, is_idle, is_usable, read_tokens

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5
READ_SECONDS = 20
#: Longer than any renewal takes, so that a lease expires only when its holder is gone.
LEASE_SECONDS = 40
#: How long a caller waits for another worker's renewal.
WAIT_SECONDS = 6
MAX_BODY_BYTES = 256 * 1024


class Renewable(Protocol):
    """What a renewal needs to know of a provider: its name, its token endpoint, and which refusals end a consent."""

    name: ClassVar[str]

    def oauth(self) -> OAuthEndpoints:
        """The token endpoint and this installation's app there."""

    def token_rejected(self, status: int, body: Mapping[str, Any]) -> bool:
        """Whether a refused renewal means that a person must consent again."""


#: Finds a provider by its key. This module may not import the registry of connectors, so `apps.ready` registers it
#: here.
_find_provider: list[Callable[[str], Renewable]] = []


def find_providers_by(find: Callable[[str], Renewable]) -> None:
    """Register what gives a provider by its key."""
    _find_provider[:] = [find]


class _Session(StaysHere, requests.Session):
    """For one call: a refresh token that changes at each use is never sent on a kept connection, which may just be
    closing.
    """

    def __init__(self) -> None:
        super().__init__()
        self.mount("https://", Adapter())
        self.trust_env = False  # the machine's proxy and .netrc are not used here


class RefusedError(RejectedError):
    """The token endpoint refused. `error` is its own short code, as `invalid_grant`; `body` is its answer."""

    def __init__(self, message: str, *, status: int, error: str, body: Mapping[str, Any]) -> None:
        super().__init__(message, status=status)
        self.error = error
        self.body = body


# --- what the client and the engine call ----------------------------------------------------------------------------


def access_token(grant_id: int, *, unless: str | None = None) -> str:
    """A token that is good for a call now; never the token `unless`, which a provider has just refused.

    Raises ReconnectError if a person has to consent again, and TemporaryError where another worker is renewing it or
    the answer was unclear. Must not be called inside a transaction: a rotated token may never be rolled back.
    """
    _refuse_inside_a_transaction()
    give_up_at = time.monotonic() + max(1.0, scaled(WAIT_SECONDS))
    while True:
        grant, now = _read(grant_id)
        if is_fresh(grant, now, unless):
            return grant.access_token
        holder = _take_lease(grant_id)
        if holder:
            token = _renew_as(holder, grant_id, unless)
            if token:
                return token
            continue
        if is_usable(grant, now, unless):
            return grant.access_token
        if time.monotonic() > give_up_at:
            raise TemporaryError(
                f"The access to {_connector(grant).name} is being renewed; no call was made.", retry_after=2
            )
        time.sleep(max(0.02, scaled(0.1)))


def refresh_idle_grants() -> int:
    """Renew the grants that would expire unused; returns how many. Call it once a day."""
    live = Connection.objects.exclude(status=Connection.Status.DISCONNECTED).values("grant_id")
    grants = Grant.objects.filter(status=Grant.Status.ACTIVE, pk__in=live)
    ids = []
    for grant in grants.annotate(now=DatabaseNow()).defer("access_token", "refresh_token"):
        if is_idle(grant, grant.now):
            ids.append(grant.pk)
    return sum(_renew_quietly(grant_id) for grant_id in ids)


def finish_refreshes() -> int:
    """Repeat the renewals whose answer was lost or whose worker died; returns how many succeed.

    Call it every minute: the provider accepts the old refresh token only for a while.
    """
    unfinished = Grant.objects.filter(status=Grant.Status.ACTIVE, lease_until__lt=DatabaseNow()).exclude(
        lease_holder=""
    )
    return sum(_renew_quietly(grant_id) for grant_id in unfinished.values_list("pk", flat=True))


def exchange_code(provider: str, code: str, redirect_uri: str) -> TokenSet:
    """The first tokens, for the code that a consent brought back. Raises RefusedError and TemporaryError."""
    connector = _connector_called(provider)
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": redirect_uri}
    return _ask(connector, form)


def revoke(grant: Grant) -> bool:
    """Revoke the whole consent at the provider. False if it does not offer that; raises TemporaryError."""
    connector = _connector(grant)
    endpoints = connector.oauth()
    if not endpoints.revoke_url or not grant.refresh_token:
        return False
    status, _ = _post(connector, endpoints, endpoints.revoke_url, {"token": grant.refresh_token})
    if status >= 300:
        raise TemporaryError(f"{connector.name} answered {status} when it was told that the consent is over.")
    return True


# --- one renewal ----------------------------------------------------------------------------------------------------


def _refuse_inside_a_transaction() -> None:
    try:
        with transaction.atomic(durable=True):
            pass
    except RuntimeError as error:
        raise RuntimeError(
            "access_token() was called inside a transaction. A token that was renewed and then rolled back is lost at "
            "the provider; call it before the transaction begins."
        ) from error


def _read(grant_id: int) -> tuple[Grant, datetime]:
    """The grant and the database's time. Raises ReconnectError if it is not active."""
    try:
        grant = Grant.objects.annotate(now=DatabaseNow()).get(pk=grant_id)
        open_secrets(grant)
    except Grant.DoesNotExist:
        raise ReconnectError("This consent was withdrawn. Connect again.") from None
    except UndecryptableError as error:
        # The rows are in order, only the encryption keys are missing: once they are back, everything works again.
        raise TemporaryError(
            "The stored access cannot be opened with the keys in TOKEN_KEYS. An administrator has to put the missing "
            "key back.",
            retry_after=300,
        ) from error
    if grant.status != Grant.Status.ACTIVE:
        raise ReconnectError(
            grant.last_error or f"{_connector(grant).name} has to be reconnected: this consent is over."
        )
    return grant, grant.now


def _take_lease(grant_id: int) -> str:
    """Take the lease to renew: returns the holder's name, empty if another worker has it."""
    holder = secrets.token_hex(16)
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=DatabaseNow())
    row = Grant.objects.filter(free, pk=grant_id, status=Grant.Status.ACTIVE)
    taken = row.update(lease_holder=holder, lease_until=DatabaseNow() + timedelta(seconds=_lease_seconds()))
    return holder if taken else ""


def _lease_seconds() -> float:
    connect, read = _timeouts()
    return max(scaled(LEASE_SECONDS), connect + read + 2)


def _renew_as(holder: str, grant_id: int, unless: str | None) -> str:
    """Renew and return the new token; empty if the lease was lost meanwhile and the row must be read again."""
    grant, now = _read(grant_id)
    if grant.lease_holder != holder:
        return ""
    if is_fresh(grant, now, unless):  # another worker renewed it between our reading and our lease
        _give_up_lease(grant_id, holder)
        return grant.access_token
    connector = _connector(grant)
    if not grant.refresh_token:
        _flag(grant_id, holder, f"{connector.name} gave no lasting access. Reconnect.")
        return ""
    try:
        tokens = _ask(connector, {"grant_type": "refresh_token", "refresh_token": grant.refresh_token})
    except RefusedError as error:
        if connector.token_rejected(error.status or 0, error.body):
            _flag(grant_id, holder, f"{connector.name} does not accept the stored consent any more. Reconnect.")
            return ""
        _give_up_lease(grant_id, holder, message=error.message)
        failure = TemporaryError(error.message, retry_after=60)
    except NothingSentError as error:
        _give_up_lease(grant_id, holder, message=error.message)
        failure = error
    except TemporaryError as error:
        _leave_unfinished(grant_id, holder, message=error.message)
        failure = error
    else:
        return tokens.access_token if _store(grant_id, holder, tokens, now) else ""
    if is_usable(grant, now, unless):
        logger.warning("The access of grant %s could not be renewed yet: %s", grant_id, failure.message)
        return grant.access_token
    raise failure


def _store(grant_id: int, holder: str, tokens: TokenSet, asked_at: datetime) -> bool:
    """Store the new pair, in its own transaction and only while the lease is ours. Lifetimes count from before the
    request.
    """
    values: dict[str, Any] = {
        "access_token": tokens.access_token,
        "expires_at": after(asked_at, tokens.expires_in),
        "refreshed_at": asked_at,
        "last_error": "",
        "lease_holder": "",
        "lease_until": None,
    }
    if tokens.refresh_token:
        values["refresh_token"] = tokens.refresh_token
        values["refresh_expires_at"] = after(asked_at, tokens.refresh_expires_in)
    if tokens.scopes is not None:
        values["scopes"] = tokens.scopes
    with transaction.atomic(durable=True):
        stored = Grant.objects.filter(pk=grant_id, lease_holder=holder).update(**values)
    logger.info("Renewed the access of grant %s.", grant_id)
    return bool(stored)


def _flag(grant_id: int, holder: str, message: str) -> None:
    """Mark the grant and all its connections as needing a new consent, unless somebody reconnected meanwhile."""
    with transaction.atomic(durable=True):
        flagged = Grant.objects.filter(pk=grant_id, lease_holder=holder).update(
            status=Grant.Status.NEEDS_RECONNECT, last_error=message, lease_holder="", lease_until=None
        )
        if flagged:
            Connection.objects.filter(grant_id=grant_id, status=Connection.Status.CONNECTED).update(
                status=Connection.Status.NEEDS_RECONNECT, last_error=message
            )


def _give_up_lease(grant_id: int, holder: str, *, message: str | None = None) -> None:
    values: dict[str, Any] = {"lease_holder": "", "lease_until": None}
    if message is not None:
        values["last_error"] = message
    Grant.objects.filter(pk=grant_id, lease_holder=holder).update(**values)


def _leave_unfinished(grant_id: int, holder: str, *, message: str) -> None:
    Grant.objects.filter(pk=grant_id, lease_holder=holder).update(lease_until=DatabaseNow(), last_error=message)


def _renew_quietly(grant_id: int) -> bool:
    """Renew now whatever the token's age. False, with a line in the log, if it failed."""
    try:
        grant, _ = _read(grant_id)
        access_token(grant_id, unless=grant.access_token)
    except IntegrationError as error:
        logger.warning("Grant %s could not be renewed: %s", grant_id, error.message)
        return False
    return True


# --- the wire -------------------------------------------------------------------------------------------------------


class NothingSentError(TemporaryError):
    """The token endpoint could not be reached at all: certainly nothing has changed there."""


def _connector(grant: Grant) -> Renewable:
    return _connector_called(grant.provider)


def _connector_called(provider: str) -> Renewable:
    return _find_provider[0](provider)


def _timeouts() -> tuple[float, float]:
    return max(1.0, scaled(CONNECT_SECONDS)), max(1.0, scaled(READ_SECONDS))


def _ask(connector: Renewable, form: Mapping[str, str]) -> TokenSet:
    endpoints = connector.oauth()
    status, body = _post(connector, endpoints, endpoints.token_url, {**form, **endpoints.extra_token_fields})
    if status == 200 and isinstance(body, dict) and _is_token(body.get("access_token")):
        return read_tokens(body)
    if 400 <= status < 500 and status != 429 and isinstance(body, dict):
        raise _refusal(connector, status, body)
    raise TemporaryError(f"{connector.name} gave no usable answer ({status}) when asked for access.", retry_after=15)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and value.strip() != ""


def _refusal(connector: Renewable, status: int, body: dict[str, Any]) -> RefusedError:
    error = str(body.get("error") or body.get("code") or "")
    said = str(body.get("error_description") or body.get("message") or error or status)[:300]
    message = f"{connector.name} refused to give access: {said}"
    return RefusedError(message, status=status, error=error, body=body)


def _post(
    connector: Renewable, endpoints: OAuthEndpoints, url: str, form: Mapping[str, str]
) -> tuple[int, dict[str, Any] | None]:
    """Status and JSON object of the answer; None instead of the object if it is anything else."""
    try:
        with _Session() as session:
            answer = session.post(
                url,
                data=dict(form),
                auth=HTTPBasicAuth(endpoints.client_id, endpoints.client_secret),
                headers={"Accept": "application/json"},
                timeout=_timeouts(),
                allow_redirects=False,
                stream=True,
            )
            # A token is short, and the lease must outlive the request.
            body = read_body(answer, most=MAX_BODY_BYTES, until=time.monotonic() + _timeouts()[1])
    except requests.ConnectTimeout as error:
        raise NothingSentError(f"{connector.name} could not be reached.", retry_after=15) from error
    except requests.RequestException as error:
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(reason, NewConnectionError):
            raise NothingSentError(f"{connector.name} could not be reached.", retry_after=15) from error
        raise TemporaryError(f"{connector.name} gave no answer when asked for access.", retry_after=5) from error
    try:
        parsed = loads(body)
    except ValueError:
        parsed = None
    return answer.status_code, parsed if isinstance(parsed, dict) else None
