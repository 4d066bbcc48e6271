"""The predicted output of a write: shaped like the operation's sample, with what is known before it is written.

Known are, each over the one before: what was read beforehand, the inputs, the body of the request, and the totals of
the document. A name of the sample takes the value that has the same name there, whatever its spelling ("contact_id",
"ContactID"). What no one of them has stays the sample's and is reported as an example, until `with_earlier` puts what
the operation gave before in its place.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.core.exact_json import dumps, loads
from integrations.core.messages import Request
from integrations.schema.documents import Document

_NOT_ALPHANUMERIC = re.compile(r"[^a-z0-9]")
#: What documents call their totals, and providers theirs.
_TOTALS = {"total": "total", "subtotal": "sub_total", "totaltax": "tax", "tax": "tax"}
_DEEPEST = 3


def predicted_output(
    sample: Mapping[str, Any],
    *,
    found: Any = None,
    inputs: Mapping[str, Any] | None = None,
    request: Request | None = None,
    document: Document | None = None,
) -> tuple[dict[str, Any], list[str]]:
    """The output, and the paths in it whose values are only examples: "Contact.Name", "LineItems.0.LineAmount"."""
    output: dict[str, Any] = loads(dumps(dict(sample)))
    known: set[str] = set()
    for given in (found, inputs, _body_like(output, request), _from_document(document)):
        if isinstance(given, Mapping):
            output = _over(output, given, "", known)
    return output, [path for path in leaves(output) if path not in known]


def with_earlier(
    output: Mapping[str, Any], examples: Collection[str], earlier: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str], list[str]]:
    """The output with what the operation gave earlier in place of its examples; then the paths that are examples still,
    and those that come from then."""
    unknown, taken = frozenset(examples), list[str]()
    made: dict[str, Any] = _filled(output, earlier, "", unknown, taken)
    there = frozenset(leaves(made)).difference(taken)
    return made, [path for path in examples if path in there], taken


def _filled(value: Any, earlier: Any, path: str, unknown: frozenset[str], taken: list[str]) -> Any:
    if isinstance(value, Mapping) and isinstance(earlier, Mapping):
        names = dict.fromkeys([*value, *earlier])
        return {name: _filled_at(name, value, earlier, below(path, name), unknown, taken) for name in names}
    if earlier is None and isinstance(value, Mapping | list):
        # What a later step takes out of it would not be there, only because it was not there that time.
        return value
    if unknown.issuperset(leaves(value, path)):
        taken.extend(leaves(earlier, path))
        return earlier
    if isinstance(value, list) and isinstance(earlier, list) and earlier:
        last = len(earlier) - 1
        pairs = [(each, earlier[min(index, last)]) for index, each in enumerate(value)]
        return [_filled(*pair, below(path, index), unknown, taken) for index, pair in enumerate(pairs)]
    return value


def _filled_at(
    name: str,
    value: Mapping[str, Any],
    earlier: Mapping[str, Any],
    path: str,
    unknown: frozenset[str],
    taken: list[str],
) -> Any:
    if name not in earlier:
        return value[name]
    if name not in value:
        taken.extend(leaves(earlier[name], path))
        return earlier[name]
    return _filled(value[name], earlier[name], path, unknown, taken)


def leaves(value: Any, path: str = "") -> Iterator[str]:
    """The path of each value that holds no others."""
    inner = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list) else ()
    if not inner or not value:
        yield path
        return
    for name, each in inner:
        yield from leaves(each, below(path, name))


def below(path: str, name: object) -> str:
    """The path of what has this name there."""
    return f"{path}.{name}" if path else str(name)


def _body_like(sample: Mapping[str, Any], request: Request | None) -> Mapping[str, Any] | None:
    """The object in the request's body that has most names in common with the sample."""
    try:
        body = loads(request.body) if request is not None and request.body else None
    except (ValueError, UnicodeDecodeError):
        return None
    wanted = {_bare(name) for name in sample}
    objects = list(_objects(body, 0))
    return max(objects, key=lambda each: len(wanted & _by_name(each).keys()), default=None)


def _objects(value: Any, depth: int) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
    if depth < _DEEPEST:
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        for each in inner:
            yield from _objects(each, depth + 1)


def _from_document(document: Document | None) -> dict[str, Any]:
    if document is None:
        return {}
    totals = {name: getattr(document.totals, part) for name, part in _TOTALS.items()} if document.totals else {}
    return {**totals, "currencycode": document.currency, "currency": document.currency}


def _over(sample: Any, given: Any, path: str, known: set[str]) -> Any:
    """The sample with what is given in its place, where the two are of a kind; adds the paths of that to `known`."""
    if not _is_given(given) or isinstance(sample, Mapping | list) is not isinstance(given, Mapping | list):
        return sample
    if isinstance(sample, Mapping) and isinstance(given, Mapping):
        names = _by_name(given)
        return {name: _over(value, names.get(_bare(name)), below(path, name), known) for name, value in sample.items()}
    if isinstance(sample, list) and isinstance(given, list):
        if not sample:
            known |= set(leaves(given, path))
            return given
        return [
            _over(sample[min(index, len(sample) - 1)], each, below(path, index), known)
            for index, each in enumerate(given)
        ]
    if isinstance(sample, Mapping | list):
        return sample
    found = _alike(sample, given)
    if found is not None:
        known.add(path)
        return found
    return sample


def _alike(sample: Any, given: Any) -> Any:
    """The given value in the sample's type; None where it cannot be."""
    if isinstance(sample, bool) or isinstance(given, bool):
        return given if sample is None or isinstance(sample, bool) is isinstance(given, bool) else None
    if isinstance(sample, int | Decimal) and isinstance(given, str):
        try:
            number = Decimal(given)
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    if isinstance(sample, str) and isinstance(given, int | Decimal):
        return str(given)
    return given


def _by_name(given: Mapping[str, Any]) -> dict[str, Any]:
    return {_bare(str(name)): value for name, value in given.items()}


def _bare(name: str) -> str:
    return _NOT_ALPHANUMERIC.sub("", name.lower())


def _is_given(value: Any) -> bool:
    return value not in (None, "", [], {})
