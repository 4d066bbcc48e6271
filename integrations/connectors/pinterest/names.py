"""The names of pins' boards and sections: pins hold only ids."""

from __future__ import annotations

from typing import Any

from integrations.connectors.pinterest.client import PinterestClient
from integrations.core.errors import RejectedError


class Names:
    """Names of boards and sections, fetched once and only when a pin needs them."""

    def __init__(self, api: PinterestClient, board_id: str | None) -> None:
        """`board_id` if all pins are on that one board."""
        self._api = api
        self._only_board = board_id
        self._boards: dict[str, str] | None = None
        self._sections: dict[str, dict[str, str]] = {}

    def of_board(self, pin: dict[str, Any]) -> str:
        """Empty for a board that the account does not list, such as somebody else's."""
        if self._boards is None:
            if self._only_board:
                board = self._api.read(f"/boards/{self._only_board}").json()
                self._boards = {self._only_board: str(board.get("name") or "")}
            else:
                self._boards = self._read_names("/boards")
        return self._boards.get(str(pin.get("board_id") or ""), "")

    def of_section(self, pin: dict[str, Any]) -> str:
        """Empty for a pin that is in no section."""
        board, section = str(pin.get("board_id") or ""), str(pin.get("board_section_id") or "")
        if not board or not section:
            return ""
        if board not in self._sections:
            try:
                self._sections[board] = self._read_names(f"/boards/{board}/sections")
            except RejectedError as error:
                if error.status not in {403, 404}:
                    raise
                # Since the pin was listed, the board was deleted or is no longer ours; the pin is still reported.
                self._sections[board] = {}
        return self._sections[board].get(section, "")

    def _read_names(self, path: str) -> dict[str, str]:
        return {each["id"]: str(each.get("name") or "") for page in self._api.pages(path) for each in page}
