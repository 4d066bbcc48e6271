"""What the fields of a form offer: values by name with their examples, those used often, and the functions.

It is drawn into the form once, as JSON for the scripts in `static/pinxero/pages/values`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from workflows.language import mapping
from workflows.language.references import ABSENT, Token, TokenGroup
from workflows.language.values import MappingError
from workflows.models import Step
from workflows.presenters.editor.function_forms import function_forms

_OFTEN = 6
_DAY = re.compile(r"\d{4}-\d\d-\d\d(T[\d:.]+(Z|[+-]\d\d:?\d\d)?)?")
_ID = re.compile(r'((\b|_)(id|ID)|[a-z](ID|Id))("\])?$')
#: The last words of names that most fields of finance take.
_WELL_KNOWN = (
    "title", "name", "description", "total", "amount", "number", "reference", "date", "due date", "email address",
)  # fmt: skip


def value_offers(groups: Sequence[TokenGroup], steps: Iterable[Step]) -> dict[str, Any]:
    """The groups, nearest first; the paths used often in these steps or of a well-known name; and the functions."""
    near = _nearest_first(groups)
    tokens = [token for group in near for token in group.tokens]
    return {
        "groups": [_group(group) for group in near if group.tokens],
        "often": _often(tokens, steps),
        "functions": function_forms(),
        "calculated": "Calculated: ",
    }


def _nearest_first(groups: Sequence[TokenGroup]) -> list[TokenGroup]:
    """Around the place, the steps from the last one back, the trigger; at the end what every run has."""
    keys = [group.key for group in groups]
    if "trigger" not in keys:
        return list(groups)
    at = keys.index("trigger")
    after = [group for group in groups[at + 1 :] if group.key != "run"]
    last = [group for group in groups[at + 1 :] if group.key == "run"]
    return [*groups[:at], *reversed(after), groups[at], *last]


def _group(group: TokenGroup) -> dict[str, Any]:
    return {
        "key": group.key,
        "label": group.label,
        "note": group.note,
        "invented": group.origin == "invented",
        "values": [_value(token) for token in group.tokens],
    }


def _value(token: Token) -> dict[str, Any]:
    return {
        "path": token.path,
        "source": token.source,
        "label": token.label,
        "example": token.example,
        "kind": _kind(token),
        "unsure": token.is_unsure,
        "minor": _is_minor(token),
    }


def _kind(token: Token) -> str:
    if token.is_list:
        return "list"
    return "date" if token.kind == "text" and _DAY.fullmatch(token.example) else token.kind


def _is_minor(token: Token) -> bool:
    """Whether it is seldom what somebody looks for: an id, nothing, or a group of fields."""
    return token.example in ("", "empty", ABSENT) or token.kind in ("nothing", "table") or bool(_ID.search(token.path))


def _often(tokens: Sequence[Token], steps: Iterable[Step]) -> list[str]:
    used = Counter(path for step in steps for row in step.mappings.all() for path in _paths(row.value))
    known = {_plain(token.path): token.path for token in tokens}
    often = [known[path] for path, _ in used.most_common() if path in known]
    often += [token.path for token in tokens if _is_well_known(token) and token.path not in often]
    return often[:_OFTEN]


def _is_well_known(token: Token) -> bool:
    return token.label.rpartition(" · ")[2].lower() in _WELL_KNOWN and not _is_minor(token) and "[" not in token.path


def _paths(source: str) -> list[str]:
    try:
        return mapping.references(source) if "{{" in source else []
    except MappingError:
        return []


def _plain(path: str) -> str:
    """The path as `mapping.references` writes it."""
    return path.replace("[", ".").replace("]", "").replace('"', "")
