"""Notices ring: signed ones make the right triggers due, once, and forged ones do nothing."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from integrations.connections import service
from integrations.framework import registry
from integrations.models import CallBudget, Connection, HookNotice
from tests.base import Cast, make_connection
from workflows.models import TriggerState, Workflow
from workflows.presenters.polling_status import polling_status
from workflows.triggers import wake_on_webhook

pytestmark = pytest.mark.django_db
KEY = "webhook-key"
VECTOR = b'{"events":[],"lastEventSequence":0,"firstEventSequence":0,"entropy":"S0m3r4Nd0mt3xt"}'
LATER = timezone.now() + timedelta(days=1)


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "XERO_WEBHOOK_KEYS", ["the-next-key", KEY])


@pytest.fixture
def xero(cast: Cast) -> Connection:
    return make_connection(cast.team, "xero", external_id="tenant-1")


def state_of(connection: Connection, operation: str, **fields: Any) -> TriggerState:
    values: dict[str, Any] = {"status": "listening", "next_due_at": LATER, "inputs_hash": operation, **fields}
    return TriggerState.objects.create(team=connection.team, connection=connection, operation=operation, **values)


def event(resource: str = "r1", category: str = "CONTACT", tenant: str = "tenant-1") -> dict[str, str]:
    return {
        "tenantId": tenant,
        "resourceId": resource,
        "eventCategory": category,
        "eventType": "CREATE",
        "eventDateUtc": "2026-11-23T01:15:39.902",
    }


def send(*events: dict[str, str], key: str = KEY, first: int = 1, body: bytes | None = None) -> int:
    webhook = registry.connector("xero").webhook
    assert webhook is not None
    told = {"events": events, "firstEventSequence": first, "lastEventSequence": first + len(events) - 1}
    body = json.dumps(told).encode() if body is None else body
    headers = {"X-Xero-Signature": webhook.sign(body, key)}
    answer = Client().post("/hooks/xero/", body, content_type="application/json", headers=headers)
    assert (answer.content, dict(answer.cookies)) == (b"", {})
    return answer.status_code


def is_due(state: TriggerState) -> bool:
    state.refresh_from_db()
    assert state.next_due_at is not None
    return state.next_due_at < LATER


def test_the_published_example_has_the_published_signature() -> None:
    webhook = registry.connector("xero").webhook
    assert webhook is not None
    assert webhook.sign(VECTOR, KEY) == "79S6iIp135wUchx8t/BEjl/bQ6n7ztK1VzK8hayy7g0="


def test_the_hand_shake_takes_every_key_of_a_rotation_and_no_other() -> None:
    assert [send(body=VECTOR, key=key) for key in (KEY, "the-next-key", "wrong")] == [200, 200, 401]


def test_without_a_key_nothing_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "XERO_WEBHOOK_KEYS", [])
    assert [send(body=VECTOR), send(body=VECTOR, key="")] == [401, 401]


def test_a_notice_makes_due_what_listens_to_it_and_nothing_else(xero: Connection, cast: Cast) -> None:
    elsewhere = make_connection(cast.other_team, "xero", external_id="tenant-2")
    contacts, invoices = state_of(xero, "xero.new_contact"), state_of(xero, "xero.new_invoice")
    others = state_of(elsewhere, "xero.new_contact")
    assert send(event()) == 200
    assert [is_due(contacts), is_due(invoices), is_due(others)] == [True, False, False]


def test_a_repeated_notice_is_stored_and_rings_once(xero: Connection) -> None:
    contacts = state_of(xero, "xero.new_contact")
    assert send(event()) == 200
    TriggerState.objects.update(next_due_at=LATER)
    assert send(event()) == 200
    assert [HookNotice.objects.count(), is_due(contacts)] == [1, False]


def test_forged_unknown_and_foreign_notices_do_nothing(xero: Connection) -> None:
    contacts = state_of(xero, "xero.new_contact")
    foreign, unknown = event(tenant="nobody"), event(category="PREPAYMENT")
    assert [send(event(), key="wrong"), send(foreign), send(unknown, first=2)] == [401, 200, 200]
    assert [HookNotice.objects.count(), is_due(contacts)] == [0, False]


def test_many_notices_are_one_look_ten_seconds_after_the_last(xero: Connection) -> None:
    now = timezone.now()
    contacts = state_of(xero, "xero.new_contact", last_polled_at=now)
    for number in range(5):
        assert send(event(f"r{number}"), first=number + 1) == 200
    contacts.refresh_from_db()
    assert contacts.next_due_at == now + timedelta(seconds=wake_on_webhook.DISTANCE_SECONDS)


def test_a_trigger_is_called_instant_only_once_notices_have_arrived() -> None:
    assert wake_on_webhook.cadence("xero.new_contact", 5) == "every 5 minutes"
    send(body=VECTOR)
    assert wake_on_webhook.cadence("xero.new_contact", 5).startswith(
        "at once when Xero gives notice, and every 5 minutes"
    )
    assert wake_on_webhook.cadence("xero.new_quote", 1) == "every minute"


def listens(cast: Cast, state: TriggerState, minutes: int = 5) -> Workflow:
    """An active workflow that listens to the state."""
    return Workflow.objects.create(
        team=cast.team, name="Contacts", status="active", listens_to=state, interval_minutes=minutes,
        trigger_operation=state.operation, trigger_connection=state.connection,
    )  # fmt: skip


def spend(connection: Connection, used: int) -> None:
    values = {"day_used": used, "day_limit": settings.XERO_DAY_LIMIT, "day_started_at": timezone.now()}
    CallBudget.objects.update_or_create(connection=connection, defaults=values)


def test_a_notice_asks_for_a_look_later_when_the_days_calls_run_low(
    xero: Connection, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "XERO_DAY_LIMIT", 1000)
    now = timezone.now()
    contacts = state_of(xero, "xero.new_contact", last_polled_at=now)
    workflow = listens(cast, contacts)
    spend(xero, 700)
    assert send(event()) == 200
    contacts.refresh_from_db()
    assert contacts.next_due_at == now + timedelta(seconds=36)
    assert "at most every 36 seconds when notices come" in polling_status(workflow).slowed
    assert polling_status(workflow).cadence.startswith("soon when Xero gives notice")


def test_a_notice_never_spends_the_calls_that_are_kept_for_actions(
    xero: Connection, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "XERO_DAY_LIMIT", 1000)
    contacts = state_of(xero, "xero.new_contact")
    workflow = listens(cast, contacts)
    spend(xero, 800)
    assert send(event()) == 200
    assert HookNotice.objects.count() == 1
    assert not is_due(contacts)
    assert "no sooner when notices come: 200 of 1,000 calls are left" in polling_status(workflow).slowed
    assert "gives notice" not in polling_status(workflow).cadence
    assert any("no sooner when notices come" in note.text for note in service.notes(xero))
