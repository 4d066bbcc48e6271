"""What the list actions share: the most records they return, and the warning if there are more."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

#: The most records that a list passes to later steps: twenty of Pinterest's largest pages.
MOST_RECORDS = 5000


def newest_first(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sorted here: the order of Pinterest's lists is not documented and not reliable."""
    return sorted(records, key=lambda record: (record["created_at"] or "", record["id"]), reverse=True)


def cut_warning(noun: str, most: int) -> str:
    """The warning in the output of a list that was cut."""
    return (
        f"There are more than {most} {noun}. The rest is left out; Pinterest keeps no order, so it may be any of them."
    )
