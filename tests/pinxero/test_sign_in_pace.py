"""Guessing at a person's password: one counter for name and address, and no stranger locks anybody out."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse

from pinxero.sign_in import pace
from tests.base import PASSWORD, Cast

REFUSED, BUSY = "Too many failed attempts", "keeps trying to sign in"


@pytest.fixture(autouse=True)
def waits(db: None, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits of the test, which take no time."""
    cache.clear()
    found: list[float] = []
    monkeypatch.setattr("pinxero.sign_in.pace.time.sleep", found.append)
    return found


def browser(number: int) -> Client:
    """One at an address of its own."""
    return Client(REMOTE_ADDR=f"203.0.113.{number}")


def attempt(client: Client, login: str = "builder", password: str = "a guess") -> str:
    """What the door says; empty where it opens."""
    response = client.post(reverse("account_login"), {"login": login, "password": password})
    return "" if response.status_code == 302 else str(response.content.decode())


def test_name_and_address_of_a_person_share_one_counter(cast: Cast) -> None:
    names = ["builder", "builder@acme.example", "BUILDER", "Builder@Acme.Example", "builder ", "builder@acme.example"]
    assert [REFUSED in attempt(browser(1), each) for each in names] == [False] * 5 + [True]


def test_strangers_make_a_person_wait_and_never_lock_one_out(cast: Cast, waits: list[float]) -> None:
    for number in range(12):
        assert REFUSED not in attempt(browser(number), "builder" if number % 2 else "builder@acme.example")
    assert waits == [1, 2, 4, 8, 8, 8, 8]
    assert attempt(browser(50), password=PASSWORD) == ""
    assert waits == [1, 2, 4, 8, 8, 8, 8, 8]
    assert attempt(browser(51), "approver", PASSWORD) == ""
    assert len(waits) == 8  # nobody else waits


def test_a_browser_that_is_known_neither_waits_nor_shares_a_strangers_address(cast: Cast, waits: list[float]) -> None:
    mine = browser(1)
    assert attempt(mine, password=PASSWORD) == ""
    mine.post(reverse("account_logout"))
    stranger = browser(1)
    assert [REFUSED in attempt(stranger) for _ in range(6)] == [False] * 5 + [True]
    assert attempt(browser(1), password=PASSWORD) != ""
    assert attempt(mine, password=PASSWORD) == ""
    assert waits == []


def test_a_known_browser_may_not_guess_for_ever_and_knows_one_person_only(cast: Cast) -> None:
    mine = browser(1)
    attempt(mine, password=PASSWORD)
    mine.post(reverse("account_logout"))
    assert [REFUSED in attempt(mine) for _ in range(6)] == [False] * 5 + [True]
    cache.clear()
    other = browser(2)
    attempt(other, "approver", PASSWORD)
    other.post(reverse("account_logout"))
    for _ in range(5):
        attempt(browser(2))
    assert REFUSED in attempt(other)


def test_a_cookie_that_is_made_up_is_no_known_browser(cast: Cast, waits: list[float]) -> None:
    for number in range(5):
        attempt(browser(number))
    for text in ("user 1:abc", f"user {cast.builder.pk}:abc:def", "é"):
        client = browser(60)
        client.cookies["known_browser"] = text
        attempt(client)
    assert len(waits) == 3


def test_a_name_that_nobody_has_is_treated_like_one_that_somebody_has(cast: Cast, waits: list[float]) -> None:
    pages = {}
    for name in ("builder", "nobody"):
        pages[name] = [REFUSED in attempt(browser(number), name) for number in range(8)]
    assert pages["builder"] == pages["nobody"] == [False] * 8
    assert waits == [1, 2, 4, 1, 2, 4]


def test_who_comes_while_two_wait_already_is_told_so_and_nothing_is_tried(
    cast: Cast, waits: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        attempt(browser(number))
    monkeypatch.setattr(pace, "_places", threading.BoundedSemaphore(1))
    pace._places.acquire()
    client = browser(9)
    assert BUSY in attempt(client, password=PASSWORD)
    assert "_auth_user_id" not in client.session
    pace._places.release()
    assert attempt(client, password=PASSWORD) == ""


def test_the_cookie_is_for_the_server_alone(cast: Cast, settings: Any) -> None:
    settings.IS_PRODUCTION = True
    response = browser(1).post(reverse("account_login"), {"login": "builder", "password": PASSWORD})
    kept = response.cookies["known_browser"]
    assert (kept["httponly"], kept["secure"], kept["samesite"]) == (True, True, "Lax")
    again = Client()
    again.cookies["known_browser"] = kept.value
    assert attempt(again, password=PASSWORD) == ""
