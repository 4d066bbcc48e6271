"""Xero's webhook: its address, the changes that it reports, and the events to be delivered.

An event is a row written with the change itself, so it never reports what did not happen. `courier` delivers them.
"""

import base64
import dataclasses
import hashlib
import hmac
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import simplejson
from django.db import transaction

from integrations.sandbox.data import counters
from integrations.sandbox.exchange import clock
from integrations.sandbox.models import Document, Setting, WebhookEvent

CATEGORIES = {"Contacts": "CONTACT", "Invoices": "INVOICE", "CreditNotes": "CREDITNOTE"}
OFF, FAILED, OK, DISABLED = "OFF", "INTENT_FAILED", "OK", "DISABLED"
Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Webhook:
    url: str = ""
    key: str = ""
    categories: tuple[str, ...] = tuple(CATEGORIES.values())
    at_once: int = 1  # how many deliveries are sent at the same time
    per_delivery: int = 1  # the most events in one delivery
    state: str = OFF
    intent: tuple[dict[str, Any], ...] = ()  # the results of the intent to receive


_current = Webhook()


def current() -> Webhook:
    return _current


def load() -> None:
    """Restore the webhook as it was when the sandbox stopped."""
    row = Setting.objects.filter(name="webhook").first()
    values = simplejson.loads(row.value) if row else {}
    for name in ("categories", "intent"):
        if name in values:
            values[name] = tuple(values[name])
    _put(Webhook(**values))


#: Called after a change was stored and after a reset: the courier, a layer above, registers itself here.
WHEN_CHANGED: list[Callable[[], None]] = []
WHEN_FORGOTTEN: list[Callable[[], None]] = []


def keep(webhook: Webhook) -> None:
    Setting.objects.update_or_create(name="webhook", defaults={"value": simplejson.dumps(dataclasses.asdict(webhook))})
    _put(webhook)


def forget() -> None:
    """A reset: no more events are sent."""
    _put(Webhook())
    for forgotten in WHEN_FORGOTTEN:
        forgotten()


def _put(webhook: Webhook) -> None:
    global _current
    _current = webhook


def note(row: Document, record: Body, *, is_new: bool) -> None:
    """Store an event for a record that was made or changed, if the webhook reports it."""
    if is_wanted(row.kind):
        note_many([(row, record)], event_type="CREATE" if is_new else "UPDATE")


def is_wanted(kind: str) -> bool:
    return _current.state != OFF and CATEGORIES.get(kind) in _current.categories


def note_many(changed: list[tuple[Document, Body]], *, event_type: str) -> None:
    """One event for each of them."""
    if not changed:
        return
    first = counters.take("webhook events", len(changed))
    events = [_event(first + index, row, record, event_type) for index, (row, record) in enumerate(changed)]
    WebhookEvent.objects.bulk_create(events, batch_size=500)
    for wake in WHEN_CHANGED:
        transaction.on_commit(wake)


def _event(seq: int, row: Document, record: Body, event_type: str) -> WebhookEvent:
    category = CATEGORIES[row.kind]
    data = {"Type": record["Type"], "Status": record["Status"]} if category == "CREDITNOTE" else None
    return WebhookEvent(
        seq=seq,
        tenant=row.tenant,
        category=category,
        resource=row.kind,
        resource_id=row.document_id,
        event_type=event_type,
        at=row.updated_at,
        data=simplejson.dumps(data) if data else "",
    )


def payload(events: list[WebhookEvent]) -> bytes:
    """The body of a delivery. Without events it is the intent to receive, whose sequence numbers are 0."""
    sequence = [event.seq for event in events]
    body = {
        "events": [_printed(event) for event in events],
        "firstEventSequence": min(sequence, default=0),
        "lastEventSequence": max(sequence, default=0),
        "entropy": secrets.token_hex(10).upper(),
    }
    return simplejson.dumps(body).encode()


def _printed(event: WebhookEvent) -> Body:
    printed = {
        "resourceUrl": f"https://api.xero.com/api.xro/2.0/{event.resource}/{event.resource_id}",
        "resourceId": event.resource_id,
        "tenantId": event.tenant,
        "tenantType": "ORGANISATION",
        "eventCategory": event.category,
        "eventType": event.event_type,
        "eventDateUtc": f"{clock.iso_seconds(event.at)}.{event.at % 1000:03d}",
    }
    return printed | ({"data": simplejson.loads(event.data)} if event.data else {})


def sign(body: bytes, key: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()
