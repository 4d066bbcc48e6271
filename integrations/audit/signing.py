"""Signed anchors: each day the end of every chain, signed with Ed25519, in a file outside of the database and by mail.

A chain proves only that nothing was changed before the last anchor that has left the machine. Each line of a file is
an anchor as `verify.py` reads it, with when it was made, the public key and the signature over all of it. The private
key is a file that this machine alone reads; whoever changes an anchor cannot sign it anew, and the copies that were
mailed say what it was.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Iterable
from datetime import UTC, date, datetime
from email.utils import make_msgid, parseaddr
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings
from django.core import mail

from integrations.audit import verify
from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.audit.verify import Anchor
from integrations.core.email_headers import Mail, Settled
from integrations.core.errors import RejectedError

logger = logging.getLogger(__name__)

_STEM = "anchors"
_MAILED = ".mailed"


class SigningError(Exception):
    """Anchors cannot be signed or read; the message says what to do."""


def directory() -> Path | None:
    """Where the files are; None where none are made."""
    return Path(settings.ANCHOR_DIR) if settings.ANCHOR_DIR else None


def key_file() -> Path | None:
    """Where the private key is."""
    if settings.ANCHOR_KEY_FILE:
        return Path(settings.ANCHOR_KEY_FILE)
    there = directory()
    return there / "private-key.pem" if there is not None else None


def private_key() -> Ed25519PrivateKey:
    """The installation's key, made when it is first needed. Raises SigningError."""
    path = key_file()
    if path is None:
        raise SigningError("Set PINXERO_ANCHOR_DIR to a directory outside of the database first.")
    try:
        if not path.exists():
            _make_key(path)
        found = serialization.load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise SigningError(f"The key in {path} cannot be used: {error}") from error
    if not isinstance(found, Ed25519PrivateKey):
        raise SigningError(f"The key in {path} is no Ed25519 key.")
    return found


def _make_key(path: Path) -> None:
    """Put a new key there, readable for this account alone; another process that does the same is given way to."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if _written(path, pem):
        about = About("signing_key", "", "Key of the anchors")
        record(Audited.SIGNING_KEY_MADE, team_id=None, about=about, by=None, after={"Public key": public_hex(key)})


def public_hex(key: Ed25519PrivateKey) -> str:
    """The public key, in hexadecimal, as anchors and people hold it."""
    return key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw).hex()


def signed_line(anchor: Anchor, key: Ed25519PrivateKey, at: datetime) -> str:
    """A line of a file of anchors, with its signature."""
    told = {
        "chain": anchor.chain,
        "number": anchor.number,
        "hash": anchor.hash,
        "at": at.astimezone(UTC).isoformat(timespec="seconds"),
        "key": public_hex(key),
    }
    return json.dumps({**told, "signature": key.sign(_bytes(told)).hex()})


def problem_of(line: str, key: str) -> str:
    """Why a line is not one that this public key has signed; "" where it is."""
    try:
        told = json.loads(line)
        signature = bytes.fromhex(told.pop("signature"))
        if told.get("key") != key:
            return "was signed with another key"
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(signature, _bytes(told))
    except (ValueError, KeyError, TypeError, AttributeError):
        return "has no signature"
    except InvalidSignature:
        return "was changed: its signature does not fit"
    return ""


def _bytes(told: dict[str, Any]) -> bytes:
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def read(path: Path, key: str = "") -> list[Anchor]:
    """The anchors of a file or of all files of a directory. With a public key every line must bear its signature.

    Raises SigningError, which names the file and the line.
    """
    found: list[Anchor] = []
    for file in sorted(path.glob(f"{_STEM}-*.jsonl")) if path.is_dir() else [path]:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
            found += verify.read_anchors(lines)
        except (OSError, ValueError) as error:
            raise SigningError(f"The anchors in {file} could not be read: {error}") from error
        for number, line in enumerate(lines, 1):
            if key and line.strip() and (wrong := problem_of(line, key)):
                raise SigningError(f"Line {number} of {file} {wrong}.")
    return found


def daily(today: date | None = None) -> int:
    """Write and mail today's anchors, unless that is done; returns how many chains they name.

    May run in several processes, and be killed at any place: the file is there whole or not at all, and it is mailed
    until that has worked once.
    """
    there = directory()
    if there is None:
        return 0
    now = datetime.now(UTC)
    path = there / f"{_STEM}-{today or now.date()}.jsonl"
    count = 0
    if not path.exists():
        key = private_key()  # before the ends are read: making it is an entry itself
        known = verify.anchors()
        text = "".join(f"{signed_line(each, key, now)}\n" for each in known)
        there.mkdir(parents=True, exist_ok=True, mode=0o700)
        count = len(known) if _written(path, text.encode()) else 0
    _mail(path)
    return count


def last() -> tuple[date, int] | None:
    """The day of the newest file, and how many chains it names; None where there is none."""
    there = directory()
    files = sorted(there.glob(f"{_STEM}-*.jsonl")) if there is not None and there.is_dir() else []
    if not files:
        return None
    try:
        day = date.fromisoformat(files[-1].stem.removeprefix(f"{_STEM}-"))
        return day, len(files[-1].read_text(encoding="utf-8").splitlines())
    except (OSError, ValueError):
        return None


def _mail(path: Path) -> None:
    done = path.with_suffix(_MAILED)
    if not settings.ANCHOR_MAIL or done.exists():
        return
    text = path.read_text(encoding="utf-8")
    sender = settings.DEFAULT_FROM_EMAIL
    content = Mail(
        sender=sender,
        to=list(settings.ANCHOR_MAIL),
        subject=f"Pinxero: anchors of the record, {path.stem.removeprefix(f'{_STEM}-')}",
        text=f"Keep this mail. With it, `manage.py audit verify --anchors` shows that nothing recorded before it was "
        f"changed.\n\n{text}",
        message_id=make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost"),
        at=datetime.now(UTC).replace(microsecond=0),
    )
    try:
        mail.get_connection().send_messages([Settled(list(settings.ANCHOR_MAIL), content.build())])
    except (OSError, RejectedError) as error:
        # The next round of chores tries again.
        logger.error("The anchors of the record could not be mailed: %s", error)
        return
    _written(done, b"")


def _written(path: Path, content: bytes) -> bool:
    """Put a whole file in its place, with what it holds on the disk; False if one is there already."""
    handle, name = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.link(name, path)
    except FileExistsError:
        return False
    finally:
        Path(name).unlink(missing_ok=True)
    return True


def lines(anchors: Iterable[Anchor]) -> list[str]:
    """Anchors for the terminal: signed, where there is a key."""
    if key_file() is None:
        return [each.line() for each in anchors]
    key, now = private_key(), datetime.now(UTC)
    return [signed_line(each, key, now) for each in anchors]
