"""Forty secrets, each with a text of its own, go through Pinxero as people and providers send them; then every row of
every table, every session, every bell of the queue and every line of the log is searched for them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.core.errors import IntegrationError
from integrations.models import Grant, Team
from integrations.transport import token_refresh
from tests.base import PASSWORD, Cast
from tests.integrations.consenting import begin, come_back, consent, world
from tests.integrations.teams.test_signin import code_of
from tests.provider import DEMO, Sandbox
from workflows.models import Workflow
from workflows.runtime import broker
from workflows.triggers import inbound_webhooks
from workflows.worker import housekeeping

__all__ = ["world"]


def canary(name: str) -> str:
    return f"canary-{name}-{secrets.token_hex(8)}"


def everything_stored() -> dict[str, str]:
    """All rows of all tables as text, with what is packed in them unpacked."""
    found = {}
    with connection.cursor() as cursor:
        for table in set(connection.introspection.table_names()):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            values = [str(value) for row in cursor.fetchall() for value in row if value is not None]
            found[table] = "\n".join([*values, *map(_unpacked, values)])
    found["sessions, opened"] = "\n".join(str(each.get_decoded()) for each in Session.objects.all())
    found["bells, opened"] = "\n".join(str(each.task) for each in apps.get_model("django_q", "OrmQ").objects.all())
    return found


def _unpacked(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("latin-1")
    except (binascii.Error, ValueError):
        return ""


def grants_with_canaries(team: Team, count: int) -> list[str]:
    """Consents that the provider does not know (any more), asked for access; gives their secrets."""
    kept = []
    for number in range(count):
        mine = [canary("access"), canary("refresh")]
        grant = Grant.objects.create(
            team=team,
            provider="xero" if number % 2 else "pinterest",
            external_user_id=f"person {number}",
            access_token=mine[0],
            refresh_token=mine[1],
            expires_at=timezone.now() - timedelta(hours=1),
        )
        with pytest.raises(IntegrationError):
            token_refresh.access_token(grant.pk)
        kept += mine
    return kept


def consented(client: Client, provider: str) -> list[str]:
    """A whole consent and a renewal; gives code, state and all tokens."""
    back = consent(begin(client, provider), tenants=[DEMO])
    grant_id = int(come_back(client, back)["Location"].rstrip("/").rpartition("/")[2])
    grant = Grant.objects.get(pk=grant_id)
    first = [grant.access_token, grant.refresh_token]
    second = token_refresh.access_token(grant_id, unless=grant.access_token)
    return [*first, second, *re.findall(r"(?:code|state)=([^&]+)", back)]


def signed_call(address: str, secret: str) -> int:
    body = b'{"title": "Oak"}'
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-S": signature}
    return Client().post(address, body, content_type="application/json", headers=headers).status_code


def set_up_second_factor(client: Client) -> list[str]:
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret: str = re.findall(r'id="authenticator_secret" value="([A-Z2-7]+)"', page)[0]
    assert secret not in str([each.get_decoded() for each in Session.objects.all()])  # an unfinished enrolment
    client.post(reverse("mfa_activate_totp"), {"code": code_of(secret)})
    codes = client.get(reverse("mfa_view_recovery_codes")).content.decode()
    return [secret, *re.findall(r"^\w{8}$", codes, re.MULTILINE)[:2], *seeds()]


def seeds() -> list[str]:
    """What all codes of the second factors are made from, opened."""
    return [get_adapter().decrypt(each.data.get("secret") or each.data["seed"]) for each in Authenticator.objects.all()]


@pytest.mark.django_db
def test_no_secret_is_found_in_rows_sessions_bells_or_log(
    cast: Cast, world: Sandbox, settings: Any, caplog: pytest.LogCaptureFixture, mailoutbox: list[Any]
) -> None:  # fmt: skip
    caplog.set_level("DEBUG")
    client = Client()
    wrong, new, signing = canary("wrong-password"), canary("new-password"), canary("signing")
    client.post(reverse("account_login"), {"login": "builder", "password": wrong})
    client.post(reverse("account_login"), {"login": "builder", "password": PASSWORD})
    known = [wrong, new, signing, PASSWORD, *settings.TOKEN_KEYS]
    known += [settings.PINTEREST_CLIENT_SECRET, settings.XERO_CLIENT_SECRET]
    known += consented(client, "pinterest") + consented(client, "xero")
    workflow = Workflow.objects.create(team=cast.team, name="Orders", created_by=cast.builder)
    hook = inbound_webhooks.hook_of(workflow)
    form = {"signature": "hex", "header": "X-S", "secret": signing}
    assert client.post(reverse("hook_signature", args=[workflow.pk]), form).status_code == 302
    assert signed_call(f"/hooks/in/{hook.token}/", signing) == 409  # signed well, and not switched on
    known.append(hook.token)
    page = client.post(reverse("api_tokens"), {"name": "Shop", "scope": "read", "days": "0"}).content.decode()
    token = re.findall(r"pxt_[\w-]{40,}", page)[0]
    assert Client().get("/api/runs/", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    known.append(token)
    known += set_up_second_factor(client)
    Client().post(reverse("account_reset_password"), {"email": cast.builder.email})
    link = re.findall(r"(/accounts/password/reset/key/\S+)", mailoutbox[-1].body)[0]
    known.append(link.rstrip("/").rpartition("/")[2])
    visitor = Client()
    there = visitor.get(link, follow=True).redirect_chain[-1][0]
    visitor.post(there, {"password1": new, "password2": new})
    assert User.objects.get(username="builder").check_password(new)
    known += grants_with_canaries(cast.other_team, (40 - len(known)) // 2 + 1)
    broker.wake_worker()
    housekeeping.do_chores()
    assert len(set(known)) >= 40
    stored = everything_stored() | {"log": caplog.text}
    assert "Renewed the access of grant" in caplog.text
    assert [f"{place}: {each[:14]}" for place, text in stored.items() for each in known if each in text] == []
