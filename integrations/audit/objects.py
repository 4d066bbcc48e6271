"""What entries are about: what its kinds are called, and where a row of each is shown while it exists.

The rooms that own the rows register their kinds when Django starts, because this one stands below them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet

from integrations.core.address_values import number_of

PERSON = str(User._meta.model_name)
#: Whom an entry names by a number that nobody has any more.
ERASED = "a person who has been erased"


@dataclass(frozen=True)
class ObjectKind:
    """A kind of things. `rows` gives those of a team that can be looked at; None for pages without rows, which are
    always there. `address` makes the address of a page from an id."""

    key: str
    label: str
    address: Callable[[str], str] | None = None
    rows: Callable[[int], QuerySet[Any]] | None = None
    #: What the filter of the activity page calls them; empty if it does not list them.
    plural: str = ""


_KINDS = {each.key: each for each in (ObjectKind(PERSON, "Person"), ObjectKind("team", "Team"))}


def register(*kinds: ObjectKind) -> None:
    """Make kinds known."""
    _KINDS.update({kind.key: kind for kind in kinds})


def label_of(key: str) -> str:
    """What the kind is called; its key where nobody has registered it."""
    return _KINDS[key].label if key in _KINDS else key


def titled(label: str, name: str) -> str:
    """The name after the kind that it is of, unless it begins with that."""
    return name if name.startswith(label) or not label else f"{label}: {name}"


def addresses(chain: int, things: Iterable[tuple[str, str]]) -> dict[tuple[str, str], str]:
    """The addresses of the things, as (kind, id), that can be looked at; one query for each kind."""
    wanted: dict[str, set[str]] = {}
    for kind, pk in things:
        wanted.setdefault(kind, set()).add(pk)
    found = {}
    for key, ids in wanted.items():
        known = _KINDS.get(key)
        if known is None or known.address is None:
            continue
        for pk in ids if known.rows is None else _existing(known.rows(chain), ids):
            found[key, pk] = known.address(pk)
    return found


def _existing(rows: QuerySet[Any], ids: set[str]) -> set[str]:
    numbers = [number for number in map(number_of, ids) if number is not None]
    return {str(pk) for pk in rows.order_by().filter(pk__in=numbers).values_list("pk", flat=True)}


def offered(chain: int) -> list[tuple[str, list[tuple[str, str]]]]:
    """What the filter lists: (what the kind is called, [(kind-id, name)]) for each kind with rows."""
    groups = []
    for kind in _KINDS.values():
        if kind.plural and kind.rows is not None:
            rows = [(f"{kind.key}-{row.pk}", str(row)) for row in kind.rows(chain)]
            groups += [(kind.plural, sorted(rows, key=lambda row: row[1].casefold()))] if rows else []
    return sorted(groups, key=lambda group: group[0])


def people(ids: Iterable[int]) -> dict[int, str]:
    """The names of people as they are now; who has been erased is not among them."""
    found = User.objects.filter(pk__in=set(ids)).only("username", "first_name", "last_name")
    return {user.pk: name for user in found if (name := user.get_full_name() or user.get_username())}
