"""What is sent to a provider and what comes back, as plain values: nothing here opens a socket."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from integrations.core.exact_json import dumps, loads_answer, storable_text


@dataclass(frozen=True)
class Request:
    """A call, complete except for the token: `path` is below the connector's base address.

    `expected` are the statuses that count as success if these are not the 2xx, as a connector without a provider sets
    them; not part of `sha256`.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    expected: str = ""

    @classmethod
    def of_json(cls, method: str, path: str, payload: Any, *, query: Mapping[str, str] | None = None) -> Request:
        """A call with a JSON body in which Decimals are numbers."""
        return cls(
            method=method,
            path=path,
            query=tuple((query or {}).items()),
            body=dumps(payload).encode(),
            headers=(("Content-Type", "application/json"),),
        )

    @property
    def sha256(self) -> str:
        """The hash of what decides the effect: method, path, query and body."""
        text = f"{self.method} {self.path}?{urlencode(self.query)}\n".encode()
        return hashlib.sha256(text + self.body).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """For storage; `from_dict` gives the same bytes back. What is not text is kept as base64."""
        text = self.text
        return {
            "method": self.method,
            "path": self.path,
            "query": [list(pair) for pair in self.query],
            "headers": [list(pair) for pair in self.headers],
            **({"body": text} if text is not None else {"body_base64": base64.b64encode(self.body).decode()}),
            **({"expected": self.expected} if self.expected else {}),
        }

    @property
    def text(self) -> str | None:
        """The body as text; None for a binary file. A NUL makes it one: no database stores it in a text."""
        try:
            return None if b"\0" in self.body else self.body.decode()
        except UnicodeDecodeError:
            return None

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> Request:
        """The stored call again."""
        return cls(
            method=stored["method"],
            path=stored["path"],
            query=tuple((name, value) for name, value in stored["query"]),
            body=base64.b64decode(stored["body_base64"]) if "body_base64" in stored else stored["body"].encode(),
            headers=tuple((name, value) for name, value in stored["headers"]),
            expected=stored.get("expected", ""),
        )


@dataclass(frozen=True)
class Response:
    """A provider's answer. Header names are lower case; `took` is in milliseconds."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    took: int = 0

    def json(self) -> Any:
        """The body parsed with exact numbers. Raises ValueError if it is not JSON."""
        return loads_answer(self.body)

    @property
    def text(self) -> str:
        """The body as text, whatever it is."""
        return storable_text(self.body.decode("utf-8", errors="replace"))
