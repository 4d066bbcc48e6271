"""How a function of the mapping language is declared, bound to its arguments and called."""

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, get_type_hints

from workflows.language.values import (
    MappingContext,
    MappingError,
    MappingLimitError,
    MappingSyntaxError,
    MappingTypeError,
    day_of,
    exact,
    kind_of,
    moment_of,
    shown,
    text_of,
    within_text_limit,
)

REQUIRED: Any = inspect.Parameter.empty

#: The groups of functions in the picker's order.
GROUPS = {
    "text": "Text",
    "number": "Numbers",
    "money": "Money and tax",
    "date": "Dates",
    "list": "Lists",
    "any": "Any value",
}


@dataclass(frozen=True)
class Parameter:
    """One argument in the brackets: its name, how it is read, and its default (REQUIRED if it has none)."""

    name: str
    type: Any
    default: Any = REQUIRED

    @property
    def is_required(self) -> bool:
        return self.default is REQUIRED


@dataclass(frozen=True)
class Function:
    """A declared function: what the picker shows, what the documentation says, and how to call it."""

    name: str
    label: str
    summary: str
    parameters: tuple[Parameter, ...]
    example: str
    result: Any
    kind: str  # one of GROUPS: where the picker lists it
    call: Callable[..., Any]
    input_type: Any
    wants_context: bool

    @property
    def call_text(self) -> str:
        """How it is written after a pipe, with its defaults: `round(places=0, mode="half_up")`."""
        if not self.parameters:
            return self.name
        return f"{self.name}({', '.join(_written(parameter) for parameter in self.parameters)})"

    def bind(self, positional: Sequence[Any], named: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Which argument goes to which parameter; values are not examined. Raises MappingSyntaxError."""
        if len(positional) > len(self.parameters):
            takes = f"at most {len(self.parameters)}" if self.parameters else "no"
            raise MappingSyntaxError(f"| {self.name} takes {takes} values in its brackets, not {len(positional)}.")
        bound = {parameter.name: value for parameter, value in zip(self.parameters, positional, strict=False)}
        known = {parameter.name for parameter in self.parameters}
        for name, value in named:
            if name not in known:
                takes = f"It takes: {', '.join(sorted(known))}." if known else "It takes none."
                raise MappingSyntaxError(f'| {self.name} has no argument called "{name}". {takes}')
            if name in bound:
                raise MappingSyntaxError(f'| {self.name} is given "{name}" twice.')
            bound[name] = value
        missing = [
            parameter.name for parameter in self.parameters if parameter.is_required and parameter.name not in bound
        ]
        if missing:
            raise MappingSyntaxError(f"| {self.name} needs {' and '.join(missing)}, for example {self.example}")
        return bound

    def apply(
        self,
        value: Any,
        arguments: Mapping[str, Any],
        context: MappingContext,
        watch: Callable[[list[Any]], list[Any]] = list,
    ) -> Any:
        """The function's result for a value and bound arguments; a list is iterated over under `watch`. Raises
        MappingError."""
        types = {parameter.name: parameter.type for parameter in self.parameters}
        try:
            ready = {name: _READERS[types[name]](argument, context) for name, argument in arguments.items()}
            if self.wants_context:
                ready["context"] = context
            read = _READERS[self.input_type](value, context)
            result = self.call(watch(read) if isinstance(read, list) else read, **ready)
        except MappingError as error:
            if not error.function:
                error.message, error.function = f"{self.label}: {error.message}", self.label
            raise
        except OverflowError as error:
            raise MappingLimitError(f"{self.label}: the date is outside the years 1 to 9999.") from error
        return within_text_limit(result) if kind_of(result) == "text" else result


def _written(parameter: Parameter) -> str:
    if parameter.is_required:
        return parameter.name
    constant = parameter.default
    written = {None: "none", True: "true", False: "false"}.get(constant) if isinstance(constant, bool | None) else None
    return f"{parameter.name}={written or (json.dumps(constant) if isinstance(constant, str) else constant)}"


FUNCTIONS: dict[str, Function] = {}


def function(*, kind: str, label: str, example: str, result: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function of the mapping language; the name is the Python name without a trailing underscore."""

    def declare(call: Callable[..., Any]) -> Callable[..., Any]:
        hints = get_type_hints(call)
        first, *rest = inspect.signature(call).parameters.values()
        name = call.__name__.rstrip("_")
        FUNCTIONS[name] = Function(
            name=name,
            label=label,
            summary=inspect.getdoc(call) or "",
            parameters=tuple(Parameter(p.name, hints[p.name], p.default) for p in rest if p.name != "context"),
            example=example,
            result=result,
            kind=kind,
            call=call,
            input_type=hints[first.name],
            wants_context="context" in hints,
        )
        return call

    return declare


def _whole(value: Any, context: MappingContext) -> int:
    number = exact(value)
    if number != number.to_integral_value() or abs(number) > 1_000_000:
        raise MappingTypeError(f"A whole number up to 1,000,000 is needed here, not {shown(value)}.")
    return int(number)


def _list(value: Any, context: MappingContext) -> list[Any]:
    if kind_of(value) != "list":
        raise MappingTypeError(f"A list is needed here, but {shown(value)} is not one.")
    return list(value)


def _yes_no(value: Any, context: MappingContext) -> bool:
    if kind_of(value) != "yes_no":
        raise MappingTypeError(f"true or false is needed here, not {shown(value)}.")
    return bool(value)


def _optional_whole(value: Any, context: MappingContext) -> int | None:
    return None if value is None else _whole(value, context)


_READERS: dict[Any, Callable[[Any, MappingContext], Any]] = {
    str: lambda value, context: text_of(value),
    Decimal: lambda value, context: exact(value),
    int: _whole,
    int | None: _optional_whole,
    bool: _yes_no,
    date: day_of,
    datetime: moment_of,
    list: _list,
    Any: lambda value, context: value,
}
