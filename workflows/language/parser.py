"""Reading a mapping: Jinja2's lexer and parser, then a translation into our nodes.

Jinja2 is used for its syntax only; nothing is compiled, rendered or looked up by it. Three things differ:

- Numbers are read exactly as written. Jinja2 would turn them into floats.
- A function works on the whole calculation before it: `Total * 1.1 | round(2)` rounds the product. Jinja2 would round
  the 1.1 and leave a wrong amount in the books. It may also follow the first value (`price | number * 2`); in the
  middle of a calculation brackets are needed, and their absence is an error. `default` belongs to the value right
  before it.
- `~` joins finished calculations: `"Sum: " ~ a + b`.

The price: some expressions mean something else than in Jinja2; there, all of them would be likely mistakes.
"""

from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from jinja2 import Environment, nodes
from jinja2.exceptions import TemplateSyntaxError
from jinja2.lexer import TOKEN_FLOAT, TOKEN_INTEGER, Lexer, Token
from jinja2.parser import Parser

from workflows.language import functions
from workflows.language.nodes import (
    Apply,
    Calculate,
    Choose,
    Compare,
    Either,
    Items,
    Join,
    Literal,
    Negate,
    Node,
    Not,
    Pick,
    Reference,
)
from workflows.language.values import MappingError, MappingLimitError, MappingSyntaxError, bounded, is_storable

SOURCE_LIMIT = 2_000  # characters
NESTING_LIMIT = 15  # brackets within brackets
DEPTH_LIMIT = 60  # nodes within nodes
_CALCULATION_TOKENS = ("add", "sub", "mul", "div", "floordiv", "mod", "pow")


class _Lexer(Lexer):
    def wrap(
        self, stream: Iterable[tuple[int, str, str]], name: str | None = None, filename: str | None = None
    ) -> Iterator[Token]:
        for line, kind, text in stream:
            if kind in (TOKEN_INTEGER, TOKEN_FLOAT):
                number = _number(text)
                yield Token(line, kind, int(number) if kind == TOKEN_INTEGER else number)  # type: ignore[arg-type]
            else:
                yield from super().wrap([(line, kind, text)], name, filename)


def _number(text: str) -> Decimal:
    try:
        return bounded(Decimal(text.replace("_", "")))
    except InvalidOperation as error:
        raise MappingSyntaxError(f'"{text[:40]}" is not a decimal number.') from error


class _Environment(Environment):
    @property
    def lexer(self) -> Lexer:
        return _LEXER


_ENVIRONMENT = _Environment(keep_trailing_newline=True, autoescape=False)
_LEXER = _Lexer(_ENVIRONMENT)


class _Parser(Parser):
    """Jinja2's parser with the two changes of precedence named above."""

    _is_first = True  # the next value is the first of its calculation

    def parse_math1(self) -> nodes.Expr:
        line = self.stream.current.lineno
        pieces = [self._calculation()]
        while self.stream.skip_if("tilde"):
            pieces.append(self._calculation())
        return pieces[0] if len(pieces) == 1 else nodes.Concat(pieces, lineno=line)

    def _calculation(self) -> nodes.Expr:
        self._is_first = True
        node = self.parse_math2()
        while self.stream.current.type in ("add", "sub"):
            kind = nodes.Add if self.stream.current.type == "add" else nodes.Sub
            line = next(self.stream).lineno
            node = kind(node, self.parse_math2(), lineno=line)
        if self.stream.current.type != "pipe":
            return node
        node = self.parse_filter_expr(node)
        if self.stream.current.type in _CALCULATION_TOKENS:
            self.fail("A function in the middle of a calculation needs brackets: (a + b | round(2)) * c")
        return node

    def parse_concat(self) -> nodes.Expr:
        return self.parse_math2()

    def parse_unary(self, with_filter: bool = True) -> nodes.Expr:
        is_first, self._is_first = self._is_first, False
        node = super().parse_unary(False)
        if with_filter and is_first:
            return self.parse_filter_expr(node)
        while with_filter and self.stream.current.type == "pipe" and self.stream.look().value == "default":
            node = self._one_filter(node)
        return node

    def _one_filter(self, node: nodes.Expr) -> nodes.Expr:
        next(self.stream)
        name = self.stream.expect("name").value
        arguments = self.parse_call_args() if self.stream.current.type == "lparen" else ([], [], None, None)
        return nodes.Filter(node, name, *arguments, lineno=self.stream.current.lineno)


@lru_cache(maxsize=2_048)
def parse(source: str) -> Node:
    """The mapping as nodes. Raises MappingSyntaxError or MappingLimitError."""
    try:
        if len(source) > SOURCE_LIMIT:
            raise MappingLimitError(f"A mapping has at most {SOURCE_LIMIT:,} characters; this one has {len(source):,}.")
        _check_tokens(source)
        body = _Parser(_ENVIRONMENT, source).parse().body
        pieces = [_translated(node, 0) for output in body for node in _pieces(output)]
    except MappingError as error:
        error.source = source
        raise
    except TemplateSyntaxError as error:
        raise MappingSyntaxError(_sentence(error), source=source) from error
    except RecursionError as error:
        raise MappingLimitError("The expression is nested too deeply.", source=source) from error
    if len(pieces) == 1:
        return pieces[0]
    return Join(tuple(pieces))


def _check_tokens(source: str) -> None:
    """Refuses blocks, and nesting that would exhaust the parser, before parsing begins."""
    open_brackets = 0
    for _, kind, text in _LEXER.tokeniter(source, None, None, None):
        if kind in ("block_begin", "raw_begin"):
            raise MappingSyntaxError("Only {{ … }} has a meaning here; blocks like {% … %} do not exist.")
        if kind == "operator":
            open_brackets += (text in ("(", "[", "{")) - (text in (")", "]", "}"))
        if open_brackets > NESTING_LIMIT:
            raise MappingLimitError(f"The expression has more than {NESTING_LIMIT} brackets within brackets.")


def _pieces(output: nodes.Node) -> list[nodes.Node]:
    if isinstance(output, nodes.Output):
        return list(output.nodes)
    raise MappingSyntaxError("Only {{ … }} has a meaning here; blocks like {% … %} do not exist.")


#: Jinja2's messages, which mention templates and prints, and ours.
_PLAINLY = {
    "unexpected end of template": "a value opened with {{ is not closed; put }} after it",
    "expected token 'end of print statement'": "something stands between the value and its closing }}",
    "Expected an expression, got 'end of print statement'": "the value between {{ and }} is missing",
    "unexpected 'end of print statement'": "the expression breaks off before }}",
    "expected token 'name', got": "after | comes the name of a function",
    'unexpected char "\'"': "a text in ' marks is not closed",
    "unexpected char '\"'": 'a text in " marks is not closed',
    "unexpected '}', expected ')'": "a bracket ( is not closed",
}


def _sentence(error: TemplateSyntaxError) -> str:
    message = (error.message or "the expression is not complete").strip().rstrip(".")
    plain = next((words for sign, words in _PLAINLY.items() if sign in message), message)
    return f"The mapping cannot be read: {plain}."


_SIGNS = {nodes.Add: "+", nodes.Sub: "-", nodes.Mul: "*", nodes.Div: "/"}
_COMPARISONS = {
    "eq": "==", "ne": "!=", "lt": "<", "lteq": "<=", "gt": ">", "gteq": ">=", "in": "in", "notin": "not in",
}  # fmt: skip
_MISSING: dict[type[nodes.Node], str] = {
    nodes.Call: "Calls like name(…) do not exist; functions follow a pipe: {{ trigger.title | upper }}",
    nodes.Test: '"is" does not exist; compare with ==, or give a | default(…)',
    nodes.Pow: "Powers (**) do not exist",
    nodes.Mod: "The remainder (%) does not exist",
    nodes.FloorDiv: "Division without remainder (//) does not exist; divide with / and round",
    nodes.Dict: "Groups of fields {…: …} cannot be written in a mapping",
    nodes.Tuple: "A list is written in square brackets",
    nodes.Slice: "Parts of lists [a:b] do not exist; use first, last, truncate or split",
}


def _translated(node: nodes.Node, depth: int) -> Node:
    if depth > DEPTH_LIMIT:
        raise MappingLimitError(f"The expression is more than {DEPTH_LIMIT} levels deep. Split it over two steps.")

    def inner(child: nodes.Node) -> Node:
        return _translated(child, depth + 1)

    match node:
        case nodes.TemplateData():
            return Literal(_storable(node.data))
        case nodes.Const():
            return Literal(_storable(node.value))
        case nodes.Name():
            return Reference(node.name, ())
        case nodes.Getattr():
            return _below(inner(node.node), node.attr)
        case nodes.Getitem():
            return _below(inner(node.node), _key(node.arg))
        case nodes.Filter() if node.node is not None:
            return _applied(node, inner(node.node), depth)
        case nodes.Add() | nodes.Sub() | nodes.Mul() | nodes.Div():
            return Calculate(_SIGNS[type(node)], inner(node.left), inner(node.right))
        case nodes.Neg():
            return Negate(inner(node.node))
        case nodes.Pos():
            return Calculate("+", Literal(0), inner(node.node))
        case nodes.Concat():
            return Join(tuple(inner(piece) for piece in node.nodes))
        case nodes.Compare():
            return Compare(inner(node.expr), tuple((_COMPARISONS[one.op], inner(one.expr)) for one in node.ops))
        case nodes.And() | nodes.Or():
            return Either("and" if isinstance(node, nodes.And) else "or", inner(node.left), inner(node.right))
        case nodes.Not():
            return Not(inner(node.node))
        case nodes.CondExpr():
            no = inner(node.expr2) if node.expr2 is not None else Literal(None)
            return Choose(inner(node.test), inner(node.expr1), no)
        case nodes.List():
            return Items(tuple(inner(item) for item in node.items))
    raise MappingSyntaxError(f"{_MISSING.get(type(node), 'This does not exist in a mapping')}.")


def _below(operand: Node, key: str | int) -> Node:
    if isinstance(operand, Reference):
        return Reference(operand.root, (*operand.keys, key))
    return Pick(operand, key)


def _storable(constant: Any) -> Any:
    if isinstance(constant, str) and not is_storable(constant):
        raise MappingSyntaxError(f"The text {constant[:40]!a} holds a character that cannot be stored.")
    return constant


def _key(node: nodes.Node) -> str | int:
    if isinstance(node, nodes.Neg) and isinstance(node.node, nodes.Const) and type(node.node.value) is int:
        return -node.node.value
    if isinstance(node, nodes.Const) and type(node.value) in (str, int):
        return _storable(node.value)
    raise MappingSyntaxError("Square brackets after a value hold a name in quotes or a whole number.")


def _applied(node: nodes.Filter, operand: Node, depth: int) -> Node:
    function = functions.find(node.name)
    if node.dyn_args is not None or node.dyn_kwargs is not None:
        raise MappingSyntaxError(f"| {node.name}: * and ** do not exist.")
    named = [(str(pair.key), pair.value) for pair in node.kwargs]
    bound = function.bind(node.args, named)
    return Apply(function, operand, tuple((name, _translated(value, depth + 1)) for name, value in bound.items()))
