"""Starts with values: by a person, a file, a program, another workflow, or a call to a URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from integrations.connectors.start import samples
from integrations.connectors.start.declared import DeclaredField, declared, problems
from integrations.connectors.start.declared import samples as samples_of
from integrations.framework.base import Door, Start
from integrations.schema.fields import Field
from integrations.schema.schema import Schema, field


class _Values(Schema):
    """The values to ask for."""

    fields_asked: list[DeclaredField] = field(
        "Values it asks for", default=[], help="Each becomes a value that the steps can use."
    )

    def check(self) -> Mapping[str, str]:
        return problems(self.fields_asked, "fields_asked")


class _WithValues(Start):
    """A start whose values are declared."""

    sample = samples.VALUES

    def fields(self, inputs: Mapping[str, Any]) -> tuple[Field, ...]:
        return declared(inputs.get("fields_asked"))

    def declaring(self, fields: Iterable[tuple[Field, str]]) -> dict[str, Any]:
        return {"fields_asked": [_row(f, example) for f, example in fields]}

    def sample_of(self, inputs: Mapping[str, Any], names: Mapping[str, str] | None = None) -> Mapping[str, Any]:
        rows = inputs.get("fields_asked")
        return samples_of(declared(rows), rows if isinstance(rows, list) else [])


def _row(f: Field, example: str) -> dict[str, str]:
    """A declared value as the form's row has it."""
    needed = "true" if f.is_required else "false"
    return {"label": f.label[:80], "holds": f.kind.value, "is_required": needed, "example": example[:200]}


class ByHand(_WithValues):
    """Somebody fills in a form, or a program does so by the API."""

    key = "manual"
    name = "Start by hand"
    words = ("button", "form")
    doors = frozenset({Door.HAND, Door.FILE, Door.API, Door.CALL})

    class Inputs(_Values):
        """The form."""


class FromFile(_WithValues):
    """Each row of a CSV file that somebody uploads starts a run."""

    key = "csv"
    name = "Start for each row of a CSV file"
    words = ("upload", "spreadsheet", "Excel", "rows", "import")
    doors = frozenset({Door.HAND, Door.FILE})

    class Inputs(_Values):
        """The columns."""


class ByWorkflow(_WithValues):
    """A step of another workflow calls this one."""

    key = "call"
    name = "Start from another workflow"
    words = ("sub-workflow",)
    doors = frozenset({Door.HAND, Door.CALL})

    class Inputs(_Values):
        """What the calling workflow gives."""


class ByApi(_WithValues):
    """A program of yours starts it by Pinxero's API."""

    key = "api"
    name = "Start by the API"
    words = ("program", "script")
    doors = frozenset({Door.HAND, Door.API})

    class Inputs(_Values):
        """What the program gives."""


class ByAddress(Start):
    """A program calls an address that only this workflow has."""

    key = "webhook"
    name = "Start by a call to its own address"
    words = ("webhook", "URL", "hook", "HTTP")
    sample = samples.CALL
    doors: ClassVar[frozenset[Door]] = frozenset({Door.HAND, Door.ADDRESS})
    is_open = True

    class Inputs(Schema):
        dedupe: str = field(
            "Identity of a call",
            default="",
            max_length=200,
            help="The path of a value in the body that tells one call from another, as order.id. A call whose value "
            "has been there before starts nothing. Empty: every call starts a run.",
        )

        def check(self) -> Mapping[str, str]:
            if self.dedupe and any(not part.strip() for part in self.dedupe.split(".")):
                return {"dedupe": "Write names with single points between them, as order.id."}
            return {}

    def title(self, data: Mapping[str, Any]) -> str:
        body = data.get("body")
        found = (
            next((v for v in body.values() if isinstance(v, str) and v.strip()), "")
            if isinstance(body, Mapping)
            else ""
        )
        return found or f"Call of {str(data.get('received_at', ''))[:16].replace('T', ' ')}"
