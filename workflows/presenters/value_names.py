"""What the values of a plan are called where people read them: "Title (New pin)", as in the editor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from integrations.framework.registry import operation_or_none
from workflows.definitions import plans
from workflows.language import mapping
from workflows.language.references import INSIDE_LABELS, Token, TokenGroup, pieces, words
from workflows.language.values import MappingError

RUN_GROUP = TokenGroup(
    "run",
    "This run",
    (
        Token("run.date", "Date of the run", "2026-11-30"),
        Token("run.id", "Number of the run", "1042"),
        Token("run.url", "Address of the run page", "https://…/runs/1042/"),
        Token("workflow.name", "Name of the workflow", "Pins to invoices"),
        Token("workflow.version", "Version of the workflow", "3"),
    ),
)


@dataclass(frozen=True)
class ValueNames:
    """The names of a plan's values, known by their paths alone: what a run had may differ from today's samples."""

    plan: Mapping[str, Any]

    def said(self, source: str, step: str) -> str:
        """A source as people read it at the step with this key: its references by name, everything else unchanged."""
        try:
            paths = mapping.references(source) if "{{" in source else []
        except MappingError:
            return source
        groups = [self._group(path, step) for path in paths]
        return "".join(piece.text for piece in pieces(source, [*groups, RUN_GROUP]))

    def _group(self, path: str, step: str) -> TokenGroup:
        root, *rest = path.split(".")
        if root == "steps" and rest:
            origin, rest = self._steps.get(rest[0], rest[0]), rest[1:]
        elif root == "trigger":
            origin = self._trigger
        elif root in ("item", "loop"):
            loops = plans.loops_around(self.plan, step)
            origin = f"Item of {self._steps[loops[-1]]}" if loops else "The row's item"
        elif root == "error":
            origin = "The failure"
        else:
            return TokenGroup(root, root, ())
        own = " · ".join("first" if part == "0" else words(part) for part in rest)
        label = INSIDE_LABELS.get(path) or own or "all of it"
        return TokenGroup(root, origin, (Token(path, label[:1].upper() + label[1:], ""),))

    @cached_property
    def _steps(self) -> dict[str, str]:
        return {step["key"]: step["name"] for step, _ in plans.each_step(self.plan)}

    @cached_property
    def _trigger(self) -> str:
        operation = operation_or_none(self.plan["trigger"]["operation"])
        return operation.name if operation else "Trigger"
