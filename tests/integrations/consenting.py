"""A person who connects a provider by the sandbox's own consent pages, without a browser."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from django.test import Client
from django.urls import reverse

from integrations.models import Grant
from tests.base import sign_in_recently
from tests.provider import DEMO, Sandbox


@pytest.fixture
def world(sandbox: Sandbox, settings: Any) -> Sandbox:
    """The sandbox, with Pinxero pointed at it."""
    for name, value in sandbox.settings().items():
        setattr(settings, name, value)
    return sandbox


def signed_in(user: Any) -> Client:
    """A browser in which this person is signed in."""
    client = Client()
    sign_in_recently(client, user)
    return client


def begin(client: Client, provider: str, query: str = "", **form: str) -> str:
    """Press "Connect"; gives the address of the provider's page that it leads to."""
    response = client.post(reverse("connect", args=[provider]) + query, form)
    assert response.status_code == 302
    return str(response["Location"])


def consent(address: str, *, decision: str = "accept", tenants: list[str] | None = None) -> str:
    """Answer the provider's page; gives the address that the browser is sent back to."""
    base, _, query = address.partition("?")
    assert requests.get(address, timeout=10).status_code == 200
    form = [*parse_qsl(query), ("decision", decision)]
    form += [("tenant", tenant) for tenant in ([DEMO] if tenants is None else tenants)]
    answer = requests.post(base, data=form, allow_redirects=False, timeout=10)
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


def come_back(client: Client, location: str, **headers: str) -> Any:
    """Follow the provider's redirect, which must lead to BASE_URL."""
    parts = urlsplit(location)
    assert f"{parts.scheme}://{parts.netloc}" == "http://127.0.0.1:8000"
    return client.get(f"{parts.path}?{parts.query}", headers=headers)


def give(client: Client, provider: str, tenants: list[str] | None = None) -> Grant:
    """The whole consent; gives the grant that came of it."""
    response = come_back(client, consent(begin(client, provider), tenants=tenants))
    assert response.status_code == 302, response.content.decode()
    return Grant.objects.get(pk=int(str(response["Location"]).rstrip("/").rpartition("/")[2]))


def connect(client: Client, provider: str, accounts: list[str], tenants: list[str] | None = None) -> Grant:
    """The whole consent, and the accounts picked."""
    grant = give(client, provider, tenants)
    response = client.post(reverse("choose_accounts", args=[grant.pk]), {"account": accounts})
    assert response.status_code == 302, response.content.decode()
    return grant
