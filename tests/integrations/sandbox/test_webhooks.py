"""The webhook sender: the intent to receive, signed events, retries, and what the dial makes of it."""

import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.integrations.sandbox.contract import validate_delivery
from tests.provider import DEMO, NORTHWIND, Sandbox

KEY = "webhook-key"


class Receiver:
    """Listens for deliveries. `answer` decides the status of each; properly signed ones are kept."""

    def __init__(self) -> None:
        self.bodies: list[dict[str, Any]] = []
        self.forged = 0
        self.calls = 0
        self.answer: Callable[[bool], int] = lambda is_good: 200 if is_good else 401
        self.headers: dict[str, str] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                made = base64.b64encode(hmac.new(KEY.encode(), body, hashlib.sha256).digest()).decode()
                status = outer.take(body, is_good=hmac.compare_digest(made, self.headers["x-xero-signature"]))
                self.send_response(status)
                for name, value in outer.headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks/xero/"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, body: bytes, *, is_good: bool) -> int:
        self.calls += 1
        status = self.answer(is_good)
        if not is_good:
            self.forged += 1
        elif status == 200:
            self.bodies.append(json.loads(body))
        return status

    def events(self) -> list[dict[str, Any]]:
        return [event for body in list(self.bodies) for event in body["events"]]

    def wait_for(self, count: int, seconds: float = 10) -> list[dict[str, Any]]:
        deadline = time.monotonic() + seconds
        while len(self.events()) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.events()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


def settled(sandbox: Sandbox) -> dict[str, Any]:
    """The state once nothing waits any more."""
    deadline = time.monotonic() + 10
    while sandbox.webhook_state()["pending"] and time.monotonic() < deadline:
        time.sleep(0.02)
    return sandbox.webhook_state()


def test_the_intent_to_receive_wants_good_ones_taken_and_bad_ones_refused(sandbox: Sandbox, receiver: Receiver) -> None:
    shown = sandbox.webhook(receiver.url, KEY)
    assert shown["state"] == "OK"
    assert [(one["signature"], one["status"]) for one in shown["intent"]] == [("good", "200"), ("bad", "401")] * 2
    assert "key" not in shown
    body = receiver.bodies[0]
    assert (body["events"], body["firstEventSequence"], body["lastEventSequence"]) == ([], 0, 0)


def test_who_says_200_to_everything_or_sets_a_cookie_is_told_of_nothing(sandbox: Sandbox, receiver: Receiver) -> None:
    receiver.answer = lambda is_good: 200
    assert sandbox.webhook(receiver.url, KEY)["state"] == "INTENT_FAILED"
    sandbox.make("contact")
    receiver.answer = lambda is_good: 200 if is_good else 401
    receiver.headers = {"Set-Cookie": "sessionid=1"}
    assert sandbox.webhook(receiver.url, KEY)["state"] == "INTENT_FAILED"
    time.sleep(0.3)
    assert receiver.events() == []


def test_every_change_of_three_kinds_is_told_whoever_made_it(sandbox: Sandbox, receiver: Receiver, xero: Xero) -> None:
    sandbox.webhook(receiver.url, KEY)
    made = xero.create(Status="AUTHORISED")
    contact = sandbox.make("contact", name="By hand", organisation="Northwind Ltd")
    note = sandbox.make("credit_note", status="AUTHORISED")
    sandbox.make("quote")  # nobody is told of quotes
    sandbox.change("contact", contact["id"], organisation="Northwind Ltd", EmailAddress="by@hand.example")
    events = receiver.wait_for(4)
    told = [(event["eventCategory"], event["eventType"], event["resourceId"]) for event in events]
    assert told == [
        ("INVOICE", "CREATE", made["InvoiceID"]),
        ("CONTACT", "CREATE", contact["id"]),
        ("CREDITNOTE", "CREATE", note["id"]),
        ("CONTACT", "UPDATE", contact["id"]),
    ]
    assert events[0]["resourceUrl"] == f"https://api.xero.com/api.xro/2.0/Invoices/{made['InvoiceID']}"
    assert [event["tenantId"] for event in events] == [DEMO, NORTHWIND, DEMO, NORTHWIND]
    assert events[2]["data"] == {"Type": "ACCRECCREDIT", "Status": "AUTHORISED"}
    assert events[0]["eventDateUtc"].count(":") == 2
    assert not events[0]["eventDateUtc"].endswith("Z")
    assert [body["firstEventSequence"] for body in receiver.bodies] == [0, 0, 1, 2, 3, 4]
    for body in receiver.bodies[2:]:
        validate_delivery(body)


def test_a_wrong_delivery_would_be_caught() -> None:
    event = {"eventCategory": "QUOTE", "eventType": "CREATE"}
    with pytest.raises(AssertionError, match="eventCategory"):
        validate_delivery({"events": [event], "firstEventSequence": 1, "lastEventSequence": 1, "entropy": "X"})


def test_a_refused_change_is_not_told(sandbox: Sandbox, receiver: Receiver, xero: Xero) -> None:
    sandbox.webhook(receiver.url, KEY)
    xero.refuse(Invoices=[xero.invoice(), xero.invoice(CurrencyCode="EUR")])
    sandbox.make("contact")
    assert len(receiver.wait_for(1)) == 1
    assert sandbox.webhook_state()["events"] == 1


def test_what_is_not_taken_comes_again_after_growing_pauses(quick: Sandbox, receiver: Receiver) -> None:
    quick.webhook(receiver.url, KEY)
    answers = iter([500, 503, 200])
    receiver.answer = lambda is_good: next(answers)
    quick.make("contact")
    assert len(receiver.wait_for(1)) == 1
    shown = settled(quick)
    assert (shown["statuses"], shown["failed_once"]) == ({"200": 1, "500": 1, "503": 1}, 1)


def test_after_a_day_of_failures_it_is_disabled_until_it_is_set_up_again(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhook(receiver.url, KEY)
    receiver.answer = lambda is_good: 503 if is_good else 401
    sandbox.make("contact")
    deadline = time.monotonic() + 10
    while not sandbox.webhook_state()["failed_once"] and time.monotonic() < deadline:
        time.sleep(0.02)
    sandbox.faults(clock_offset_seconds=90_000)
    while sandbox.webhook_state()["state"] == "OK" and time.monotonic() < deadline:
        time.sleep(0.02)
    assert sandbox.webhook_state()["state"] == "DISABLED"
    assert sandbox.webhook_state()["pending"] == 1
    receiver.answer = lambda is_good: 200 if is_good else 401
    assert sandbox.webhook(receiver.url, KEY)["state"] == "OK"
    assert sandbox.control("POST", "webhook/replay", {}) == {"again": 1}
    assert len(receiver.wait_for(1)) == 1


def test_a_burst_with_duplicates_forgeries_and_disorder_is_counted(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhook(receiver.url, KEY, at_once=20)
    sandbox.faults(p_webhook_duplicate=0.2, p_webhook_forged=0.1, webhook_shuffle=True)
    before, forged = len(receiver.bodies), receiver.forged
    assert sandbox.burst(200)["made"] == 200
    shown = settled(sandbox)
    assert (shown["events"], shown["pending"], shown["deliveries"]) == (200, 0, 200)
    assert 15 <= shown["duplicates"] <= 65
    assert 5 <= shown["forged"] <= 40
    assert (shown["forged_accepted"], receiver.forged - forged) == (0, shown["forged"])
    sequence = [body["firstEventSequence"] for body in receiver.bodies[before:]]
    assert len(sequence) == 200 + shown["duplicates"]
    assert set(sequence) == set(range(1, 201))
    assert sequence != sorted(sequence)
    assert 0 < shown["p50_ms"] <= shown["slowest_ms"]
    assert len({one["Name"] for one in sandbox.contacts()}) == 208


def test_events_travel_together_and_can_be_told_again(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhook(receiver.url, KEY, per_delivery=10, categories=["INVOICE"])
    sandbox.make("contact")
    sandbox.burst(25, "invoice")
    assert settled(sandbox)["deliveries"] == 3
    last = receiver.bodies[-1]
    assert (last["firstEventSequence"], last["lastEventSequence"], len(last["events"])) == (21, 25, 5)
    assert sandbox.control("POST", "webhook/replay", {"from": 3, "to": 4}) == {"again": 2}
    settled(sandbox)
    assert receiver.bodies[-1]["events"] == receiver.bodies[-4]["events"][2:4]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"url": "https://example.com/x", "key": "k"}, "an address on this machine"),
        ({"url": "http://127.0.0.1:1/"}, "needs a key"),
        ({"url": "http://127.0.0.1:1/", "key": "k", "categories": ["QUOTE"]}, "categories is a list of CONTACT"),
        ({"url": "http://127.0.0.1:1/", "key": "k", "at_once": 0}, "at_once is a whole number from 1 to 100"),
    ],
)
def test_a_webhook_that_makes_no_sense_is_refused_in_words(sandbox: Sandbox, body: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        sandbox.control("POST", "webhook", body)
    assert sandbox.webhook_state()["state"] == "OFF"


def test_a_reset_forgets_the_webhook(sandbox: Sandbox, receiver: Receiver) -> None:
    sandbox.webhook(receiver.url, KEY)
    sandbox.reset()
    shown = sandbox.webhook_state()
    assert (shown["state"], shown["url"], shown["events"], shown["deliveries"]) == ("OFF", "", 0, 0)
