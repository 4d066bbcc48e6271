"""A ZIP that is sent while it is made, one file after the other, and the list of what is in it."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import simplejson

from integrations.core.workbooks import Sink

#: Names are made here and never of what people typed, so that none leads out of the folder it is unpacked in.
_NAME = re.compile(r"[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?(/[a-z0-9][a-z0-9-]*(\.[a-z0-9]+)?)*")
#: About as many bytes are handed on at once.
_PART = 64 * 1024
_MANIFEST = "manifest.json"


class Archive:
    """Each method gives the bytes that are to be sent on. The manifest is the last file and lists all others."""

    def __init__(self, made_at: datetime) -> None:
        self._made_at = made_at.astimezone(UTC)
        self._sink = Sink()
        self._zip = ZipFile(self._sink, "w", ZIP_DEFLATED)
        self._files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, parts: Iterable[bytes]) -> Iterator[bytes]:
        """Add a file. Raises ValueError for a name that was not made for it, or that is there already."""
        if not _NAME.fullmatch(name) or name in self._files:
            raise ValueError(f"{name!r} is no name for a file of a pack.")
        digest, size = hashlib.sha256(), 0
        entry = ZipInfo(name, date_time=self._made_at.timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        with self._zip.open(entry, "w", force_zip64=True) as file:
            for part in parts:
                digest.update(part)
                size += len(part)
                file.write(part)
                if len(self._sink.held) >= _PART:
                    yield self._sink.taken()
        self._files[name] = {"sha256": digest.hexdigest(), "size": size}
        yield self._sink.taken()

    def manifest(self, head: dict[str, Any]) -> bytes:
        """The manifest of the files so far: their SHA-256 and sizes, by name."""
        return json_bytes({**head, "files": dict(sorted(self._files.items()))})

    def close(self, manifest: bytes) -> Iterator[bytes]:
        """Add the manifest and end the ZIP."""
        yield from self.add(_MANIFEST, [manifest])
        self._zip.close()
        yield self._sink.taken()


def json_bytes(value: Any) -> bytes:
    """JSON for people and programs, Decimals as numbers with all their digits."""
    text = simplejson.dumps(value, use_decimal=True, ensure_ascii=False, allow_nan=False, indent=1, default=str)
    return f"{text}\n".encode("utf-8", "replace")


def json_list(values: Iterable[Any]) -> Iterator[bytes]:
    """A JSON list, one value after the other."""
    lead = b"[\n"
    for value in values:
        yield lead + json_bytes(value).rstrip()
        lead = b",\n"
    yield b"[]\n" if lead == b"[\n" else b"\n]\n"
