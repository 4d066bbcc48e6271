"""Secret header values that an administrator sets for hosts, so that no workflow contains a password.

    HTTP_REQUEST_SECRETS={"erp": {"host": "erp.example.com", "value": "Bearer 1f0c..."}}

A step names the secret. Only the name is stored, shown and logged; the value is inserted just before sending, and
only for calls to the secret's own host. It is removed from answers that repeat it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.conf import settings

from integrations.core.errors import RejectedError
from integrations.transport.url_rules import Target, rules

#: Replaces a secret until the request is sent. No header can contain these characters, so it cannot be confused.
_STAND_IN = re.compile(r"‹secret ([a-z0-9_-]{1,60})›")
_NAME = re.compile(r"[a-z0-9_-]{1,60}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,4000}")
_MASK = "[secret]"


def stand_in(name: str) -> str:
    """The placeholder in a request for the secret's value."""
    return f"‹secret {name}›"


def check(name: str, target: Target | None) -> None:
    """Raises RejectedError if the secret cannot be used in a call to the target."""
    _value(name, target)


def put_in(headers: Iterable[tuple[str, str]], target: Target) -> tuple[list[tuple[str, str]], list[str]]:
    """The headers with the values of their secrets, and those values. Raises RejectedError."""
    made, used = [], []
    for name, text in headers:
        found = _STAND_IN.fullmatch(text)
        if found is not None:
            text = _value(found[1], target)
            used.append(text)
        made.append((name, text))
    return made, used


def take_out(text: bytes, used: Iterable[str]) -> bytes:
    """The text without the values, and without what follows "Bearer" or a similar word in them."""
    for value in used:
        for part in sorted({value, value.rpartition(" ")[2]}, key=len, reverse=True):
            if len(part) > 3:
                text = text.replace(part.encode(), _MASK.encode())
    return text


def _value(name: str, target: Target | None) -> str:
    kept = settings.HTTP_REQUEST_SECRETS.get(name)
    if kept is None:
        raise RejectedError(
            f"There is no secret called {name!r}. Ask an administrator to add it to the setting HTTP_REQUEST_SECRETS."
        )
    if misfit(name, kept):
        raise RejectedError(f"The secret {name!r} cannot be read. Ask an administrator to mend HTTP_REQUEST_SECRETS.")
    if target is not None and not any(rule.fits(target) for rule in rules([kept["host"]])):
        raise RejectedError(f"The secret {name!r} is kept for another host than {target.netloc}. Nothing was sent.")
    return str(kept["value"])


def misfit(name: object, kept: object) -> bool:
    """Whether an entry of the setting is invalid: name, host and value must be usable texts."""
    if not (isinstance(name, str) and _NAME.fullmatch(name) and isinstance(kept, dict)):
        return True
    host, value = kept.get("host"), kept.get("value")
    if not (isinstance(host, str) and isinstance(value, str) and _PRINTABLE.fullmatch(value)):
        return True
    return not rules([host])
