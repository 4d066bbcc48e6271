"""Grants with tokens of the sandbox, for tests of their renewal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from integrations.models import Connection, Grant, Team
from tests.provider import Sandbox


@pytest.fixture
def world(sandbox: Sandbox, settings: Any) -> Sandbox:
    for name, value in sandbox.settings().items():
        setattr(settings, name, value)
    settings.TIME_SCALE = 20  # time-outs of a second, leases of three
    return sandbox


def make_grant(world: Sandbox, provider: str = "xero", **values: Any) -> Grant:
    """A grant with tokens that the sandbox has given, due for renewal, and one connection."""
    team, _ = Team.objects.get_or_create(name="Acme Finance")
    tokens = world.tokens(provider)
    grant = Grant.objects.create(
        **{
            "team": team,
            "provider": provider,
            "external_user_id": "somebody",
            "access_token": tokens["access_token"],
            "refresh_token": tokens["refresh_token"],
            "expires_at": timezone.now() - timedelta(minutes=1),
            "refreshed_at": timezone.now() - timedelta(minutes=31),
            "scopes": tokens["scope"].split(),
            **values,
        }
    )
    Connection.objects.create(team=team, grant=grant, provider=provider, external_id=f"of {grant.pk}", name="One")
    return grant


def refreshes(world: Sandbox, outcome: str = "tokens for refresh_token") -> int:
    return len(world.ledger(outcome=outcome))


def works(world: Sandbox, token: str) -> bool:
    headers = {"Authorization": f"Bearer {token}"}
    return requests.get(f"{world.url}/connections", headers=headers, timeout=10).status_code == 200


def read(grant: Grant) -> Grant:
    return Grant.objects.get(pk=grant.pk)
