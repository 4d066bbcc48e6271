"""Pinterest's pins and boards as later steps use them: with every field, times in UTC, and the largest picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any


def pin_data(pin: Mapping[str, Any], *, board_name: str, section_name: str) -> dict[str, Any]:
    """A pin with the names of its board and section. Missing texts are empty."""
    media, owner = _group(pin, "media"), _group(pin, "board_owner")
    picture = _largest_picture(media)
    return {
        "id": str(pin["id"]),
        "title": _text(pin, "title"),
        "description": _text(pin, "description"),
        "link": _text(pin, "link"),
        "alt_text": _text(pin, "alt_text"),
        "created_at": utc_text(pin.get("created_at")),
        "url": f"https://www.pinterest.com/pin/{pin['id']}/",
        "board_id": _text(pin, "board_id"),
        "board_name": board_name,
        "board_section_id": _text(pin, "board_section_id"),
        "section_name": section_name,
        "owner": _text(owner, "username"),
        "is_owner": bool(pin.get("is_owner")),
        "image_url": str(picture.get("url") or ""),
        "image_width": picture.get("width"),
        "image_height": picture.get("height"),
        "dominant_color": _text(pin, "dominant_color"),
        "creative_type": _text(pin, "creative_type"),
        "media_type": _text(media, "media_type"),
        "parent_pin_id": _text(pin, "parent_pin_id"),
        "has_been_promoted": bool(pin.get("has_been_promoted")),
    }


def board_data(board: Mapping[str, Any]) -> dict[str, Any]:
    """A board. Missing texts are empty."""
    media, owner = _group(board, "media"), _group(board, "owner")
    return {
        "id": str(board["id"]),
        "name": _text(board, "name"),
        "description": _text(board, "description"),
        "privacy": _text(board, "privacy"),
        "created_at": utc_text(board.get("created_at")),
        "owner": _text(owner, "username"),
        "pin_count": board.get("pin_count") or 0,
        "follower_count": board.get("follower_count") or 0,
        "collaborator_count": board.get("collaborator_count") or 0,
        "is_ads_only": bool(board.get("is_ads_only")),
        "image_url": _text(media, "image_cover_url"),
    }


def section_data(section: Mapping[str, Any], *, board_id: str, board_name: str) -> dict[str, Any]:
    """A section with the name of its board."""
    return {
        "id": str(section["id"]),
        "name": _text(section, "name"),
        "board_id": board_id,
        "board_name": board_name,
    }


def utc_text(moment: Any) -> str | None:
    """`2025-05-21T01:13:01` as `2025-05-21T01:13:01Z`: Pinterest's times without a zone are UTC. None if unreadable."""
    try:
        read = datetime.fromisoformat(str(moment))
        in_utc = read.replace(tzinfo=UTC) if read.tzinfo is None else read.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return in_utc.isoformat(timespec="seconds").removesuffix("+00:00") + "Z"


def _largest_picture(media: Any) -> Mapping[str, Any]:
    pictures = list(_pictures(media))
    return max(pictures, key=_area, default={})


def _pictures(media: Any) -> Iterator[Mapping[str, Any]]:
    """The sizes of a pin's picture, of the first of several pictures, or of a video's cover."""
    if not isinstance(media, Mapping):
        return
    sizes = media.get("images")
    found = False
    if isinstance(sizes, Mapping):
        for size in sizes.values():
            if isinstance(size, Mapping) and size.get("url"):
                found = True
                yield size
    if found:
        return
    if media.get("cover_image_url"):
        yield {"url": media["cover_image_url"], "width": media.get("width"), "height": media.get("height")}
        return
    for item in media.get("items") or []:
        pictures = list(_pictures(item))
        if pictures:
            yield from pictures
            return


def _area(picture: Mapping[str, Any]) -> int:
    width, height = picture.get("width"), picture.get("height")
    return width * height if isinstance(width, int) and isinstance(height, int) else 0


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else str(value)


def _group(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = record.get(name)
    return value if isinstance(value, Mapping) else {}
