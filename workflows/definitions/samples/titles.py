"""What an item of a trigger is called in lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NAMES = ("title", "name", "Name", "InvoiceNumber", "QuoteNumber", "PurchaseOrderNumber", "CreditNoteNumber")
_LONGEST = 200


def title_of(data: Mapping[str, Any]) -> str:
    """The first of the values by which people know such an item; "" if it has none of them."""
    texts = (data.get(name) for name in _NAMES)
    return next((text.strip()[:_LONGEST] for text in texts if isinstance(text, str) and text.strip()), "")


def any_text(data: Mapping[str, Any]) -> str:
    """The title, else the first text there is, also one level down; "" if there is none."""
    groups = [data, *(value for value in data.values() if isinstance(value, Mapping))]
    texts = (text for group in groups for text in group.values())
    return title_of(data) or next((text.strip()[:_LONGEST] for text in texts if _is_said(text)), "")


def _is_said(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())
