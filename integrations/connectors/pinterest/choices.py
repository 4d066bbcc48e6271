"""The choices of inputs: fixed lists as Pinterest spells them, and lists fetched from the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import TextChoices

from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.ids import is_id
from integrations.schema.schema import Choice, choices
from integrations.transport.http import ApiClient


class BoardPrivacy(TextChoices):
    """Which boards a trigger or a list includes."""

    ALL = "ALL", "All"
    PUBLIC = "PUBLIC", "Public"
    PROTECTED = "PROTECTED", "Protected"
    SECRET = "SECRET", "Secret"
    PUBLIC_AND_SECRET = "PUBLIC_AND_SECRET", "Public and secret"


class NewBoardPrivacy(TextChoices):
    """Who can see a new board."""

    PUBLIC = "PUBLIC", "Public"
    PROTECTED = "PROTECTED", "Protected (for advertising)"
    SECRET = "SECRET", "Secret"


class ChangedPrivacy(TextChoices):
    """Who can see a board from now on; Pinterest cannot make an existing one protected."""

    KEEP = "keep", "Leave it as it is"
    PUBLIC = "PUBLIC", "Public"
    SECRET = "SECRET", "Secret"


class IfThere(TextChoices):
    """What to do if one with that name exists already."""

    STOP = "stop", "Stop the run"
    USE = "use", "Go on with the one that is there"


class PinFilter(TextChoices):
    """Which of the account's pins are listed."""

    ALL = "all", "All"
    EXCLUDE_NATIVE = "exclude_native", "Without those made here"
    EXCLUDE_REPINS = "exclude_repins", "Without those saved from others"
    HAS_BEEN_PROMOTED = "has_been_promoted", "Only those that have been promoted"


class PinType(TextChoices):
    """The kind of a pin's content."""

    ALL = "all", "All"
    REGULAR = "REGULAR", "Picture"
    VIDEO = "VIDEO", "Video"
    CAROUSEL = "CAROUSEL", "Several pictures"
    COLLECTION = "COLLECTION", "Collection"
    SHOPPING = "SHOPPING", "Product"
    IDEA = "IDEA", "Idea pin"


@choices()
def boards(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The account's boards, shared ones included, in Pinterest's order."""
    assert isinstance(api, PinterestClient)
    for page in api.pages("/boards"):
        for board in page:
            is_secret = board.get("privacy") == "SECRET"
            yield board["id"], f"{board.get('name')} (secret)" if is_secret else str(board.get("name"))


@choices()
def own_boards(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The boards that belong to the account itself, by their exact names."""
    assert isinstance(api, PinterestClient)
    me = api.connection.details.get("username")
    for page in api.pages("/boards"):
        for board in page:
            if not me or (board.get("owner") or {}).get("username") in {me, None}:
                yield board["id"], str(board.get("name"))


@choices(depends_on=("board_id",))
def sections(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The sections of the chosen board; none while no board is chosen."""
    assert isinstance(api, PinterestClient)
    board = str(inputs.get("board_id") or "")
    if not is_id(board):
        return
    for page in api.pages(f"/boards/{board}/sections"):
        for section in page:
            yield section["id"], str(section.get("name"))
