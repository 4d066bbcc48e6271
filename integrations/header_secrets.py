"""Values that an administrator keeps for hosts, so that no password stands in a workflow, where colleagues read it.

    HTTP_REQUEST_SECRETS={"erp": {"host": "erp.example.com", "value": "Bearer 1f0c..."}}

A step names the secret. What is stored, shown and logged is that name; the value is put in on the way to the wire, and
only where the call goes to the secret's own host. An answer that repeats it has it taken out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.conf import settings

from integrations.addresses import Target, rules
from integrations.errors import RejectedError

#: Stands for a secret until the wire. No header can hold such letters, so nothing else reads like it.
_STAND_IN = re.compile(r"‹secret ([a-z0-9_-]{1,60})›")
_NAME = re.compile(r"[a-z0-9_-]{1,60}")
_PRINTABLE = re.compile(r"[\x20-\x7e]{1,4000}")
_MASK = "[secret]"


def stand_in(name: str) -> str:
    """What a request holds instead of the secret's value."""
    return f"‹secret {name}›"


def check(name: str, target: Target | None) -> None:
    """Raises RejectedError where the secret cannot be used in a call to the target."""
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
    """The text without the values, nor what follows "Bearer" and its like in them."""
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
    """Whether an entry of the setting is none: name, host and value have to be texts that can be used."""
    if not (isinstance(name, str) and _NAME.fullmatch(name) and isinstance(kept, dict)):
        return True
    host, value = kept.get("host"), kept.get("value")
    if not (isinstance(host, str) and isinstance(value, str) and _PRINTABLE.fullmatch(value)):
        return True
    return not rules([host])
