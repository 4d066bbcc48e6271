"""Deleting boards and pins, and what is kept of them: for real against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.connectors.pinterest import choices
from integrations.connectors.pinterest.actions import deletions
from integrations.core.errors import InvalidInputError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.framework import registry
from integrations.transport.http import Response
from tests.integrations.connectors.pinterest.acting import board_id, done, hits
from tests.integrations.wire import Wire
from tests.provider import Sandbox

BOARD = registry.action("pinterest.delete_board")
PIN = registry.action("pinterest.delete_pin")


def prepared(api: Any, action: Any, **values: Any) -> Any:
    return action.prepare(api, action.Inputs.clean(values))


def names(sandbox: Sandbox) -> set[str]:
    return {str(board["name"]) for board in sandbox.state()["boards"]}


# --- boards -----------------------------------------------------------------------------------------------------------


def test_a_board_is_deleted_and_its_output_tells_what_it_was(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    board = board_id(sandbox)
    sandbox.make("section", board="Office styling", name="Desks")
    values = {"board_id": board, "confirmation": "Office styling"}
    assert hits(pinterest, BOARD, **values) == []
    gone = done(pinterest, BOARD, **values)
    assert [(one.method, one.path, one.body, one.status) for one in wire.exchanges if one.method != "GET"] == [
        ("DELETE", f"/v5/boards/{board}", b"", 204)
    ]
    assert (gone["name"], gone["pin_count"], gone["section_count"]) == ("Office styling", 2, 1)
    assert gone["is_deleted"] is True
    assert BOARD.describe(gone) == "Board Office styling, deleted with its 2 pins"
    assert names(sandbox) == {"Summer recipes", "Launch ideas"}
    assert [hit["id"] for hit in hits(pinterest, BOARD, **values)] == [board]


def test_the_backup_holds_board_sections_and_every_pin_as_pinterest_tells_them(
    pinterest: Any, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("integrations.connectors.pinterest.client.PAGE_SIZE", 2)
    sandbox.make("section", board="Office styling", name="Desks")
    sandbox.add_pins("Office styling", count=5, title="Desk {n}", link="https://shop.example/{n}")
    found = prepared(pinterest, BOARD, board_id=board_id(sandbox), confirmation="Office styling")
    backup = BOARD.backup(found)
    assert backup is not None
    assert backup.title == "Board Office styling with 7 pins"
    kept = json.loads(backup.content)
    assert kept["what"] == "pinterest.board"
    assert kept["board"] == pinterest.read(f"/boards/{board_id(sandbox)}").json()
    assert [section["name"] for section in kept["sections"]] == ["Desks"]
    mine = {pin["id"] for pin in sandbox.state()["pins"] if pin["board"] == "Office styling"}
    assert {pin["id"] for pin in kept["pins"]} == mine
    assert all(pin["link"] and pin["media"]["images"] for pin in kept["pins"])


@pytest.mark.parametrize("typed", ["office styling", "Office", "Summer recipes", "Delete any board"])
def test_a_board_of_another_name_than_the_confirmed_one_stays(
    pinterest: Any, sandbox: Sandbox, wire: Wire, typed: str
) -> None:
    with pytest.raises(RejectedError, match=f'is called "Office styling" at Pinterest, but "{typed}" was confirmed'):
        done(pinterest, BOARD, board_id=board_id(sandbox), confirmation=typed)
    assert {one.method for one in wire.exchanges} == {"GET"}
    assert len(names(sandbox)) == 3


def test_a_board_that_the_run_decides_is_confirmed_by_a_sentence(pinterest: Any, sandbox: Sandbox) -> None:
    done(pinterest, BOARD, board_id=board_id(sandbox), confirmation="delete any board")
    assert "Office styling" not in names(sandbox)


def test_a_board_with_more_than_a_backup_holds_is_not_deleted(
    pinterest: Any, sandbox: Sandbox, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {"board_id": board_id(sandbox), "confirmation": "Office styling"}
    monkeypatch.setattr(deletions, "MOST_PINS_KEPT", 1)
    with pytest.raises(RejectedError, match=r"more than a backup holds\. Nothing was deleted"):
        done(pinterest, BOARD, **values)
    monkeypatch.setattr(deletions, "MOST_PINS_KEPT", 10)
    monkeypatch.setattr(deletions, "MOST_SECTIONS_KEPT", 1)
    for name in ("Desks", "Chairs"):
        sandbox.make("section", board="Office styling", name=name)
    with pytest.raises(RejectedError, match=r"more than a backup holds\. Nothing was deleted"):
        done(pinterest, BOARD, **values)
    assert {one.method for one in wire.exchanges} == {"GET"}
    assert len(names(sandbox)) == 3


def test_a_board_of_which_pinterest_tells_too_little_is_not_deleted(
    pinterest: Any, sandbox: Sandbox, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = pinterest.listing

    def short(path: str, *arguments: Any, **options: Any) -> Any:
        listing = whole(path, *arguments, **options)
        return type(listing)(listing.records[:1], listing.is_cut) if path.endswith("/pins") else listing

    monkeypatch.setattr(pinterest, "listing", short)
    with pytest.raises(TemporaryError, match=r"counts 2 pins .* but told only 1, so the backup would not be whole"):
        done(pinterest, BOARD, board_id=board_id(sandbox), confirmation="Office styling")
    assert {one.method for one in wire.exchanges} == {"GET"}
    assert len(names(sandbox)) == 3


def test_a_board_of_somebody_else_is_neither_offered_nor_deleted(pinterest: Any, sandbox: Sandbox) -> None:
    pinterest.connection.details = {"username": "somebody-else"}
    assert list(choices.own_boards.load(pinterest, {})) == []
    with pytest.raises(RejectedError, match="belongs to pinworks, so only they can delete it"):
        done(pinterest, BOARD, board_id=board_id(sandbox), confirmation="Office styling")
    pinterest.connection.details = {"username": "pinworks"}
    assert {label for _, label in choices.own_boards.load(pinterest, {})} == {"Summer recipes", "Office styling"}


def test_a_board_that_is_gone_already_is_told_in_pinterests_words(pinterest: Any) -> None:
    with pytest.raises(RejectedError, match=r"Board not found\.") as caught:
        done(pinterest, BOARD, board_id="1", confirmation="Office styling")
    assert caught.value.status == 404


def test_a_page_of_something_else_is_no_yes() -> None:
    for action in (BOARD, PIN):
        assert action.output(Response(204))["is_deleted"] is True
        with pytest.raises(OutcomeUnknownError):
            action.output(Response(200, body=b"<html>Please sign in</html>"))


def test_a_deletion_that_may_not_have_happened_is_left_to_a_person() -> None:
    for action in (BOARD, PIN):
        assert action.lookup_reliable is False
        assert action.undo(None, {}, {}) is None
        assert action.no_undo.startswith("Pinterest cannot bring a deleted")


# --- pins -------------------------------------------------------------------------------------------------------------


def test_a_pin_is_deleted_and_kept(pinterest: Any, sandbox: Sandbox) -> None:
    pin = sandbox.add_pins("Office styling", title="Oak desk")[0]["id"]
    values = {"pin": f"https://www.pinterest.com/pin/{pin}/"}
    backup = PIN.backup(prepared(pinterest, PIN, **values))
    assert backup is not None
    assert backup.title == "Pin Oak desk"
    assert json.loads(backup.content)["pin"] == pinterest.read(f"/pins/{pin}").json()
    assert hits(pinterest, PIN, **values) == []
    gone = done(pinterest, PIN, **values)
    assert (gone["id"], gone["title"], gone["board_name"]) == (pin, "Oak desk", "Office styling")
    assert PIN.describe(gone) == "Pin Oak desk, deleted"
    assert pin not in {each["id"] for each in sandbox.state()["pins"]}
    assert [hit["id"] for hit in hits(pinterest, PIN, **values)] == [pin]
    with pytest.raises(RejectedError, match=r"Pin not found\."):
        done(pinterest, PIN, **values)


def test_what_names_no_pin_is_not_sent() -> None:
    with pytest.raises(InvalidInputError, match="is neither"):
        PIN.Inputs.clean({"pin": "my favourite"})
