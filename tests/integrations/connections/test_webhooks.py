"""Notices over real HTTP from the sandbox's sender, and what is answered when something is wrong."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import OperationalError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.connections import webhook_intake
from integrations.framework import registry
from integrations.models import HookDelivery, HookKey, HookNotice
from tests.base import Cast, make_cast, make_connection
from tests.provider import DEMO, Sandbox
from workflows.models import TriggerState
from workflows.triggers import wake_on_webhook

KEY = "webhook-key"
PLACE = "/hooks/xero/"


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "XERO_WEBHOOK_KEYS", [KEY])


def post(body: bytes, **headers: str) -> Any:
    webhook = registry.connector("xero").webhook
    assert webhook is not None
    signed = {"X-Xero-Signature": webhook.sign(body, KEY), **headers}
    return Client().post(PLACE, body, content_type="application/json", headers=signed)


def numbered(first: int, last: int) -> bytes:
    return json.dumps({"events": [], "firstEventSequence": first, "lastEventSequence": last}).encode()


def wait_for(is_there: Callable[[], bool]) -> bool:
    ends = time.monotonic() + 20
    while not is_there() and time.monotonic() < ends:
        time.sleep(0.05)
    return is_there()


@pytest.mark.django_db(transaction=True)
def test_what_happens_in_the_sandbox_is_noticed_once_after_the_hand_shake(live_server: Any, sandbox: Sandbox) -> None:
    make_connection(make_cast().team, "xero", external_id=DEMO)
    shaken = sandbox.webhook(f"{live_server.url}{PLACE}", KEY)
    assert shaken["state"] == "OK", shaken
    assert webhook_intake.is_set_up("xero")
    sandbox.faults(p_webhook_duplicate=1.0, p_webhook_forged=1.0)
    made = [sandbox.make("contact", name=f"Noticed {number}")["id"] for number in range(3)]
    assert wait_for(lambda: sandbox.webhook_state()["duplicates"] >= 3)
    tally = sandbox.webhook_state()
    assert [tally["forged_accepted"], tally["with_cookies"], tally["with_bodies"]] == [0, 0, 0]
    assert tally["forged"] >= 1
    sandbox.control("DELETE", "webhook")
    notices = HookNotice.objects.filter(category="CONTACT")
    assert sorted(notices.values_list("resource_id", flat=True)) == sorted(made)


@pytest.mark.django_db
@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"events": 3}', b"[" * 5000, b"\xff\xfe"])
def test_a_signed_body_that_is_none_is_refused_in_silence(body: bytes) -> None:
    answer = post(body)
    assert (answer.status_code, answer.content, dict(answer.cookies)) == (400, b"", {})


@pytest.mark.django_db
def test_a_giant_body_a_look_and_an_unknown_provider_are_refused_in_silence() -> None:
    giant = post(b" " * (webhook_intake.LONGEST_BODY + 1))
    looked = Client().get(PLACE)
    unknown = Client().post("/hooks/pinterest/", b"{}", content_type="application/json")
    assert [each.status_code for each in (giant, looked, unknown)] == [413, 405, 404]
    assert [each.content for each in (giant, looked)] == [b"", b""]


@pytest.mark.django_db
def test_what_cannot_be_stored_is_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def locked(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(webhook_intake, "_store", locked)
    answer = post(numbered(1, 1))
    assert (answer.status_code, answer.content) == (503, b"")


@pytest.mark.django_db
@pytest.mark.skipif(settings.DATABASES["default"]["ENGINE"].endswith("postgresql"), reason="It has many writers.")
def test_where_writers_take_turns_a_notice_does_not_wait_for_long() -> None:
    with webhook_intake._writing:
        assert post(numbered(1, 1)).status_code == 503
    assert not HookDelivery.objects.exists()
    assert post(numbered(1, 1)).status_code == 200
    assert HookDelivery.objects.get().last == 1


@pytest.mark.django_db
def test_a_gap_in_the_numbers_makes_everything_due_that_listens_after_a_while_and_once() -> None:
    later = timezone.now() + timedelta(days=1)
    xero = make_connection(make_cast().team, "xero", external_id=DEMO)
    state = TriggerState.objects.create(
        team=xero.team, connection=xero, operation="xero.new_contact", status="listening", next_due_at=later
    )
    assert [post(numbered(1, 4)).status_code, post(numbered(7, 9)).status_code] == [200, 200]
    assert wake_on_webhook.catch_up() == 0, "Notices overtake each other; the missing ones may still come."
    HookDelivery.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    assert wake_on_webhook.catch_up() == 1
    state.refresh_from_db()
    assert state.next_due_at is not None
    assert state.next_due_at < later
    assert wake_on_webhook.catch_up() == 0
    assert [HookKey.objects.get().complete_to, HookDelivery.objects.count()] == [9, 0]


@pytest.mark.django_db
def test_numbers_that_come_in_any_order_leave_no_gap() -> None:
    for first, last in ((5, 6), (1, 2), (3, 4)):
        assert post(numbered(first, last)).status_code == 200
    HookDelivery.objects.update(received_at=timezone.now() - timedelta(minutes=1))
    assert wake_on_webhook.catch_up() == 0
    assert HookDelivery.objects.count() == 0


@pytest.mark.django_db
def test_old_notices_are_forgotten_and_those_that_may_come_again_are_kept() -> None:
    for number, days in enumerate((1, 34, 36)):
        HookNotice.objects.create(
            provider="xero",
            organisation=DEMO,
            category="CONTACT",
            resource_id=str(number),
            change="CREATE",
            told_at="x",
            received_at=timezone.now() - timedelta(days=days),
        )
    assert webhook_intake.forget_old() == 1
    assert sorted(HookNotice.objects.values_list("resource_id", flat=True)) == ["0", "1"]


@pytest.fixture
def page_of(cast: Cast) -> Callable[[], str]:
    """The text of the Xero connection's page, and of no other part of it than what is told of notices."""
    xero = make_connection(cast.team, "xero", external_id=DEMO)

    def read() -> str:
        client = Client()
        client.force_login(cast.builder)
        html = " ".join(client.get(reverse("connection", args=[xero.pk])).content.decode().split())
        return html.partition('aria-labelledby="notices"')[2].partition("</section>")[0]

    return read


@pytest.mark.django_db
def test_the_connections_page_tells_how_to_set_notices_up_where_they_are_not(
    page_of: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "XERO_WEBHOOK_KEYS", [])
    monkeypatch.setattr(settings, "BASE_URL", "https://pinxero.example.com")
    shown = page_of()
    assert "Not set up" in shown
    assert 'value="https://pinxero.example.com/hooks/xero/"' in shown
    assert "none: notifications are not set up" in shown
    assert "XERO_WEBHOOK_KEYS" in shown
    assert "this is none" not in shown


@pytest.mark.django_db
def test_a_key_that_xero_has_not_used_is_told_as_not_proved(page_of: Callable[[], str]) -> None:
    shown = page_of()
    assert "Not confirmed yet" in shown
    assert "Send intent to receive" in shown
    assert KEY not in shown
    assert "reaches only addresses with https on port 443, and this is none" in shown


@pytest.mark.django_db
def test_the_last_notice_is_told_with_its_time_and_only_of_this_organisation(page_of: Callable[[], str]) -> None:
    assert post(numbered(1, 1)).status_code == 200
    shown = page_of()
    assert "Set up" in shown
    assert "none yet about this organisation" in shown
    long_ago = timezone.now().replace(year=2025, month=3, day=14, hour=9, minute=26)
    for organisation, received_at in ((DEMO, long_ago), ("another", timezone.now())):
        HookNotice.objects.create(
            provider="xero",
            organisation=organisation,
            category="CONTACT",
            resource_id="1",
            change="CREATE",
            told_at="x",
            received_at=received_at,
        )
    assert "14 Mar 2025, 09:26" in page_of()


@pytest.mark.django_db
def test_a_provider_without_notices_has_nothing_to_tell_of_them(cast: Cast) -> None:
    assert webhook_intake.webhook_status(make_connection(cast.team, "pinterest")) is None
