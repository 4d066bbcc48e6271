"""Free disk space: a worker starts nothing while there is too little, so that no record of its work is lost.

Checked are the disk that Pinxero runs on and, with SQLite, the disk of the database. The disk of a database server is
not visible from here; its operators watch it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

#: A large disk never needs more free space than this, whatever the percentage says.
_ENOUGH = 20 * 1024**3
_CHECK_EVERY = 10.0


@dataclass(frozen=True)
class DiskSpace:
    """How much of a disk is free, and how much has to be, in bytes."""

    path: str
    free: int
    needed: int

    @property
    def is_low(self) -> bool:
        """Whether workers should start nothing."""
        return self.free < self.needed

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{_gib(self.free)} are free on the disk of {self.path}; at least {_gib(self.needed)} have to be."


def disk_spaces() -> list[DiskSpace]:
    """The space on each disk that is checked, read now."""
    found = []
    for path in _paths():
        try:
            usage = shutil.disk_usage(path)
        except OSError:
            continue
        share = min(_ENOUGH, usage.total * settings.DISK_LEAST_PERCENT // 100)
        found.append(DiskSpace(str(path), usage.free, max(settings.DISK_LEAST_BYTES, share)))
    return found


def is_low() -> bool:
    """Whether any disk has too little space. Checked at most every ten seconds."""
    now = time.monotonic()
    if now - _seen.at > _CHECK_EVERY:
        _seen.at, _seen.is_low = now, any(room.is_low for room in disk_spaces())
    return _seen.is_low


@dataclass
class _Seen:
    at: float = -_CHECK_EVERY * 2
    is_low: bool = False


_seen = _Seen()


def _paths() -> set[Path]:
    database = settings.DATABASES["default"]
    paths = {Path(settings.BASE_DIR)}
    if "sqlite" in database["ENGINE"] and database["NAME"] and ":memory:" not in str(database["NAME"]):
        paths.add(Path(str(database["NAME"])).parent)
    return paths


def _gib(size: int) -> str:
    return f"{size / 1024**3:,.1f} GiB"
