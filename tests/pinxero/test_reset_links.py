"""Links that set a forgotten password anew: each works once, for an hour, and for nobody who has gone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.http import int_to_base36

from tests.base import PASSWORD, Cast

AT = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)
DEAD = "This link does not work any more"
Ask = Callable[[], str]


@pytest.fixture
def ask(cast: Cast, mailoutbox: list[Any]) -> Ask:
    """Ask for a link; gives its path."""

    def asking() -> str:
        cache.clear()
        Client().post(reverse("account_reset_password"), {"email": "builder@acme.example"})
        found = re.search(r"(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)
        assert found is not None
        return found[1]

    return asking


def opened(link: str) -> tuple[Client, str]:
    """A browser in which the link was opened, and where its form goes; no address where it does not work."""
    client = Client()
    response = client.get(link, follow=True)
    return client, "" if DEAD in response.content.decode() else response.redirect_chain[-1][0]


def set_password(browser: Client, form: str, new: str) -> None:
    browser.post(form, {"password1": new, "password2": new})


def has(password: str) -> bool:
    return User.objects.get(username="builder").check_password(password)


def test_of_two_browsers_that_opened_one_link_the_second_changes_nothing(ask: Ask) -> None:
    link = ask()
    (first, form), (second, same) = opened(link), opened(link)
    set_password(first, form, "the first sentence")
    set_password(second, same, "the second sentence")
    set_password(first, form, "the third sentence")
    assert has("the first sentence")
    assert opened(link)[1] == ""


def test_using_one_of_two_links_ends_the_other(ask: Ask) -> None:
    older, newer = ask(), ask()
    browser, form = opened(newer)
    set_password(browser, form, "the first sentence")
    assert opened(older)[1] == ""


def test_signing_in_with_the_old_password_ends_the_link(ask: Ask) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        link = ask()
        clock.shift(5)
        Client().post(reverse("account_login"), {"login": "builder", "password": PASSWORD})
        assert opened(link)[1] == ""


def test_a_link_works_for_an_hour(ask: Ask, mailoutbox: list[Any]) -> None:
    with time_machine.travel(AT, tick=False) as clock:
        link = ask()
        assert "The link works once, within an hour." in mailoutbox[-1].body
        clock.shift(3600)
        browser, form = opened(link)
        assert form
        clock.shift(1)
        set_password(browser, form, "the first sentence")
        assert has(PASSWORD)
        assert opened(link)[1] == ""


@pytest.mark.parametrize("changed", [{"is_active": False}, {"email": "somebody.else@acme.example"}])
def test_a_link_dies_with_the_account_and_with_the_address_it_was_sent_to(ask: Ask, changed: dict[str, Any]) -> None:
    link = ask()
    browser, form = opened(link)
    User.objects.filter(username="builder").update(**changed)
    set_password(browser, form, "the first sentence")
    assert not has("the first sentence")
    assert opened(link)[1] == ""


def test_a_link_of_one_person_sets_nobody_elses_password(ask: Ask, cast: Cast) -> None:
    found = re.search(r"key/([0-9a-z]+)-(.*)/$", ask())
    assert found is not None
    works = {
        user.username: opened(f"/accounts/password/reset/key/{int_to_base36(user.pk)}-{found[2]}/")[1] != ""
        for user in (cast.builder, cast.approver, cast.outsider)
    }
    assert works == {"builder": True, "approver": False, "outsider": False}
