"""Deliver webhook events to the address: signed, retried after growing pauses, at least once, in no promised order.

The dial makes it send some twice, shuffle them, and add forged ones; the results are counted.
"""

import dataclasses
import random
import threading
import time
import uuid
from collections import Counter, deque
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from integrations.sandbox.exchange import clock, exchange, fault_dial
from integrations.sandbox.models import WebhookEvent
from integrations.sandbox.webhooks import changes
from integrations.sandbox.webhooks.changes import Webhook

TIMEOUT = 5.0  # seconds, as long as Xero waits; not scaled, because it is the receiver's real time
_PAUSES = (0, 5, 30, 120, 600, 1800, 3600)  # after the first, second ... failure; then always the last
_GIVE_UP_SECONDS = 86400
_MOST_AT_ONCE, _FETCHED = 100, 500


class Tally:
    """What was sent and how it was answered, since the webhook was set up."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.statuses: Counter[str] = Counter()
        self.took: deque[float] = deque(maxlen=50_000)

    def add(self, name: str, status: str, seconds: float, *, has_cookie: bool, has_body: bool) -> None:
        with self.lock:
            self.counts[name] += 1
            self.statuses[status] += 1
            self.took.append(seconds)
            self.counts["with_cookies"] += has_cookie
            self.counts["with_bodies"] += has_body
            if name == "forged" and status.startswith("2"):
                self.counts["forged_accepted"] += 1

    def shown(self) -> dict[str, Any]:
        with self.lock:
            ordered = sorted(self.took)
            names = ("deliveries", "duplicates", "forged", "forged_accepted", "with_cookies", "with_bodies")
            shown: dict[str, Any] = {name: self.counts[name] for name in names}
            shown["statuses"] = dict(sorted(self.statuses.items()))
        for name, share in (("p50", 0.5), ("p95", 0.95), ("slowest", 1.0)):
            index = min(len(ordered) - 1, int(share * len(ordered)))
            shown[f"{name}_ms"] = round(ordered[index] * 1000, 1) if ordered else 0
        return shown


_lock = threading.Lock()
_bell = threading.Event()
_local = threading.local()
_tally = Tally()
_ready: deque[list[WebhookEvent]] = deque()
_busy: set[int] = set()  # the events that wait in _ready or are being sent
_done: list[tuple[list[WebhookEvent], bool]] = []
_chapter = 0  # a reset begins a new one: what was being sent then does not count
_numbers = 0


def start() -> None:
    threading.Thread(target=_run, name="courier", daemon=True).start()


def wake() -> None:
    _bell.set()


def forget() -> None:
    global _tally, _chapter
    with _lock:
        _chapter += 1
        _tally = Tally()
        _ready.clear()
        _busy.clear()
        _done.clear()


def tally() -> dict[str, Any]:
    return _tally.shown()


def shake_hands(webhook: Webhook) -> Webhook:
    """The intent to receive: good signatures must get 200 and bad ones 401, without cookies or a body."""
    results = []
    for is_good in (True, False, True, False):
        body = changes.payload([])
        key = webhook.key if is_good else webhook.key + "x"
        status, seconds, has_cookie, has_body = _post(webhook.url, body, changes.sign(body, key))
        is_right = status == ("200" if is_good else "401") and not has_cookie and not has_body
        results.append(
            {
                "signature": "good" if is_good else "bad",
                "status": status,
                "ms": round(seconds * 1000, 1),
                "has_cookie": has_cookie,
                "has_body": has_body,
                "is_right": is_right,
            }
        )
    state = changes.OK if all(result["is_right"] for result in results) else changes.FAILED
    return dataclasses.replace(webhook, state=state, intent=tuple(results))


def _post(url: str, body: bytes, signature: str) -> tuple[str, float, bool, bool]:
    """The status (or the name of what went wrong), the seconds, and whether there were cookies or a body."""
    if not hasattr(_local, "session"):
        _local.session = requests.Session()
        _local.session.trust_env = False
    headers = {"Content-Type": "application/json; charset=utf-8", "x-xero-signature": signature}
    began = time.monotonic()
    try:
        answer = _local.session.post(url, data=body, headers=headers, timeout=TIMEOUT, allow_redirects=False)
    except requests.RequestException as error:
        return type(error).__name__, time.monotonic() - began, False, False
    _local.session.cookies.clear()
    return str(answer.status_code), time.monotonic() - began, "Set-Cookie" in answer.headers, bool(answer.content)


def _run() -> None:
    with ThreadPoolExecutor(_MOST_AT_ONCE, thread_name_prefix="courier") as pool:
        on_way: Counter[int] = Counter()
        while True:
            _bell.wait(timeout=0.1)
            _bell.clear()
            webhook = changes.current()
            _write_down(webhook)
            if webhook.state == changes.OK:
                _fetch(webhook)
                _send_off(pool, webhook, on_way)


def _send_off(pool: ThreadPoolExecutor, webhook: Webhook, on_way: Counter[int]) -> None:
    while _ready and on_way[0] < webhook.at_once:
        with _lock:
            if not _ready:
                return
            events, chapter = _ready.popleft(), _chapter
            on_way[0] += 1
        pool.submit(_deliver, webhook, events, chapter, on_way)


def _fetch(webhook: Webhook) -> None:
    """Queue what is due, in deliveries of consecutive events."""
    if _ready:
        return
    busy = set(_busy)
    due = WebhookEvent.objects.filter(is_pending=True, next_at__lte=clock.now()).order_by("seq")
    found = [event for event in due[: _FETCHED + len(busy)] if event.seq not in busy]
    size = webhook.per_delivery
    batches = [found[start : start + size] for start in range(0, len(found), size)]
    if fault_dial.current().webhook_shuffle:
        random.Random(found[0].seq if found else 0).shuffle(batches)  # noqa: S311 - dice, not secrets
    with _lock:
        _busy.update(event.seq for event in found)
        _ready.extend(batches)


def _deliver(webhook: Webhook, events: list[WebhookEvent], chapter: int, on_way: Counter[int]) -> None:
    global _numbers
    was_taken = False
    try:
        setting = fault_dial.current()
        with _lock:
            _numbers += 1
            number = _numbers
        if fault_dial.roll(number, 3) < setting.p_webhook_forged:
            _forge(webhook, events)
        body = changes.payload(events)
        was_taken = _count("deliveries", webhook, body, webhook.key)
        if was_taken and fault_dial.roll(number, 4) < setting.p_webhook_duplicate:
            _count("duplicates", webhook, body, webhook.key)
    finally:
        with _lock:
            on_way[0] -= 1
            if chapter == _chapter:
                _done.append((events, was_taken))
        _bell.set()


def _count(name: str, webhook: Webhook, body: bytes, key: str) -> bool:
    status, seconds, has_cookie, has_body = _post(webhook.url, body, changes.sign(body, key))
    _tally.add(name, status, seconds, has_cookie=has_cookie, has_body=has_body)
    return status.startswith("2")


def _forge(webhook: Webhook, events: list[WebhookEvent]) -> None:
    """The same content about another resource, signed by somebody who does not know the key."""
    names = ("seq", "tenant", "category", "resource", "event_type", "at", "data")
    kept = {name: getattr(events[0], name) for name in names}
    invented = WebhookEvent(**kept, resource_id=str(uuid.uuid4()))
    _count("forged", webhook, changes.payload([invented]), "not the key")


def _write_down(webhook: Webhook) -> None:
    with _lock:
        done, chapter = list(_done), _chapter
        _done.clear()
    if not done:
        return
    taken = [event.seq for events, was_taken in done if was_taken for event in events]
    failed = [event for events, was_taken in done if not was_taken for event in events]
    with exchange.writing():
        if chapter != _chapter:
            return
        WebhookEvent.objects.filter(seq__in=taken).update(is_pending=False)
        for event in failed:
            pause = _PAUSES[min(event.attempts, len(_PAUSES) - 1)]
            event.attempts += 1
            event.next_at = clock.now() + clock.scaled_ms(pause)
        WebhookEvent.objects.bulk_update(failed, ["attempts", "next_at"])
        if any(event.at + clock.scaled_ms(_GIVE_UP_SECONDS) < clock.now() for event in failed):
            changes.keep(dataclasses.replace(webhook, state=changes.DISABLED))
    with _lock:
        _busy.difference_update(event.seq for events, _ in done for event in events)


changes.WHEN_CHANGED.append(wake)
changes.WHEN_FORGOTTEN.append(forget)
