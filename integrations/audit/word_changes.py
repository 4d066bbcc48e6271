"""How one text of sentences, a line each, differs from another: what people see of an edit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher

#: Words that belong together, and whether they are missing on the other side.
Words = list[tuple[str, bool]]
_AKIN = 0.4


@dataclass(frozen=True)
class Change:
    """A changed sentence; `before` is empty for a new one, `after` for one that was removed."""

    before: Words
    after: Words


def changes(before: str, after: str) -> list[Change]:
    """How one description differs from another, sentence by sentence, with the differing words separated."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Change] = []
    for kind, i, j, k, m in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            found += _pairs(old[i:j], new[k:m])
    return found


def _pairs(old: list[str], new: list[str]) -> Iterator[Change]:
    """Each new sentence with the old one most like it, if any; then the old ones that were removed."""
    for now in new:
        was = max(old, key=lambda each: _likeness(each, now), default="")
        if was and _likeness(was, now) >= _AKIN:
            old.remove(was)
            yield _change(was.split(), now.split())
        else:
            yield Change([], [(now, True)])
    for was in old:
        yield Change([(was, True)], [])


def _likeness(before: str, after: str) -> float:
    return SequenceMatcher(None, before.split(), after.split(), autojunk=False).ratio()


def _change(old: list[str], new: list[str]) -> Change:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return Change(
        [(" ".join(old[i:j]), kind != "equal") for kind, i, j, _, _ in codes if j > i],
        [(" ".join(new[k:m]), kind != "equal") for kind, _, _, k, m in codes if m > k],
    )
