"""The days in which a second factor may be set up, and the roles for which a team asks for one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry, SecondFactorDemand, Team
from tests.base import PASSWORD, Cast
from tests.integrations.people.asking import administrating
from tests.pinxero.test_second_factor import led_to, signed_in

NOTE = "Set up two-factor sign-in by"


@pytest.fixture(autouse=True)
def _as_in_production(db: None, settings: Any) -> None:
    cache.clear()
    settings.SECOND_FACTOR_FOR = ["superuser", "approver", "administrator"]
    settings.SECOND_FACTOR_GRACE_DAYS = 14


def test_within_the_days_everything_opens_with_a_note_and_afterwards_nothing(cast: Cast) -> None:
    for name in ("approver", "administrator"):
        client = signed_in(name)
        assert NOTE in client.get("/runs/").content.decode()
        SecondFactorDemand.objects.filter(user__username=name).update(
            since=timezone.now() - timedelta(days=13, hours=23)
        )
        assert led_to(client) == ""
        SecondFactorDemand.objects.filter(user__username=name).update(since=timezone.now() - timedelta(days=14))
        assert led_to(client) == reverse("mfa_activate_totp")
        assert led_to(client, reverse("people")) == reverse("mfa_activate_totp")


def test_a_superuser_has_the_days_too(cast: Cast) -> None:
    User.objects.create_superuser("root", "root@acme.example", PASSWORD)
    client = signed_in("root")
    assert led_to(client, "/admin/auth/user/") == ""
    SecondFactorDemand.objects.update(since=timezone.now() - timedelta(days=14))
    assert led_to(client, "/admin/auth/user/") == reverse("mfa_activate_totp")


def test_the_days_begin_once_and_neither_a_new_role_nor_a_reset_begins_them_anew(cast: Cast) -> None:
    client = signed_in("approver")
    client.get("/runs/")
    since = SecondFactorDemand.objects.get(user=cast.approver).since
    SecondFactorDemand.objects.update(since=since - timedelta(days=20))
    cast.approver.memberships.update(role="auditor")
    assert led_to(client) == ""
    cast.approver.memberships.update(role="administrator")
    assert led_to(client) == reverse("mfa_activate_totp")
    TOTP.activate(cast.approver, "JBSWY3DPEHPK3PXP").instance.delete()
    assert led_to(client) == reverse("mfa_activate_totp")


def test_nobody_is_asked_whose_role_needs_none(cast: Cast) -> None:
    for name in ("builder", "auditor"):
        assert NOTE not in signed_in(name).get("/runs/").content.decode()
    assert not SecondFactorDemand.objects.exists()


def test_a_team_asks_it_of_further_roles_with_a_reason(cast: Cast) -> None:
    TOTP.activate(cast.administrator, "JBSWY3DPEHPK3PXP")
    client = administrating(cast)
    session = client.session
    session["second_factor_of"] = cast.administrator.pk
    session.save()
    form = {"roles": ["auditor"], "reason": "The insurer asks for it"}
    assert client.post(reverse("second_factor"), form).status_code == 302
    assert Team.objects.get(pk=cast.team.pk).second_factor_roles == ["auditor"]
    assert NOTE in signed_in("auditor").get("/runs/").content.decode()
    for name in ("builder", "outsider"):
        assert NOTE not in signed_in(name).get("/runs/").content.decode()
    entry = AuditEntry.objects.get(action=Audited.SECOND_FACTOR_ROLES)
    assert (entry.before, entry.after) == ({"Besides": "None"}, {"Besides": "Auditor"})
    assert entry.reason == "The insurer asks for it"


def test_the_roles_that_always_need_one_cannot_be_left_out(cast: Cast) -> None:
    TOTP.activate(cast.administrator, "JBSWY3DPEHPK3PXP")
    client = administrating(cast)
    session = client.session
    session["second_factor_of"] = cast.administrator.pk
    session.save()
    page = client.get(reverse("second_factor")).content.decode()
    assert 'value="approver"' not in page
    client.post(reverse("second_factor"), {"roles": ["approver"], "reason": "No"})
    assert Team.objects.get(pk=cast.team.pk).second_factor_roles == []
