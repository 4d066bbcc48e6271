"""Whether the database was migrated by a newer Pinxero than this process runs.

During an upgrade the database is migrated while old workers still run. Migrations only add at first, so a run in
progress can finish; but an old worker might misread rows that it does not know. So it claims nothing new until it is
replaced or the migration is reversed.
"""

from __future__ import annotations

import time

from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

_APPS = ("integrations", "workflows")
_ASK_EVERY = 2.0
_known: set[tuple[str, str]] = set()
_asked: list[tuple[float, list[str]]] = []


def unknown_migrations() -> list[str]:
    """Applied migrations that this code has no file for: ["workflows.0042_name"]. Checked every two seconds at most."""
    now = time.monotonic()
    if _asked and now - _asked[0][0] < _ASK_EVERY:
        return _asked[0][1]
    if not _known:
        _known.update(MigrationLoader(None).disk_migrations)
    recorded = MigrationRecorder.Migration.objects.using(connection.alias).filter(app__in=_APPS)
    applied = recorded.values_list("app", "name")
    found = sorted(f"{app}.{name}" for app, name in applied if (app, name) not in _known)
    _asked[:] = [(now, found)]
    return found


def forget() -> None:
    """Check again at the next call."""
    _asked.clear()
