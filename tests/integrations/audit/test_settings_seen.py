"""Settings that have changed since Pinxero last ran are in the installation's record, and no secret is."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.fernet import Fernet

from integrations.audit import settings_seen
from integrations.audit.actions import Audited
from integrations.models import AuditEntry

pytestmark = pytest.mark.django_db


def _entries() -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=Audited.SETTINGS_CHANGED).order_by("number"))


def test_the_first_start_records_all_and_another_one_nothing(settings: Any) -> None:
    assert [settings_seen.note(), settings_seen.note()] == [True, False]
    [entry] = _entries()
    assert entry.after["SESSION_IDLE_MINUTES"] == str(settings.SESSION_IDLE_MINUTES)
    assert entry.after["PINXERO_ANCHOR_DIR"] == "none"


def test_only_what_has_changed_is_recorded_with_what_it_was(settings: Any) -> None:
    settings_seen.note()
    was = str(settings.SESSION_IDLE_MINUTES)
    settings.SESSION_IDLE_MINUTES, settings.HTTP_REQUEST_HOSTS = 5, ["api.example.com"]
    assert settings_seen.note()
    entry = _entries()[-1]
    assert entry.before == {"SESSION_IDLE_MINUTES": was, "HTTP_REQUEST_HOSTS": "none"}
    assert entry.after == {"SESSION_IDLE_MINUTES": "5", "HTTP_REQUEST_HOSTS": "api.example.com"}
    assert not settings_seen.note()


def test_a_new_key_is_recorded_by_its_fingerprint_alone(settings: Any) -> None:
    settings_seen.note()
    new = Fernet.generate_key().decode()
    settings.TOKEN_KEYS = [new, *settings.TOKEN_KEYS]
    assert settings_seen.note()
    assert list(_entries()[-1].after) == ["TOKEN_KEYS"]
    everything = str([(each.before, each.after) for each in _entries()])
    assert [key for key in (*settings.TOKEN_KEYS, settings.SECRET_KEY) if key in everything] == []


def test_a_process_records_it_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings_seen, "_noted", False)
    assert [settings_seen.note_once(), settings_seen.note_once()] == [1, 0]
