"""How the entries of a chain hang together: each holds a hash of its own content and of the entry before it.

Plain SHA-256 without a key: an auditor, or a script without Pinxero, can check it. The price: whoever can write to the
database past its triggers can compute a new chain from some entry on. What they cannot change is an anchor, number and
hash of the last entry, that has left the machine before; see `verify.py`.
"""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

#: Says which of an entry's fields are hashed and how; another way needs another number.
VERSION = 1


class Content(NamedTuple):
    """What of an entry is hashed; the fields of AuditEntry, in the order in which they are read."""

    chain: int
    number: int
    at: datetime
    person: int | None
    role: str
    origin_seal: str
    action: str
    object_type: str
    object_id: str
    object_name: str
    reason: str
    before: dict[str, Any]
    after: dict[str, Any]
    previous_hash: str


def canonical(content: Content) -> bytes:
    """The bytes that are hashed: JSON in UTF-8 with sorted keys and without spaces; `at` in UTC, to the microsecond."""
    moment = content.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    written = {"version": VERSION, **content._asdict(), "at": moment}
    return json.dumps(written, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":")).encode()


def entry_hash(content: Content) -> str:
    """The SHA-256 of the canonical bytes, in hexadecimal."""
    return hashlib.sha256(canonical(content)).hexdigest()


def origin_seal(person: int, address: str, salt: str) -> str:
    """What an entry holds of the address from which somebody acted."""
    return hashlib.sha256(f"{salt}|{person}|{address}".encode()).hexdigest()
