"""Writing with an action as the engine would."""

from __future__ import annotations

from typing import Any

from integrations.connectors.xero.client import XeroClient
from integrations.framework.base import Action, Writing

MARKER = "PX-00112233aabbccdd"
LINK = f"http://127.0.0.1:8000/runs/marker/{MARKER}/"


def written(api: XeroClient, action: Action, marker: str = MARKER, **values: Any) -> dict[str, Any]:
    """Clean the inputs, read what is needed, send, and give the output."""
    inputs = action.Inputs.clean(values)
    writing = Writing(
        marker=marker,
        back_link=LINK.replace(MARKER, marker),
        organisation=api.connection.details,
        found=action.prepare(api, inputs),
    )
    return action.output(api.write(action.request(inputs, writing), idempotency_key=f"{action.key}-{marker}"))


def hits(api: XeroClient, action: Action, marker: str = MARKER, **values: Any) -> list[dict[str, Any]]:
    """What a lookup by the marker finds."""
    return action.find(api, action.Inputs.clean(values), marker)
