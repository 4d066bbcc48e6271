"""The output of an HTTP request. Header names have underscores, so that mappings can use them."""

from decimal import Decimal
from typing import Any

ANSWER: dict[str, Any] = {
    "status": 200,
    "headers": {"content_type": "application/json"},
    "text": '{"id":7,"name":"Oak table","total":120.50}',
    "json": {"id": 7, "name": "Oak table", "total": Decimal("120.50")},
    "truncated": False,
}
