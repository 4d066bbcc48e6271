"""Creating, reading and listing pins: for real against the sandbox."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from tests.integrations.connectors.pinterest.acting import (
    MARKER,
    SECRET_SCOPES,
    board_id,
    done,
    hits,
    read,
    with_scopes,
)
from tests.integrations.wire import Wire
from tests.provider import Sandbox

CREATE = registry.action("pinterest.create_pin")
GET = registry.action("pinterest.get_pin")
LIST = registry.action("pinterest.list_pins")
OAK: dict[str, Any] = {
    "image_url": "https://images.pinworks.example/oak.jpg",
    "title": "Oak table",
    "description": "From 120",
    "link": "https://shop.pinworks.example/oak?size=2#top",
    "alt_text": "A round oak table",
}


# --- create -----------------------------------------------------------------------------------------------------------


def test_a_pin_is_created_with_all_it_may_say_and_a_mark_in_its_link(
    pinterest: Any, sandbox: Sandbox, wire: Wire
) -> None:
    section = sandbox.make("section", board="Office styling", name="Desks")["id"]
    board = board_id(sandbox)
    made = done(pinterest, CREATE, board_id=board, section_id=section, **OAK)
    assert json.loads(wire.exchanges[-1].body) == {
        "board_id": board,
        "board_section_id": section,
        "title": "Oak table",
        "description": "From 120",
        "alt_text": "A round oak table",
        "link": f"https://shop.pinworks.example/oak?size=2&px_run={MARKER}#top",
        "media_source": {"source_type": "image_url", "url": "https://images.pinworks.example/oak.jpg"},
    }
    assert (made["board_name"], made["section_name"]) == ("Office styling", "Desks")
    assert CREATE.describe(made) == "Pin Oak table on Office styling"
    assert CREATE.link(made, {}) == f"https://www.pinterest.com/pin/{made['id']}/"


def test_a_marked_pin_is_told_from_one_that_says_the_same(pinterest: Any, sandbox: Sandbox) -> None:
    values = {"board_id": board_id(sandbox), **OAK}
    first = done(pinterest, CREATE, marker="PX-first", **values)
    second = done(pinterest, CREATE, marker="PX-second", **values)
    assert [hit["id"] for hit in hits(pinterest, CREATE, "PX-first", **values)] == [first["id"]]
    assert [hit["id"] for hit in hits(pinterest, CREATE, "PX-second", **values)] == [second["id"]]
    assert hits(pinterest, CREATE, "PX-third", **values) == []


@pytest.mark.parametrize("changes", [{"mark_link": "no"}, {"link": ""}, {"link": "https://a.example/" + "x" * 2020}])
def test_an_unmarked_pin_is_known_by_all_that_it_says(
    pinterest: Any, sandbox: Sandbox, wire: Wire, changes: dict[str, str]
) -> None:
    values = {"board_id": board_id(sandbox), **OAK, **changes}
    made = done(pinterest, CREATE, **values)
    assert MARKER.encode() not in wire.exchanges[-1].body
    assert [hit["id"] for hit in hits(pinterest, CREATE, **values)] == [made["id"]]
    assert hits(pinterest, CREATE, **{**values, "title": "Ash table"}) == []
    later = datetime.now(UTC) + timedelta(hours=1)
    assert CREATE.find(pinterest, CREATE.Inputs.clean(values), MARKER, since=later) == []
    assert CREATE.lookup_reliable is False


def test_an_app_with_trial_access_is_told_what_to_do(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.faults(trial=True)
    with pytest.raises(RejectedError) as caught:
        done(pinterest, CREATE, board_id=board_id(sandbox), **OAK)
    assert caught.value.status == 403
    assert caught.value.reasons[0].startswith("Apps with Trial access may not create Pins in production")
    assert "ask Pinterest for Standard access" in caught.value.message
    assert len(sandbox.state()["pins"]) == 6


def test_a_secret_board_that_may_not_be_seen_says_why_it_may_be_missing(pinterest: Any, sandbox: Sandbox) -> None:
    secret = board_id(sandbox, "Launch ideas")
    with_scopes(pinterest, sandbox, "user_accounts:read boards:read boards:write pins:read pins:write")
    with pytest.raises(RejectedError) as caught:
        done(pinterest, CREATE, board_id=secret, **OAK)
    assert caught.value.message == (
        "Pinterest refused it: Board not found. If it is secret: the permissions for secret boards and pins were not "
        "granted to this connection."
    )
    with_scopes(pinterest, sandbox, SECRET_SCOPES)
    assert done(pinterest, CREATE, board_id=secret, **OAK)["board_name"] == "Launch ideas"


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"image_url": "ftp://a.example/x.jpg"}, "image_url"),
        ({"image_url": "oak.jpg"}, "image_url"),
        ({"link": "javascript:alert(1)"}, "link"),
        ({"link": "https://[bad"}, "link"),
        ({"board_id": "12/../.."}, "board_id"),
        ({"section_id": "x"}, "section_id"),
        ({"title": "x" * 101}, "title"),
    ],
)
def test_a_pin_that_cannot_be_one_is_not_sent(changes: dict[str, str], path: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        CREATE.Inputs.clean({"board_id": "1", **OAK, **changes})
    assert list(caught.value.problems) == [path]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (
            "https://images.example/oak table.jpg",
            'has a space in it, behind "https://images.example/oak"; a space that belongs there is written %20.',
        ),
        ("https://images.example/oak\u00a0table.jpg", "has a space in it, behind"),
        ("https://images.example/oak\ttable.jpg", 'has a tab in it, behind "https://images.example/oak".'),
        ("https://images.example/a\nb.jpg", 'has a line break in it, behind "https://images.example/a".'),
        ("https://images.example\\a.jpg", 'has a backslash in it, behind "https://images.example".'),
        ('https://images.example/"a.jpg', 'has a quotation mark in it, behind "https://images.example/".'),
        ("https://images.example/a\x01.jpg", "has a sign that cannot be seen in it, behind"),
        ("https:///a.jpg", '"https:///a.jpg" names no host behind https://, such as www.example.com.'),
        ("https://[bad/a.jpg", "names a host that cannot be read."),
        ("oak.jpg", '"oak.jpg" is not an address on the web. It begins with https:// or http://.'),
    ],
)
def test_an_address_that_is_none_says_what_is_wrong_with_it(address: str, said: str) -> None:
    for name in ("image_url", "link"):
        with pytest.raises(InvalidInputError) as caught:
            CREATE.Inputs.clean({"board_id": "1", **OAK, name: address})
        assert list(caught.value.problems) == [name]
        assert said in caught.value.problems[name]
        assert ("begins with https" in caught.value.problems[name]) == (address == "oak.jpg")


@pytest.mark.parametrize("address", [" https://images.example/oak%20table.jpg\n", "http://bücher.example/größe.jpg"])
def test_an_address_that_browsers_open_is_taken(address: str) -> None:
    assert CREATE.Inputs.clean({"board_id": "1", **OAK, "image_url": address})


def test_creating_a_pin_is_taken_back_by_deleting_it(pinterest: Any, sandbox: Sandbox) -> None:
    made = done(pinterest, CREATE, board_id=board_id(sandbox), **OAK)
    request = CREATE.undo(pinterest, made, {})
    assert request is not None
    pinterest.write(request)
    assert made["id"] not in {pin["id"] for pin in sandbox.state()["pins"]}


def test_the_mark_in_the_link_is_told_beforehand() -> None:
    document = CREATE.document(CREATE.Inputs.clean({"board_id": "1", **OAK}), {})
    assert document is not None
    assert document.notes == ("px_run=... is added to the link, by which the pin is known again.",)
    assert ("Link", OAK["link"]) in document.facts
    unmarked = CREATE.document(CREATE.Inputs.clean({"board_id": "1", **OAK, "mark_link": "no"}), {})
    assert unmarked is not None
    assert unmarked.notes == ()


# --- read -------------------------------------------------------------------------------------------------------------


def test_a_pin_is_read_by_id_or_by_its_address(pinterest: Any, sandbox: Sandbox) -> None:
    pin = sandbox.add_pins("Office styling", title="Oak desk")[0]["id"]
    by_id = read(pinterest, GET, pin=pin)
    assert (by_id["title"], by_id["board_name"]) == ("Oak desk", "Office styling")
    for address in (f"https://www.pinterest.com/pin/{pin}/", f"https://nl.pinterest.com/pin/oak-desk--{pin}/?x=1"):
        assert read(pinterest, GET, pin=address) == by_id


@pytest.mark.parametrize("given", ["oak", "https://evil.example/pin/12/", "12/..", "https://www.pinterest.com/pin/x/"])
def test_what_names_no_pin_is_refused_with_an_example(given: str) -> None:
    with pytest.raises(InvalidInputError, match=r"https://www\.pinterest\.com/pin/813744226420795884/"):
        GET.Inputs.clean({"pin": given})


def test_pins_of_account_board_and_section_are_listed_newest_first(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.make("section", board="Office styling", name="Desks")
    inside = sandbox.make("pin", board="Office styling", section="Desks", title="Oak desk")["id"]
    everything = read(pinterest, LIST)
    assert everything["count"] == 6
    times = [pin["created_at"] for pin in everything["pins"]]
    assert times == sorted(times, reverse=True)
    assert all(time.endswith("Z") for time in times)
    board = board_id(sandbox)
    assert {pin["board_name"] for pin in read(pinterest, LIST, board_id=board)["pins"]} == {"Office styling"}
    section = next(pin["board_section_id"] for pin in everything["pins"] if pin["id"] == inside)
    (only,) = read(pinterest, LIST, board_id=board, section_id=section)["pins"]
    assert (only["id"], only["section_name"]) == (inside, "Desks")


def test_pins_are_narrowed_by_kind_day_and_filter(pinterest: Any, sandbox: Sandbox) -> None:
    sandbox.add_board("Kept close", privacy="PROTECTED")
    sandbox.add_pins("Kept close", title="Close")
    titles = [pin["title"] for pin in read(pinterest, LIST)["pins"]]
    assert "Close" not in titles
    assert "Close" in [pin["title"] for pin in read(pinterest, LIST, include_protected="yes")["pins"]]
    assert read(pinterest, LIST, pin_type="VIDEO")["count"] == 0
    assert read(pinterest, LIST, pin_type="REGULAR")["count"] == 5
    assert read(pinterest, LIST, pin_filter="exclude_native")["count"] == 0
    assert read(pinterest, LIST, created_from=(date.today() + timedelta(days=2)).isoformat())["count"] == 0
    assert read(pinterest, LIST, created_from="2020-01-01")["count"] == 5


def test_a_list_of_pins_that_is_cut_says_so(pinterest: Any) -> None:
    listed = read(pinterest, LIST, most=3)
    assert (listed["count"], listed["is_cut"]) == (3, True)
    assert listed["warning"].startswith("There are more than 3 pins.")


@pytest.mark.parametrize(
    "values", [{"section_id": "5"}, {"board_id": "5", "pin_filter": "exclude_native"}, {"board_id": "x"}]
)
def test_inputs_that_do_not_go_together_are_refused(values: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError):
        LIST.Inputs.clean(values)
