"""Webhooks received: checked, stored, and passed on to wake triggers. No provider is called from here.

A request costs a few reads and one short transaction, so that the provider gets its answer well within its time limit.
SQLite allows one writer at a time, so there the requests of a process queue in the order in which they came: if each
waited for the database's lock on its own, many would starve. The status code says what happened:

- 200: stored, or known already, or nothing that concerns this installation.
- 400: the signature is right, but the body is not what the provider documents.
- 401: not signed with a key that is valid now.
- 503: it could not be stored. The provider sends it again, so a quick refusal loses nothing.

A webhook event is only a signal: it says where to poll, not what changed. Other apps add functions to `LISTENERS`;
they are called in the transaction that stores the events. A lost event costs time and nothing else, because every
trigger is polled as well.
"""

from __future__ import annotations

import hashlib
import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from django.db.models import BooleanField, Case, Q, Value, When
from django.urls import reverse

from integrations.core.clock import DatabaseNow, seconds
from integrations.framework import registry
from integrations.framework.base import Connector
from integrations.framework.webhook import Delivery, UnreadableError, Webhook, WebhookEvent
from integrations.models import Connection, HookDelivery, HookKey, HookNotice

logger = logging.getLogger(__name__)

#: The most that is read of a request; a webhook event is a few hundred bytes.
LONGEST_BODY = 256 * 1024
#: Providers give up after 5 s, and each of our few threads may have half a dozen of their requests queued. So we wait
#: this long for a busy database, then refuse; the provider sends the request again.
_PATIENCE_MS = 700
#: Longer than a provider keeps events for sending them again (31 days), so that a late repeat is recognised.
KEPT_SECONDS = 35 * 86_400
#: Deliveries overtake each other; a number that is missing for this long counts as lost.
_GRACE_SECONDS = 30
_CHUNK = 500

_writing = threading.Lock()

#: Functions called with the provider and its new events, in the transaction that stores them. Other apps add theirs in
#: `ready()`.
LISTENERS: list[Callable[[str, Sequence[WebhookEvent]], None]] = []


def receive(connector: Connector, webhook: Webhook, *, body: bytes, signature: str) -> int:
    """Process one delivery; returns the status code to answer with (see the module's docstring)."""
    key = webhook.signed_by(body, signature)
    if key is None:
        return 401
    try:
        delivery = webhook.read(body)
    except UnreadableError as error:
        logger.warning("A signed webhook from %s cannot be read: %s", connector.name, error)
        return 400
    try:
        _store(connector.key, key_id(key), delivery)
    except DatabaseError as error:
        logger.warning("A webhook from %s could not be stored; it will be sent again: %s", connector.name, error)
        return 503
    return 200


def key_id(key: str) -> str:
    """A name for a key that does not reveal it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@contextmanager
def impatient() -> Iterator[None]:
    """Wait only briefly for database locks: a quick refusal is better than a late success."""
    if connection.vendor != "sqlite":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
            cursor.execute(f"SET LOCAL statement_timeout = {_PATIENCE_MS}")
            yield
        return
    ends = time.monotonic() + _PATIENCE_MS / 1000
    if not _writing.acquire(timeout=_PATIENCE_MS / 1000):
        raise OperationalError("database is locked: other requests of this process are writing")
    try:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA busy_timeout")
            (usual,) = cursor.fetchone()
            cursor.execute(f"PRAGMA busy_timeout = {max(1, int((ends - time.monotonic()) * 1000))}")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
    finally:
        _writing.release()


def _store(provider: str, key: str, delivery: Delivery) -> None:
    """Store the delivery's numbers and its new events, and call the listeners. All reads happen before the write
    lock is taken. Two requests that store the same events at once call the listeners twice, which does no harm."""
    is_heard = HookKey.objects.filter(provider=provider, key_id=key, heard_at__gt=DatabaseNow() - seconds(60)).exists()
    fresh = _fresh(provider, delivery.events)
    if is_heard and not delivery.last and not fresh:
        return
    with impatient(), transaction.atomic():
        if not is_heard:
            _note_key_heard(provider, key)
        if delivery.last:
            number = HookDelivery(
                provider=provider, key_id=key, first=delivery.first, last=delivery.last, received_at=DatabaseNow()
            )
            HookDelivery.objects.bulk_create([number], ignore_conflicts=True)
        if fresh:
            rows = [_row(provider, notice) for notice in fresh]
            HookNotice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_CHUNK)
            for listener in LISTENERS:
                listener(provider, fresh)


def _row(provider: str, notice: WebhookEvent) -> HookNotice:
    return HookNotice(
        provider=provider,
        organisation=notice.organisation,
        category=notice.category,
        resource_id=notice.resource_id,
        change=notice.change,
        told_at=notice.told_at,
        received_at=DatabaseNow(),
    )


def _note_key_heard(provider: str, key: str) -> None:
    """Remember that this key was used; at most once a minute, so that a burst does not write it every time."""
    if not HookKey.objects.filter(provider=provider, key_id=key).update(heard_at=DatabaseNow()):
        heard = HookKey(provider=provider, key_id=key, heard_at=DatabaseNow())
        HookKey.objects.bulk_create([heard], ignore_conflicts=True)


def _fresh(provider: str, notices: Sequence[WebhookEvent]) -> list[WebhookEvent]:
    """The events that are not stored yet, of organisations connected here; nothing is kept about others."""
    if not notices:
        return []
    organisations = {each.organisation for each in notices}
    ours = set(
        Connection.objects.filter(provider=provider, external_id__in=organisations)
        .exclude(status=Connection.Status.DISCONNECTED)
        .values_list("external_id", flat=True)
    )
    told = [each for each in dict.fromkeys(notices) if each.organisation in ours]
    if not told:
        return []
    stored = HookNotice.objects.filter(
        provider=provider, organisation__in=ours, resource_id__in={each.resource_id for each in told}
    ).values_list("organisation", "category", "resource_id", "change", "told_at")
    known = {WebhookEvent(*row) for row in stored}
    return [each for each in told if each not in known]


# --- what pages show --------------------------------------------------------------------------------------------------


def is_set_up(provider: str) -> bool:
    """Whether the provider's webhooks have reached us, signed with a key that is valid now."""
    ids = [key_id(key) for key in _keys(provider)]
    return bool(ids) and HookKey.objects.filter(provider=provider, key_id__in=ids).exists()


def has_keys(provider: str) -> bool:
    """Whether a signing key is set."""
    return bool(_keys(provider))


def _keys(provider: str) -> Sequence[str]:
    try:
        webhook = registry.connector(provider).webhook
    except registry.UnknownOperationError:
        return []
    return webhook.keys() if webhook is not None else []


def last_event(connection: Connection) -> datetime | None:
    """When the provider last reported a change in this organisation."""
    notices = HookNotice.objects.filter(provider=connection.provider, organisation=connection.external_id)
    last: datetime | None = notices.order_by("-received_at").values_list("received_at", flat=True).first()
    return last


@dataclass(frozen=True)
class WebhookStatus:
    """The state of a connection's webhooks, for its page. `triggers` names the triggers that they make due.

    `last` is None if no event has come; then `is_set_up` says whether one could have come.
    """

    webhook: Webhook
    address: str
    has_keys: bool
    is_set_up: bool
    triggers: list[str]
    last: datetime | None

    @property
    def is_reachable(self) -> bool:
        """Whether a provider can probably reach the address: https on the standard port."""
        parts = urlsplit(self.address)
        return parts.scheme == "https" and parts.port in {None, 443}


def webhook_status(connection: Connection) -> WebhookStatus | None:
    """The state of the connection's webhooks; None if its provider has none."""
    connector = registry.connector(connection.provider)
    if connector.webhook is None:
        return None
    return WebhookStatus(
        webhook=connector.webhook,
        address=f"{settings.BASE_URL}{reverse('hook', args=[connector.key])}",
        has_keys=has_keys(connector.key),
        is_set_up=is_set_up(connector.key),
        triggers=[each.name for each in registry.triggers() if each.doorbell and each.connector is connector],
        last=last_event(connection),
    )


# --- chores -----------------------------------------------------------------------------------------------------------


def find_gaps() -> list[str]:
    """The providers from which deliveries are missing, each named once per gap. Called every minute.

    For each key the deliveries are numbered without gaps; complete ranges are deleted, so the table stays small.
    """
    found = {key.provider for key in HookKey.objects.all() if _has_gap(key)}
    return sorted(found)


def _has_gap(key: HookKey) -> bool:
    mine = HookDelivery.objects.filter(provider=key.provider, key_id=key.key_id)
    rows = mine.annotate(is_late=_is_late()).order_by("first", "last").values_list("first", "last", "is_late")
    complete, has_gap = key.complete_to, False
    for first, last, is_late in rows:
        if complete is None or first <= complete + 1:
            complete = last if complete is None else max(complete, last)
        elif is_late:
            has_gap, complete = True, last
        else:
            break
    if complete is None:
        return False
    with transaction.atomic():
        # Another worker that has found the same gap updates nothing here and leaves it to the first.
        is_mine = HookKey.objects.filter(pk=key.pk, complete_to=key.complete_to).update(complete_to=complete)
        mine.filter(last__lte=complete).delete()
    if has_gap and is_mine:
        logger.warning("Webhooks from %s up to number %s are missing; every trigger is polled.", key.provider, complete)
    return has_gap and bool(is_mine)


def _is_late() -> Case:
    late = Q(received_at__lt=DatabaseNow() - seconds(_GRACE_SECONDS))
    return Case(When(late, then=Value(True)), default=Value(False), output_field=BooleanField())


def forget_old() -> int:
    """Delete events too old to be sent again; returns how many. Called once a day."""
    old = HookNotice.objects.filter(received_at__lt=DatabaseNow() - seconds(KEPT_SECONDS))
    done = 0
    while numbers := list(old.values_list("pk", flat=True)[:_CHUNK]):
        done += HookNotice.objects.filter(pk__in=numbers).delete()[0]
    return done
