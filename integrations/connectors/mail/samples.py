"""The output of a sent mail."""

from typing import Any

SENT: dict[str, Any] = {
    "message_id": "<PX-00112233aabbccdd@pinxero.example.com>",
    "to": ["jane@example.com"],
    "subject": "New pin: Oak table",
    "answer": "250 2.0.0 Ok: queued as 4C1D2F",
}
