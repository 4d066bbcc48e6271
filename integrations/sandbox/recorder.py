"""Writes every exchange with the APIs to a file, to the byte, where SANDBOX_RECORD names one.

The ledger keeps what happened; this keeps what was said, for those who check it against the providers' descriptions.
One JSON object a line; bodies are read as Latin-1, so that each byte is one character.
"""

import threading
from typing import Any

import simplejson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_lock = threading.Lock()


def note(request: HttpRequest, response: HttpResponse, fault: str) -> None:
    """One exchange, as it went over the wire."""
    if not settings.SANDBOX_RECORD:
        return
    body: bytes = request.META.get("sandbox.body", b"")
    line: dict[str, Any] = {
        "method": request.method,
        "url": request.get_full_path(),
        "headers": {name: value for name, value in request.headers.items() if name != "Authorization"},
        "body": body.decode("latin-1"),
        "status": response.status_code,
        "answer_headers": dict(response.items()),
        "answer": response.content.decode("latin-1"),
        "fault": fault,
    }
    text = simplejson.dumps(line)
    with _lock, open(settings.SANDBOX_RECORD, "a", encoding="ascii") as record:
        record.write(text + "\n")
