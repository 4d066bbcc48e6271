"""Making data small enough to keep as a sample: long texts are shortened, long lists lose their end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.core.exact_json import dumps

#: What a kept sample may take, as JSON.
MOST_BYTES = 100_000
_DEEPEST = 50
#: The longest texts and lists, from generous to strict, until the whole fits.
_LIMITS = ((20_000, 100), (2_000, 20), (200, 5), (50, 1))


def cut(data: Mapping[str, Any]) -> tuple[dict[str, Any], bool]:
    """The data itself if it is small enough, else shortened; and whether anything was left out."""
    whole = dict(data)
    if len(dumps(whole).encode(errors="replace")) <= MOST_BYTES:
        return whole, False
    for text, items in _LIMITS:
        made: dict[str, Any] = _cut(whole, text, items, 0)
        if len(dumps(made).encode(errors="replace")) <= MOST_BYTES:
            return made, True
    return {name: made[name] for name in list(made)[: _LIMITS[-1][0]]}, True


def _cut(value: Any, text: int, items: int, depth: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= text else f"{value[: text - 1]}…"
    if depth > _DEEPEST:
        return None
    if isinstance(value, list):
        return [_cut(each, text, items, depth + 1) for each in value[:items]]
    if isinstance(value, Mapping):
        return {name: _cut(inner, text, items, depth + 1) for name, inner in value.items()}
    return value
