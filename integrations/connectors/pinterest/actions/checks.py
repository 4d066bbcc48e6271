"""What Pinterest would refuse of a write, found before it is sent: boards, sections, names, and unreachable pictures.

https://developers.pinterest.com/docs/api/v5/pins-create/
https://developers.pinterest.com/docs/api/v5/boards-update/
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from integrations.connectors.pinterest import choices
from integrations.connectors.pinterest.client import PinterestClient
from integrations.core.errors import RejectedError
from integrations.core.sameness import same
from integrations.framework.checks import Facts, Finding, stops, warns
from integrations.transport.http import ApiClient
from integrations.transport.url_rules import is_public

_PAGES = (".html", ".htm", ".php", ".pdf", ".txt")


def board_findings(facts: Facts, board_id: str) -> Iterator[Finding]:
    """A board that is not there."""
    if not facts.is_predicted("board_id") and not facts.offers(choices.boards, board_id):
        yield from facts.tried("whether the board exists", lambda: _board_missing(facts, board_id))


def _board_missing(facts: Facts, board_id: str) -> Iterator[Finding]:
    if _board(facts, board_id) is None:
        said = f"There is no board with the ID {board_id} in {facts.name}."
        yield stops("board_missing", "board_id", said, "Pick a board, or take the board's ID from an earlier step.")


def _board(facts: Facts, board_id: str) -> dict[str, Any] | None:
    def read(api: ApiClient) -> dict[str, Any] | None:
        try:
            return dict(api.read(f"/boards/{board_id}").json())
        except RejectedError as error:
            if error.status == 404:
                return None
            raise

    return facts.ask(f"board {board_id}", read)


def section_findings(facts: Facts, board_id: str, section_id: str | None) -> Iterator[Finding]:
    """A section that is not on the board."""
    is_predicted = facts.is_predicted("section_id") or facts.is_predicted("board_id")
    if section_id and not is_predicted:
        yield from facts.tried("whether the section is on the board", lambda: _section(facts, board_id, section_id))


def _section(facts: Facts, board_id: str, section_id: str) -> Iterator[Finding]:
    if _board(facts, board_id) is None:
        return
    sections = facts.ask(f"sections of {board_id}", lambda api: _all(api, f"/boards/{board_id}/sections"))
    if not any(each.get("id") == section_id for each in sections):
        yield stops(
            "section_missing",
            "section_id",
            f"The board has no section with the ID {section_id}.",
            "Pick one of its sections, or leave it empty.",
        )


def name_findings(facts: Facts, name: str | None, board_id: str) -> Iterator[Finding]:
    """A new name that another board has."""
    if name and not facts.is_predicted("name"):
        yield from facts.tried("whether the name is free", lambda: _name_taken(facts, name, board_id))


def _name_taken(facts: Facts, name: str, board_id: str) -> Iterator[Finding]:
    boards = facts.ask("boards", lambda api: _all(api, "/boards"))
    if any(same(each.get("name"), name) and each.get("id") != board_id for each in boards):
        said = f'There is a board called "{name}" already, and Pinterest takes a name only once.'
        yield stops("name_taken", "name", said, "Give another name.")


def picture_findings(facts: Facts, url: str) -> Iterator[Finding]:
    """An address at which Pinterest cannot fetch a picture. It is judged by its form, nothing is called."""
    parts = urlsplit(url.strip())
    if facts.is_predicted("image_url"):
        return
    if not _is_reachable(parts.hostname or ""):
        yield stops(
            "picture_unreachable",
            "image_url",
            f"Pinterest cannot fetch the picture from {parts.hostname}: it is no address on the open internet.",
            "Give an address that everybody can open.",
        )
    elif parts.path.lower().endswith(_PAGES):
        said = f"{url.strip()[:80]} looks like a page and not like a picture."
        yield warns("picture_is_page", "image_url", said, "Give the address of the picture itself, as .jpg or .png.")


def _is_reachable(host: str) -> bool:
    try:
        return is_public(ip_address(host))
    except ValueError:
        return "." in host


def _all(api: ApiClient, path: str) -> list[dict[str, Any]]:
    assert isinstance(api, PinterestClient)
    return [each for page in api.pages(path) for each in page]
