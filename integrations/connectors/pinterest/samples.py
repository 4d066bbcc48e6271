"""Samples of the operations' output: the shape of `records.py`, invented data."""

from typing import Any

PIN: dict[str, Any] = {
    "id": "813744226420795884",
    "title": "Oak table",
    "description": "Solid oak, oiled by hand. From £120.",
    "link": "https://shop.pinworks.example/oak-table",
    "alt_text": "A round oak table with four chairs",
    "created_at": "2026-10-05T10:02:00Z",
    "url": "https://www.pinterest.com/pin/813744226420795884/",
    "board_id": "549755885175",
    "board_name": "Summer furniture",
    "board_section_id": "5258814934636085108",
    "section_name": "Tables",
    "owner": "pinworks",
    "is_owner": True,
    "image_url": "https://i.pinimg.com/1200x/0d/f6/f1/0df6f1f0bfe7aaca849c1bbc3607a34b.jpg",
    "image_width": 1200,
    "image_height": 1508,
    "dominant_color": "#6E7874",
    "creative_type": "REGULAR",
    "media_type": "image",
    "parent_pin_id": "",
    "has_been_promoted": False,
}

BOARD: dict[str, Any] = {
    "id": "549755885175",
    "name": "Summer furniture",
    "description": "What we make for gardens and balconies",
    "privacy": "PUBLIC",
    "created_at": "2026-10-05T10:00:00Z",
    "owner": "pinworks",
    "pin_count": 5,
    "follower_count": 13,
    "collaborator_count": 0,
    "is_ads_only": False,
    "image_url": "https://i.pinimg.com/400x300/fd/cd/d5/fdcdd5a6d8a80824add0d054125cd957.jpg",
}

SECTION: dict[str, Any] = {
    "id": "5258814934636085108",
    "name": "Tables",
    "board_id": "549755885175",
    "board_name": "Summer furniture",
}

BOARDS: dict[str, Any] = {"boards": [BOARD], "count": 1, "is_cut": False, "warning": ""}

SECTIONS: dict[str, Any] = {
    "sections": [SECTION],
    "count": 1,
    "is_cut": False,
    "warning": "",
    "board_id": "549755885175",
    "board_name": "Summer furniture",
}

PINS: dict[str, Any] = {"pins": [PIN], "count": 1, "is_cut": False, "warning": ""}

DELETED_BOARD: dict[str, Any] = {**BOARD, "section_count": 2, "is_deleted": True}

DELETED_PIN: dict[str, Any] = {**PIN, "is_deleted": True}
