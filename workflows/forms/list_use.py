"""What becomes of a list in a field that holds one value: joined, its first item, or a row for each of its items."""

from __future__ import annotations

import re

from django.http import QueryDict

from workflows.definitions.editing import Sources
from workflows.language.table_rows import EACH

BUTTON = "_use_list"
#: A field that holds one reference and nothing else.
_PLAIN = re.compile(r"\s*\{\{([^{}]+)\}\}\s*")
_JOIN, _FIRST, _ROWS = "join", "first", "rows"
_LABELS = {_JOIN: "Join with commas", _FIRST: "Only the first"}
_CALLS = {_JOIN: 'join(", ")', _FIRST: "first"}


def is_plain(source: str) -> bool:
    """Whether it is one reference, of which all can be used in another way."""
    return _PLAIN.fullmatch(source) is not None


def uses(*, is_cell: bool) -> list[tuple[str, str]]:
    """The ways to use a list in a field, as (value of the button, label); in a cell also a row for each item."""
    return [*_LABELS.items(), *([(_ROWS, "One row for each item")] if is_cell else [])]


def use_list(sources: Sources, post: QueryDict) -> bool:
    """Apply the button that was pressed at a list. False if none was, or if there is no such list."""
    path, _, use = post.get(BUTTON, "").rpartition(":")
    name, _, rest = path.partition(".")
    index, _, column = rest.partition(".")
    holder = sources.get(name)
    if isinstance(holder, list):
        row = holder[int(index)] if index.isdecimal() and int(index) < len(holder) else {}
        return _use(row, column, use)
    return _use(sources, name, use)


def _use(holder: dict[str, str] | Sources, name: str, use: str) -> bool:
    found = _PLAIN.fullmatch(str(holder.get(name, "")))
    if found is None:
        return False
    inner = found[1].strip(" -")
    if use == _ROWS:
        holder[EACH], holder[name] = f"{{{{ {inner} }}}}", "{{ item }}"
    elif use in _CALLS:
        holder[name] = f"{{{{ {inner} | {_CALLS[use]} }}}}"
    else:
        return False
    return True
