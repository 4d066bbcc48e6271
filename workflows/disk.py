"""Room on the disk: a worker begins nothing while there is too little of it, so that what it records cannot be lost.

Looked at is the disk that Pinxero runs on, and with SQLite that of the database. A database server's own disk is not
seen from here; its operators watch it.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

#: A large disk need not have more free than this, whatever the percentage says.
_ENOUGH = 20 * 1024**3
_LOOK_EVERY = 10.0


@dataclass(frozen=True)
class Room:
    """What is free of a disk, and how much has to be, in bytes."""

    path: str
    free: int
    needed: int

    @property
    def is_low(self) -> bool:
        """Whether a worker should begin nothing."""
        return self.free < self.needed

    @property
    def sentence(self) -> str:
        """For people."""
        return f"{_gib(self.free)} are free on the disk of {self.path}; at least {_gib(self.needed)} have to be."


def rooms() -> list[Room]:
    """How it stands with each disk that is looked at, read now."""
    found = []
    for path in _paths():
        try:
            usage = shutil.disk_usage(path)
        except OSError:
            continue
        share = min(_ENOUGH, usage.total * settings.DISK_LEAST_PERCENT // 100)
        found.append(Room(str(path), usage.free, max(settings.DISK_LEAST_BYTES, share)))
    return found


def is_low() -> bool:
    """Whether any of them has too little room. Looked at every ten seconds at most."""
    now = time.monotonic()
    if now - _seen.at > _LOOK_EVERY:
        _seen.at, _seen.is_low = now, any(room.is_low for room in rooms())
    return _seen.is_low


@dataclass
class _Seen:
    at: float = -_LOOK_EVERY * 2
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
