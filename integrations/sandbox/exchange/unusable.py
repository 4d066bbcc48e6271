"""The error of the sandbox's own controls for a request that makes no sense."""

from typing import Any


class Unusable(ValueError):
    """The request makes no sense; the message is a sentence that says why."""


def whole(body: dict[str, Any], name: str, *, default: int, most: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= most:
        raise Unusable(f"{name} is a whole number from 1 to {most}.")
    return value
