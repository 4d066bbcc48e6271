"""Whether the database was migrated by a newer Pinxero than this process runs.

During an upgrade the database is migrated while old workers still run. Migrations first only add, so a run under way
comes to its end; but what an old worker would make of rows that it does not know is nobody's guess. So it claims
nothing new, and goes on when it is replaced or the migration is taken back.
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
    """What was applied that this code has no file for: ["workflows.0042_name"]; asked anew every two seconds."""
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
    """Ask again at the next call."""
    _asked.clear()
