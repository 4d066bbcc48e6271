"""What people do with connections: add, reconnect, refresh, disconnect. Views and the engine call these.

None checks permissions: the callers do. Other apps say what uses a connection by adding a function to `USERS`, because
this app does not know workflows.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.core.clock import DatabaseNow, seconds
from integrations.core.encryption import UndecryptableError
from integrations.core.errors import IntegrationError, Reach
from integrations.framework import registry
from integrations.framework.base import Connector
from integrations.models import Connection, Grant, Team
from integrations.transport import token_refresh
from integrations.transport.call_budget import Purpose
from integrations.transport.token_set import TokenSet, after

if TYPE_CHECKING:
    from django.contrib.auth.models import AbstractBaseUser, AnonymousUser

    from integrations.framework.base import Account

logger = logging.getLogger(__name__)

#: A consent from which nothing was picked is withdrawn after this time.
ABANDONED_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Usage:
    """Something that uses a connection: its name, its page, and whether it would stop now."""

    name: str
    url: str
    is_active: bool


@dataclass(frozen=True)
class Note:
    """A sentence on a connection's page about how it is doing."""

    text: str
    is_warning: bool = False


#: Functions that return what uses the connection. Filled by the apps that know, when they are ready.
USERS: list[Callable[[Connection], Iterable[Usage]]] = []

#: Functions that return notes for a connection's page. Filled like `USERS`.
NOTES: list[Callable[[Connection], Iterable[Note]]] = []

#: Functions that return the page where a team starts to use its connections, or "" if it has. Filled like `USERS`.
FIRST_USES: list[Callable[[Team], str]] = []


def usages(connection: Connection) -> list[Usage]:
    """Everything that uses this connection, active first."""
    found = [usage for users in USERS for usage in users(connection)]
    return sorted(found, key=lambda usage: (not usage.is_active, usage.name.lower()))


def notes(connection: Connection) -> list[Note]:
    """Notes about a connection, warnings first."""
    found = [note for tell in NOTES for note in tell(connection)]
    return sorted(found, key=lambda note: not note.is_warning)


def first_use_url(team: Team) -> str:
    """The page where the team starts to use what it has connected; empty if it already does."""
    return next((page for begin in FIRST_USES if (page := begin(team))), "")


# --- after a consent ------------------------------------------------------------------------------------------------


def add_grant(
    *,
    team: Team,
    provider: str,
    external_user_id: str,
    label: str,
    tokens: TokenSet,
    asked_scopes: Sequence[str],
    accounts: Iterable[Account],
    by: AbstractBaseUser | AnonymousUser,
) -> Grant:
    """Store the tokens of a consent; a second consent of the same person renews the first one's grant.

    The grant's own connections that had to be reconnected, and that the consent covers, work again from now on. A
    renewal that is still running with the old tokens loses its lease, so that it cannot overwrite the new ones.
    """
    now = timezone.now()
    values = {
        "label": label,
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "expires_at": after(now, tokens.expires_in),
        "refresh_expires_at": after(now, tokens.refresh_expires_in),
        "scopes": list(asked_scopes) if tokens.scopes is None else tokens.scopes,
        "status": Grant.Status.ACTIVE,
        "last_error": "",
        "refreshed_at": now,
        "lease_until": None,
        "lease_holder": "",
        "connected_by": by,
    }
    with transaction.atomic(durable=True):
        grant, _ = Grant.objects.update_or_create(
            team=team, provider=provider, external_user_id=external_user_id, defaults=values
        )
        renewed = []
        for account in accounts:
            mine = grant.connections.filter(external_id=account.external_id, status=Connection.Status.NEEDS_RECONNECT)
            renewed += list(mine)
            mine.update(**_connected(grant, account))
        for connection in renewed:
            record(Audited.CONNECTION_RENEWED, team_id=team.pk, about=connection, by=by)
    logger.info("Grant %s of team %s was given by user %s.", grant.pk, team.pk, by.pk)
    return grant


class Added(StrEnum):
    """What picking an organisation did."""

    NEW = "new"
    RECONNECTED = "reconnected"
    MOVED = "moved"
    SAME = "same"


def choose_accounts(
    grant: Grant, accounts: Iterable[Account], *, by: AbstractBaseUser | AnonymousUser | None
) -> list[tuple[Connection, Added]]:
    """Connect the organisations that a person picked from those that the consent covers.

    An organisation that the team had before keeps its Connection, and so its workflows and waiting runs; if it belonged
    to another consent, it moves to this one.
    """
    added = []
    old_grants: set[int] = set()
    with transaction.atomic(durable=True):
        for account in accounts:
            connection = (
                Connection.objects.select_for_update()
                .filter(team_id=grant.team_id, provider=grant.provider, external_id=account.external_id)
                .first()
            )
            how = effect_of(connection, grant)
            if connection is None:
                connection = Connection(team_id=grant.team_id, provider=grant.provider, external_id=account.external_id)
            elif how is Added.MOVED:
                old_grants.add(connection.grant_id)
            for name, value in _connected(grant, account).items():
                setattr(connection, name, value)
            connection.name = account.name
            connection.details = {**connection.details, **_lasting(account.details)}
            connection.save()
            added.append((connection, how))
        for connection, how in added:
            if how is not Added.SAME:
                action = Audited.CONNECTION_ADDED if how is Added.NEW else Audited.CONNECTION_RENEWED
                record(action, team_id=grant.team_id, about=connection, by=by)
    for grant_id in old_grants:
        # Nothing is revoked at the provider: that might end the new access to the same organisation too.
        release_if_unused(grant_id, tell_provider=False)
    return added


def effect_of(connection: Connection | None, grant: Grant) -> Added:
    """What picking this organisation with this grant does."""
    if connection is None:
        return Added.NEW
    if connection.grant_id != grant.pk:
        return Added.MOVED
    return Added.SAME if connection.is_usable else Added.RECONNECTED


def _connected(grant: Grant, account: Account) -> dict[str, Any]:
    return {
        "grant_id": grant.pk,
        "provider_connection_id": account.provider_connection_id,
        "status": Connection.Status.CONNECTED,
        "last_error": "",
    }


def _lasting(details: Mapping[str, Any]) -> dict[str, Any]:
    """The facts of the organisation, without what is true only of this consent."""
    return {key: value for key, value in details.items() if key != "is_new"}


def refresh_details(connection: Connection) -> None:
    """Read the organisation's facts again (currency, time zone, lock dates). Raises the five errors."""
    connector = registry.connector(connection.provider)
    details = connector.details(connector.client_class(connection, purpose=Purpose.PERSON))
    merged = {**connection.details, **details}
    values: dict[str, Any] = {"details": merged, "details_at": timezone.now()}
    name = details.get("name")
    if isinstance(name, str) and name:
        values["name"] = name[:200]
    Connection.objects.filter(pk=connection.pk).update(**values)
    for field, value in values.items():
        setattr(connection, field, value)


# --- when it ends ---------------------------------------------------------------------------------------------------


def mark_needs_reconnect(connection: Connection, message: str, *, reach: Reach = Reach.CONNECTION) -> None:
    """Record that a person must consent again: for this connection alone, or for its whole grant if that is refused."""
    with transaction.atomic():
        if reach is Reach.GRANT:
            Grant.objects.filter(pk=connection.grant_id, status=Grant.Status.ACTIVE).update(
                status=Grant.Status.NEEDS_RECONNECT, last_error=message
            )
        dead = Grant.objects.filter(pk=connection.grant_id).exclude(status=Grant.Status.ACTIVE).values("pk")
        Connection.objects.filter(
            Q(pk=connection.pk) | Q(grant_id__in=dead), status=Connection.Status.CONNECTED
        ).update(status=Connection.Status.NEEDS_RECONNECT, last_error=message)


def can_be_told(provider: str) -> bool:
    """Whether a connection can be ended at the provider."""
    connector = registry.connector(provider)
    return type(connector).disconnect is not Connector.disconnect or bool(connector.oauth().revoke_url)


def disconnect(connection: Connection, *, by: AbstractBaseUser | AnonymousUser) -> str:
    """End a connection; with a grant's last one the consent is withdrawn and its tokens are destroyed.

    It is unusable first; only then is it ended at the provider. Returns a sentence about what is left to do at the
    provider if that failed, else nothing.
    """
    with transaction.atomic():
        Connection.objects.filter(pk=connection.pk).update(status=Connection.Status.DISCONNECTED, last_error="")
        record(Audited.CONNECTION_REMOVED, team_id=connection.team_id, about=connection, by=by)
    logger.info("Connection %s was disconnected by user %s.", connection.pk, by.pk)
    name = registry.connector(connection.provider).name
    left_to_do = ""
    try:
        _tell_provider(connection)
    except IntegrationError as error:
        logger.warning("%s could not be told that connection %s is over: %s", name, connection.pk, error.message)
        left_to_do = (
            f"{name} could not be told, so Pinxero may still be listed there: remove it in your settings at {name}."
        )
    if not can_be_told(connection.provider):
        left_to_do = f"{name} cannot be told: remove Pinxero in your settings at {name} as well."
    release_if_unused(connection.grant_id)
    connection.status, connection.last_error = Connection.Status.DISCONNECTED, ""
    return left_to_do


def _tell_provider(connection: Connection) -> None:
    grant = Grant.objects.defer("access_token", "refresh_token").get(pk=connection.grant_id)
    same = Connection.objects.filter(provider=connection.provider, external_id=connection.external_id)
    if (
        same.filter(grant__external_user_id=grant.external_user_id)
        .exclude(status=Connection.Status.DISCONNECTED)
        .exists()
    ):
        return  # another team uses it with the same person's consent: it must go on for them
    if grant.status == Grant.Status.ACTIVE:
        registry.connector(connection.provider).disconnect(token_refresh.access_token(grant.pk), connection)


def release_if_unused(grant_id: int, *, tell_provider: bool = True) -> bool:
    """Withdraw a consent that no connection needs any more: revoked at the provider, tokens destroyed. False if one
    still does.
    """
    if Connection.objects.filter(grant_id=grant_id).exclude(status=Connection.Status.DISCONNECTED).exists():
        return False
    try:
        grant = Grant.objects.get(pk=grant_id)
        # A revocation ends everything that this person allowed our app, so it is not done if another team has a grant.
        if tell_provider and not _is_given_elsewhere(grant):
            token_refresh.revoke(grant)
    except (IntegrationError, UndecryptableError) as error:
        logger.warning("Grant %s could not be revoked at the provider: %s", grant_id, error)
    Grant.objects.filter(pk=grant_id).update(
        access_token="",
        refresh_token="",
        expires_at=None,
        refresh_expires_at=None,
        status=Grant.Status.REVOKED,
        last_error="",
        lease_until=None,
        lease_holder="",
    )
    return True


def _is_given_elsewhere(grant: Grant) -> bool:
    same = Grant.objects.filter(provider=grant.provider, external_user_id=grant.external_user_id)
    return same.exclude(pk=grant.pk).exclude(status=Grant.Status.REVOKED).exists()


def forget_abandoned_grants() -> int:
    """Withdraw the consents from which nobody picked anything within a day; returns how many. Called once a day."""
    live = Connection.objects.exclude(status=Connection.Status.DISCONNECTED).values("grant_id")
    abandoned = Grant.objects.exclude(status=Grant.Status.REVOKED).exclude(pk__in=live)
    old = abandoned.filter(refreshed_at__lt=DatabaseNow() - seconds(ABANDONED_SECONDS))
    return sum(release_if_unused(grant_id) for grant_id in list(old.values_list("pk", flat=True)))


def last_used(connection: Connection) -> datetime | None:
    """When the provider was last called with it, from the call budget, which counts every call."""
    budget = getattr(connection, "budget", None)
    called = datetime.fromtimestamp(float(budget.recent[-1]), UTC) if budget and budget.recent else None
    return max((moment for moment in (called, connection.last_used_at) if moment), default=None)
