"""What was written, read again as it is now, for real against the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.framework import registry
from integrations.framework.base import Action
from integrations.framework.current import Current, Gone, Reading, Unreadable, Written
from tests.integrations.connectors.pinterest.acting import board_id, done
from tests.provider import Sandbox

BOARD, PIN, SECTION = (registry.action(f"pinterest.create_{noun}") for noun in ("board", "pin", "section"))
PICTURE = "https://images.example/shelf.jpg"


def now(api: Any, action: Action, output: Mapping[str, Any]) -> Reading:
    key = action.identify(output)
    return action.current(api, [Written(key, output=output)])[key]


def test_boards_pins_and_sections_are_called_what_they_were(pinterest: Any, sandbox: Sandbox) -> None:
    board = board_id(sandbox)
    made = {
        BOARD: done(pinterest, BOARD, name="Winter"),
        PIN: done(pinterest, PIN, board_id=board, image_url=PICTURE, title="Shelf"),
        SECTION: done(pinterest, SECTION, board_id=board, name="Desks"),
    }
    for action, output in made.items():
        reading = now(pinterest, action, output)
        assert isinstance(reading, Current)
        assert reading.described == action.describe(output)
    section = made[SECTION]
    pinterest.write(SECTION.undo(pinterest, section, {}))
    pinterest.write(PIN.undo(pinterest, made[PIN], {}))
    assert (now(pinterest, SECTION, section), now(pinterest, PIN, made[PIN])) == (Gone(), Gone())


def test_a_renamed_board_is_called_otherwise(pinterest: Any) -> None:
    made = done(pinterest, BOARD, name="Winter")
    done(pinterest, registry.action("pinterest.update_board"), board_id=made["id"], name="Summer")
    reading = now(pinterest, BOARD, made)
    assert isinstance(reading, Current)
    assert reading.described == "Board Summer (public)"


def test_what_is_no_longer_kept_of_a_step_leaves_open_where_its_section_is(pinterest: Any) -> None:
    reading = SECTION.current(pinterest, [Written("12")])["12"]
    assert isinstance(reading, Unreadable)
    assert reading.reason.startswith("What the step wrote is no longer kept")
    assert isinstance(BOARD.current(pinterest, [Written("../pins")])["../pins"], Unreadable)
