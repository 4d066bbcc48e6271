"""Whether the audit trail is as it was written: every entry's hash, the chain between them, its end, its anchors.

Whoever can write past the database's triggers can also compute new hashes up to the end. So the end is compared twice:
with the head row, and with anchors, numbers and hashes of last entries, that were kept outside of the database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from integrations.audit.chain import Content, entry_hash, origin_seal
from integrations.models import AuditEntry, AuditHead, AuditOrigin

_PORTION = 5_000


@dataclass(frozen=True)
class Anchor:
    """The last entry of a chain at some time, as it was told to somebody outside."""

    chain: int
    number: int
    hash: str

    def line(self) -> str:
        """One line of a file of anchors."""
        return json.dumps({"chain": self.chain, "number": self.number, "hash": self.hash})


@dataclass(frozen=True)
class Wrong:
    """The first entry of a chain that is not as it was written, and what is wrong with it."""

    number: int
    text: str


@dataclass(frozen=True)
class Verified:
    """A chain, how many of its entries are as they were, from when to when, and what is wrong with it, if anything."""

    chain: int
    count: int
    wrong: Wrong | None
    since: datetime | None = None
    until: datetime | None = None


def chains() -> list[int]:
    """Every chain there is or was."""
    known = set(AuditHead.objects.values_list("chain", flat=True))
    return sorted(known | set(AuditEntry.objects.order_by().values_list("chain", flat=True).distinct()))


def anchors() -> list[Anchor]:
    """The present end of every chain."""
    return [Anchor(head.chain, head.number, head.hash) for head in AuditHead.objects.order_by("chain")]


def read_anchors(lines: Iterable[str]) -> list[Anchor]:
    """Anchors from the lines of a file. Raises ValueError, which names the line, for what is none."""
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            read = json.loads(line)
            found.append(Anchor(int(read["chain"]), int(read["number"]), str(read["hash"])))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"Line {number} is no anchor.") from error
    return found


def verify(chain: int, known: Iterable[Anchor] = ()) -> Verified:
    """Read the whole chain in order and compare. Stops at the first entry that is wrong."""
    anchored = {anchor.number: anchor.hash for anchor in known if anchor.chain == chain}
    seals = {row.pk: origin_seal(row.person, row.address, row.salt) for row in AuditOrigin.objects.iterator()}
    # Before the entries: those that are added while they are read come after it.
    head = AuditHead.objects.filter(chain=chain).first()
    count, last_hash = 0, ""
    since = until = None
    for content, origin, stored in _entries(chain):
        wrong = _is_itself(content, stored, count) or _follows(content, last_hash)
        if wrong is None and seals.get(origin, content.origin_seal) != content.origin_seal:
            wrong = Wrong(content.number, "came from another address: that was changed")
        if wrong is None and anchored.get(content.number, stored) != stored:
            wrong = Wrong(content.number, "is not the one that an anchor names: it was written anew")
        if wrong is None and head is not None and content.number == head.number and stored != head.hash:
            wrong = Wrong(content.number, "is not the one that the head row names as the last: it was changed")
        if wrong is not None:
            return Verified(chain, count, wrong, since, until)
        count, last_hash = content.number, stored
        since, until = since or content.at, content.at
    return Verified(chain, count, _end(chain, count, head, anchored), since, until)


def _entries(chain: int) -> Iterator[tuple[Content, int, str]]:
    columns = (*Content._fields, "origin", "hash")
    rows: Any = AuditEntry.objects.filter(chain=chain).order_by("number").values_list(*columns)
    for row in rows.iterator(chunk_size=_PORTION):
        yield Content(*row[:-2]), row[-2] or 0, row[-1]


def _is_itself(content: Content, stored: str, count: int) -> Wrong | None:
    """Whether it has the next number and its content gives its hash."""
    if content.number != count + 1:
        return Wrong(count + 1, "is missing")
    if entry_hash(content) == stored:
        return None
    if entry_hash(content._replace(number=content.number - 1)) == stored:
        return Wrong(content.number - 1, "was put in: those after it have moved by one")
    if entry_hash(content._replace(number=content.number + 1)) == stored:
        return Wrong(content.number, "was taken out: those after it have moved by one")
    return Wrong(content.number, "was changed: its content does not give its hash")


def _follows(content: Content, last_hash: str) -> Wrong | None:
    if content.previous_hash == last_hash:
        return None
    # The entry is untouched and says what the one before it was: that one was changed, and given a new hash.
    return Wrong(max(content.number - 1, 1), "was changed: it is not the one that the next entry followed")


def _end(chain: int, count: int, head: AuditHead | None, anchored: dict[int, str]) -> Wrong | None:
    """Whether the last entry that was read is the last that there was."""
    last = max(anchored, default=0)
    if last > count:
        return Wrong(count + 1, f"is missing, with all after it: an anchor names entry {last}")
    if head is not None and head.number > count:
        return Wrong(count + 1, f"is missing, with all after it: the head row names entry {head.number} as the last")
    now = AuditHead.objects.filter(chain=chain).first()
    known = now.number if now is not None else 0
    return Wrong(known + 1, "is not known to the head row: it was put in") if count > known else None
