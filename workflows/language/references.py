"""Tokens: references with a label and an example, so that a person chooses by value and not by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from workflows.language.functions import FUNCTIONS
from workflows.language.values import MappingError, kind_of, text_of

#: The example of a value that the sample at hand does not have.
ABSENT = "not in this sample"
#: What the values are called that exist inside loops and error paths, by their paths.
INSIDE_LABELS = {
    "item": "The item",
    "loop.index": "Number of the iteration",
    "loop.count": "How many iterations",
    "error.step": "Step that failed",
    "error.message": "What went wrong",
}
_MAX_DEPTH = 4
_MAX_TOKENS = 80
_REFERENCE = re.compile(r"(\{\{.*?\}\})", re.DOTALL)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WORDS = re.compile(r"[_\s]+|(?<=[a-z0-9])(?=[A-Z])")
_UPPER = {"id": "ID", "url": "URL", "alt": "alt", "utc": "UTC"}


@dataclass(frozen=True)
class Token:
    """One value that can be referred to: `source` is its text in the mapping."""

    path: str
    label: str
    example: str
    is_list: bool = False
    #: Whether it may be missing in a run, so that the reference includes a default.
    is_unsure: bool = False
    #: What the example is, in the words of `values.kind_of`.
    kind: str = "text"

    @property
    def source(self) -> str:
        """The reference as a mapping writes it."""
        nothing = "[]" if self.is_list else '""'
        fallback = f" | default({nothing})" if self.is_unsure else ""
        return "{{ " + self.path + fallback + " }}"


@dataclass(frozen=True)
class TokenGroup:
    """The tokens of one origin: the trigger, a step, the run. `note` is a remark about them.

    `origin` says where the examples come from: "real", "typed" or "invented"; "" where that is no question. `sample` is
    the title of the item that they are of.
    """

    key: str
    label: str
    tokens: tuple[Token, ...]
    note: str = ""
    origin: str = ""
    sample: str = ""


def tokens_of(
    data: Any, root: str, *, is_unsure: bool = False, usual: Mapping[str, Any] | None = None
) -> tuple[Token, ...]:
    """The first tokens of nested data. `usual` is the operation's own sample: a value that it has and these data lack
    is offered too, without an example and with a default, because other items may have it.
    """
    found = [replace(token, is_unsure=is_unsure) for token in _walk(data, root, (), 0)]
    absent = {name: None for name in usual or {} if isinstance(data, Mapping) and name not in data}
    found += [replace(token, example=ABSENT, is_unsure=True) for token in _walk(absent, root, (), 0)]
    return tuple(found)[:_MAX_TOKENS]


def item_tokens(item: Any) -> tuple[Token, ...]:
    """The tokens of one item of a list, whatever it is."""
    if isinstance(item, Mapping):
        return tokens_of(item, "item")
    example = "" if item is None else example_of(item)
    return (Token("item", INSIDE_LABELS["item"], example, is_list=isinstance(item, list), kind=kind_of(item)),)


def label_of(path: str, groups: list[TokenGroup]) -> str:
    """A reference's label: "Title (New pin)"; the path itself if no token has it."""
    for group in groups:
        for token in group.tokens:
            if token.path.replace("[", ".").replace("]", "") == path:
                return f"{token.label} ({group.label})"
    return path


@dataclass(frozen=True)
class Piece:
    """A part of a source as people read it: plain text, or a reference with its label and source."""

    text: str
    is_reference: bool = False
    source: str = ""


def pieces(source: str, groups: list[TokenGroup]) -> list[Piece]:
    """A source in parts: references by their token's label, everything else unchanged."""
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
    """A value shortened for a list."""
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
        label = shown[:1].upper() + shown[1:]
        yield Token(path, label, example_of(value), is_list=isinstance(value, list), kind=kind_of(value))
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
