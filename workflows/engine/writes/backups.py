"""Backups of what a write takes away, kept for people.

A backup is written in the transaction of the write's intent: where it cannot be kept, nothing is sent.
"""

from __future__ import annotations

import hashlib
import zlib

from integrations.framework.base import Backup as Content
from workflows.models import Backup, StepRun
from workflows.runtime.clock import database_now


def keep(step_run: StepRun, kept: Content) -> Backup:
    """Store it. It replaces the backup of an earlier attempt, which was certainly not executed."""
    values = {
        "title": kept.title[:300],
        "content": zlib.compress(kept.content, 9),
        "size": len(kept.content),
        "sha256": hashlib.sha256(kept.content).hexdigest(),
        "kept_at": database_now(),
    }
    backup, _ = Backup.objects.update_or_create(step_run=step_run, defaults=values)
    return backup


def content(backup: Backup) -> bytes:
    """The stored JSON. Raises ValueError if it is damaged."""
    try:
        kept = zlib.decompress(bytes(backup.content))
    except zlib.error:
        kept = b""
    if hashlib.sha256(kept).hexdigest() != backup.sha256:
        raise ValueError(f"The backup {backup.pk} is damaged.")
    return kept
