"""What people change in a workflow goes to the audit trail: before and after, in the words of its description.

One entry for each thing that a person does, however many rows it changes; none if nothing is different afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from django.db import transaction

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.record import record_difference
from workflows.definitions.compiler import compile_plan
from workflows.definitions.description import describe
from workflows.models import Step, Workflow

P = ParamSpec("P")
R = TypeVar("R")
Row = TypeVar("Row", Workflow, Step)

_is_open: ContextVar[bool] = ContextVar("an edit is being recorded", default=False)
_CONTENT = "What it does"


@contextmanager
def edited(workflow: Workflow) -> Iterator[None]:
    """Record how the workflow differs after what is done within, in one transaction with it."""
    if _is_open.get():
        yield
        return
    with transaction.atomic():
        before = _in_words(workflow.pk)
        token = _is_open.set(True)
        try:
            yield
        finally:
            _is_open.reset(token)
        record_difference(
            Audited.WORKFLOW_EDITED,
            team_id=workflow.team_id,
            about=workflow,
            by=origin.person(),
            before=before,
            after=_in_words(workflow.pk),
        )


def records_edit(change: Callable[Concatenate[Row, P], R]) -> Callable[Concatenate[Row, P], R]:
    """The function changes the workflow, or the step's workflow, that it is given first."""

    @wraps(change)
    def recorded(row: Row, *args: P.args, **kwargs: P.kwargs) -> R:
        with edited(row.workflow if isinstance(row, Step) else row):
            return change(row, *args, **kwargs)

    return recorded


def _in_words(workflow_id: int) -> dict[str, str]:
    workflow = Workflow.objects.get(pk=workflow_id)  # what the caller has in memory may be half changed
    words = {"Name": workflow.name, "Description": workflow.description, _CONTENT: describe(compile_plan(workflow))}
    if workflow.interval_minutes:
        words["Checks every"] = f"{workflow.interval_minutes} minutes"
    return words
