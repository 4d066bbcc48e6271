"""An answer of a provider counts only for the person, team, browser and provider that asked, once, for ten minutes."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.internal import statekit
from django.test import Client
from django.urls import reverse

from integrations.models import Grant, Membership, Role
from tests.base import Cast
from tests.integrations.consenting import begin, come_back, consent, signed_in, world
from tests.provider import Sandbox

__all__ = ["world"]

pytestmark = pytest.mark.django_db


def text(response: Any) -> str:
    return " ".join(response.content.decode().split())


def refused(response: Any) -> bool:
    return response.status_code == 400 and "This consent was not begun here" in text(response)


def test_a_state_works_once(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    assert come_back(client, location).status_code == 302
    assert refused(come_back(client, location))
    assert len(world.ledger(path="/connect/token")) == 1


def test_a_missing_or_invented_state_is_refused_and_the_code_is_not_used(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    code = parse_qs(urlsplit(consent(begin(client, "xero"))).query)["code"][0]
    for query in (f"code={code}", f"code={code}&state=", f"code={code}&state={'x' * 43}", "", "error=access_denied"):
        assert refused(client.get(f"{reverse('xero_callback')}?{query}"))
    assert world.ledger(path="/connect/token") == []
    assert Grant.objects.count() == 0


def test_a_state_of_another_browser_is_refused(cast: Cast, world: Sandbox) -> None:
    location = consent(begin(signed_in(cast.builder), "xero"))
    assert refused(come_back(signed_in(cast.builder), location))
    assert refused(come_back(signed_in(cast.outsider), location))
    assert Grant.objects.count() == 0


def test_a_state_of_another_person_in_the_same_browser_is_refused(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    session = client.session
    session["_auth_user_id"] = str(cast.outsider.pk)
    session["_auth_user_hash"] = cast.outsider.get_session_auth_hash()
    session.save()
    assert refused(come_back(client, location))
    assert Grant.objects.count() == 0


def test_a_state_of_another_provider_is_refused(cast: Cast, world: Sandbox) -> None:
    client = signed_in(cast.builder)
    query = urlsplit(consent(begin(client, "xero"))).query
    assert refused(client.get(f"{reverse('pinterest_callback')}?{query}"))
    assert Grant.objects.count() == 0


def test_a_state_of_another_team_of_the_same_person_is_refused(cast: Cast, world: Sandbox) -> None:
    Membership.objects.create(team=cast.other_team, user=cast.builder, role=Role.BUILDER)
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    session = client.session
    session["team_id"] = cast.other_team.pk
    session.save()
    assert refused(come_back(client, location))
    assert Grant.objects.count() == 0


def test_a_state_older_than_ten_minutes_is_refused(cast: Cast, world: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    client = signed_in(cast.builder)
    location = consent(begin(client, "xero"))
    later = time.time() + 601
    monkeypatch.setattr(statekit.time, "time", lambda: later)
    assert refused(come_back(client, location))


def test_somebody_who_is_signed_out_is_sent_to_sign_in_and_the_code_is_dropped(cast: Cast, world: Sandbox) -> None:
    location = consent(begin(signed_in(cast.builder), "xero"))
    visitor = Client()
    response = come_back(visitor, location)
    assert (response.status_code, response["Location"]) == (302, "/accounts/login/?next=/connections/")
    assert "you are not signed in to Pinxero at http://127.0.0.1:8000" in text(visitor.get(response["Location"]))
    assert world.ledger(path="/connect/token") == []
