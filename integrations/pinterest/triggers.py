"""Triggers on pins and boards. Pinterest sends no webhooks for these, so they are polled.

The order of Pinterest's lists is not documented. Newest first is what is usually seen, but pins on group boards, moved
and saved ones break it; so paging ends at a whole page that is known, never at the first known pin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from integrations.base import Item, Poll, Trigger
from integrations.pinterest import choices, samples
from integrations.pinterest.client import PinterestClient
from integrations.pinterest.names import Names
from integrations.pinterest.records import board_data, pin_data
from integrations.schema import Schema, field

#: Pages that a poll reads at most while each still holds something new: 5,000 pins. The rest comes with the day's
#: thorough poll.
_MOST_PAGES = 20


class NewPin(Trigger):
    """A pin was created or saved, on one board or on any."""

    key = "new_pin"
    name = "New pin"
    noun = "pin"
    scopes = ("boards:read", "pins:read")
    sample = samples.PIN

    class Inputs(Schema):
        board_id: str | None = field(
            "Board", choices=choices.boards, default=None, help="Left empty: the pins of all boards."
        )

        def check(self) -> Mapping[str, str]:
            """A board's id is digits; it becomes part of an address."""
            is_id = self.board_id is None or (self.board_id.isascii() and self.board_id.isdigit())
            return {} if is_id else {"board_id": f'"{self.board_id}" is not the ID of a board. Pick one from the list.'}

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, PinterestClient)
        names = Names(poll.api, poll.inputs.board_id)
        board = poll.inputs.board_id
        pages = poll.api.pages(f"/boards/{board}/pins" if board else "/pins")
        if poll.is_baseline:
            for page in pages:
                yield from _items(page, names)
            return
        new: list[dict[str, Any]] = []
        for number, page in enumerate(pages, start=1):
            known = poll.known([pin["id"] for pin in page])
            unknown = [pin for pin in page if pin["id"] not in known]
            new.extend(unknown)
            if poll.is_thorough:
                continue
            if (page and not unknown) or number == _MOST_PAGES:
                break
        # Oldest first, so that runs begin in the order in which the pins were made.
        yield from _items(sorted(new, key=lambda pin: str(pin.get("created_at") or "")), names)


class NewBoard(Trigger):
    """A board was created, or shared with the account."""

    key = "new_board"
    name = "New board"
    noun = "board"
    scopes = ("boards:read",)
    sample = samples.BOARD

    class Inputs(Schema):
        privacy: choices.BoardPrivacy = field(
            "Boards", default=choices.BoardPrivacy.ALL, help="Secret boards are seen only where that was agreed to."
        )

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, PinterestClient)
        for page in poll.api.pages("/boards", {"privacy": poll.inputs.privacy.value}):
            known = set() if poll.is_baseline else poll.known([board["id"] for board in page])
            for board in page:
                if board["id"] not in known:
                    yield Item(key=board["id"], data=board_data(board))


def _items(pins: Iterable[dict[str, Any]], names: Names) -> Iterator[Item]:
    for pin in pins:
        data = pin_data(pin, board_name=names.of_board(pin), section_name=names.of_section(pin))
        yield Item(key=pin["id"], data=data)
