"""Acting on the sandbox's Pinterest as the engine would."""

from __future__ import annotations

from typing import Any

from integrations.connectors.pinterest.client import PinterestClient
from integrations.framework.base import Action, Writing
from tests.provider import Sandbox

MARKER = "PX-00112233aabbccdd"
SECRET_SCOPES = (
    "user_accounts:read boards:read boards:write boards:read_secret boards:write_secret "
    "pins:read pins:write pins:read_secret pins:write_secret"
)


def done(api: PinterestClient, action: Action, marker: str = MARKER, **values: Any) -> dict[str, Any]:
    """Clean the inputs, read what is needed, send, and give the output as later steps get it."""
    inputs = action.Inputs.clean(values)
    found = action.prepare(api, inputs)
    settled = action.settled(inputs, found)
    if settled is not None:
        return settled
    writing = Writing(marker=marker, back_link=f"http://127.0.0.1:8000/runs/marker/{marker}/", found=found)
    return {**action.output(api.write(action.request(inputs, writing))), **action.remember(found)}


def read(api: PinterestClient, action: Action, **values: Any) -> dict[str, Any]:
    """What a reading action gives."""
    return action.run(api, action.Inputs.clean(values))


def hits(api: PinterestClient, action: Action, marker: str = MARKER, **values: Any) -> list[dict[str, Any]]:
    """What a lookup by the marker finds."""
    return action.find(api, action.Inputs.clean(values), marker)


def board_id(sandbox: Sandbox, name: str = "Office styling") -> str:
    return next(str(board["id"]) for board in sandbox.state()["boards"] if board["name"] == name)


def with_scopes(api: PinterestClient, sandbox: Sandbox, scopes: str) -> None:
    """The connection's consent holds these scopes, and it is known to."""
    grant = api.connection.grant
    grant.access_token, grant.scopes = sandbox.tokens("pinterest", scopes)["access_token"], scopes.split()
    grant.save()
