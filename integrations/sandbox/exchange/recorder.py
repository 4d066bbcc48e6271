"""Write every exchange with the APIs to a file, byte for byte, if SANDBOX_RECORD names one.

The ledger keeps what happened; this keeps the exact requests and answers, to check against the providers'
descriptions. One JSON object per line; bodies are decoded as Latin-1, so that each byte is one character.
"""

import threading
from typing import Any

import simplejson
from django.conf import settings
from django.http import HttpRequest, HttpResponse

_lock = threading.Lock()


def note(request: HttpRequest, response: HttpResponse, fault: str) -> None:
    """Write one exchange exactly as it was sent."""
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
