"""The descendants of a process, to be killed or waited for."""

from __future__ import annotations

import psutil


def descendants(pid: int) -> list[int]:
    """Every descendant of this process at the moment."""
    try:
        return [each.pid for each in psutil.Process(pid).children(recursive=True)]
    except psutil.NoSuchProcess:
        return []
