"""Triggers on pins and boards. Pinterest sends no webhooks for these, so they are polled.

The order of Pinterest's lists is not documented. Newest first is what is usually seen, but pins on group boards, moved
and saved ones break it; so paging ends at a whole page that is known, never at the first known pin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from integrations.base import Item, Poll, Trigger
from integrations.pinterest import choices, samples
from integrations.pinterest.client import PinterestClient
from integrations.pinterest.ids import wrong_ids
from integrations.pinterest.names import Names
from integrations.pinterest.records import board_data, pin_data
from integrations.schema import Schema, field

#: Pages that a poll reads at most while each still holds something new: 5,000 pins. The rest comes with the day's
#: thorough poll.
_MOST_PAGES = 20
#: A thorough poll tells what it found after so many pages, with a mark from which it may go on if it is broken off.
_TOLD_AT_ONCE = 5


class NewPin(Trigger):
    """A pin was created or saved: on any board, on one, or in one section.

    Accounts may hold more pins than one task has time for, so a reading of every page leaves marks: Pinterest's
    bookmarks, good for the hour in which the reading goes on and not kept beyond. A pin that is made meanwhile stands
    before them and is found by the next poll; one that is moved across them was there before and may be told as new.
    """

    key = "new_pin"
    name = "New pin"
    noun = "pin"
    dated_by = "when the pin was created"
    scopes = ("boards:read", "pins:read")
    sample = samples.PIN

    class Inputs(Schema):
        board_id: str | None = field(
            "Board", choices=choices.boards, default=None, help="Left empty: the pins of all boards."
        )
        section_id: str | None = field(
            "Section", choices=choices.sections, default=None, help="Left empty: the whole board."
        )

        def check(self) -> Mapping[str, str]:
            """Ids are digits; they become part of an address. A section is one of a board."""
            problems = dict(wrong_ids(board_id=self.board_id, section_id=self.section_id))
            if self.section_id is not None and self.board_id is None:
                problems["section_id"] = "Choose the board that the section is on, too."
            return problems

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, PinterestClient)
        names = Names(poll.api, poll.inputs.board_id)
        reads_all = poll.is_baseline or poll.is_thorough
        held: list[dict[str, Any]] = []
        pages = poll.api.marked_pages(_path(poll.inputs), start=poll.resume if reads_all else "")
        for number, (page, bookmark) in enumerate(pages, start=1):
            known = set() if poll.is_baseline else poll.known([pin["id"] for pin in page])
            unknown = [pin for pin in page if pin["id"] not in known]
            held.extend(page if poll.wants_known else unknown)
            if reads_all and bookmark and number % _TOLD_AT_ONCE == 0:
                yield from _items(held, names)
                yield Item.mark(resume=bookmark)
                held = []
            if not reads_all and ((page and not unknown) or number == _MOST_PAGES):
                break
        yield from _items(held, names)


def _path(inputs: Any) -> str:
    if inputs.section_id:
        return f"/boards/{inputs.board_id}/sections/{inputs.section_id}/pins"
    return f"/boards/{inputs.board_id}/pins" if inputs.board_id else "/pins"


class NewBoard(Trigger):
    """A board was created, or shared with the account."""

    key = "new_board"
    name = "New board"
    noun = "board"
    dated_by = "when the board was created"
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
                if board["id"] not in known or poll.wants_known:
                    data = board_data(board)
                    yield Item(key=board["id"], data=data, happened=_moment(data["created_at"]))


def _items(pins: Iterable[dict[str, Any]], names: Names) -> Iterator[Item]:
    """Oldest first, so that runs begin in the order in which the pins were made."""
    for pin in sorted(pins, key=lambda pin: str(pin.get("created_at") or "")):
        data = pin_data(pin, board_name=names.of_board(pin), section_name=names.of_section(pin))
        yield Item(key=pin["id"], data=data, happened=_moment(data["created_at"]))


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
