"""What people hold in a team besides their sessions, such as API tokens: listed here, and ended one by one.

Whoever gives people something registers it when Django starts, because its room stands above this one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User


@dataclass(frozen=True)
class Holding:
    """One thing that somebody holds and that still works. `may` says what it allows; moments are None where there is
    none."""

    kind: str
    id: int
    user_id: int
    name: str
    may: str
    made_at: datetime
    used_at: datetime | None
    ends_at: datetime | None


@dataclass(frozen=True)
class HoldingKind:
    """A kind of what is held. `of(team_id, user_ids)` lists what works now; `end(team_id, id, by)` ends one and says
    whether there was one."""

    key: str
    label: str
    of: Callable[[int, Collection[int]], Iterable[Holding]]
    end: Callable[[int, int, User], bool]


_KINDS: dict[str, HoldingKind] = {}


def register(kind: HoldingKind) -> None:
    """Make a kind known."""
    _KINDS[kind.key] = kind


def kind(key: str) -> HoldingKind | None:
    """The kind of this key."""
    return _KINDS.get(key)


def held(team_id: int, user_ids: Collection[int]) -> dict[int, list[Holding]]:
    """What each of these people holds in the team, by their ids."""
    found: dict[int, list[Holding]] = {user_id: [] for user_id in user_ids}
    for each in _KINDS.values():
        for holding in each.of(team_id, user_ids):
            found[holding.user_id].append(holding)
    return found
