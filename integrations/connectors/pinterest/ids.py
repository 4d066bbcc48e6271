"""Pinterest's ids, and the addresses of its own pages.

Ids are strings of digits, too long for a number. They become part of URLs, so nothing else is accepted. The API does
not give the URLs of pages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WEB = "https://www.pinterest.com"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]*")
_PIN_ADDRESS = re.compile(r"https://(?:[a-z]{2,3}\.)?pinterest\.[a-z.]{2,6}/pin/(?:[^/?#]*--)?(\d{1,25})/?(?:[?#].*)?")


def is_id(text: str) -> bool:
    """Whether it consists of digits, no more than an id has."""
    return text.isascii() and text.isdigit() and len(text) <= 25


def wrong_ids(**ids: str | None) -> Mapping[str, str]:
    """For a Schema's check(): a sentence for each input that is not an id. The word before `_id` names the object."""
    return {
        name: f'"{value[:60]}" is not the ID of a {name.removesuffix("_id")}. Pick one from the list.'
        for name, value in ids.items()
        if value is not None and not is_id(value)
    }


def pin_id(text: str) -> str:
    """The id of a pin given by its id or its URL at Pinterest; empty if it is neither."""
    given = text.strip()
    if is_id(given):
        return given
    address = _PIN_ADDRESS.fullmatch(given)
    return address[1] if address else ""


def board_link(board: Mapping[str, Any]) -> str:
    """The board's page if its name makes the URL certain, else its owner's page, which lists it; empty without an
    owner."""
    owner, name = str(board.get("owner") or ""), str(board.get("name") or "")
    if not re.fullmatch(r"\w{1,50}", owner, re.ASCII):
        return ""
    if not _PLAIN.fullmatch(name):
        return f"{_WEB}/{owner}/"
    return f"{_WEB}/{owner}/{re.sub(r'[ -]+', '-', name.lower()).strip('-')}/"
