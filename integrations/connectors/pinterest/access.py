"""The permissions that a connection needs for an action, if they depend on the values of its inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.core.errors import RejectedError
from integrations.framework.base import Operation
from integrations.transport.http import ApiClient

#: To write a secret board or its pins, and to read them afterwards.
SECRET_BOARD = ("boards:read_secret", "boards:write_secret")
SECRET_BOARDS = ("boards:read_secret",)


def insist(operation: Operation, api: ApiClient, values: Mapping[str, Any]) -> None:
    """Raises RejectedError, naming the permissions, if the consent is known to lack some."""
    granted = api.connection.grant.scopes
    missing = operation.missing_scopes(granted, values) if granted else []
    if missing:
        raise RejectedError(
            f"{api.connection.name} was connected without the permission {', '.join(missing)}, which this needs; "
            "nothing was written. Reconnect it and agree to all that Pinterest lists."
        )
