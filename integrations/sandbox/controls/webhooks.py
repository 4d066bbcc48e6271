"""`/_sandbox/webhook...`: set up the address, inspect it, send a burst, send again."""

import dataclasses
import ipaddress
from typing import Any
from urllib.parse import urlsplit

from django.http import HttpRequest

from integrations.sandbox.controls import make
from integrations.sandbox.exchange import exchange
from integrations.sandbox.exchange.unusable import Unusable, whole
from integrations.sandbox.models import WebhookEvent
from integrations.sandbox.webhooks import changes, courier

Body = dict[str, Any]
MAX_BURST = 50_000
_KNOWN = {"url", "key", "categories", "at_once", "per_delivery"}


def show(request: HttpRequest, body: Body) -> Body:
    webhook = changes.current()
    shown = {name: value for name, value in dataclasses.asdict(webhook).items() if name != "key"}
    events = WebhookEvent.objects
    return {
        **shown,
        "events": events.count(),
        "pending": events.filter(is_pending=True).count(),
        "failed_once": events.filter(attempts__gt=0).count(),
        **courier.tally(),
    }


def set_up(request: HttpRequest, body: Body) -> Body:
    """Set the address and do the intent to receive at once; calling it again enables a disabled webhook."""
    unknown = set(body) - _KNOWN
    if unknown:
        raise Unusable(f"A webhook takes {', '.join(sorted(_KNOWN))}, not {', '.join(sorted(unknown))}.")
    url, key = str(body.get("url") or ""), str(body.get("key") or "")
    if not key:
        raise Unusable("A webhook needs a key, the one that the receiver knows.")
    _check_address(url)
    known = tuple(changes.CATEGORIES.values())
    categories = body.get("categories", list(known))
    if not isinstance(categories, list) or not categories or not set(map(str, categories)) <= set(known):
        raise Unusable(f"categories is a list of {', '.join(known)}.")
    webhook = changes.Webhook(
        url=url,
        key=key,
        categories=tuple(categories),
        at_once=whole(body, "at_once", default=1, most=100),
        per_delivery=whole(body, "per_delivery", default=1, most=100),
    )
    webhook = courier.shake_hands(webhook)
    with exchange.writing():
        changes.keep(webhook)
    courier.wake()
    return show(request, {})


def _check_address(url: str) -> None:
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        is_here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = False
    if parts.scheme not in {"http", "https"} or not is_here:
        raise Unusable("url is an address on this machine, for example http://127.0.0.1:8000/webhooks/xero/.")


def turn_off(request: HttpRequest, body: Body) -> Body:
    with exchange.writing():
        changes.keep(changes.Webhook())
        WebhookEvent.objects.all().delete()
    courier.forget()
    return show(request, {})


def burst(request: HttpRequest, body: Body) -> Body:
    """Make `n` records at once (`what`: contact, invoice, credit_note), each with a webhook event."""
    what = str(body.get("what") or "contact")
    if changes.current().state == changes.OFF:
        raise Unusable("Set the webhook up first.")
    made = make.many(request, what, whole(body, "n", default=100, most=MAX_BURST), str(body.get("tenant") or ""))
    return {"made": made, "what": what, "pending": WebhookEvent.objects.filter(is_pending=True).count()}


def replay(request: HttpRequest, body: Body) -> Body:
    """Send the events numbered `from` to `to` again."""
    first, last = whole(body, "from", default=1, most=10**12), whole(body, "to", default=10**12, most=10**12)
    with exchange.writing():
        found = WebhookEvent.objects.filter(seq__gte=first, seq__lte=last)
        count = found.update(is_pending=True, attempts=0, next_at=0)
    courier.wake()
    return {"again": count}
