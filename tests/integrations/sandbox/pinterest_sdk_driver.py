"""Runs in the environment of Pinterest's SDK, not in ours: performs its calls and prints what it understood as JSON.

    python pinterest_sdk_driver.py http://127.0.0.1:8001/v5 ACCESS_TOKEN REFRESH_TOKEN APP_ID APP_SECRET

Each step's outcome stands under its name: what the SDK made of the answer, or {"error": its class, "status", "body"}.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

BASE, ACCESS_TOKEN, REFRESH_TOKEN, APP_ID, APP_SECRET = sys.argv[1:6]
os.environ["PINTEREST_API_URI"] = BASE  # read when the SDK is imported

# ruff: noqa: E402
from openapi_generated.pinterest_client.api.boards_api import BoardsApi
from openapi_generated.pinterest_client.api.pins_api import PinsApi
from openapi_generated.pinterest_client.api.user_account_api import UserAccountApi
from openapi_generated.pinterest_client.exceptions import ApiException
from openapi_generated.pinterest_client.model.board import Board as BoardModel
from openapi_generated.pinterest_client.model.board_section import BoardSection as SectionModel
from openapi_generated.pinterest_client.model.board_update import BoardUpdate
from openapi_generated.pinterest_client.model.pin_create import PinCreate
from pinterest.client import PinterestSDKClient
from pinterest.organic.boards import Board
from pinterest.organic.pins import Pin

PICTURE = {"source_type": "image_url", "url": "https://images.pinworks.example/oak.jpg"}
TOLD: dict[str, Any] = {}


def step(name: str, call: Callable[[], Any]) -> Any:
    """Do it and note what came of it."""
    try:
        answer = call()
    except ApiException as error:
        TOLD[name] = {"error": type(error).__name__, "status": error.status, "body": json.loads(error.body or "null")}
        return None
    TOLD[name] = plain(answer)
    return answer


def plain(answer: Any) -> Any:
    """Models and dates as JSON."""
    if hasattr(answer, "to_dict"):
        answer = answer.to_dict()
    if isinstance(answer, dict):
        return {str(name): plain(value) for name, value in answer.items()}
    if isinstance(answer, list | tuple):
        return [plain(each) for each in answer]
    return answer.isoformat() if hasattr(answer, "isoformat") else answer


def low_level(client: Any) -> None:
    """The generated client: every call that Pinxero makes."""
    boards, pins = BoardsApi(client), PinsApi(client)
    step("account", UserAccountApi(client).user_account_get)
    step("boards", lambda: boards.boards_list(page_size=250, privacy="ALL")["items"])
    made = step("board made", lambda: boards.boards_create(board=BoardModel(name="Seen by the SDK", description="Oak")))
    board = made.id
    step("board made twice", lambda: boards.boards_create(board=BoardModel(name="Seen by the SDK")))
    step("board", lambda: boards.boards_get(board))
    step("board changed", lambda: boards.boards_update(board, BoardUpdate(description="Oak and ash")))
    section = step("section made", lambda: boards.board_sections_create(board, SectionModel(name="Tables"))).id
    step("sections", lambda: boards.board_sections_list(board)["items"])
    new = PinCreate(
        board_id=board,
        title="Oak table",
        link="https://shop.pinworks.example/oak",
        alt_text="A table",
        description="From 120",
        board_section_id=section,
        media_source=PICTURE,
    )
    pin = step("pin made", lambda: pins.pins_create(pin_create=new)).id
    step("pin", lambda: pins.pins_get(pin))
    step("pins of the account", lambda: pins.pins_list(page_size=250)["items"])
    step("pins of the board", lambda: boards.boards_list_pins(board)["items"])
    step("pins of the section", lambda: boards.board_sections_list_pins(board, section)["items"])
    step("pin deleted", lambda: pins.pins_delete(pin))
    step("pin after", lambda: pins.pins_get(pin))
    step("section renamed", lambda: boards.board_sections_update(board, section, SectionModel(name="Desks")))
    step("section deleted", lambda: boards.board_sections_delete(board, section))
    step("board deleted", lambda: boards.boards_delete(board))
    step("board after", lambda: boards.boards_get(board))


def high_level(client: Any) -> None:
    """What people write with the SDK."""
    board = Board.create(name="High level", description="By hand", privacy="PUBLIC", client=client)
    TOLD["high: board"] = {"id": board.id, "name": board.name, "privacy": board.privacy, "pins": board.pin_count}
    section = board.create_section("Lamps")
    for number in range(3):
        Pin.create(
            board_id=board.id, board_section_id=section.id, title=f"Lamp {number}", client=client, media_source=PICTURE
        )
    first, bookmark = board.list_pins(page_size=2)
    rest, end = board.list_pins(page_size=2, bookmark=bookmark.bookmark_token)
    TOLD["high: pages"] = {
        "sizes": [len(first), len(rest)],
        "titles": [each.title for each in [*first, *rest]],
        "ends": end is None,
    }
    TOLD["high: sections"] = [each.name for each in board.list_sections()[0]]
    Board.delete(board_id=board.id, client=client)
    TOLD["high: names after"] = [each.name for each in Board.get_all(client=client)[0]]


def renewed() -> None:
    """A client that has a refresh token only asks for an access token first."""
    client = PinterestSDKClient.create_client_with_refresh_token(REFRESH_TOKEN, APP_ID, APP_SECRET)
    step("account by refresh token", UserAccountApi(client).user_account_get)


def without_access() -> None:
    step("wrong token", BoardsApi(PinterestSDKClient.create_client_with_token("pina_wrong")).boards_list)


if __name__ == "__main__":
    with_token = PinterestSDKClient.create_client_with_token(ACCESS_TOKEN)
    low_level(with_token)
    high_level(with_token)
    without_access()
    renewed()
    print(json.dumps(TOLD))  # noqa: T201  # the answer to the test that started it
