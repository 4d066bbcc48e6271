"""Links from what failed in a run to the form in the editor where it is put right: to the step, and to the field."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from django.urls import reverse

from workflows.definitions import plans
from workflows.language import table_rows
from workflows.models import Run


class FixLinks:
    """Where the editor puts right what failed in a run. The steps are looked for once, and only after a failure."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def to_step(self, key: str) -> str:
        """The page of the step in the draft; the workflow's page if the step is not there any more, "" if that is
        deleted."""
        if self.run.workflow.deleted_at is not None:
            return ""
        pk = self._steps.get(key)
        place = [self.run.workflow_id]
        return reverse("workflow", args=place) if pk is None else reverse("step", args=[*place, pk])

    def to_field(self, key: str, path: str) -> str:
        """The same, at the field that the path of a problem names, such as `lines.1.unit_amount`."""
        page = self.to_step(key)
        return f"{page}#{anchor(self._in_form(key, path))}" if page and path and key in self._steps else page

    @cached_property
    def _steps(self) -> dict[str, int]:
        return dict(self.run.workflow.steps.values_list("key", "pk"))

    def _in_form(self, key: str, path: str) -> str:
        """The path as the form has it: a row that was repeated for each item of a list is one row there."""
        name, *rest = path.split(".")
        step = plans.step_of(self.run.version.plan, key) or {}
        rows = step.get("inputs", {}).get(name)
        if not rest or not rest[0].isdecimal() or not isinstance(rows, list):
            return path
        return ".".join([name, str(_row_of(rows, int(rest[0]))), *rest[1:]])


def anchor(path: str) -> str:
    """The id of a field in a form of the editor."""
    return "id_in-" + path.replace(".", "-").replace("~", "-")


def _row_of(rows: Sequence[Mapping[str, Any]], number: int) -> int:
    """The row of the form that made the row with that number, as far as that can be told."""
    repeated = next((index for index, row in enumerate(rows) if table_rows.repeats(row)), None)
    if repeated is None:
        return number
    return min(number, repeated)
