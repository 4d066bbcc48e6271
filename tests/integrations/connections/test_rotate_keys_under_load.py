"""Rotating the keys while other processes renew grants and change secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from io import StringIO
from typing import Any

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from cryptography.fernet import Fernet, InvalidToken
from django.core.management import CommandError, call_command
from django.db import connection

from integrations.models import Grant
from integrations.transport import token_refresh
from tests.base import Cast
from tests.integrations.renewing import make_grant, works, world
from tests.provider import CHECKOUT, Sandbox
from workflows.models import InboundHook, Workflow
from workflows.triggers import inbound_webhooks

__all__ = ["world"]

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
#: Rows that nobody changes: the work of the rotation, during which the others change theirs.
QUIET = 20
#: How long the rotation runs beside the others, over and over; each run meets every value that they change.
SECONDS = 2


def environment(world: Sandbox, settings: Any) -> dict[str, str]:
    base, _, _ = os.environ["DATABASE_URL"].partition("?")
    return {
        **{name: value for name, value in os.environ.items() if not name.endswith("_BASE")},
        **world.settings(),
        "DJANGO_SETTINGS_MODULE": "pinxero.settings",
        "PINXERO_ENV_FILE": "",
        "PINXERO_MODE": "development",
        "SECRET_KEY": settings.SECRET_KEY,
        "TOKEN_KEYS": f"{NEW},{OLD}",
        "DATABASE_URL": f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}",
        "LOG_LEVEL": "WARNING",
    }


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def rotate_as_a_process(env: dict[str, str]) -> str:
    command = [sys.executable, "manage.py", "rotate_keys", "--batch", "20", "--skip-checks"]
    return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, timeout=60, check=True).stdout


def stored_texts() -> dict[str, str]:
    """Every ciphertext there is, by where it lies."""
    found = {}
    with connection.cursor() as cursor:
        for table, columns in (
            ("integrations_grant", "access_token, refresh_token"),
            ("workflows_inboundhook", "token, secret"),
            ("mfa_authenticator", "coalesce(data->>'secret', data->>'seed')"),
        ):
            cursor.execute(f"SELECT id, {columns} FROM {table}")
            for row_id, *texts in cursor.fetchall():
                found |= {f"{table} {row_id} {number}": text for number, text in enumerate(texts) if text}
    return found


def under(key: str) -> list[str]:
    """Where ciphertext lies that this key opens."""
    return [place for place, text in stored_texts().items() if token_opens(key, text)]


def token_opens(key: str, text: str) -> bool:
    try:
        Fernet(key).decrypt(text.encode())
    except InvalidToken:
        return False
    return True


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_rotation_beside_working_processes_loses_nothing_and_a_second_leaves_nothing_behind(
    cast: Cast, world: Sandbox, settings: Any
) -> None:
    world.faults(refresh_grace_seconds=0)  # a token that is written back after its renewal would be fatal
    settings.TOKEN_KEYS = [OLD]
    shared, renewed, kept = (make_grant(world, external_user_id=f"person {number}") for number in range(3))
    for number in range(QUIET):
        tokens = {"access_token": f"access {number}", "refresh_token": f"refresh {number}"}
        Grant.objects.create(team=cast.team, provider="xero", external_user_id=f"quiet {number}", **tokens)
    hooks = [
        inbound_webhooks.hook_of(Workflow.objects.create(team=cast.team, name=f"Orders {number}"))
        for number in range(2)
    ]
    app, codes = TOTP.activate(cast.builder, "JBSWY3DPEHPK3PXP"), RecoveryCodes.activate(cast.builder)
    settings.TOKEN_KEYS = [NEW, OLD]
    # Some processes have the new key in front; others know it and still write under the old one.
    jobs = [
        ["refresh", shared.pk, [OLD, NEW]],
        ["refresh", shared.pk, [NEW, OLD]],
        ["refresh", renewed.pk, [OLD, NEW]],
        ["rename", kept.pk, [OLD, NEW]],
        ["sign", hooks[0].pk, [OLD, NEW]],
        ["sign", hooks[1].pk, [NEW, OLD]],
        ["use_up", codes.instance.pk, [NEW, OLD]],
    ]
    env = environment(world, settings)
    command = [sys.executable, "-m", "tests.integrations.writers", json.dumps(jobs)]
    with subprocess.Popen(
        command, cwd=CHECKOUT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as writers:  # fmt: skip
        assert writers.stdout is not None
        assert writers.stdout.readline() == "ready\n"
        first = rotate_as_a_process(env)
        ends = time.monotonic() + SECONDS
        while time.monotonic() < ends:
            with suppress(CommandError):  # "keeps changing. Run this again."
                rotate()
        seen = json.loads(writers.communicate(timeout=30)[0])

    assert [each["error"] for each in seen] == [""] * len(jobs)
    assert min(each["rounds"] for each in seen) >= 2, seen
    assert int(first.split()[1].rstrip(",")) > 2 * QUIET
    assert rotate().startswith("Re-encrypted ")
    assert under(OLD) == []
    assert sorted(under(NEW)) == sorted(stored_texts())

    settings.TOKEN_KEYS = [NEW]
    last = {(each["what"], each["id"]): each["last"] for each in seen}
    quiet = Grant.objects.filter(external_user_id__startswith="quiet").order_by("pk")
    assert [(each.access_token, each.refresh_token) for each in quiet] == [
        (f"access {number}", f"refresh {number}") for number in range(QUIET)
    ]
    assert [[each.token, each.secret] for each in InboundHook.objects.order_by("pk")] == [
        last["sign", hook.pk] for hook in hooks
    ]
    stays = Grant.objects.get(pk=kept.pk)
    assert [stays.access_token, stays.refresh_token] == last["rename", kept.pk]
    assert get_adapter().decrypt(Authenticator.objects.get(pk=app.instance.pk).data["secret"]) == "JBSWY3DPEHPK3PXP"
    assert len(RecoveryCodes.activate(cast.builder).get_unused_codes()) == last["use_up", codes.instance.pk]
    for grant in (shared, renewed):
        token = token_refresh.access_token(grant.pk, unless=Grant.objects.get(pk=grant.pk).access_token)
        assert works(world, token)
