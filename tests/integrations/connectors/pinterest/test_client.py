"""What Pinterest's answers mean, what a consent reaches, what can be picked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from integrations.connectors.pinterest import choices
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.connector import connector
from integrations.core.errors import (
    Hold,
    IntegrationError,
    OutcomeUnknownError,
    Reach,
    ReconnectError,
    RejectedError,
    TemporaryError,
)
from integrations.transport import token_refresh
from integrations.transport.http import Request, Response
from tests.base import Cast, make_connection
from tests.integrations.scripted import ScriptedProvider, json_answer, running_provider
from tests.integrations.wire import Wire
from tests.provider import Sandbox

TRIAL = (
    "Apps with Trial access may not create Pins in production https://api.pinterest.com - use API Sandbox "
    "https://api-sandbox.pinterest.com instead."
)
WRITE = Request.of_json("POST", "/pins", {"title": "x"})


@pytest.fixture
def provider(settings: Any) -> Iterator[ScriptedProvider]:
    with running_provider() as running:
        settings.PINTEREST_API_BASE = f"{running.url}/v5"
        yield running


@pytest.fixture
def api(cast: Cast, provider: ScriptedProvider, monkeypatch: pytest.MonkeyPatch) -> PinterestClient:
    monkeypatch.setattr(token_refresh, "access_token", lambda grant_id, *, unless=None: "second" if unless else "first")
    return PinterestClient(make_connection(cast.team, "pinterest"))


def written(api: PinterestClient) -> Any:
    with pytest.raises(IntegrationError) as caught:
        api.write(WRITE)
    return caught.value


def refusal(code: int, message: str) -> str:
    return json.dumps({"code": code, "message": message})


def test_pinterests_words_and_status_are_told(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(400, refusal(1, "Invalid request: title is too long.")))
    error = written(api)
    assert (type(error), error.status) == (RejectedError, 400)
    assert error.message == "Pinterest refused it: Invalid request: title is too long."
    assert error.reasons == ["Invalid request: title is too long."]


def test_trial_access_is_explained(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(403, refusal(29, TRIAL)))
    assert written(api).message == (
        f"Pinterest refused it: {TRIAL} The Pinterest app of this installation has Trial access only: ask Pinterest "
        "for Standard access, or use its sandbox host."
    )


def test_another_403_points_to_the_permissions(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(403, refusal(29, "You are not permitted to access that resource.")))
    assert written(api).message == (
        "Pinterest refused it: You are not permitted to access that resource. If a permission is missing, reconnect "
        "Pinterest and agree to all that it lists."
    )


def test_a_refusal_without_words(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(404, "gone"))
    assert written(api).message == "Pinterest refused it: it gave no reason (status 404)."


def test_a_401_is_refreshed_once_and_then_needs_a_person(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(401, refusal(2, "Authentication failed.")))
    with pytest.raises(ReconnectError) as caught:
        api.read("/pins")
    assert caught.value.scope == Reach.GRANT
    assert [b"Bearer first" in sent for sent in provider.requests] == [True, False]


def test_a_write_refused_its_token_goes_out_once_and_needs_a_person_at_its_next_401(
    api: PinterestClient, provider: ScriptedProvider
) -> None:
    """Pinterest keeps no keys: whoever sends it again has looked it up in between."""
    provider.says(json_answer(401, refusal(2, "Authentication failed.")))
    assert type(written(api)) is TemporaryError
    assert len(provider.requests) == 1
    with pytest.raises(ReconnectError) as caught:
        api.write(WRITE, had_401=True)
    assert caught.value.scope == Reach.GRANT
    assert len(provider.requests) == 2


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"retry-after": "12"}, 12),
        ({"retry-after": "90000"}, 3600),
        ({"x-ratelimit-reset": "33"}, 33),
        ({"retry-after": "12", "x-ratelimit-reset": "33"}, 12),
        ({"x-ratelimit-reset": "soon"}, 60),
        ({}, 60),
    ],
)
def test_a_429_waits_as_long_as_it_says(api: PinterestClient, headers: dict[str, str], wait: float) -> None:
    body = refusal(8, "You have exceeded your rate limit. Try again later.").encode()
    error = api.retry_error(Response(status=429, headers=headers, body=body))
    assert isinstance(error, TemporaryError)
    assert (error.retry_after, error.hold) == (wait, Hold.BUDGET)


def test_a_reset_told_as_a_moment_is_understood(api: PinterestClient) -> None:
    error = api.retry_error(Response(status=429, headers={"x-ratelimit-reset": str(int(time.time()) + 100)}))
    assert isinstance(error, TemporaryError)
    assert 97 < (error.retry_after or 0) <= 100


def test_a_block_as_spam_is_a_refusal_and_blocks_nothing_else(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(429, refusal(8, "Your content was blocked as SPAM.")), json_answer(200, '{"items":[]}'))
    error = written(api)
    assert (type(error), error.status) == (RejectedError, 429)
    assert list(api.pages("/pins")) == [[]]


def test_a_500_on_a_write_leaves_the_outcome_unknown(api: PinterestClient, provider: ScriptedProvider) -> None:
    provider.says(json_answer(500, refusal(0, "oops")))
    assert type(written(api)) is OutcomeUnknownError


@pytest.mark.parametrize("body", ["{}", "[]", '{"items":{}}', '{"items":[{}]}', '{"items":["x"]}', "null"])
def test_a_list_of_another_shape_is_a_temporary_error(
    api: PinterestClient, provider: ScriptedProvider, body: str
) -> None:
    provider.says(json_answer(200, body))
    with pytest.raises(TemporaryError, match="holds no list"):
        list(api.pages("/pins"))


# --- the consent ------------------------------------------------------------------------------------------------------


def test_a_consent_is_one_account(sandbox_hosts: Sandbox, wire: Wire, db: None) -> None:
    (account,) = connector.accounts(sandbox_hosts.tokens("pinterest")["access_token"])
    assert (account.external_id, account.name) == ("783612114631173151", "Pinworks")
    assert account.details["username"] == "pinworks"
    assert account.details["account_type"] == "BUSINESS"


def test_details_are_one_call(pinterest: Any, wire: Wire) -> None:
    assert connector.details(pinterest)["username"] == "pinworks"
    assert wire.calls == ["GET /v5/user_account"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (json_answer(401, refusal(2, "no")), ReconnectError),
        (json_answer(403, refusal(29, "no")), ReconnectError),
        (json_answer(500), TemporaryError),
        (json_answer(404), TemporaryError),
        (json_answer(200, "<html>"), TemporaryError),
        (json_answer(200, "{}"), TemporaryError),
        (None, TemporaryError),
    ],
)
def test_an_account_that_cannot_be_had(
    provider: ScriptedProvider, answer: bytes | None, error: type[IntegrationError]
) -> None:
    provider.says(answer)
    with pytest.raises(error):
        connector.accounts("t")


@pytest.mark.parametrize(("status", "is_final"), [(400, True), (401, True), (429, False), (500, False), (503, False)])
def test_which_refused_refresh_needs_a_new_consent(status: int, is_final: bool) -> None:
    assert connector.token_rejected(status, {"code": 2, "message": "x"}) is is_final


def test_continuous_refresh_is_asked_for_unless_switched_off(settings: Any) -> None:
    assert connector.oauth().extra_token_fields == {"continuous_refresh": "true"}
    settings.PINTEREST_CONTINUOUS_REFRESH = False
    assert connector.oauth().extra_token_fields == {}
    assert connector.oauth().token_url == f"{settings.PINTEREST_API_BASE}/oauth/token"


def test_boards_can_be_picked_by_name(pinterest: Any, sandbox: Sandbox) -> None:
    made = sandbox.add_board("Prints of spring")
    assert (made["id"], "Prints of spring") in list(choices.boards.load(pinterest, {}))
