"""Boards and pins as the sandbox stores them: ids, order in lists, JSON."""

from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet

from integrations.sandbox.data import counters
from integrations.sandbox.exchange import clock
from integrations.sandbox.models import Board, Pin, Section
from integrations.sandbox.oauth import tokens

# Ids are not in order, like the real ones: a larger id does not mean a newer pin. The factor has no divisor in common
# with the span, so no id occurs twice.
_SPAN, _FACTOR, _FIRST = 9 * 10**17, 548_632_917_441_736_607, 10**17
#: Pins here are pictures.
CREATIVE_TYPE = "REGULAR"
_SIZES = {"150x150": (150, 150), "400x300": (400, 300), "600x": (600, 900), "1200x": (1200, 1800)}


def _identifier(number: int, salt: int) -> str:
    return str(_FIRST + (number * _FACTOR + salt) % _SPAN)


def _place(number: int) -> int:
    """The order of lists: roughly newest first, but neighbours may be swapped, as seen at Pinterest."""
    return number ^ 3


def add_board(name: str, description: str | None = None, privacy: str = "PUBLIC", at: int | None = None) -> Board:
    number, moment = counters.take("boards"), clock.now() if at is None else at
    return Board.objects.create(
        board_id=_identifier(number, 7),
        position=_place(number),
        name=name,
        description=description,
        privacy=privacy,
        created_at=moment,
        pins_modified_at=moment,
    )


def add_section(board: Board, name: str) -> Section:
    number = counters.take("sections")
    return Section.objects.create(
        section_id=_identifier(number, 900_001), position=_place(number), board=board, name=name
    )


def add_pins(
    board: Board,
    details: Sequence[dict[str, str | None]],
    at: int | None = None,
    section: Section | None = None,
) -> list[Pin]:
    """Make pins with these details, in this order, created one second apart."""
    first, moment = counters.take("pins", len(details)), clock.now() if at is None else at
    pins = [
        Pin(
            pin_id=_identifier(number, 100_003),
            position=_place(number),
            board=board,
            section=section,
            created_at=moment - (len(details) - 1 - index) * 1000 if len(details) <= 1000 else moment,
            **detail,
        )
        for index, (number, detail) in enumerate(zip(range(first, first + len(details)), details, strict=True))
    ]
    Pin.objects.bulk_create(pins, batch_size=500)
    board.pins_modified_at = moment
    board.save()
    return pins


def boards() -> QuerySet[Board]:
    return Board.objects.annotate(pin_count=Count("pins")).order_by("-position")


def board(one: Any) -> dict[str, Any]:
    return {
        "id": one.board_id,
        "created_at": clock.iso_seconds(one.created_at),
        "board_pins_modified_at": clock.iso_seconds(one.pins_modified_at),
        "name": one.name,
        "description": one.description,
        "collaborator_count": 0,
        "pin_count": one.pin_count if hasattr(one, "pin_count") else one.pins.count(),
        "follower_count": 0,
        "media": {"image_cover_url": None, "pin_thumbnail_urls": []},
        "owner": {"username": tokens.PINTEREST_USER["username"]},
        "privacy": one.privacy,
        "is_ads_only": False,
    }


def section(one: Section) -> dict[str, Any]:
    return {"id": one.section_id, "name": one.name}


def pin(one: Pin) -> dict[str, Any]:
    image = one.image or f"https://images.pinworks.example/{one.pin_id}"
    return {
        "id": one.pin_id,
        "created_at": clock.iso_seconds(one.created_at),
        "link": one.link,
        "title": one.title,
        "description": one.description,
        "alt_text": one.alt_text,
        "dominant_color": "#6e7874",
        "creative_type": CREATIVE_TYPE,
        "board_id": one.board_id,
        "board_section_id": one.section_id,
        "board_owner": {"username": tokens.PINTEREST_USER["username"]},
        "is_owner": True,
        "is_standard": True,
        "has_been_promoted": False,
        "parent_pin_id": None,
        "media": {
            "media_type": "image",
            "images": {
                size: {"width": width, "height": height, "url": f"{image}/{size}.jpg" if not one.image else image}
                for size, (width, height) in _SIZES.items()
            },
        },
    }
