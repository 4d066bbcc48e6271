"""Sections of boards: for real against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.connectors.pinterest import choices
from integrations.core.errors import InvalidInputError, RejectedError, TemporaryError
from integrations.framework import registry
from tests.integrations.connectors.pinterest.acting import board_id, done, hits, read
from tests.integrations.wire import Wire
from tests.provider import Sandbox

CREATE = registry.action("pinterest.create_section")
LIST = registry.action("pinterest.list_sections")


def test_a_section_is_created_and_told_with_its_board(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    board = board_id(sandbox)
    made = done(pinterest, CREATE, board_id=board, name="Desks")
    assert (wire.exchanges[-1].path, json.loads(wire.exchanges[-1].body)) == (
        f"/v5/boards/{board}/sections",
        {"name": "Desks"},
    )
    assert (made["name"], made["board_id"], made["board_name"]) == ("Desks", board, "Office styling")
    assert CREATE.describe(made) == "Section Desks of Office styling"
    assert [hit["id"] for hit in hits(pinterest, CREATE, board_id=board, name="Desks")] == [made["id"]]


def test_a_second_section_of_a_name_is_refused_or_the_first_is_used(pinterest: Any, sandbox: Sandbox) -> None:
    board = board_id(sandbox)
    first = done(pinterest, CREATE, board_id=board, name="Desks")
    with pytest.raises(RejectedError, match='"Office styling" has a section called "Desks" already'):
        done(pinterest, CREATE, board_id=board, name="desks")
    assert done(pinterest, CREATE, board_id=board, name="desks", if_there="use") == first


def test_a_board_that_somebody_else_is_changing_is_tried_again_later(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.faults(p_section_conflict=1)
    with pytest.raises(TemporaryError, match="Could not get exclusive access to the board"):
        done(pinterest, CREATE, board_id=board_id(sandbox), name="Desks")
    sandbox.faults(p_section_conflict=0)
    assert done(pinterest, CREATE, board_id=board_id(sandbox), name="Desks")["id"]


def test_a_section_is_taken_back_while_it_is_empty_only(pinterest: Any, sandbox: Sandbox) -> None:
    made = done(pinterest, CREATE, board_id=board_id(sandbox), name="Desks")
    request = CREATE.undo(pinterest, made, {})
    assert request is not None
    assert (request.method, request.path) == ("DELETE", f"/boards/{made['board_id']}/sections/{made['id']}")
    sandbox.make("pin", board="Office styling", section="Desks", title="Oak desk")
    with pytest.raises(RejectedError, match="holds pins by now"):
        CREATE.undo(pinterest, made, {})


def test_sections_are_listed_with_their_board(pinterest: Any, sandbox: Sandbox) -> None:
    board = board_id(sandbox)
    assert read(pinterest, LIST, board_id=board) == {
        "sections": [], "count": 0, "is_cut": False, "warning": "", "board_id": board, "board_name": "Office styling",
    }  # fmt: skip
    for name in ("Desks", "Chairs", "Lamps"):
        sandbox.make("section", board="Office styling", name=name)
    listed = read(pinterest, LIST, board_id=board)
    assert {section["name"] for section in listed["sections"]} == {"Desks", "Chairs", "Lamps"}
    assert {section["board_name"] for section in listed["sections"]} == {"Office styling"}
    cut = read(pinterest, LIST, board_id=board, most=2)
    assert (cut["count"], cut["is_cut"]) == (2, True)
    assert cut["warning"].startswith("There are more than 2 sections.")


def test_sections_to_choose_from_are_those_of_the_chosen_board(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    made = sandbox.make("section", board="Office styling", name="Desks")
    assert list(choices.sections.load(pinterest, {"board_id": board_id(sandbox)})) == [(made["id"], "Desks")]
    assert list(choices.sections.load(pinterest, {"board_id": board_id(sandbox, "Summer recipes")})) == []
    wire.clear()
    for nothing in ({}, {"board_id": ""}, {"board_id": "../user_account"}):
        assert list(choices.sections.load(pinterest, nothing)) == []
    assert wire.calls == []


@pytest.mark.parametrize("values", [{"board_id": "x", "name": "y"}, {"board_id": "1", "name": " "}])
def test_a_section_without_a_board_or_a_name_is_not_sent(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        CREATE.Inputs.clean(values)
