"""The checks of a write and the sandbox agree: what a check stops is refused, and the mended write passes both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.framework.checks import Facts, Finding, findings_of
from tests.integrations.connectors.pinterest.acting import board_id, done
from tests.integrations.wire import Wire
from tests.provider import Sandbox

PICTURE = "https://images.pinworks.example/oak.jpg"


def found_in(api: Any, key: str, values: Mapping[str, Any]) -> list[Finding]:
    action = registry.action(f"pinterest.{key}")
    return findings_of(action, Facts(api), action.Inputs.clean(values))


def named(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(each.level.value, each.code, each.input) for each in findings]


CASES = {
    "no such board": ("create_pin", "board_missing", "board_id", "Board not found", {"board_id": "1"}),
    "no such board to change": ("update_board", "board_missing", "board_id", "Board not found", {"board_id": "1"}),
    "no board for the section": ("create_section", "board_missing", "board_id", "Board not found", {"board_id": "1"}),
    "no such section": ("create_pin", "section_missing", "section_id", "section not found", {"section_id": "1"}),
    "a name in use": ("update_board", "name_taken", "name", "invalid or duplicated", {"name": "Summer recipes"}),
    "a private picture": (
        "create_pin",
        "picture_unreachable",
        "image_url",
        "cannot be reached",
        {"image_url": "http://192.168.1.5/oak.jpg"},
    ),
    "a picture in the office": (
        "create_pin",
        "picture_unreachable",
        "image_url",
        "cannot be reached",
        {"image_url": "http://intranet/oak.jpg"},
    ),
    "an address of this machine": (
        "create_pin",
        "picture_unreachable",
        "image_url",
        "cannot be reached",
        {"image_url": "http://[::1]/oak.jpg"},
    ),
}
USUAL: Mapping[str, Mapping[str, Any]] = {
    "create_pin": {"image_url": PICTURE, "title": "Oak table"},
    "update_board": {"description": "Desks, chairs and lamps"},
    "create_section": {"name": "Desks"},
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_check_and_the_sandbox_agree(case: tuple[str, str, str, str, Any], pinterest: Any, sandbox: Sandbox) -> None:
    key, code, name, words, wrong = case
    right = {"board_id": board_id(sandbox), **USUAL[key]}

    found = found_in(pinterest, key, {**right, **wrong})

    assert named(found) == [("stops", code, name)]
    assert found[0].advice
    with pytest.raises(RejectedError, match=words):
        done(pinterest, registry.action(f"pinterest.{key}"), **{**right, **wrong})
    assert found_in(pinterest, key, right) == []
    assert done(pinterest, registry.action(f"pinterest.{key}"), **right)


def test_a_page_instead_of_a_picture_is_doubtful_and_taken(pinterest: Any, sandbox: Sandbox) -> None:
    values = {"board_id": board_id(sandbox), "image_url": "https://shop.pinworks.example/oak.html"}

    assert named(found_in(pinterest, "create_pin", values)) == [("warns", "picture_is_page", "image_url")]
    assert done(pinterest, registry.action("pinterest.create_pin"), **values)


def test_the_board_is_read_once_for_all_that_asks_about_it(pinterest: Any, sandbox: Sandbox, wire: Wire) -> None:
    section = sandbox.make("section", board="Office styling", name="Desks")["id"]
    values = {"board_id": board_id(sandbox), "section_id": section, "image_url": PICTURE}

    assert found_in(pinterest, "create_pin", values) == []

    assert [each.partition("/v5")[2] for each in wire.calls] == [
        f"/boards/{values['board_id']}",
        f"/boards/{values['board_id']}/sections",
    ]
