"""Settings of the installation that differ from those with which it ran before: recorded once, when a worker starts.

Of what is secret only a fingerprint is kept: it tells that a key is another one, and nothing about it.
"""

from __future__ import annotations

import hashlib
from typing import Any

from django.conf import settings
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.audit.record import INSTALLATION, About, lock, record_difference
from integrations.models import AuditEntry

#: By what docs/settings.md calls them; what decides who gets in, where data goes, and how long it is kept.
_SHOWN = {
    "PINXERO_MODE": "PINXERO_MODE", "BASE_URL": "BASE_URL", "ALLOWED_HOSTS": "ALLOWED_HOSTS",
    "TIME_ZONE": "TIME_ZONE", "TRUSTED_PROXY_COUNT": "ALLAUTH_TRUSTED_PROXY_COUNT",
    "SECOND_FACTOR_FOR": "SECOND_FACTOR_FOR", "SECOND_FACTOR_GRACE_DAYS": "SECOND_FACTOR_GRACE_DAYS",
    "SESSION_IDLE_MINUTES": "SESSION_IDLE_MINUTES", "OIDC_SERVER_URL": "OIDC_SERVER_URL",
    "OIDC_GROUPS": "OIDC_GROUPS", "HTTP_REQUEST_HOSTS": "HTTP_REQUEST_HOSTS",
    "OUTSIDE_PRIVATE_HOSTS": "OUTSIDE_PRIVATE_HOSTS", "FILE_LINK_HOSTS": "FILE_LINK_HOSTS",
    "INBOUND_CALLS_A_MINUTE": "INBOUND_CALLS_A_MINUTE", "DEFAULT_FROM_EMAIL": "DEFAULT_FROM_EMAIL",
    "PINXERO_KEEP_BODIES_DAYS": "KEEP_BODIES_DAYS", "PINXERO_KEEP_RUNS_DAYS": "KEEP_RUNS_DAYS",
    "PINXERO_KEEP_EVIDENCE_YEARS": "KEEP_EVIDENCE_YEARS", "PINXERO_ANCHOR_DIR": "ANCHOR_DIR",
    "PINXERO_ANCHOR_MAIL": "ANCHOR_MAIL",
}  # fmt: skip
_SECRET = ("SECRET_KEY", "TOKEN_KEYS")

_noted = False


def note_once() -> int:
    """Record what differs, the first time that this process asks; returns how many entries were made."""
    global _noted
    if _noted:
        return 0
    made = note()
    _noted = True
    return int(made)


def note() -> bool:
    """Record what differs from what was recorded last; False where nothing does. Of several processes that start
    together one records it."""
    with transaction.atomic():
        lock(INSTALLATION)
        known: dict[str, str] = {}
        entries = AuditEntry.objects.filter(chain=INSTALLATION, action=Audited.SETTINGS_CHANGED).order_by("number")
        for after in entries.values_list("after", flat=True):
            known.update(after)
        about = About("settings", "", "Settings")
        made = record_difference(
            Audited.SETTINGS_CHANGED, team_id=None, about=about, by=None, before=known, after=words()
        )
    return made is not None


def words() -> dict[str, str]:
    """The settings in words."""
    shown = {name: _text(getattr(settings, attribute, "")) for name, attribute in _SHOWN.items()}
    return shown | {name: _fingerprints(getattr(settings, name, "")) for name in _SECRET}


def _text(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(str(each) for each in value) or "none"
    return str(value) if value != "" else "none"


def _fingerprints(value: Any) -> str:
    values = value if isinstance(value, list | tuple) else [value]
    told = [hashlib.sha256(f"pinxero settings {each}".encode()).hexdigest()[:12] for each in values if each]
    return f"fingerprint {', '.join(told)}" if told else "none"
