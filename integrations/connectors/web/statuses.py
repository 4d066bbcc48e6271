"""Which HTTP statuses count as success: `200-299, 404`."""

from __future__ import annotations

import re

USUAL = "200-299"
_PART = re.compile(r"\s*([1-5][0-9]{2})\s*(?:-\s*([1-5][0-9]{2})\s*)?")


def problem(text: str) -> str:
    """What is wrong with a list of statuses, as a sentence; empty if nothing is."""
    for part in text.split(","):
        found = _PART.fullmatch(part)
        if found is None or (found[2] and found[2] < found[1]):
            return f'Write statuses as in "200, 404" or "200-299"; {part.strip()!r} is none.'
    return ""


def are_met(text: str, status: int) -> bool:
    """Whether the status is in the list, or in the default list if it is empty."""
    for part in (text or USUAL).split(","):
        found = _PART.fullmatch(part)
        if found and int(found[1]) <= status <= int(found[2] or found[1]):
            return True
    return False
