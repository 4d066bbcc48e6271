"""The fixed cast of every test: a team with one person of each role, and an outsider in another."""

from __future__ import annotations

import time
from dataclasses import dataclass

from allauth.account.internal.flows.login import (
    _AUTHENTICATION_METHODS_USER_SESSION_KEY,
    AUTHENTICATION_METHODS_SESSION_KEY,
)
from django.contrib.auth.models import User
from django.test import Client

from integrations.models import Connection, Grant, Membership, Role, Team

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class Cast:
    """The people of a test and their teams."""

    team: Team
    other_team: Team
    builder: User
    approver: User
    auditor: User
    administrator: User
    outsider: User


def make_cast() -> Cast:
    """Create the cast in the database."""
    team = Team.objects.create(name="Acme Finance")
    other = Team.objects.create(name="Other Company")
    people = {}
    for name, role, its_team in [
        ("builder", Role.BUILDER, team),
        ("approver", Role.APPROVER, team),
        ("auditor", Role.AUDITOR, team),
        ("outsider", Role.BUILDER, other),
        ("administrator", Role.ADMINISTRATOR, team),
    ]:
        user = User.objects.create_user(name, f"{name}@acme.example", PASSWORD, is_staff=True)
        Membership.objects.create(team=its_team, user=user, role=role)
        people[name] = user
    return Cast(team=team, other_team=other, **people)


def sign_in_recently(client: Client, user: User) -> None:
    """Sign somebody in as by the door a moment ago, without the cost of a password."""
    client.force_login(user)
    session = client.session
    session[AUTHENTICATION_METHODS_SESSION_KEY] = [{"method": "password", "at": time.time()}]
    session[_AUTHENTICATION_METHODS_USER_SESSION_KEY] = str(user.pk)
    session.save()


def make_connection(
    team: Team, provider: str, *, name: str = "", external_id: str = "", **details: object
) -> Connection:
    """A connection with a grant whose tokens are good for an hour, without a consent."""
    from datetime import timedelta

    from django.utils import timezone

    grant, _ = Grant.objects.get_or_create(
        team=team,
        provider=provider,
        external_user_id=f"{provider}-user",
        defaults={
            "label": f"{provider} user",
            "access_token": "stored-access-token",
            "refresh_token": "stored-refresh-token",
            "expires_at": timezone.now() + timedelta(hours=1),
        },
    )
    return Connection.objects.create(
        team=team,
        grant=grant,
        provider=provider,
        external_id=external_id or f"{provider}-account-{Connection.objects.count() + 1}",
        name=name or f"{provider.title()} account",
        details=details,
    )
