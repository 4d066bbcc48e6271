"""Notices received: checked, stored, and passed on as doorbells. No provider is called from here.

A request costs a few reads and one short transaction, so that a provider has its answer well within its patience. Where
the database is SQLite, with one writer at a time, the requests of a process take turns in the order in which they came:
many that wait for its lock by themselves keep each other from it. What came of a request is said by the status alone:

- 200: stored, or known already, or nothing that anybody here listens to.
- 400: the signature is good and the body is not what the provider describes.
- 401: not signed with a key that counts now.
- 503: it could not be stored. The provider sends it again, so nothing is lost by saying so quickly.

A notice is a doorbell and never a message: other apps add what is to be done about it to `BELLS`, in the transaction
that stores it. A lost one costs time and nothing else, for every trigger is polled as well.
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

from integrations import registry
from integrations.base import Connector
from integrations.clock import DatabaseNow, seconds
from integrations.models import Connection, HookDelivery, HookKey, HookNotice
from integrations.notices import Delivery, Notice, UnreadableError, Webhook

logger = logging.getLogger(__name__)

#: The most that is read of a request; a provider's notices are a few hundred bytes each.
LONGEST_BODY = 256 * 1024
#: Providers give up after 5 s, and each of few threads may have half a dozen of their requests before it: a database
#: that is busy for so long is given up, and the provider comes again.
_PATIENCE_MS = 700
#: Longer than a provider keeps notices to send them again (31 days), so that a late one is known.
KEPT_SECONDS = 35 * 86_400
#: Notices overtake each other; a number that is missing for so long is lost.
_GRACE_SECONDS = 30
_CHUNK = 500

_turn = threading.Lock()

#: Each is told which notices are new, in the transaction that stores them. Filled by other apps when they are ready.
BELLS: list[Callable[[str, Sequence[Notice]], None]] = []


def receive(connector: Connector, webhook: Webhook, *, body: bytes, signature: str) -> int:
    """Take one delivery; the status to answer with, as the module says."""
    key = webhook.signed_by(body, signature)
    if key is None:
        return 401
    try:
        delivery = webhook.read(body)
    except UnreadableError as error:
        logger.warning("A signed notice from %s cannot be read: %s", connector.name, error)
        return 400
    try:
        _store(connector.key, key_id(key), delivery)
    except DatabaseError as error:
        logger.warning("A notice from %s could not be stored; it will come again: %s", connector.name, error)
        return 503
    return 200


def key_id(key: str) -> str:
    """A name for a key that does not tell it."""
    return hashlib.sha256(key.encode()).hexdigest()[:16]


@contextmanager
def impatient() -> Iterator[None]:
    """Wait for locks of the database for a moment only: better no now than yes too late."""
    if connection.vendor != "sqlite":
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL lock_timeout = {_PATIENCE_MS}")
            cursor.execute(f"SET LOCAL statement_timeout = {_PATIENCE_MS}")
            yield
        return
    ends = time.monotonic() + _PATIENCE_MS / 1000
    if not _turn.acquire(timeout=_PATIENCE_MS / 1000):
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
        _turn.release()


def _store(provider: str, key: str, delivery: Delivery) -> None:
    """Note the delivery's numbers and what is new in it, and ring. Whatever can be read is read before the write lock
    is taken; two requests that store the same at once ring twice, which does no harm."""
    is_heard = HookKey.objects.filter(provider=provider, key_id=key, heard_at__gt=DatabaseNow() - seconds(60)).exists()
    fresh = _fresh(provider, delivery.notices)
    if is_heard and not delivery.last and not fresh:
        return
    with impatient(), transaction.atomic():
        if not is_heard:
            _hear(provider, key)
        if delivery.last:
            number = HookDelivery(
                provider=provider, key_id=key, first=delivery.first, last=delivery.last, received_at=DatabaseNow()
            )
            HookDelivery.objects.bulk_create([number], ignore_conflicts=True)
        if fresh:
            rows = [_row(provider, notice) for notice in fresh]
            HookNotice.objects.bulk_create(rows, ignore_conflicts=True, batch_size=_CHUNK)
            for bell in BELLS:
                bell(provider, fresh)


def _row(provider: str, notice: Notice) -> HookNotice:
    return HookNotice(
        provider=provider,
        organisation=notice.organisation,
        category=notice.category,
        resource_id=notice.resource_id,
        change=notice.change,
        told_at=notice.told_at,
        received_at=DatabaseNow(),
    )


def _hear(provider: str, key: str) -> None:
    """Remember that this key was heard; not more than once a minute, so that a storm does not write it each time."""
    if not HookKey.objects.filter(provider=provider, key_id=key).update(heard_at=DatabaseNow()):
        heard = HookKey(provider=provider, key_id=key, heard_at=DatabaseNow())
        HookKey.objects.bulk_create([heard], ignore_conflicts=True)


def _fresh(provider: str, notices: Sequence[Notice]) -> list[Notice]:
    """Those that are not stored yet, of organisations that are connected here; facts of others are not kept."""
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
    known = {Notice(*row) for row in stored}
    return [each for each in told if each not in known]


# --- what people are told ---------------------------------------------------------------------------------------------


def is_set_up(provider: str) -> bool:
    """Whether the provider has given proof, with a key that counts now, that its notices arrive here."""
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


def last_notice(connection: Connection) -> datetime | None:
    """When the provider last told of a change in this organisation."""
    notices = HookNotice.objects.filter(provider=connection.provider, organisation=connection.external_id)
    last: datetime | None = notices.order_by("-received_at").values_list("received_at", flat=True).first()
    return last


@dataclass(frozen=True)
class Hearing:
    """How the notices about one connection stand, for its page. `triggers` are the names of those that they ring for.

    `last` is None where none came; then `is_set_up` tells whether any could have come.
    """

    webhook: Webhook
    address: str
    has_keys: bool
    is_set_up: bool
    triggers: list[str]
    last: datetime | None

    @property
    def is_reachable(self) -> bool:
        """Whether the address looks like one that a provider reaches: by its name, over https."""
        parts = urlsplit(self.address)
        return parts.scheme == "https" and parts.port in {None, 443}


def hearing(connection: Connection) -> Hearing | None:
    """How the connection's notices stand; None where its provider gives none."""
    connector = registry.connector(connection.provider)
    if connector.webhook is None:
        return None
    return Hearing(
        webhook=connector.webhook,
        address=f"{settings.BASE_URL}{reverse('hook', args=[connector.key])}",
        has_keys=has_keys(connector.key),
        is_set_up=is_set_up(connector.key),
        triggers=[each.name for each in registry.triggers() if each.doorbell and each.connector is connector],
        last=last_notice(connection),
    )


# --- chores -----------------------------------------------------------------------------------------------------------


def find_gaps() -> list[str]:
    """The providers of which notices are missing, each told once per gap. Called every minute.

    The numbers of deliveries follow each other for each key; what is complete is forgotten, so the table stays small.
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
        # Whoever comes second, in another worker, has seen the same gap and leaves it to the first.
        is_mine = HookKey.objects.filter(pk=key.pk, complete_to=key.complete_to).update(complete_to=complete)
        mine.filter(last__lte=complete).delete()
    if has_gap and is_mine:
        logger.warning("Notices from %s up to number %s are missing; everything is looked at.", key.provider, complete)
    return has_gap and bool(is_mine)


def _is_late() -> Case:
    late = Q(received_at__lt=DatabaseNow() - seconds(_GRACE_SECONDS))
    return Case(When(late, then=Value(True)), default=Value(False), output_field=BooleanField())


def forget_old() -> int:
    """Drop what is too old to come again; how many. Called once a day."""
    old = HookNotice.objects.filter(received_at__lt=DatabaseNow() - seconds(KEPT_SECONDS))
    done = 0
    while numbers := list(old.values_list("pk", flat=True)[:_CHUNK]):
        done += HookNotice.objects.filter(pk__in=numbers).delete()[0]
    return done
