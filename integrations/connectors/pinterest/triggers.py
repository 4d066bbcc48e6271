"""Triggers on pins and boards. Pinterest sends no webhooks for these, so they are polled.

The order of Pinterest's lists is not documented. It is usually newest first, but not for pins on group boards and moved
or saved pins; so paging ends at a page of known pins only, never at the first known pin.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import wrong_ids
from integrations.connectors.pinterest.names import Names
from integrations.connectors.pinterest.records import board_data, pin_data
from integrations.framework.base import Item, Poll, Trigger
from integrations.schema.schema import Schema, field

#: The most pages that a poll reads while each still has something new: 5,000 pins. The day's thorough poll reads the
#: rest.
_MOST_PAGES = 20
#: A thorough poll yields what it found after this many pages, with a bookmark to continue from if it is interrupted.
_TOLD_AT_ONCE = 5
#: An empty page may not be the last.
_PAGES_FOR_NEWEST = 3


class NewPin(Trigger):
    """A pin was created or saved: on any board, on one, or in one section.

    Accounts may hold more pins than one task has time for, so reading every page stores Pinterest's bookmarks, which
    are valid for the hour that the reading may take and not kept longer. A pin created meanwhile comes before them and
    is found by the next poll; an old pin that is moved past them may be reported as new.
    """

    key = "new_pin"
    name = "New pin"
    words = ("picture", "image", "photo", "post", "product")
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
            """Ids are digits; they become part of an address. A section needs its board."""
            problems = dict(wrong_ids(board_id=self.board_id, section_id=self.section_id))
            if self.section_id is not None and self.board_id is None:
                problems["section_id"] = "Choose the board that the section is on, too."
            return problems

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        board, section, named = inputs.get("board_id"), inputs.get("section_id"), names or {}
        if not board:
            return self.sample
        on_board = {"board_id": board, "board_name": named.get("board_id") or self.sample["board_name"]}
        in_section = {"board_section_id": section or "", "section_name": named.get("section_id", "")}
        return {**self.sample, **on_board, **in_section}

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, PinterestClient)
        names = Names(poll.api, poll.inputs.board_id)
        if poll.newest is not None:
            yield from _items(_newest(poll.api.pages(_path(poll.inputs)), poll.newest), names)
            return
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
    words = ("collection", "mood board", "album")
    noun = "board"
    dated_by = "when the board was created"
    scopes = ("boards:read",)
    sample = samples.BOARD

    class Inputs(Schema):
        privacy: choices.BoardPrivacy = field(
            "Boards", default=choices.BoardPrivacy.ALL, help="Secret boards are seen only where that was agreed to."
        )

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        privacy = inputs.get("privacy")
        is_one = privacy in {choices.BoardPrivacy.PROTECTED, choices.BoardPrivacy.SECRET}
        return {**self.sample, "privacy": privacy} if is_one else self.sample

    def poll(self, poll: Poll) -> Iterator[Item]:
        assert isinstance(poll.api, PinterestClient)
        pages = poll.api.pages("/boards", {"privacy": poll.inputs.privacy.value})
        if poll.newest is not None:
            pages = iter([_newest(pages, poll.newest)])
        for page in pages:
            known = set() if poll.is_baseline else poll.known([board["id"] for board in page])
            for board in page:
                if board["id"] not in known or poll.wants_known:
                    data = board_data(board)
                    yield Item(key=board["id"], data=data, happened=_moment(data["created_at"]))


def _newest(pages: Iterator[list[dict[str, Any]]], most: int) -> list[dict[str, Any]]:
    """The newest of the first page that holds anything."""
    first = next((page for page in islice(pages, _PAGES_FOR_NEWEST) if page), [])
    return sorted(first, key=lambda record: str(record.get("created_at") or ""), reverse=True)[:most]


def _items(pins: Iterable[dict[str, Any]], names: Names) -> Iterator[Item]:
    """Oldest first, so that runs start in the order in which the pins were created."""
    for pin in sorted(pins, key=lambda pin: str(pin.get("created_at") or "")):
        data = pin_data(pin, board_name=names.of_board(pin), section_name=names.of_section(pin))
        yield Item(key=pin["id"], data=data, happened=_moment(data["created_at"]))


def _moment(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None
