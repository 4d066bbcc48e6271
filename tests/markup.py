"""A page as a browser builds it, as far as tests ask: its texts, and what in it came from a text that is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

MARK = "pwned"
_WORKED_OUT = "49819"
_ADDRESSES = {"href", "src", "action", "formaction", "xlink:href", "hx-get", "hx-post", "poster", "data", "ping"}
#: What is read as a program: by Alpine, by htmx, by the browser.
_PROGRAMS = ("x-", "@", ":", "hx-", "data-hx-", "style", "srcdoc")
_SCHEMES = ("", "http", "https", "mailto", "data")


class Markup(HTMLParser):
    """A page read. `foreign` says which elements, attributes, addresses and programs hostile texts have made."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.foreign: list[str] = []
        self._data = ""
        self._is_json = False
        self.feed(page)
        self.close()

    @property
    def text(self) -> str:
        """Everything that is shown, read aloud, sent by fields, or told to scripts as JSON."""
        return "\n".join(self.texts)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if MARK in tag or tag in ("base", "iframe", "math", "object", "embed"):
            self.foreign.append(f"an element <{tag}>")
        if tag in ("script", "style"):
            self._data, self._is_json = tag, "json" in values.get("type", "")
        for name, value in values.items():
            self._attribute(tag, name, value)

    def _attribute(self, tag: str, name: str, value: str) -> None:
        self.texts.append(value)
        if name.startswith("on") or MARK in name:
            self.foreign.append(f"an attribute {name} of <{tag}>")
        if name.startswith(_PROGRAMS) and name not in _ADDRESSES and MARK in value:
            self.foreign.append(f"a program in {name} of <{tag}>: {value}")
        if name in _ADDRESSES and not _is_harmless(value):
            self.foreign.append(f"an address in {name} of <{tag}>: {value}")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._data:
            self._data = ""

    def handle_data(self, data: str) -> None:
        if _WORKED_OUT in data:
            self.foreign.append(f"something worked out: {data}")
        if not self._data:
            self.texts.append(data)
        elif self._is_json:
            self.texts.extend(_strings(json.loads(data)))
        elif MARK in data:
            self.foreign.append(f"a {self._data}: {data}")

    def handle_comment(self, data: str) -> None:
        if MARK in data:
            self.foreign.append(f"a comment: {data}")

    def unknown_decl(self, data: str) -> None:
        self.foreign.append(f"a declaration: {data}")

    def handle_pi(self, data: str) -> None:
        self.foreign.append(f"an instruction: {data}")


def _is_harmless(address: str) -> bool:
    """Whether it stays here, or is an address of the web that says so; other people's may be one, marked as such."""
    plain = "".join(address.split()).lower()
    return urlsplit(plain).scheme in _SCHEMES and not plain.startswith(("//", "data:text"))


def _strings(told: Any) -> Iterator[str]:
    if isinstance(told, str):
        yield told
    elif isinstance(told, dict):
        yield from map(str, told)
        yield from (each for value in told.values() for each in _strings(value))
    elif isinstance(told, list):
        yield from (each for value in told for each in _strings(value))
