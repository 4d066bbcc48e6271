"""What was written, as it is now. Pinterest reads boards and pins one by one, and the sections of a board together.

https://developers.pinterest.com/docs/api/v5/
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.records import board_data, pin_data, section_data
from integrations.core.errors import RejectedError
from integrations.framework.current import Current, Gone, Readable, Reading, Readings, Unreadable, Written
from integrations.transport.http import ApiClient

Record = dict[str, Any]


class _ReadsBack(Readable):
    """An action whose records can be read. What a record is called is what is compared."""

    unreadable = ""

    def describe(self, output: Mapping[str, Any]) -> str:
        """As `Action.describe`."""
        raise NotImplementedError

    def _said(self, record: Record) -> Current:
        return Current(described=None if self.leaves.is_ended else self.describe(record), output=record)


class ReadsBoards(_ReadsBack):
    """Reads boards by their ids."""

    def current(self, api: ApiClient, written: Sequence[Written]) -> Readings:
        return _each(api, written, "/boards", lambda board, one: self._said(board_data(board)))


class ReadsPins(_ReadsBack):
    """Reads pins by their ids. Their board is called what it was called, as long as they are on it."""

    def current(self, api: ApiClient, written: Sequence[Written]) -> Readings:
        return _each(api, written, "/pins", self._pin)

    def _pin(self, pin: Record, one: Written) -> Current:
        had = one.output
        if not had:
            return Current()  # the name of its board is no longer known, so neither is what it was called
        is_there = str(pin.get("board_id") or "") == str(had.get("board_id") or "")
        names = {name: str(had.get(name) or "") if is_there else "" for name in ("board_name", "section_name")}
        return self._said(pin_data(pin, **names))


class ReadsSections(_ReadsBack):
    """Reads the sections of the boards in which they were created."""

    def current(self, api: ApiClient, written: Sequence[Written]) -> Readings:
        boards = list(dict.fromkeys(str(one.output.get("board_id") or "") for one in written))
        found = {board: _sections(api, board) for board in boards if board}
        readings: dict[str, Reading] = {}
        for one in written:
            board = str(one.output.get("board_id") or "")
            section = found.get(board, {}).get(one.provider_id)
            if not board:
                readings[one.provider_id] = Unreadable(
                    "What the step wrote is no longer kept, so it is not known in which board the section is."
                )
            elif section is None:
                readings[one.provider_id] = Gone()
            else:
                name = str(one.output.get("board_name") or "")
                readings[one.provider_id] = self._said(section_data(section, board_id=board, board_name=name))
        return readings


def _each(
    api: ApiClient, written: Iterable[Written], path: str, say: Callable[[Record, Written], Current]
) -> dict[str, Reading]:
    readings: dict[str, Reading] = {}
    for one in written:
        if one.provider_id in readings:
            continue
        if not (one.provider_id.isascii() and one.provider_id.isdigit()):
            readings[one.provider_id] = Unreadable(
                f'"{one.provider_id[:60]}" is no ID of Pinterest\'s, so there is nothing to look up.'
            )
            continue
        try:
            readings[one.provider_id] = say(api.read(f"{path}/{one.provider_id}").json(), one)
        except RejectedError as error:
            if error.status != 404:
                raise
            readings[one.provider_id] = Gone()
    return readings


def _sections(api: ApiClient, board: str) -> dict[str, Record]:
    """The board's sections by their ids; none if the board is gone."""
    assert isinstance(api, PinterestClient)
    try:
        return {str(each["id"]): each for page in api.pages(f"/boards/{board}/sections") for each in page}
    except RejectedError as error:
        if error.status != 404:
            raise
        return {}
