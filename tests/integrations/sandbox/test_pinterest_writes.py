"""Pinterest: sections, changing and deleting boards and pins, filters, the trial."""

from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller
from tests.provider import Sandbox

IMAGE = {"source_type": "image_url", "url": "https://images.pinworks.example/x.jpg"}


def board_id(sandbox: Sandbox, name: str = "Office styling") -> str:
    return next(str(board["id"]) for board in sandbox.state()["boards"] if board["name"] == name)


def with_scopes(sandbox: Sandbox, scopes: str) -> Caller:
    return Caller(sandbox, "/v5", sandbox.tokens("pinterest", scopes)["access_token"])


def test_a_section_is_made_and_takes_pins(sandbox: Sandbox, pinterest: Caller) -> None:
    board = board_id(sandbox)
    answer = pinterest.post(f"/boards/{board}/sections", {"name": "Desks"})
    made = answer.json()
    assert (answer.status_code, made["name"]) == (201, "Desks")
    body = {"board_id": board, "board_section_id": made["id"], "title": "In it", "media_source": IMAGE}
    pin = pinterest.post("/pins", body).json()
    assert pin["board_section_id"] == made["id"]
    by_hand = sandbox.make("pin", board="Office styling", section="desks", title="By hand")
    listed = pinterest.get(f"/boards/{board}/sections/{made['id']}/pins").json()["items"]
    assert {one["id"] for one in listed} == {pin["id"], by_hand["id"]}
    assert pinterest.get(f"/boards/{board}/sections").json() == {"items": [made], "bookmark": None}
    assert pinterest.get(f"/boards/{board}/sections/1/pins").status_code == 404
    stray = pinterest.post("/pins", {**body, "board_section_id": "1"})
    assert stray.status_code == 404


def test_making_a_section_is_refused_now_and_then_as_the_dial_says(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(p_section_conflict=1)
    answer = pinterest.post(f"/boards/{board_id(sandbox)}/sections", {"name": "Desks"})
    assert answer.status_code == 409
    message = "Could not get exclusive access to the board to create a new section."
    assert answer.json()["message"] == message
    sandbox.faults(p_section_conflict=0)
    assert pinterest.post(f"/boards/{board_id(sandbox)}/sections", {"name": "Desks"}).status_code == 201


def test_a_board_is_changed_but_never_made_protected(sandbox: Sandbox) -> None:
    pinterest = with_scopes(sandbox, "boards:read boards:write boards:read_secret boards:write_secret")
    place = f"/boards/{board_id(sandbox)}"
    changed = pinterest.call("PATCH", place, {"name": "Offices", "privacy": "SECRET"}).json()
    assert (changed["name"], changed["privacy"]) == ("Offices", "SECRET")
    for wrong in ({"privacy": "PROTECTED"}, {"name": "Summer recipes"}, {"name": ""}, {"owner": "me"}):
        assert pinterest.call("PATCH", place, wrong, is_proper=False).status_code == 400
    poor = with_scopes(sandbox, "boards:read boards:write")
    assert poor.call("PATCH", place, {"description": "x"}).status_code == 404  # it is secret now
    other = f"/boards/{board_id(sandbox, 'Summer recipes')}"
    refused = poor.call("PATCH", other, {"privacy": "SECRET"})
    assert (refused.status_code, refused.json()["code"]) == (403, 29)


def test_a_deleted_board_takes_its_pins_along(sandbox: Sandbox, pinterest: Caller) -> None:
    board = board_id(sandbox)
    sandbox.make("section", board=board, name="Desks")
    answer = pinterest.call("DELETE", f"/boards/{board}")
    assert (answer.status_code, answer.content) == (204, b"")
    assert pinterest.get(f"/boards/{board}").status_code == 404
    assert "Office styling" not in {pin["board"] for pin in sandbox.state()["pins"]}
    assert pinterest.call("DELETE", f"/boards/{board}").status_code == 404


def test_a_pin_is_deleted_once(sandbox: Sandbox, pinterest: Caller) -> None:
    pin = sandbox.add_pins("Office styling")[0]["id"]
    assert pinterest.call("DELETE", f"/pins/{pin}").status_code == 204
    assert pinterest.call("DELETE", f"/pins/{pin}").status_code == 404
    assert len(sandbox.state()["pins"]) == 6


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, {"PUBLIC"}),
        ({"include_protected_pins": "true"}, {"PUBLIC", "PROTECTED"}),
        ({"pin_filter": "exclude_repins"}, {"PUBLIC"}),
        ({"pin_filter": "exclude_native"}, set()),
        ({"pin_filter": "has_been_promoted"}, set()),
    ],
)
def test_pins_are_filtered(sandbox: Sandbox, pinterest: Caller, query: dict[str, Any], expected: set[str]) -> None:
    sandbox.add_board("Kept close", privacy="PROTECTED")
    sandbox.add_pins("Kept close")
    privacy = {board["id"]: board["privacy"] for board in sandbox.state()["boards"]}
    assert {privacy[pin["board_id"]] for pin in pinterest.get("/pins", **query).json()["items"]} == expected


@pytest.mark.parametrize(
    ("privacy", "expected"),
    [("PUBLIC", 2), ("SECRET", 1), ("PROTECTED", 0), ("PUBLIC_AND_SECRET", 3), ("ALL", 3)],
)
def test_boards_are_filtered_by_privacy(sandbox: Sandbox, privacy: str, expected: int) -> None:
    pinterest = with_scopes(sandbox, "boards:read boards:read_secret")
    assert len(pinterest.get("/boards", privacy=privacy).json()["items"]) == expected


def test_an_app_on_trial_makes_boards_but_no_pins(sandbox: Sandbox, pinterest: Caller) -> None:
    sandbox.faults(trial=True)
    assert pinterest.post("/boards", {"name": "On trial"}).status_code == 201
    body = {"board_id": board_id(sandbox), "title": "x", "media_source": IMAGE}
    refused = pinterest.post("/pins", body)
    assert (refused.status_code, refused.json()["code"]) == (403, 29)
    assert refused.json()["message"].startswith("Apps with Trial access may not create Pins in production")
