"""Conditions: typed comparisons in nested groups, with an explanation of the result, and described in plain English.

    {"group": "all" | "any" | "not", "items": [...]}
    {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "Summer",
     "right_until": null, "case_sensitive": false}

`left`, `right` and `right_until` are mapping sources. "not" passes when none of its items does. Evaluation is strict:
every comparison is evaluated for the record, and an error in any of them is an error of the whole, even if the
others would have decided. A filter that fails only sometimes on bad data would be noticed too late.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from workflows.language import mapping, parser
from workflows.language.cost_limits import Work
from workflows.language.nodes import Literal, Node, Reference
from workflows.language.operators.coercion import READERS, choices_in
from workflows.language.operators.typed import MISSING, OPERATORS, TYPE_LABELS, Operator, Sides
from workflows.language.values import MappingContext, MappingError, MissingPathError, shown, text_of

__all__ = ["OPERATORS", "TYPE_LABELS", "ConditionError", "Operator", "Outcome", "check", "describe", "evaluate"]

#: Says a source in words.
InWords = Callable[[str], str]

COUNT_LIMIT = 100  # comparisons in one tree
NESTING_LIMIT = 8  # groups within groups
_GROUPS = {"all": " and ", "any": " or ", "not": " or "}
_COMPARISON_KEYS = {"left", "type", "operator", "right", "right_until", "case_sensitive"}


class ConditionError(Exception):
    """A condition cannot be read or evaluated; `location` says which, such as "condition 2.1"."""

    def __init__(self, message: str, *, location: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.location = location

    def __str__(self) -> str:
        return f"{self.location[:1].upper()}{self.location[1:]}: {self.message}" if self.location else self.message


@dataclass(frozen=True)
class Outcome:
    """Whether the condition passed, the reason in plain English, and every comparison with both values."""

    passed: bool
    explanation: str
    tree: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able: passed, explanation and the tree of groups and comparisons; numbers as text."""
        return {"passed": self.passed, "explanation": self.explanation, "tree": self.tree}


def check(tree: object) -> None:
    """Raises ConditionError unless the tree can be read and its fixed values fit their types."""
    for comparison in _comparisons(_read(tree, "", 0)):
        comparison.check_fixed_values()


def evaluate(tree: object, data: Mapping[str, Any], context: MappingContext | None = None) -> Outcome:
    """The outcome for the data. Raises ConditionError naming every comparison that could not be evaluated."""
    root = _read(tree, "", 0)
    work = Work.begin(context or MappingContext())
    # One time limit for the whole tree, however many comparisons it has.
    context = replace(context or MappingContext(), deadline=work.deadline)
    results: dict[str, _Result] = {}
    errors: list[ConditionError] = []
    for comparison in _comparisons(root):
        try:
            results[comparison.location] = comparison.answer(data, context, work)
        except ConditionError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise ConditionError(" ".join(str(error) for error in errors), location="")
    passed, sentences, record = _settle(root, results)
    return Outcome(passed, " ".join(sentences), record)


def describe(tree: object, value: InWords | None = None) -> str:
    """The condition in plain English: 'title contains "Summer" and price is at least 100'.

    `value` says sources with references in words; without it they are named by their paths.
    """
    return _sentence_of(_read(tree, "", 0), value, inside=False)


@dataclass(frozen=True)
class _Result:
    passed: bool
    sentence: str
    record: dict[str, Any]


@dataclass(frozen=True)
class _Group:
    kind: str
    items: tuple["_Group | _Comparison", ...]


@dataclass(frozen=True)
class _Comparison:
    location: str
    left: str
    operator: Operator
    type: str
    rights: tuple[str, ...]
    case_sensitive: bool

    def english(self, value: InWords | None = None) -> str:
        sides = [_left_in_words(self.left)] + [_right_in_words(source, kind) for source, kind in self._rights]
        if value is not None:
            sources = (self.left, *self.rights)
            sides = [value(source) if "{{" in source else side for source, side in zip(sources, sides, strict=False)]
        return self.operator.english.format_map(dict(zip(("left", "right", "until"), sides, strict=False)))

    @property
    def _rights(self) -> list[tuple[str, str]]:
        """Each value on the right and how it is read."""
        return list(zip(self.rights, (self.operator.right_kind, self.operator.until_kind), strict=False))

    def check_fixed_values(self) -> None:
        for source, kind in self._rights:
            node = parser.parse(source) if source else Literal("")
            if isinstance(node, Literal):
                self._read_as(_fixed(kind), node.constant, MappingContext())

    def answer(self, data: Mapping[str, Any], context: MappingContext, work: Work) -> _Result:
        left, *rights = [self._value(source, data, context) for source in (self.left, *self.rights)]
        kinds = [_fixed(kind) if source and _is_fixed(source) else kind for source, kind in self._rights]
        read = [self._read_as(kind, right, context) for kind, right in zip(kinds, rights, strict=True)]
        right, until = [*read, None, None][:2]
        own = self._read_as(self.operator.left_kind, left, context)
        try:
            work.charge(own, right, until)
            own = work.watched(own) if isinstance(own, list) else own
            sides = Sides(own, right, until, self.case_sensitive, context)
            passed = self.operator.test(sides)
        except MappingError as error:
            raise self._error(error.message) from error
        version = context.tables.used.get(right) if self.type == "lookup" and context.tables else None
        sentence = self._sentence(passed, left, rights, version)
        record = {
            "left_source": self.left,
            "left_value": _recorded(left),
            "left_exists": left is not MISSING,
            "type": self.type,
            "operator": self.operator.label,
            "right_value": _recorded(rights[0]) if rights else None,
            "right_until_value": _recorded(rights[1]) if len(rights) > 1 else None,
            "passed": passed,
            "sentence": sentence,
        }
        if version is not None:
            record["table_version"] = version
        return _Result(passed, sentence, record)

    def _sentence(self, passed: bool, left: Any, rights: list[Any], version: int | None) -> str:
        facts = [
            f"{_left_in_words(source)} is {'not there' if value is MISSING else shown(value)}"
            for source, value in zip((self.left, *self.rights), (left, *rights), strict=True)
            if not _is_fixed(source)
        ]
        facts += [] if version is None else [f"the table is in version {version}"]
        because = f", {' and '.join(facts)}" if facts else ""
        return f"{self.english()}: {'yes' if passed else 'no'}{because}."

    def _value(self, source: str, data: Mapping[str, Any], context: MappingContext) -> Any:
        try:
            return mapping.evaluate(source, data, context)
        except MissingPathError as error:
            if self.type == "existence":
                return MISSING
            hint = " Add | default(…) if that may happen."
            raise self._error(error.message + hint) from error
        except MappingError as error:
            raise self._error(error.message) from error

    def _read_as(self, kind: str, value: Any, context: MappingContext) -> Any:
        if value is MISSING:
            return value
        try:
            return READERS[kind](value, context)
        except MappingError as error:
            raise self._error(error.message) from error
        except OverflowError as error:
            raise self._error("A date is outside the years 1 to 9999.") from error

    def _error(self, message: str) -> ConditionError:
        return ConditionError(f"{self.english()}: {message}", location=self.location)


def _read(tree: object, position: str, nesting: int) -> _Group | _Comparison:
    """The tree, with everything checked that does not depend on data."""
    location = f"condition {position}" if position else "condition"
    if not isinstance(tree, dict):
        raise ConditionError("A condition is a comparison or a group of them.", location=location)
    if "group" not in tree:
        return _read_comparison(tree, location)
    if nesting >= NESTING_LIMIT:
        raise ConditionError(f"Groups are nested more than {NESTING_LIMIT} levels deep.", location=location)
    kind, items = tree["group"], tree.get("items")
    if not isinstance(kind, str) or kind not in _GROUPS:
        raise ConditionError("A group is one of all, any and not.", location=location)
    if unknown := sorted(str(key) for key in tree if key not in ("group", "items")):
        raise ConditionError(f"A group has no {_quoted(unknown[0])}.", location=location)
    if not isinstance(items, list | tuple) or not items:
        raise ConditionError("The group has no conditions. Add one or remove the group.", location=location)
    if len(items) > COUNT_LIMIT:
        raise ConditionError(f"There are more than {COUNT_LIMIT} conditions.", location=location)
    prefix = f"{position}." if position else ""
    group = _Group(kind, tuple(_read(item, f"{prefix}{n}", nesting + 1) for n, item in enumerate(items, 1)))
    if nesting == 0 and sum(1 for _ in _comparisons(group)) > COUNT_LIMIT:
        raise ConditionError(f"There are more than {COUNT_LIMIT} conditions.", location=location)
    return group


def _read_comparison(tree: dict[Any, Any], location: str) -> _Comparison:
    if unknown := sorted(str(key) for key in tree if key not in _COMPARISON_KEYS):
        raise ConditionError(f"A comparison has no {_quoted(unknown[0])}.", location=location)
    type_, key = tree.get("type"), tree.get("operator")
    if not isinstance(type_, str) or type_ not in OPERATORS:
        raise ConditionError(f"The type is one of {', '.join(OPERATORS)}.", location=location)
    if not isinstance(key, str) or key not in OPERATORS[type_]:
        known = ", ".join(OPERATORS[type_])
        raise ConditionError(f"There is no such operator for {type_}. There are: {known}.", location=location)
    operator = OPERATORS[type_][key]
    case_sensitive = tree.get("case_sensitive", False)
    if not isinstance(case_sensitive, bool | None):
        raise ConditionError("case_sensitive is true or false.", location=location)
    sources = [tree.get("left"), *([tree.get("right"), tree.get("right_until")][: operator.operands])]
    names = ("the left side", "the right side", "the second value")
    for name, source in zip(names, sources, strict=False):
        if not isinstance(source, str) or (name == "the left side" and not source.strip()):
            raise ConditionError(f"Fill in {name}: a text or a reference.", location=location)
        try:
            mapping.check(source)
        except MappingError as error:
            raise ConditionError(f"{name[:1].upper()}{name[1:]}: {error.message}", location=location) from error
    left, *rights = (str(source) for source in sources)
    return _Comparison(location, left, operator, type_, tuple(rights), bool(case_sensitive))


def _comparisons(node: _Group | _Comparison) -> Iterator[_Comparison]:
    if isinstance(node, _Comparison):
        yield node
        return
    for item in node.items:
        yield from _comparisons(item)


def _settle(node: _Group | _Comparison, results: dict[str, _Result]) -> tuple[bool, list[str], dict[str, Any]]:
    """Whether it passed, the sentences that decided it, and the record."""
    if isinstance(node, _Comparison):
        result = results[node.location]
        return result.passed, [result.sentence], result.record
    settled = [_settle(item, results) for item in node.items]
    answers = [passed for passed, _, _ in settled]
    passed = all(answers) if node.kind == "all" else any(answers)
    # A failed "all" is explained by what failed, a passed "any" by what passed; otherwise everything counted.
    sentences = [sentence for answer, its, _ in settled if answer == passed for sentence in its]
    if node.kind == "not":
        passed = not passed
    return passed, sentences, {"group": node.kind, "passed": passed, "items": [record for _, _, record in settled]}


def _sentence_of(node: _Group | _Comparison, value: InWords | None, *, inside: bool) -> str:
    if isinstance(node, _Comparison):
        return node.english(value)
    sentence = _GROUPS[node.kind].join(_sentence_of(item, value, inside=len(node.items) > 1) for item in node.items)
    if node.kind == "not":
        return f"not ({sentence})"
    return f"({sentence})" if inside and len(node.items) > 1 else sentence


def _node(source: str) -> Node:
    return parser.parse(source) if source else Literal("")


def _fixed(kind: str) -> str:
    """How a value typed into the condition is read."""
    return "fixed_number" if kind == "number" else kind


def _is_fixed(source: str) -> bool:
    return isinstance(_node(source), Literal)


def _left_in_words(source: str) -> str:
    node = _node(source)
    if isinstance(node, Reference):
        return _reference_in_words(node)
    if isinstance(node, Literal):
        return shown(node.constant)
    inner = source.strip()
    if inner.count("{{") == 1 and inner.startswith("{{") and inner.endswith("}}"):
        return inner[2:-2].strip("- \n")
    return _quoted(inner)


def _reference_in_words(node: Reference) -> str:
    keys = [f"#{key + 1}" if isinstance(key, int) and key >= 0 else str(key).replace("_", " ") for key in node.keys]
    if node.root == "trigger" and keys:
        return " ".join(keys)
    if node.root == "steps" and len(keys) > 1:
        return f"{' '.join(keys[1:])} of {keys[0]}"
    return " ".join([node.root, *keys])


def _right_in_words(source: str, kind: str) -> str:
    node = _node(source)
    if not isinstance(node, Literal):
        return _left_in_words(source)
    if kind == "field":
        return text_of(node.constant).strip().replace("_", " ") or "own value"
    if kind in ("number", "whole", "date", "moment"):
        return text_of(node.constant).strip()
    if kind == "choices" and (choices := choices_in(text_of(node.constant))):
        return ", ".join(_quoted(choice) for choice in choices)
    return shown(node.constant)


def _quoted(text: str) -> str:
    return f'"{text[:57]}…"' if len(text) > 60 else f'"{text}"'


def _recorded(value: Any) -> Any:
    """The value for the run's record: JSON-able, numbers as text so that no reader turns them into floats."""
    if value is MISSING:
        return None
    if isinstance(value, Decimal):
        return text_of(value)
    if isinstance(value, str):
        return value if len(value) <= 500 else f"{value[:499]}…"
    if isinstance(value, list):
        more = [f"… and {len(value) - 20} more"] if len(value) > 20 else []
        return [_recorded(item) for item in value[:20]] + more
    if isinstance(value, dict):
        return {key: _recorded(item) for key, item in list(value.items())[:20]}
    return value
