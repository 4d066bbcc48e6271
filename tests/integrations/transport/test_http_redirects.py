"""A redirect is an answer like any other: never followed, and where it leads does not matter."""

from __future__ import annotations

import gzip

import pytest

from integrations.transport import http
from tests.integrations.scripted import ScriptedProvider, json_answer
from tests.integrations.transport.test_http import PlainClient, api, provider, read_error, tokens, write_error

__all__ = ["api", "provider", "tokens"]


def test_a_redirect_is_never_followed(api: PlainClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(302, "{}", Location=f"{provider.url}/elsewhere"))
    read_error(api)
    assert len(provider.requests) == 1


@pytest.mark.parametrize("address", ["http://[::1", "/\xff", "http://127.0.0.1:1/"])
def test_where_a_redirect_leads_does_not_matter(api: PlainClient, provider: ScriptedProvider, address: str) -> None:
    answer = json_answer(302, "{}", Location="HERE").replace(b"HERE", address.encode("latin-1"))
    provider.says(answer)
    assert write_error(api).message == "Plain answered 302; whether it wrote is not known."
    assert read_error(api).message == "Plain answered 302."


def test_the_body_of_a_redirect_is_capped_too(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 1000)
    provider.says(json_answer(302, "x" * 1001, Location="/elsewhere"))
    assert read_error(api).message == "Plain gave an answer that is too large."


def test_a_compressed_answer_is_read_and_capped_by_its_real_size(
    api: PlainClient, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MAX_BODY_BYTES", 100_000)
    provider.says(json_answer(200, gzip.compress(b'{"a":1}'), Content_Encoding="gzip"))
    assert api.read("/things").json() == {"a": 1}
    provider.says(json_answer(200, gzip.compress(b" " * 50_000_000), Content_Encoding="gzip"))
    assert read_error(api).message == "Plain gave an answer that is too large."
