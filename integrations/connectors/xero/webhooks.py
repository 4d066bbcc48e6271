"""Xero's webhooks: contacts, invoices (including bills) and credit notes, for every organisation at one address.

https://developer.xero.com/documentation/guides/webhooks/overview/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from django.conf import settings

from integrations.framework.webhook import Delivery, UnreadableError, Webhook, WebhookEvent

#: The categories that triggers listen to; SUBSCRIPTION and later additions are dropped.
CATEGORIES = frozenset({"CONTACT", "INVOICE", "CREDITNOTE"})
_LONGEST = {"tenantId": 200, "resourceId": 200, "eventType": 20, "eventDateUtc": 40}


class XeroWebhook(Webhook):
    """The signature is HMAC-SHA256 of the raw body, in Base64; the key is used as the text Xero shows, not decoded."""

    header = "X-Xero-Signature"
    place = "developer.xero.com, your app, Webhooks"
    wanted = "contacts, invoices and credit notes"
    proof = "Send intent to receive"
    setting = "XERO_WEBHOOK_KEYS"

    def keys(self) -> Sequence[str]:
        return [key for key in settings.XERO_WEBHOOK_KEYS if key]

    def sign(self, body: bytes, key: str) -> str:
        return base64.b64encode(hmac.new(key.encode(), body, hashlib.sha256).digest()).decode()

    def read(self, body: bytes) -> Delivery:
        try:
            told = json.loads(body)
        except (ValueError, RecursionError):
            raise UnreadableError("It is not JSON.") from None
        if not isinstance(told, dict):
            raise UnreadableError("It is not an object.")
        # The handshake has an empty list of events, or none at all.
        events = told.get("events") or []
        if not isinstance(events, list):
            raise UnreadableError("Its events are not a list.")
        read = tuple(event for each in events if (event := _event(each)) is not None)
        first, last = _number(told.get("firstEventSequence")), _number(told.get("lastEventSequence"))
        return Delivery(read, first, last) if 0 < first <= last else Delivery(read)


def _event(event: Any) -> WebhookEvent | None:
    """The webhook event; None if it is of another kind or not as Xero documents it."""
    if not isinstance(event, dict) or event.get("eventCategory") not in CATEGORIES:
        return None
    values = {name: event.get(name) for name in _LONGEST}
    if not all(isinstance(value, str) and _is_plain(value, _LONGEST[name]) for name, value in values.items()):
        return None
    tenant, resource, change, told_at = (str(values[name]) for name in _LONGEST)
    return WebhookEvent(tenant, str(event["eventCategory"]), resource, change, told_at)


def _is_plain(value: str, longest: int) -> bool:
    return 0 < len(value) <= longest and value.isascii() and value.isprintable()


def _number(value: Any) -> int:
    """A sequence number that fits the database column, else 0."""
    return value if type(value) is int and 0 < value < 2**63 else 0
