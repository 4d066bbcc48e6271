"""Mappings: what a step puts into one input, as text with references such as `{{ trigger.title | upper }}`.

A value that is exactly one `{{ … }}` keeps its type (Decimal, list, table, yes/no, null); anything else is a text.
The syntax is Jinja2's (`parser`), the meaning is ours (`nodes`), over plain data only (`values`).
"""

from collections.abc import Mapping
from typing import Any

from workflows.language import nodes, parser
from workflows.language.values import (
    MappingContext,
    MappingError,
    MappingLimitError,
    MappingSyntaxError,
    MappingTypeError,
    MissingPathError,
    plain,
)

__all__ = [
    "MappingContext",
    "MappingError",
    "MappingLimitError",
    "MappingSyntaxError",
    "MappingTypeError",
    "MissingPathError",
    "check",
    "evaluate",
    "references",
]

_UTC = MappingContext()


def check(source: str) -> None:
    """Raises MappingSyntaxError (or MappingLimitError) unless the mapping can be read and its functions exist."""
    _parsed(source)


def references(source: str) -> list[str]:
    """The dotted paths the mapping reads, each once, in order: ["trigger.title", "steps.invoice.Total"]."""
    return list(dict.fromkeys(nodes.references(_parsed(source))))


def evaluate(source: str, data: Mapping[str, Any], context: MappingContext = _UTC, *, times: int = 1) -> Any:
    """The mapping's value for `data` (its names are `nodes.ROOTS`) as new JSON-able data, up to `times` the usual
    limits.

    Numbers come out as Decimal or int, dates as YYYY-MM-DD text. Raises a MappingError with the source.
    """
    node = _parsed(source)
    try:
        return plain(node.value(nodes.Scope(data, context)), times=times)
    except MappingError as error:
        error.source = source
        raise
    except RecursionError as error:
        raise MappingLimitError("The expression is nested too deeply.", source=source) from error


def _parsed(source: str) -> nodes.Node:
    if not isinstance(source, str):
        raise MappingSyntaxError("A mapping is a text.")
    return parser.parse(source) if source else nodes.Literal("")
