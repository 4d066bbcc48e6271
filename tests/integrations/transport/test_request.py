"""A request as it is stored before it is sent: the same to the byte when it is taken up again."""

from __future__ import annotations

from decimal import Decimal

import pytest

from integrations.core.exact_json import dumps, loads
from integrations.transport.http import Request


def test_a_request_survives_storage_to_the_byte() -> None:
    request = Request.of_json("PUT", "/Invoices", {"a": Decimal("1.10"), "b": "é\u2028"}, query={"unitdp": "4"})
    again = Request.from_dict(loads(dumps(request.to_dict())))
    assert again == request
    assert again.sha256 == request.sha256


def test_the_hash_covers_method_path_query_and_body() -> None:
    requests = [
        Request("PUT", "/a", (("q", "1"),), b"x"),
        Request("POST", "/a", (("q", "1"),), b"x"),
        Request("PUT", "/b", (("q", "1"),), b"x"),
        Request("PUT", "/a", (("q", "2"),), b"x"),
        Request("PUT", "/a", (("q", "1"),), b"y"),
    ]
    assert len({request.sha256 for request in requests}) == 5


@pytest.mark.parametrize("body", [b"\x89PNG\r\n\x1a\n\x00\xff", b"text with a \x00", bytes(range(256))])
def test_a_file_survives_storage_to_the_byte(body: bytes) -> None:
    request = Request("PUT", "/Invoices/1/Attachments/a.png", body=body, headers=(("Content-Type", "image/png"),))
    stored = dumps(request.to_dict())
    assert "\\u0000" not in stored, "PostgreSQL keeps no NUL"
    again = Request.from_dict(loads(stored))
    assert again == request
    assert (again.sha256, again.text) == (request.sha256, None)
