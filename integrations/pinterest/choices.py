"""What people pick from: fixed lists as Pinterest spells them, and lists fetched from the account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import TextChoices

from integrations.http import ApiClient
from integrations.pinterest.client import PinterestClient
from integrations.schema import Choice, choices


class BoardPrivacy(TextChoices):
    """Which boards a trigger looks at."""

    ALL = "ALL", "All"
    PUBLIC = "PUBLIC", "Public"
    PROTECTED = "PROTECTED", "Protected"
    SECRET = "SECRET", "Secret"
    PUBLIC_AND_SECRET = "PUBLIC_AND_SECRET", "Public and secret"


@choices()
def boards(api: ApiClient, inputs: Mapping[str, Any]) -> Iterator[Choice]:
    """The account's boards, those it shares with others included, in Pinterest's order."""
    assert isinstance(api, PinterestClient)
    for page in api.pages("/boards"):
        for board in page:
            is_secret = board.get("privacy") == "SECRET"
            yield board["id"], f"{board.get('name')} (secret)" if is_secret else str(board.get("name"))
