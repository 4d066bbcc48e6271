"""New pin and New board, for real against the sandbox, and against lists as Pinterest may order them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import pytest

from integrations.connectors.pinterest import samples, triggers
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.records import board_data, pin_data, utc_text
from integrations.core.errors import InvalidInputError, RejectedError, TemporaryError
from integrations.framework import registry
from integrations.framework.base import Item, Poll
from tests.integrations.wire import Wire
from tests.provider import Sandbox

NEW_PIN = registry.trigger("pinterest.new_pin")
NEW_BOARD = registry.trigger("pinterest.new_board")


def look(trigger: Any, api: Any, known: Iterable[str] = (), *, is_baseline: bool = False, **inputs: Any) -> list[Item]:
    """One poll that knows these keys."""
    seen = set(known)
    told = Poll(
        api=api,
        inputs=trigger.Inputs.clean(inputs),
        cursor=None,
        known=lambda keys: seen & set(keys),
        is_baseline=is_baseline,
    )
    return [item for item in trigger.poll(told) if item.key]


# --- against the sandbox ----------------------------------------------------------------------------------------------


def test_a_new_pin_brings_everything_it_has(pinterest: Any, sandbox: Sandbox) -> None:
    known = [item.key for item in look(NEW_PIN, pinterest, is_baseline=True)]
    board = sandbox.add_board("Prints of spring")
    (made,) = sandbox.add_pins(
        "Prints of spring", title="Oak table", description="From 120", link="https://shop.example/oak"
    )

    (item,) = look(NEW_PIN, pinterest, known)

    assert item.key == made["id"]
    assert item.data["title"] == "Oak table"
    assert item.data["description"] == "From 120"
    assert item.data["link"] == "https://shop.example/oak"
    assert (item.data["board_id"], item.data["board_name"]) == (board["id"], "Prints of spring")
    assert item.data["image_url"].startswith("http")
    assert item.data["image_width"] == 1200
    assert item.data["created_at"].endswith("Z")
    assert item.data["url"] == f"https://www.pinterest.com/pin/{made['id']}/"
    assert item.data["owner"] == "pinworks"
    assert set(item.data) == set(samples.PIN)


def test_a_quiet_poll_is_one_call(pinterest: Any, wire: Wire) -> None:
    known = [item.key for item in look(NEW_PIN, pinterest, is_baseline=True)]
    wire.clear()
    assert look(NEW_PIN, pinterest, known) == []
    assert wire.calls == ["GET /v5/pins"]


def test_a_poll_that_finds_something_asks_once_for_the_boards(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    known = [item.key for item in look(NEW_PIN, pinterest, is_baseline=True)]
    sandbox.add_board("Prints of spring")
    sandbox.add_pins("Prints of spring", count=5, title="Pin {n}")
    wire.clear()
    items = look(NEW_PIN, pinterest, known)
    assert len(items) == 5
    assert wire.calls == ["GET /v5/pins", "GET /v5/boards"]


def test_new_pins_come_oldest_first(pinterest: Any, sandbox: Sandbox) -> None:
    known = [item.key for item in look(NEW_PIN, pinterest, is_baseline=True)]
    sandbox.add_board("Prints of spring")
    sandbox.add_pins("Prints of spring", count=8, title="Pin {n}")
    times = [item.data["created_at"] for item in look(NEW_PIN, pinterest, known)]
    assert times == sorted(times)
    assert len(times) == 8


def test_one_board_only(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    one, other = sandbox.add_board("One"), sandbox.add_board("Other")
    sandbox.add_pins("One", title="mine")
    sandbox.add_pins("Other", title="not mine")
    wire.clear()
    (item,) = look(NEW_PIN, pinterest, board_id=one["id"])
    assert (item.data["title"], item.data["board_name"]) == ("mine", "One")
    assert wire.calls == [f"GET /v5/boards/{one['id']}/pins", f"GET /v5/boards/{one['id']}"]
    assert other["id"] not in item.data.values()


def test_the_baseline_reads_every_page(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    board = sandbox.add_board("Big")
    sandbox.add_pins("Big", count=600, title="Pin {n}")
    wire.clear()
    items = look(NEW_PIN, pinterest, is_baseline=True, board_id=board["id"])
    assert len({item.key for item in items}) == 600
    assert wire.calls.count(f"GET /v5/boards/{board['id']}/pins") == 3


def test_a_board_that_is_gone_is_told_in_pinterests_words(pinterest: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        look(NEW_PIN, pinterest, board_id="999")
    assert caught.value.message == "Pinterest refused it: Board not found."
    assert (caught.value.reasons, caught.value.status) == (["Board not found."], 404)


def test_a_new_board_is_noticed(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    known = [item.key for item in look(NEW_BOARD, pinterest, is_baseline=True)]
    made = sandbox.add_board("Prints of spring", description="New")
    wire.clear()
    (item,) = look(NEW_BOARD, pinterest, known)
    assert item.key == made["id"]
    assert (item.data["name"], item.data["description"], item.data["privacy"]) == ("Prints of spring", "New", "PUBLIC")
    assert item.data["owner"] == "pinworks"
    assert set(item.data) == set(samples.BOARD)
    assert wire.calls == ["GET /v5/boards"]
    assert wire.exchanges[0].query["privacy"] == "ALL"


def test_boards_of_another_privacy_are_left_out(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.add_board("Prints of spring")
    assert "Prints of spring" not in [item.data["name"] for item in look(NEW_BOARD, pinterest, privacy="PROTECTED")]


# --- lists as Pinterest may order them --------------------------------------------------------------------------------


class Listed(PinterestClient):
    """A client whose pin list is given, in pages."""

    def __init__(self, pages: list[list[dict[str, Any]]]) -> None:
        self.listed = pages
        self.read_pages = 0

    def pages(self, path: str, query: Any = None) -> Any:
        if path == "/boards":
            yield [{"id": "1", "name": "Board"}]
            return
        if path.endswith("/sections"):
            yield [{"id": "5", "name": "Tables"}]
            return
        yield from (page for page, _ in self.marked_pages(path))

    def marked_pages(self, path: str, query: Any = None, *, start: str = "") -> Any:
        first = int(start or 0)
        for number, page in enumerate(self.listed[first:], start=first + 1):
            self.read_pages += 1
            yield page, str(number) if number < len(self.listed) else ""


def pin(number: int, **more: Any) -> dict[str, Any]:
    return {"id": str(number), "board_id": "1", "created_at": f"2026-01-01T00:00:{number % 60:02}", **more}


def test_a_known_pin_on_top_does_not_hide_a_new_one_below() -> None:
    api = Listed([[pin(1), pin(2), pin(9)], [pin(3), pin(4), pin(5)], [pin(6)]])
    items = look(NEW_PIN, api, known=["1", "2", "3", "4", "5", "6"])
    assert [item.key for item in items] == ["9"]
    assert api.read_pages == 2, "the second page is all known, so the third is not asked for"


def test_an_empty_page_in_the_middle_is_not_the_end() -> None:
    api = Listed([[], [pin(9)], [pin(1)], [pin(8)]])
    assert [item.key for item in look(NEW_PIN, api, known=["1"])] == ["9"]
    assert api.read_pages == 3


def test_a_poll_reads_twenty_pages_at_most(monkeypatch: pytest.MonkeyPatch) -> None:
    api = Listed([[pin(number)] for number in range(100)])
    assert len(look(NEW_PIN, api)) == triggers._MOST_PAGES == 20
    assert api.read_pages == 20


def test_the_baseline_goes_on_though_pages_are_known() -> None:
    api = Listed([[pin(number)] for number in range(50)])
    assert len(look(NEW_PIN, api, known=[str(number) for number in range(40)], is_baseline=True)) == 50


def test_the_names_of_sections_are_asked_for_once_per_board() -> None:
    api = Listed([[pin(1, board_section_id="5"), pin(2, board_section_id="5"), pin(3, board_section_id="6"), pin(4)]])
    items = look(NEW_PIN, api)
    assert [item.data["section_name"] for item in items] == ["Tables", "Tables", "", ""]


def test_a_board_id_that_would_change_the_address_is_refused() -> None:
    with pytest.raises(InvalidInputError) as caught:
        NEW_PIN.Inputs.clean({"board_id": "1/../../user_account"})
    assert caught.value.problems == {
        "board_id": '"1/../../user_account" is not the ID of a board. Pick one from the list.'
    }


# --- records ----------------------------------------------------------------------------------------------------------


def test_a_bare_pin_has_every_field() -> None:
    data = pin_data({"id": "1"}, board_name="", section_name="")
    assert set(data) == set(samples.PIN)
    assert (data["title"], data["image_url"], data["image_width"], data["created_at"]) == ("", "", None, None)
    assert set(board_data({"id": "1"})) == set(samples.BOARD)
    assert json.dumps(data)


SMALL = {"width": 150, "height": 150, "url": "small"}
LARGE = {"width": 1200, "height": 1800, "url": "large"}


@pytest.mark.parametrize(
    ("media", "url"),
    [
        ({"media_type": "image", "images": {"150x150": SMALL, "1200x": LARGE, "600x": {}}}, "large"),
        ({"media_type": "video", "cover_image_url": "cover", "width": None}, "cover"),
        ({"media_type": "video", "images": {"150x150": SMALL}, "cover_image_url": "cover"}, "small"),
        ({"media_type": "multiple_images", "items": [{"images": {"1200x": LARGE}}, {"images": {"x": SMALL}}]}, "large"),
        ({"media_type": "multiple_mixed", "items": [{"item_type": "video"}, {"images": {"x": SMALL}}]}, "small"),
        ({"images": {"a": {"url": "unsized"}}}, "unsized"),
        ({"images": None}, ""),
        (None, ""),
        ("odd", ""),
    ],
)
def test_the_largest_picture_is_taken(media: Any, url: str) -> None:
    assert pin_data({"id": "1", "media": media}, board_name="", section_name="")["image_url"] == url


@pytest.mark.parametrize(
    ("told", "text"),
    [
        ("2025-05-21T01:13:01", "2025-05-21T01:13:01Z"),
        ("2020-01-01T20:10:40-00:00", "2020-01-01T20:10:40Z"),
        ("2020-01-01T20:10:40+02:00", "2020-01-01T18:10:40Z"),
        ("2020-01-01T20:10:40Z", "2020-01-01T20:10:40Z"),
        (None, None),
        ("soon", None),
        ("0001-01-01T00:00:00+10:00", None),
    ],
)
def test_times_are_told_in_utc(told: Any, text: str | None) -> None:
    assert utc_text(told) == text


def test_a_list_without_end_is_given_up(pinterest: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from integrations.transport.http import Response

    same = Response(status=200, body=b'{"items":[{"id":"1"}],"bookmark":"again"}')
    monkeypatch.setattr(PinterestClient, "read", lambda self, path, query: same)
    with pytest.raises(TemporaryError, match="repeats itself"):
        list(pinterest.pages("/pins"))


def test_the_sample_is_a_pin_of_the_chosen_board() -> None:
    found = NEW_PIN.sample_of({"board_id": "7"}, {"board_id": "Summer recipes"})
    assert (found["board_id"], found["board_name"], found["section_name"]) == ("7", "Summer recipes", "")
    names = {"board_id": "Summer recipes", "section_id": "Cakes"}
    found = NEW_PIN.sample_of({"board_id": "7", "section_id": "8"}, names)
    assert (found["board_section_id"], found["section_name"]) == ("8", "Cakes")


def test_the_sample_is_a_board_as_secret_as_asked_for() -> None:
    sample_of = NEW_BOARD.sample_of
    assert sample_of({"privacy": "SECRET"})["privacy"] == "SECRET"
    assert sample_of({"privacy": "PUBLIC_AND_SECRET"})["privacy"] == "PUBLIC"
