"""Pinterest's ids: texts of digits, too long for a number. They become part of addresses, so nothing else passes."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PIN_ADDRESS = re.compile(r"https://(?:[a-z]{2,3}\.)?pinterest\.[a-z.]{2,6}/pin/(?:[^/?#]*--)?(\d{1,25})/?(?:[?#].*)?")


def is_id(text: str) -> bool:
    """Whether it is digits, and not more than an id has."""
    return text.isascii() and text.isdigit() and len(text) <= 25


def wrong_ids(**ids: str | None) -> Mapping[str, str]:
    """For a Schema's check(): a sentence for each input that holds no id. The word before `_id` names the thing."""
    return {
        name: f'"{value[:60]}" is not the ID of a {name.removesuffix("_id")}. Pick one from the list.'
        for name, value in ids.items()
        if value is not None and not is_id(value)
    }


def pin_id(text: str) -> str:
    """The id of a pin that was given by id or by its address at Pinterest; empty where it is neither."""
    given = text.strip()
    if is_id(given):
        return given
    address = _PIN_ADDRESS.fullmatch(given)
    return address[1] if address else ""
