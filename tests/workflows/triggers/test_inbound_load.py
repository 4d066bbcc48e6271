"""Many calls of one address: how many it takes, what it tells of that, and that none waits for another's work."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection as database
from django.db import connections
from django.test import Client, override_settings
from django.test.utils import CaptureQueriesContext

from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.models import InboundHook, Run, Workflow
from workflows.publishing import activation
from workflows.triggers import inbound_webhooks, starting

NOW = 1_800_000_000.0  # a minute begins


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    return started_by(cast, make_workflow, "start.webhook", {}, value="{{ trigger.body.customer }}")


def send(workflow: Workflow, body: Any, **headers: str) -> Any:
    content = body if isinstance(body, bytes) else json.dumps(body)
    address = f"/hooks/in/{inbound_webhooks.hook_of(workflow).token}/"
    return Client().post(address, content, content_type="application/json", headers=headers)


# --- how many ---------------------------------------------------------------------------------------------------------


def test_more_than_so_many_calls_a_minute_are_put_off_and_told_until_when(
    workflow: Workflow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INBOUND_CALLS_A_MINUTE = 3
    monkeypatch.setattr(inbound_webhooks.time, "time", lambda: NOW + 18)
    answers = [send(workflow, {}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [202, 202, 202, 429, 429]
    assert [answer["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0", "0"]
    assert {(answer["RateLimit-Limit"], answer["RateLimit-Reset"]) for answer in answers} == {("3", "42")}
    assert [answer.get("Retry-After") for answer in answers] == [None, None, None, "42", "42"]
    assert answers[3].json() == {"error": "This address takes 3 calls a minute. Send it again later."}
    assert Run.objects.count() == 3
    monkeypatch.setattr(inbound_webhooks.time, "time", lambda: NOW + 60)
    assert send(workflow, {}).status_code == 202
    assert Run.objects.count() == 4


def test_a_call_that_finds_the_minute_full_only_at_its_end_has_started_nothing(
    workflow: Workflow, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.INBOUND_CALLS_A_MINUTE = 3
    monkeypatch.setattr(inbound_webhooks.time, "time", lambda: NOW)
    plain = starting.start_once

    def others_come_first(*args: Any, **options: Any) -> Any:
        InboundHook.objects.update(minute=int(NOW // 60), calls=3)
        return plain(*args, **options)

    monkeypatch.setattr(starting, "start_once", others_come_first)
    answer = send(workflow, {})
    assert (answer.status_code, answer["RateLimit-Remaining"], answer["Retry-After"]) == (429, "0", "60")
    assert not Run.objects.exists()


def test_a_shops_saturday_fits(settings: Any) -> None:
    # 40 orders a second, as a shop has in its best minutes.
    assert settings.INBOUND_CALLS_A_MINUTE >= 40 * 60


# --- what a call costs ------------------------------------------------------------------------------------------------


def updates(queries: CaptureQueriesContext) -> list[str]:
    said = [query["sql"] for query in queries.captured_queries]
    return [sql for sql in said if not sql.startswith(("SAVEPOINT", "RELEASE", "PRAGMA", "SET LOCAL", "COMMIT"))]


def test_the_row_of_the_address_is_written_last_and_without_what_the_call_brought(workflow: Workflow) -> None:
    body = {"customer": "Jane", "note": "x" * 50_000}
    with CaptureQueriesContext(database) as queries:
        assert send(workflow, body).status_code == 202
    assert updates(queries)[-1].startswith('UPDATE "workflows_inboundhook"')
    assert InboundHook.objects.get().sample["body"] == body
    with CaptureQueriesContext(database) as queries:
        assert send(workflow, {**body, "customer": "Joe"}).status_code == 202
    last = updates(queries)[-1]
    assert last.startswith('UPDATE "workflows_inboundhook"')
    assert "xxxx" not in last
    assert '"sample"' not in last
    assert not any('"sample"' in sql for sql in updates(queries) if '"token_hash" = ' in sql)
    assert InboundHook.objects.get().sample["body"]["customer"] == "Jane"


def test_what_is_kept_as_the_example_is_seldom_older_than_a_few_seconds(
    cast: Cast, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert send(workflow, {"customer": "Jane"}).status_code == 202
    monkeypatch.setattr(inbound_webhooks, "_SAMPLE_SECONDS", 0)
    assert send(workflow, {"customer": "Joe"}).status_code == 202
    assert InboundHook.objects.get().sample["body"] == {"customer": "Joe"}
    monkeypatch.setattr(inbound_webhooks, "_SAMPLE_SECONDS", 3600)
    activation.pause(workflow, by=cast.builder)
    assert send(workflow, {"customer": "Ada"}).status_code == 409
    assert InboundHook.objects.get().sample["body"] == {"customer": "Ada"}, "while it is built, every call is one"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_no_call_waits_while_another_is_being_stored(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, goes_on, answers = threading.Event(), threading.Event(), []
    plain = starting.start_once

    def start(*args: Any, **options: Any) -> Any:
        started = plain(*args, **options)
        if threading.current_thread().name == "slow":
            slow.set()
            goes_on.wait(0.6)
        return started

    monkeypatch.setattr(starting, "start_once", start)

    def call() -> None:
        try:
            answers.append(send(workflow, {"customer": "Jane"}).status_code)
        finally:
            connections.close_all()

    first = threading.Thread(target=call, name="slow")
    first.start()
    assert slow.wait(10)
    second = threading.Thread(target=call, name="quick")
    second.start()
    second.join(0.4)
    is_done = not second.is_alive()
    goes_on.set()
    first.join(10)
    second.join(10)
    assert is_done
    assert answers == [202, 202]
    assert Run.objects.count() == 2


# --- a time that is signed --------------------------------------------------------------------------------------------


def signed(body: bytes, told: str) -> dict[str, str]:
    digest = hmac.new(b"swordfish", f"{told}.".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Signature": digest, "X-Timestamp": told}


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (str(int(NOW)), 202), (str(int(NOW) - 299), 202), (str(int(NOW) + 299), 202),
        (str(int(NOW) - 301), 401), (str(int(NOW) + 301), 401), ("1800000000000", 401), ("", 401), ("-5", 401),
        ("now", 401), ("2027-01-15T08:00:00Z", 401), ("٣", 401), ("1e9", 401),
    ],
)  # fmt: skip
def test_a_call_whose_signed_time_is_long_past_is_refused(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch, told: str, status: int
) -> None:
    inbound_webhooks.set_signature(
        inbound_webhooks.hook_of(workflow),
        signature="hex",
        header="X-Signature",
        secret="swordfish",
        time_header="X-Timestamp",
    )
    monkeypatch.setattr(inbound_webhooks.time, "time", lambda: NOW)
    body = b'{"customer": "Jane"}'
    answer = send(workflow, body, **signed(body, told))
    assert answer.status_code == status
    assert Run.objects.count() == (status == 202)
    if status == 401 and told.isascii():
        assert answer.json()["error"] == (
            "The time in the header X-Timestamp is not within 5 minutes of now; it is written in seconds since 1970. "
            "A call that is sent again is signed again."
        )


def test_an_overheard_call_cannot_be_sent_again_with_another_time(
    workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = inbound_webhooks.hook_of(workflow)
    inbound_webhooks.set_signature(
        hook, signature="hex", header="X-Signature", secret="swordfish", time_header="X-Timestamp"
    )
    body, told = b'{"customer": "Jane"}', str(int(NOW))
    monkeypatch.setattr(inbound_webhooks.time, "time", lambda: NOW + 3600)
    overheard = signed(body, told)
    assert send(workflow, body, **overheard).status_code == 401
    answer = send(workflow, body, **{**overheard, "X-Timestamp": str(int(NOW + 3600))})
    assert (answer.status_code, "What is signed is the time in X-Timestamp" in answer.json()["error"]) == (401, True)
    plain = hmac.new(b"swordfish", body, hashlib.sha256).hexdigest()
    assert send(workflow, body, **{"X-Signature": plain}).status_code == 401
    assert not Run.objects.exists()
    inbound_webhooks.set_signature(hook, signature="hex", header="X-Signature", secret="")
    assert send(workflow, body, **{"X-Signature": plain}).status_code == 202
