"""The part of Xero's `where` language that is documented: comparisons, text functions, AND, OR, brackets.

A parsed condition is a function of one record. Unknown fields, bad syntax and comparisons of unlike kinds are
QueryParseExceptions, as at Xero.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Condition = Callable[[Mapping[str, Any]], bool]
# What a field holds: text, number, guid, date, flag. Dotted names are fields of the contact.
Fields = Mapping[str, str]

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"]*")|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)
    |(?P<sign>==|!=|<=|>=|<>|&&|\|\||[<>=().,!]))""",
    re.VERBOSE,
)
_ORDER = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}
_SAME = {"=": "==", "<>": "!="}
_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "contains": lambda value, part: part in value,
    "startswith": lambda value, part: value.startswith(part),
    "endswith": lambda value, part: value.endswith(part),
}
_TEXT_CHANGES: dict[str, Callable[[str], str]] = {"tolower": str.lower, "toupper": str.upper, "trim": str.strip}
_MAX_DEPTH = 50


class WhereError(ValueError):
    """The filter cannot be parsed; the message says where."""


@dataclass(frozen=True)
class _Term:
    """A field or a literal: its kind of value and how to read it from a record."""

    kind: str
    read: Callable[[Mapping[str, Any]], Any]


def parse(text: str, fields: Fields) -> Condition:
    """The condition in `text` for records with these fields."""
    return _Parser(text, fields).parse()


class _Parser:
    def __init__(self, text: str, fields: Fields) -> None:
        self.fields = {name.lower(): (name, kind) for name, kind in fields.items()}
        self.tokens = self._tokens(text)
        self.position = 0
        self.depth = 0

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str, int]]:
        found, position = [], 0
        while position < len(text.rstrip()):
            match = _TOKEN.match(text, position)
            if match is None:
                raise WhereError(f"Syntax error at position {position}: {text[position : position + 20]!r}")
            kind = str(match.lastgroup)
            found.append((kind, match.group(kind), match.start(kind)))
            position = match.end()
        return found

    def parse(self) -> Condition:
        condition = self._either()
        if self.position < len(self.tokens):
            raise self._error("Syntax error")
        return condition

    def _error(self, message: str) -> WhereError:
        if self.position < len(self.tokens):
            return WhereError(f"{message} at position {self.tokens[self.position][2]}")
        return WhereError(f"{message} at the end of the filter")

    def _peek(self) -> str:
        return self.tokens[self.position][1] if self.position < len(self.tokens) else ""

    def _accept(self, *values: str) -> bool:
        if self._peek().lower() in values and self.tokens[self.position][0] != "text":
            self.position += 1
            return True
        return False

    def _expect(self, value: str) -> None:
        if not self._accept(value):
            raise self._error(f"'{value}' expected")

    def _take(self, kind: str) -> str:
        if self.position >= len(self.tokens) or self.tokens[self.position][0] != kind:
            raise self._error(f"A {kind} is expected")
        self.position += 1
        return self.tokens[self.position - 1][1]

    def _either(self) -> Condition:
        self.depth += 1
        self._check_depth(self.depth)
        parts = [self._both()]
        while self._accept("or", "||"):
            parts.append(self._both())
        self.depth -= 1
        return parts[0] if len(parts) == 1 else lambda record: any(part(record) for part in parts)

    def _both(self) -> Condition:
        parts = [self._single()]
        while self._accept("and", "&&"):
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else lambda record: all(part(record) for part in parts)

    def _single(self) -> Condition:
        negations = 0
        while self._accept("!", "not"):
            negations += 1
            self._check_depth(negations)
        inner = self._positive()
        return (lambda record: not inner(record)) if negations % 2 else inner

    def _check_depth(self, depth: int) -> None:
        """Limit nesting, negation and chains, which could exhaust the stack here or when the condition is applied."""
        if depth > _MAX_DEPTH:
            raise self._error("The filter is nested too deeply")

    def _positive(self) -> Condition:
        if self._peek() == "(":
            self._expect("(")
            inner = self._either()
            self._expect(")")
            return inner
        left = self._term()
        operator = _SAME.get(self._peek(), self._peek())
        if operator in _ORDER and self.position < len(self.tokens):
            self.position += 1
            return self._comparison(left, operator, self._term())
        if left.kind != "flag":
            raise self._error("A comparison is expected")
        return lambda record: left.read(record) is True

    def _comparison(self, left: _Term, operator: str, right: _Term) -> Condition:
        kinds = {left.kind, right.kind} - {"null"}
        if len(kinds) > 1:
            names = f"'{left.kind.title()}' and '{right.kind.title()}'"
            raise WhereError(f"Operator '{operator}' incompatible with operand types {names}")
        if operator not in {"==", "!="} and ("null" in {left.kind, right.kind} or kinds & {"flag", "guid"}):
            raise WhereError(f"Operator '{operator}' cannot be applied here")
        compare = _ORDER[operator]

        def condition(record: Mapping[str, Any]) -> bool:
            one, other = left.read(record), right.read(record)
            if operator not in {"==", "!="} and (one is None or other is None):
                return False
            return bool(compare(one, other))

        return condition

    def _term(self) -> _Term:
        if self.position >= len(self.tokens):
            raise self._error("A value is expected")
        kind, value, _ = self.tokens[self.position]
        if kind == "text":
            self.position += 1
            return _Term("text", lambda record: value[1:-1])
        if kind == "number":
            self.position += 1
            return _Term("number", lambda record: Decimal(value))
        if kind == "name":
            self.position += 1
            return self._named(value)
        raise self._error("A value is expected")

    def _named(self, name: str) -> _Term:
        lower = name.lower()
        if lower in {"true", "false"}:
            return _Term("flag", lambda record: lower == "true")
        if lower == "null":
            return _Term("null", lambda record: None)
        if lower == "guid" and self._peek() == "(":
            return self._guid()
        if lower == "datetime":
            return self._datetime()
        return self._field(name)

    def _guid(self) -> _Term:
        self._expect("(")
        text = self._take("text")[1:-1]
        self._expect(")")
        try:
            value = str(uuid.UUID(text))
        except ValueError as error:
            raise WhereError(f"'{text}' is not a guid") from error
        return _Term("guid", lambda record: value)

    def _datetime(self) -> _Term:
        try:
            if self._accept("."):
                self._expect("parse")
                self._expect("(")
                value = datetime.fromisoformat(self._take("text")[1:-1])
                value = value if value.tzinfo else value.replace(tzinfo=UTC)
            else:
                self._expect("(")
                numbers = [int(self._take("number"))]
                while self._accept(","):
                    numbers.append(int(self._take("number")))
                value = datetime(*numbers, tzinfo=UTC)  # type: ignore[arg-type,misc]
            self._expect(")")
        except WhereError:
            raise
        except (ValueError, TypeError) as error:
            raise WhereError(f"Not a date: {error}") from error
        return _Term("date", lambda record: value)

    def _field(self, name: str) -> _Term:
        while f"{name}.".lower() in {field[: len(name) + 1] for field in self.fields} and self._accept("."):
            name = f"{name}.{self._take('name')}"
        if name.lower() not in self.fields:
            raise WhereError(f"No property or field '{name}' exists")
        known, kind = self.fields[name.lower()]
        term = _Term(kind, lambda record: record.get(known))
        functions = 0
        while self._accept("."):
            functions += 1
            self._check_depth(functions)
            term = self._function(term, self._take("name").lower())
        return term

    def _function(self, term: _Term, function: str) -> _Term:
        self._expect("(")
        change = _TEXT_CHANGES.get(function)
        if change is not None and term.kind == "text":
            self._expect(")")
            return _Term("text", lambda record: None if term.read(record) is None else change(term.read(record)))
        if function not in _TEXT_TESTS or term.kind != "text":
            raise WhereError(f"No applicable method '{function}' exists")
        part = self._take("text")[1:-1]
        self._expect(")")
        test = _TEXT_TESTS[function]
        return _Term("flag", lambda record: term.read(record) is not None and test(term.read(record), part))
