"""Creating, changing and listing boards: for real against the sandbox, each exchange checked."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from integrations.connectors.pinterest import lists
from integrations.core.errors import InvalidInputError, OutcomeUnknownError, RejectedError
from integrations.framework import registry
from integrations.transport.http import Response
from tests.integrations.connectors.pinterest.acting import SECRET_SCOPES, board_id, done, hits, read, with_scopes
from tests.integrations.wire import Wire
from tests.provider import Sandbox

CREATE = registry.action("pinterest.create_board")
UPDATE = registry.action("pinterest.update_board")
LIST = registry.action("pinterest.list_boards")
DEFAULT_SCOPES = "user_accounts:read boards:read boards:write pins:read pins:write"


def names(sandbox: Sandbox) -> set[str]:
    return {str(board["name"]) for board in sandbox.state()["boards"]}


# --- create -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("privacy", ["PUBLIC", "PROTECTED", "SECRET"])
def test_a_board_is_created_as_seen_by_whom_it_is_to_be(
    pinterest: Any, sandbox: Sandbox, wire: Wire, privacy: str
) -> None:
    with_scopes(pinterest, sandbox, SECRET_SCOPES)
    made = done(pinterest, CREATE, name=" Prints of spring ", description="What we make", privacy=privacy)
    assert json.loads(wire.exchanges[-1].body) == {
        "name": "Prints of spring",
        "privacy": privacy,
        "description": "What we make",
    }
    assert (made["name"], made["privacy"], made["description"]) == ("Prints of spring", privacy, "What we make")
    assert CREATE.link(made, {}) == "https://www.pinterest.com/pinworks/prints-of-spring/"
    assert CREATE.describe(made) == f"Board Prints of spring ({privacy.lower()})"


def test_a_second_board_of_a_name_is_refused_before_anything_is_sent(
    pinterest: Any, sandbox: Sandbox, wire: Wire
) -> None:
    with pytest.raises(RejectedError, match=r'There is a board called "Summer recipes" already; nothing was written\.'):
        done(pinterest, CREATE, name="summer RECIPES")
    assert {one.method for one in wire.exchanges} == {"GET"}
    assert len(sandbox.state()["boards"]) == 3


def test_the_board_that_is_there_is_used_where_that_is_wished(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    found = done(pinterest, CREATE, name="Summer recipes", if_there="use")
    assert found["id"] == board_id(sandbox, "Summer recipes")
    assert set(found) == set(CREATE.sample)
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_a_secret_board_needs_permissions_and_says_which(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    with_scopes(pinterest, sandbox, DEFAULT_SCOPES)
    with pytest.raises(RejectedError) as caught:
        done(pinterest, CREATE, name="Hidden", privacy="SECRET")
    assert caught.value.message == (
        "Pinworks was connected without the permission boards:read_secret, boards:write_secret, which this needs; "
        "nothing was written. Reconnect it and agree to all that Pinterest lists."
    )
    assert wire.exchanges == []
    assert done(pinterest, CREATE, name="Open")["privacy"] == "PUBLIC"


def test_an_older_board_of_that_name_is_not_taken_for_the_one_that_was_made(pinterest: Any, sandbox: Sandbox) -> None:
    inputs = CREATE.Inputs.clean({"name": "Summer recipes"})
    now = datetime.now(UTC)
    assert CREATE.find(pinterest, inputs, "PX-1", since=now) == []
    done(pinterest, CREATE, name="Made just now")
    inputs = CREATE.Inputs.clean({"name": "Made just now"})
    assert [hit["name"] for hit in CREATE.find(pinterest, inputs, "PX-1", since=now)] == ["Made just now"]
    assert CREATE.find(pinterest, inputs, "PX-1", since=now + timedelta(hours=1)) == []


def test_a_yes_without_an_id_is_no_answer() -> None:
    for body in (b"{}", b"[]", b'{"id": "../x"}'):
        with pytest.raises(OutcomeUnknownError):
            CREATE.output(Response(201, body=body))


def test_creating_a_board_is_taken_back_while_it_is_empty_only(pinterest: Any, sandbox: Sandbox) -> None:
    made = done(pinterest, CREATE, name="For a day")
    request = CREATE.undo(pinterest, made, {})
    assert request is not None
    assert (request.method, request.path, request.body) == ("DELETE", f"/boards/{made['id']}", b"")
    sandbox.add_pins("For a day", count=2)
    with pytest.raises(RejectedError, match="has 2 pins by now, which would be lost with it"):
        CREATE.undo(pinterest, made, {})
    assert "For a day" in names(sandbox)


def test_what_would_be_written_is_shown_in_words() -> None:
    document = CREATE.document(CREATE.Inputs.clean({"name": "Oak", "privacy": "SECRET"}), {"username": "pinworks"})
    assert document is not None
    assert (document.what, document.organisation) == ("Board", "pinworks")
    assert document.facts == (("Name", "Oak"), ("Who sees it", "Secret"))


@pytest.mark.parametrize("values", [{"name": "  "}, {"name": "x" * 181}, {"name": "x", "privacy": "HIDDEN"}])
def test_a_board_without_a_proper_name_or_privacy_is_not_sent(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        CREATE.Inputs.clean(values)


# --- update -----------------------------------------------------------------------------------------------------------


def test_only_what_is_given_is_changed(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    values = {"board_id": board_id(sandbox), "name": "Offices"}
    assert hits(pinterest, UPDATE, **values) == []
    changed = done(pinterest, UPDATE, **values)
    assert (wire.exchanges[-1].method, json.loads(wire.exchanges[-1].body)) == ("PATCH", {"name": "Offices"})
    assert (changed["name"], changed["pin_count"]) == ("Offices", 2)
    assert [hit["id"] for hit in hits(pinterest, UPDATE, **values)] == [changed["id"]]


def test_a_board_becomes_secret_and_public_again(pinterest: Any, sandbox: Sandbox) -> None:
    with_scopes(pinterest, sandbox, SECRET_SCOPES)
    board = board_id(sandbox)
    for privacy in ("SECRET", "PUBLIC"):
        assert done(pinterest, UPDATE, board_id=board, privacy=privacy)["privacy"] == privacy


@pytest.mark.parametrize("values", [{}, {"name": " "}, {"privacy": "PROTECTED"}, {"board_id": "../pins", "name": "x"}])
def test_a_change_of_nothing_or_of_no_board_is_not_sent(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        UPDATE.Inputs.clean({"board_id": "12", **values})


def test_a_name_that_is_taken_is_refused_in_pinterests_words(pinterest: Any, sandbox: Sandbox) -> None:
    with pytest.raises(RejectedError, match=r"The board name is invalid or duplicated\."):
        done(pinterest, UPDATE, board_id=board_id(sandbox), name="Summer recipes")


# --- list -------------------------------------------------------------------------------------------------------------


def test_boards_are_listed_newest_first_whatever_pinterests_order(pinterest: Any, sandbox: Sandbox) -> None:
    for number in range(5):
        sandbox.add_board(f"Board {number}")
    listed = read(pinterest, LIST)
    made = [board["created_at"] for board in listed["boards"]]
    assert made == sorted(made, reverse=True)
    assert (listed["count"], listed["is_cut"], listed["warning"]) == (7, False, "")
    assert {board["name"] for board in listed["boards"]} == names(sandbox) - {"Launch ideas"}


def test_boards_are_narrowed_by_name_and_privacy(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.add_board("Kept close", privacy="PROTECTED")
    assert [board["name"] for board in read(pinterest, LIST, privacy="PROTECTED")["boards"]] == ["Kept close"]
    assert [board["name"] for board in read(pinterest, LIST, name_contains="RECIPE")["boards"]] == ["Summer recipes"]


def test_secret_boards_are_listed_with_their_permission_and_asked_for_without(pinterest: Any, sandbox: Sandbox) -> None:
    with_scopes(pinterest, sandbox, DEFAULT_SCOPES)
    with pytest.raises(RejectedError, match="without the permission boards:read_secret"):
        read(pinterest, LIST, privacy="SECRET")
    with_scopes(pinterest, sandbox, SECRET_SCOPES)
    assert [board["name"] for board in read(pinterest, LIST, privacy="SECRET")["boards"]] == ["Launch ideas"]


def test_a_list_that_is_cut_says_so(pinterest: Any) -> None:
    listed = read(pinterest, LIST, most=1)
    assert (listed["count"], listed["is_cut"]) == (1, True)
    assert listed["warning"] == lists.cut_warning("boards", 1)
    assert "more than 1 boards" in listed["warning"]
    assert read(pinterest, LIST, most=2)["is_cut"] is False
    with pytest.raises(InvalidInputError):
        LIST.Inputs.clean({"most": lists.MOST_RECORDS + 1})


def test_every_page_is_read(pinterest: Any, sandbox: Sandbox, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.connectors.pinterest.client.PAGE_SIZE", 2)
    for number in range(5):
        sandbox.add_board(f"Board {number}")
    assert read(pinterest, LIST)["count"] == 7
    assert wire.calls == ["GET /v5/boards"] * 4
