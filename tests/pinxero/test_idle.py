"""A browser in which nobody does anything is signed out, by the server's clock, and led back after the next sign-in."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import time_machine
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from tests.base import PASSWORD, Cast, make_connection

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
MINUTE, IDLE = 60, 30 * 60


@pytest.fixture(autouse=True)
def _half_an_hour(db: None, settings: Any) -> None:
    cache.clear()
    settings.SESSION_IDLE_MINUTES = 30


def signed_in(name: str = "builder") -> Client:
    client = Client()
    client.post(reverse("account_login"), {"login": name, "password": PASSWORD})
    assert client.get("/runs/").status_code == 200
    return client


def led_to(response: Any) -> tuple[str, str]:
    """The page that an answer leads to, and the one that this leads to after a sign-in."""
    there = urlsplit(response["Location"])
    return there.path, parse_qs(there.query).get("next", [""])[0]


def test_a_browser_is_signed_out_when_nothing_was_done_for_so_long_and_not_before(cast: Cast) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        client = signed_in()
        clock.shift(IDLE - 1)
        assert client.get("/runs/").status_code == 200
        clock.shift(IDLE - 1)  # each page begins it anew
        assert client.get("/runs/").status_code == 200
        clock.shift(IDLE)
        response = client.get("/runs/?status=failed")
    assert led_to(response) == ("/accounts/login/", "/runs/?status=failed")


def test_the_sign_in_says_why_and_leads_back_to_the_page(cast: Cast) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        client = signed_in()
        clock.shift(IDLE)
        page = client.get("/runs/?status=failed", follow=True)
        assert "You were signed out because nothing was done for 30 minutes." in page.content.decode()
        form = {"login": "builder", "password": PASSWORD, "next": "/runs/?status=failed"}
        assert client.post(reverse("account_login"), form)["Location"] == "/runs/?status=failed"
        assert client.get("/runs/").status_code == 200


def test_what_was_posted_is_not_done_and_never_an_address_to_come_back_to(cast: Cast) -> None:
    connection = make_connection(cast.team, "xero")
    path = reverse("freeze", args=[connection.pk])
    with time_machine.travel(AT, tick=False) as clock:
        for referer, back in (
            (f"http://testserver{path}", path),
            ("http://evil.example/runs/", ""),
            ("http://testserver//evil.example/", ""),
            ("", ""),
        ):
            client = signed_in()
            clock.shift(IDLE)
            response = client.post(path, {"reason": "Month end"}, headers={"Referer": referer})
            assert led_to(response) == ("/accounts/login/", back)
    assert Connection.objects.get(pk=connection.pk).frozen_at is None


def test_what_a_page_asks_for_by_itself_keeps_nobody_signed_in(cast: Cast) -> None:
    own = {"PX-By-Itself": "1", "HX-Request": "true", "HX-Current-URL": "http://testserver/runs/?q=oak"}
    with time_machine.travel(AT, tick=False) as clock:
        client = signed_in()
        for _ in range(29):
            clock.shift(MINUTE)
            assert client.get("/runs/", headers=own).status_code == 200
        clock.shift(MINUTE)
        response = client.get("/runs/?live=1", headers=own)
    # htmx goes there as a whole, in place of drawing the sign-in inside the page.
    assert (response.status_code, response.content) == (200, b"")
    assert response["HX-Redirect"] == "/accounts/login/?next=%2Fruns%2F%3Fq%3Doak"


def test_the_busiest_browser_is_signed_out_eight_hours_after_its_sign_in(cast: Cast) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        client = signed_in()
        for _ in range(23):
            clock.shift(20 * MINUTE)
            assert client.get("/runs/").status_code == 200
        clock.shift(20 * MINUTE)
        page = client.get("/runs/", follow=True).content.decode()
    assert "You were signed out 8 hours after signing in." in page


def test_the_use_is_stored_once_a_minute_at_most(cast: Cast) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        client = signed_in()
        stored = []
        for _ in range(4):
            clock.shift(30)
            client.get("/runs/")
            stored.append(client.session["used_at"] - AT.timestamp())
    assert stored == [0, 60, 60, 120]


def test_the_people_page_shows_since_when_and_the_last_use(cast: Cast) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        signed_in()
        clock.shift(5 * MINUTE)
        client = signed_in("auditor")
        pk = cast.builder.memberships.get().pk
        page = client.get(reverse("person", args=[pk])).content.decode()
    assert "Signed in" in page
    assert "not recorded" not in page.partition("Signed in")[2].partition("API tokens")[0]
