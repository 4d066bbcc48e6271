"""The nodes of a mapping and how each is evaluated: the whole meaning of the language.

A node is immutable and can evaluate itself over plain data in a Scope. There is no node for calls, loops,
assignments, attributes or slices, so there is nothing to escape from; what `parser` cannot translate into these does
not exist. Each node counts as a step, a function as more, by the size of its values (`cost_limits`), and every
intermediate value obeys the limits of `values`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from workflows.language.cost_limits import Work
from workflows.language.signatures import Function
from workflows.language.values import (
    CALCULATION,
    DIVISION,
    TEXT_LIMIT,
    MappingContext,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    calculated,
    day_of,
    equal,
    exact,
    field_of,
    kind_of,
    plain,
    root_of,
    shown,
    text_of,
)

ROOTS = ("trigger", "steps", "run", "workflow", "item", "loop", "error")


class Scope:
    """The data of one evaluation, and the work done so far."""

    __slots__ = ("context", "data", "step", "work")

    def __init__(self, data: Mapping[str, Any], context: MappingContext) -> None:
        self.data, self.context, self.work = data, context, Work.begin(context)
        self.step = self.work.step


@dataclass(frozen=True)
class Node:
    """A part of an expression."""

    def value(self, scope: Scope) -> Any:
        raise NotImplementedError

    def children(self) -> Iterator["Node"]:
        return iter(())


@dataclass(frozen=True)
class Literal(Node):
    constant: str | int | Decimal | bool | None

    def value(self, scope: Scope) -> Any:
        scope.step()
        return self.constant


@dataclass(frozen=True)
class Reference(Node):
    """trigger.board.name, steps.invoice.Lines.0: a root and the keys below it."""

    root: str
    keys: tuple[str | int, ...]

    @property
    def path(self) -> str:
        return ".".join([self.root, *(str(key) for key in self.keys)])

    def value(self, scope: Scope) -> Any:
        scope.step()
        found, path = root_of(scope.data, self.root, ROOTS), self.root
        for key in self.keys:
            found = field_of(found, key, path)
            path = f"{path}.{key}"
        return found


@dataclass(frozen=True)
class Pick(Node):
    """A key or index of a calculated value: (trigger.lines | last).amount."""

    operand: Node
    key: str | int

    def value(self, scope: Scope) -> Any:
        scope.step()
        return field_of(self.operand.value(scope), self.key, "the value before it")

    def children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(frozen=True)
class Items(Node):
    items: tuple[Node, ...]

    def value(self, scope: Scope) -> Any:
        scope.step()
        return [item.value(scope) for item in self.items]

    def children(self) -> Iterator[Node]:
        return iter(self.items)


@dataclass(frozen=True)
class Apply(Node):
    """A function after a pipe. Only `default` may follow a missing value."""

    function: Function
    operand: Node
    arguments: tuple[tuple[str, Node], ...]

    def value(self, scope: Scope) -> Any:
        try:
            operand = self.operand.value(scope)
        except MissingPathError:
            if self.function.name != "default":
                raise
            operand = None
        arguments = {name: argument.value(scope) for name, argument in self.arguments}
        scope.work.charge(operand, *arguments.values())
        try:
            return self.function.apply(operand, arguments, scope.context, scope.work.watched)
        except MappingTypeError as error:
            _name_place(error, self.operand, ", ")
            raise

    def children(self) -> Iterator[Node]:
        yield self.operand
        for _, argument in self.arguments:
            yield argument


@dataclass(frozen=True)
class Calculate(Node):
    """left + - * / right, in Decimal: exact up to 70 digits, quotients to 28 significant digits."""

    NAMES: ClassVar[dict[str, Callable[[Decimal, Decimal], Decimal]]] = {
        "+": CALCULATION.add,
        "-": CALCULATION.subtract,
        "*": CALCULATION.multiply,
        "/": DIVISION.divide,
    }
    sign: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> Decimal:
        scope.step()
        left, right = self.number(self.left, scope), self.number(self.right, scope)
        if self.sign == "/" and not right:
            raise MappingTypeError(f"{shown(left)} cannot be divided by zero.")
        return calculated(self.NAMES[self.sign](left, right))

    def number(self, node: Node, scope: Scope) -> Decimal:
        found = node.value(scope)
        if self.sign == "+" and kind_of(found) == "text":
            raise MappingTypeError(f"+ adds numbers, but {shown(found)} is text. Join texts with ~, or add | number.")
        try:
            return exact(found)
        except MappingTypeError as error:
            _name_place(error, node)
            raise

    def children(self) -> Iterator[Node]:
        yield self.left
        yield self.right


@dataclass(frozen=True)
class Negate(Node):
    operand: Node

    def value(self, scope: Scope) -> Decimal:
        scope.step()
        return calculated(CALCULATION.minus(exact(self.operand.value(scope))))

    def children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(frozen=True)
class Join(Node):
    """Pieces of text side by side: a ~ b, or a text with references in it."""

    pieces: tuple[Node, ...]

    def value(self, scope: Scope) -> str:
        scope.step()
        written, size = [], 0
        for piece in self.pieces:
            found = piece.value(scope)
            try:
                written.append(text_of(found))
            except MappingTypeError as error:
                _name_place(error, piece)
                raise
            size += len(written[-1])
            if size > TEXT_LIMIT:
                raise MappingLimitError(f"A text is longer than {TEXT_LIMIT:,} characters.")
        return "".join(written)

    def children(self) -> Iterator[Node]:
        return iter(self.pieces)


@dataclass(frozen=True)
class Compare(Node):
    """left == right < third ...: every adjacent pair must hold."""

    first: Node
    rest: tuple[tuple[str, Node], ...]

    def value(self, scope: Scope) -> bool:
        scope.step()
        left, holds = self.first.value(scope), True
        for sign, node in self.rest:
            right = node.value(scope)
            holds = compared(sign, left, right, scope) and holds
            left = right
        return holds

    def children(self) -> Iterator[Node]:
        yield self.first
        for _, node in self.rest:
            yield node


@dataclass(frozen=True)
class Either(Node):
    """a and b, a or b: the side that decides, as in Jinja2. The second is evaluated only if it matters."""

    word: str
    left: Node
    right: Node

    def value(self, scope: Scope) -> Any:
        scope.step()
        left = self.left.value(scope)
        return left if truth(left) == (self.word == "or") else self.right.value(scope)

    def children(self) -> Iterator[Node]:
        yield self.left
        yield self.right


@dataclass(frozen=True)
class Not(Node):
    operand: Node

    def value(self, scope: Scope) -> bool:
        scope.step()
        return not truth(self.operand.value(scope))

    def children(self) -> Iterator[Node]:
        yield self.operand


@dataclass(frozen=True)
class Choose(Node):
    """yes if condition else no"""

    condition: Node
    yes: Node
    no: Node

    def value(self, scope: Scope) -> Any:
        scope.step()
        return (self.yes if truth(self.condition.value(scope)) else self.no).value(scope)

    def children(self) -> Iterator[Node]:
        yield self.condition
        yield self.yes
        yield self.no


def _name_place(error: MappingTypeError, node: Node, between: str = ": ") -> None:
    """Adds to the error which reference held the value, if one did."""
    if isinstance(node, Reference) and not error.path:
        error.message = f"{node.path}{between}{error.message}"
        error.path = node.path


def truth(value: object) -> bool:
    """Whether a value counts as yes: null, no, zero and everything empty do not."""
    return bool(exact(value)) if kind_of(value) == "number" else bool(value)


def compared(sign: str, left: object, right: object, scope: Scope) -> bool:
    if sign in ("in", "not in"):
        return _is_in(left, right, scope) == (sign == "in")
    kinds = {kind_of(left), kind_of(right)}
    if sign in ("==", "!="):
        if len(kinds) > 1 and "nothing" not in kinds and kinds != {"date", "text"}:
            raise _different(left, right)
        return _same(left, right, scope) == (sign == "==")
    if kinds == {"number"}:
        return _ordered(sign, exact(left), exact(right))
    if kinds in ({"date"}, {"date", "text"}):
        return _ordered(sign, day_of(left, scope.context), day_of(right, scope.context))
    if kinds == {"text"}:
        return _ordered(sign, text_of(left), text_of(right))
    raise _different(left, right)


def _ordered(sign: str, a: Any, b: Any) -> bool:
    return bool({"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign])


def _same(left: object, right: object, scope: Scope) -> bool:
    if {kind_of(left), kind_of(right)} == {"date", "text"}:
        return day_of(left, scope.context) == day_of(right, scope.context)
    left, right = plain(left), plain(right)
    scope.step(_size(left))
    return equal(left, right)


def _is_in(left: object, right: object, scope: Scope) -> bool:
    kind = kind_of(right)
    if kind == "text":
        return text_of(left) in text_of(right)
    if kind == "table":
        return text_of(left) in plain(right)
    if kind != "list":
        raise MappingTypeError(f'"in" looks into a text or a list, but {shown(right)} is neither.')
    wanted, items = plain(left), plain(right)
    scope.step(len(items))
    return any(equal(wanted, item) for item in items)


def _size(value: object) -> int:
    return len(value) if isinstance(value, list | dict) else 1


def _different(left: object, right: object) -> MappingTypeError:
    return MappingTypeError(
        f"{shown(left)} and {shown(right)} are of different kinds, so they cannot be compared. "
        "Add | number, | text or | to_date to one of them."
    )


def references(node: Node) -> Iterator[str]:
    """The paths that the expression reads, in order of appearance."""
    if isinstance(node, Reference):
        yield node.path
    for child in node.children():
        yield from references(child)
