"""Where a person sees a board or pin at Pinterest. The API tells no addresses; these are those of its own pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_WEB = "https://www.pinterest.com"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9 -]*")


def board_link(board: Mapping[str, Any]) -> str:
    """The board's page where its name makes that sure, else its owner's page, on which it stands; empty without one."""
    owner, name = str(board.get("owner") or ""), str(board.get("name") or "")
    if not re.fullmatch(r"\w{1,50}", owner, re.ASCII):
        return ""
    if not _PLAIN.fullmatch(name):
        return f"{_WEB}/{owner}/"
    return f"{_WEB}/{owner}/{re.sub(r'[ -]+', '-', name.lower()).strip('-')}/"
