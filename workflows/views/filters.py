"""The form of a workflow's filter: comparisons in one group."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow
from pinxero.pages import page
from workflows import conditions, editing, mapping
from workflows.conditions import OPERATORS, TYPE_LABELS
from workflows.functions import FUNCTIONS
from workflows.models import Condition, Step
from workflows.outline import Place
from workflows.sight import sight
from workflows.values import MappingError
from workflows.views.common import steps_of, workflow_or_404

_MAX_ROWS = 50
GROUPS = [
    (Condition.Kind.ALL, "all of these are true"),
    (Condition.Kind.ANY, "at least one of these is true"),
    (Condition.Kind.NOT, "none of these is true"),
]


@dataclass
class Row:
    """One comparison as the form shows it. `operator` is "type.operator"."""

    left: str = ""
    operator: str = "text.contains"
    right: str = ""
    until: str = ""
    is_case_sensitive: bool = False
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.left.strip() or self.right.strip() or self.until.strip())

    @property
    def type(self) -> str:
        """The type of the comparison."""
        return self.operator.partition(".")[0]


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_filter(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save the filter. Saving it without any comparison removes it."""
    workflow = workflow_or_404(request, workflow_id)
    steps = steps_of(workflow)
    problem = ""
    if request.method == "POST":
        group, rows = _read(request.POST)
        if not _change_rows(rows, request.POST):
            kept = [row for row in rows if not row.is_blank]
            problem = _check(group, kept)
            if not problem and not any(row.errors for row in kept):
                editing.set_filter(workflow, group=group, comparisons=[_stored(row) for row in kept])
                messages.success(
                    request, "The filter is saved." if kept else "There is no filter now: everything runs."
                )
                return redirect("workflow", workflow.pk)
            rows = kept
    else:
        group, rows = _stored_rows(steps)
    if not rows:
        rows = [Row()]
    has_errors = bool(problem or any(row.errors for row in rows))
    context = {
        "workflow": workflow,
        "group": group,
        "group_choices": GROUPS,
        "rows": rows,
        "problem": problem,
        "operators": [(type_, TYPE_LABELS[type_], list(operators.values())) for type_, operators in OPERATORS.items()],
        "groups": sight(workflow, steps, Place(None, steps[0] if steps else None)).groups,
        "functions": list(FUNCTIONS.values()),
        "has_errors": has_errors,
        "exists": any(step.kind == Step.Kind.FILTER for step in steps),
    }
    return page(request, "workflows/filter.html", context, title=f"Filter of {workflow.name}")


def _read(post: QueryDict) -> tuple[str, list[Row]]:
    group = post.get("group", "")
    rows = []
    for index in post.getlist("row")[:_MAX_ROWS]:
        if not index.isdecimal():
            continue
        rows.append(
            Row(
                left=_text(post, f"left.{index}"),
                operator=post.get(f"operator.{index}", ""),
                right=_text(post, f"right.{index}"),
                until=_text(post, f"until.{index}"),
                is_case_sensitive=f"case.{index}" in post,
            )
        )
    return (group if group in dict(GROUPS) else Condition.Kind.ALL), rows


def _text(post: QueryDict, name: str) -> str:
    return post.get(name, "").replace("\r\n", "\n").replace("\x00", "")[:4000]


def _change_rows(rows: list[Row], post: QueryDict) -> bool:
    if "_add_row" in post:
        rows.append(Row())
        return True
    if "_remove_row" in post:
        place = post.get("_remove_row", "")
        if place.isdecimal() and int(place) < len(rows):
            del rows[int(place)]
        return True
    return False


def _check(group: str, rows: list[Row]) -> str:
    """Puts what is wrong beside the row it is about; the answer is what is wrong with the whole."""
    for row in rows:
        row.errors = _row_errors(row)
    if not rows or any(row.errors for row in rows):
        return ""
    for row in rows:
        try:
            conditions.check(_tree(row))
        except conditions.ConditionError as error:
            row.errors["right"] = error.message
    if any(row.errors for row in rows):
        return ""
    try:
        conditions.check({"group": str(group), "items": [_tree(row) for row in rows]})
    except conditions.ConditionError as error:
        return str(error)
    return ""


def _row_errors(row: Row) -> dict[str, str]:
    errors = {}
    type_, _, key = row.operator.partition(".")
    operator = OPERATORS.get(type_, {}).get(key)
    if operator is None:
        errors["operator"] = "Choose how to compare."
    if not row.left.strip():
        errors["left"] = "Pick the value to look at."
    sides = [("left", row.left)]
    if operator is not None:
        sides += [("right", row.right), ("until", row.until)][: operator.operands]
    for name, source in sides:
        try:
            mapping.check(source)
        except MappingError as error:
            errors[name] = error.message
    return errors


def _tree(row: Row) -> dict[str, Any]:
    type_, _, key = row.operator.partition(".")
    return {
        "left": row.left,
        "type": type_,
        "operator": key,
        "right": row.right,
        "right_until": row.until,
        "case_sensitive": row.is_case_sensitive,
    }


def _stored(row: Row) -> dict[str, Any]:
    type_, _, key = row.operator.partition(".")
    operands = OPERATORS[type_][key].operands
    return {
        "left": row.left,
        "type": type_,
        "operator": key,
        "right": row.right if operands > 0 else "",
        "right_until": row.until if operands > 1 else "",
        "is_case_sensitive": row.is_case_sensitive,
    }


def _stored_rows(steps: list[Step]) -> tuple[str, list[Row]]:
    step = next((each for each in steps if each.kind == Step.Kind.FILTER), None)
    stored: list[Condition] = list(step.conditions.all()) if step else []
    root = next((each for each in stored if each.kind != Condition.Kind.COMPARISON), None)
    rows = [
        Row(each.left, f"{each.type}.{each.operator}", each.right, each.right_until, each.is_case_sensitive)
        for each in stored
        if each.kind == Condition.Kind.COMPARISON
    ]
    return (root.kind if root else Condition.Kind.ALL), rows
