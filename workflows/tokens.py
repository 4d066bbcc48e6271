"""Tokens: references with a label and an example, so that a person chooses by value and not by name.

`sight` knows which of them there are at a place of a workflow.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflows.functions import FUNCTIONS
from workflows.values import MappingError, text_of

_MAX_DEPTH = 4
_MAX_TOKENS = 80
_REFERENCE = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(r"[_\s]+|(?<=[a-z0-9])(?=[A-Z])")
_UPPER = {"id": "ID", "url": "URL", "alt": "alt", "utc": "UTC"}


@dataclass(frozen=True)
class Token:
    """One value that can be referred to: `source` is what stands in the mapping."""

    path: str
    label: str
    example: str
    is_list: bool = False
    #: Whether it may be missing in a run, so that the reference says what to use then.
    is_unsure: bool = False

    @property
    def source(self) -> str:
        """The reference as a mapping writes it."""
        nothing = "[]" if self.is_list else '""'
        fallback = f" | default({nothing})" if self.is_unsure else ""
        return "{{ " + self.path + fallback + " }}"


@dataclass(frozen=True)
class TokenGroup:
    """The tokens of one origin: the trigger, a step, the run. `note` says what there is to know of them."""

    key: str
    label: str
    tokens: tuple[Token, ...]
    note: str = ""


def tokens_of(data: Any, root: str, *, is_unsure: bool = False) -> tuple[Token, ...]:
    """The first tokens of nested data."""
    return tuple(replace(token, is_unsure=is_unsure) for token in _walk(data, root, (), 0))[:_MAX_TOKENS]


def label_of(path: str, groups: list[TokenGroup]) -> str:
    """How people call a reference: "Title (New pin)"; the path itself where nothing offers it."""
    for group in groups:
        for token in group.tokens:
            if token.path.replace("[", ".").replace("]", "") == path:
                return f"{token.label} ({group.label})"
    return path


@dataclass(frozen=True)
class Piece:
    """A part of a source as people read it: plain text, or a reference with its label and its own words."""

    text: str
    is_reference: bool = False
    source: str = ""


def pieces(source: str, groups: list[TokenGroup]) -> list[Piece]:
    """A source in parts: references by the label of their token, everything else as it stands."""
    found = []
    for part in _REFERENCE.split(source):
        inner = _REFERENCE.fullmatch(part)
        if inner is None:
            found.extend([Piece(part)] if part else [])
            continue
        expression = inner[0][2:-2].strip(" -")
        path, *calls = (each.strip() for each in expression.split("|"))
        label = label_of(path.replace("[", ".").replace("]", ""), groups)
        found.append(Piece(", ".join([label, *map(_call_words, calls)]), True, part))
    return found


def _call_words(call: str) -> str:
    """`add_days(30)` as "add days 30"."""
    name, _, arguments = call.partition("(")
    function = FUNCTIONS.get(name.strip())
    label = function.label.lower() if function else name.strip()
    return f"{label} {arguments.rstrip(' )')}".strip()


def example_of(value: Any) -> str:
    """A value in a few characters for a list."""
    if isinstance(value, list):
        return f"{len(value)} item" + ("" if len(value) == 1 else "s")
    if isinstance(value, Mapping):
        return f"{len(value)} fields"
    if value is None or value == "":
        return "empty"
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        text = text_of(value)
    except MappingError:
        text = str(value)
    return text if len(text) <= 90 else f"{text[:89]}…"


def words(name: str) -> str:
    """A key of provider data as people read it: "dominant_color" becomes "dominant color"."""
    parts = [part for part in _WORDS.split(name) if part]
    return " ".join(_UPPER.get(part.lower(), part if part.isupper() else part.lower()) for part in parts) or name


def _walk(value: Any, path: str, labels: tuple[str, ...], depth: int) -> Iterator[Token]:
    if labels:
        shown = " · ".join(labels)
        yield Token(path, shown[:1].upper() + shown[1:], example_of(value), is_list=isinstance(value, list))
    if depth >= _MAX_DEPTH:
        return
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, _below(path, str(key)), (*labels, words(str(key))), depth + 1)
    elif isinstance(value, list) and value and isinstance(value[0], Mapping | list):
        yield from _walk(value[0], f"{path}[0]", (*labels, "first"), depth + 1)


def _below(path: str, key: str) -> str:
    if _NAME.fullmatch(key):
        return f"{path}.{key}"
    quoted = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{path}["{quoted}"]'
