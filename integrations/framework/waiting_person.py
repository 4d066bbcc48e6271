"""A client for a page that somebody waits for: it reads, within few seconds and few calls."""

from __future__ import annotations

import time
from collections.abc import Callable

from integrations.core.errors import TemporaryError
from integrations.framework.base import Connector
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from integrations.transport.http import ApiClient

#: Together, and in one call.
MOST_SECONDS, MOST_CALLS = 12.0, 8
_SECONDS_OF_A_CALL = 8.0


def client_for_person(connector: Connector, connection: Connection | None) -> ApiClient:
    """The connector's client. Its calls count in the connection's budget; one too many raises TemporaryError."""
    return connector.client_class(
        connection, purpose=Purpose.PERSON, before_call=_bounded(connector.name), longest=_SECONDS_OF_A_CALL
    )


def _bounded(name: str) -> Callable[[], None]:
    ends, calls = time.monotonic() + MOST_SECONDS, 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > MOST_CALLS or time.monotonic() > ends:
            raise TemporaryError(f"{name} takes too long to answer. Try again in a moment.")

    return check
