"""The form of conditions: of a filter, or of a branch's path. Comparisons in groups, groups in groups."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow
from pinxero.pages import page
from workflows import arranging, conditions, editing, mapping
from workflows.conditions import NESTING_LIMIT, OPERATORS, TYPE_LABELS
from workflows.forms import StepNameForm
from workflows.functions import FUNCTIONS
from workflows.models import Condition, Step, Workflow
from workflows.outline import Place
from workflows.sight import sight
from workflows.values import MappingError
from workflows.views.common import seen_at, steps_of, workflow_or_404
from workflows.views.places import back_to

_MAX_ROWS = 150
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
    number: int = 0
    label: str = ""
    is_group: ClassVar[bool] = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.left.strip() or self.right.strip() or self.until.strip())

    @property
    def type(self) -> str:
        """The type of the comparison."""
        return self.operator.partition(".")[0]


@dataclass
class Group:
    """Comparisons and groups of which all, any or none are to be true. The whole condition is one; it has no number."""

    kind: str = Condition.Kind.ALL
    items: list[Row | Group] = field(default_factory=list)
    depth: int = 0
    number: int | None = None
    label: str = ""
    is_group: ClassVar[bool] = True

    @property
    def can_hold_groups(self) -> bool:
        """Whether groups may stand in it."""
        return self.depth < NESTING_LIMIT - 1

    def rows(self) -> Iterator[Row]:
        """Every comparison in it, at any depth."""
        for item in self.items:
            if isinstance(item, Row):
                yield item
            else:
                yield from item.rows()

    def pruned(self) -> Group:
        """Without what is blank."""
        kept: list[Row | Group] = []
        for item in self.items:
            if isinstance(item, Row):
                kept += [] if item.is_blank else [item]
            elif (inner := item.pruned()).items:
                kept.append(inner)
        return Group(self.kind, kept, self.depth)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_filter(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save the filter that the workflow begins with. Saving it without any comparison removes it."""
    workflow = workflow_or_404(request, workflow_id)
    first = next((step for step in steps_of(workflow) if step.parent_id is None), None)
    step = first if first is not None and first.kind == Step.Kind.FILTER else None
    return edit(request, workflow, step, Step.Kind.FILTER, Place(None, first))


def edit(request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, place: Place) -> HttpResponse:
    """Show and save the conditions of a filter or a path, known to be the workflow's, or of a new filter at a place."""
    problem, posted = "", request.POST if request.method == "POST" else None
    name = step.name if step else "Filter"
    form = StepNameForm(None if posted is None else {"name": posted.get("name", name)}, initial={"name": name})
    if posted is not None:
        group, numbered = _read(posted)
        if not _change(group, numbered, posted):
            group = group.pruned()
            problem = _check(group) or _refusal(step, kind, group)
            if not problem and form.is_valid() and not any(row.errors for row in group.rows()):
                try:
                    return _save(request, workflow, step, kind, group, form.cleaned_data["name"], place)
                except editing.EditError as error:
                    problem = error.message
    else:
        group = _stored_group(step)
    if not group.items and kind == Step.Kind.FILTER:
        group.items.append(Row())
    _number(group)
    has_errors = bool(problem or form.errors or any(row.errors for row in group.rows()))
    here = sight(workflow, steps_of(workflow), seen_at(step, place))
    context = {
        "workflow": workflow,
        "step": step,
        "is_path": kind == Step.Kind.PATH,
        "is_in_loop": _is_in_loop(step.parent if step else place.parent),
        "form": form,
        "group": group,
        "group_choices": GROUPS,
        "sentence": _sentence(group.pruned()),
        "problem": problem,
        "operators": [(type_, TYPE_LABELS[type_], list(operators.values())) for type_, operators in OPERATORS.items()],
        "groups": here.groups,
        "functions": list(FUNCTIONS.values()),
        "has_errors": has_errors,
    }
    title = f"Filter of {workflow.name}" if kind == Step.Kind.FILTER else f"Conditions of {name}"
    return page(request, "workflows/filter.html", context, title=title)


def _save(
    request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, group: Group, name: str, place: Place
) -> HttpResponse:
    if not group.items and kind == Step.Kind.FILTER:
        if step is not None:
            arranging.delete_step(step)
        messages.success(request, "There is no filter now: everything goes on.")
        return redirect("workflow", workflow.pk)
    tree = _stored_tree(group) if group.items else None
    saved = editing.save_conditions(workflow, step, tree, name=name, place=place, kind=kind)
    messages.success(request, "The filter is saved." if kind == Step.Kind.FILTER else f"{saved.name} is saved.")
    return back_to(saved)


def _refusal(step: Step | None, kind: str, group: Group) -> str:
    """Why a path may not be saved as it is."""
    if kind != Step.Kind.PATH or group.items or step is None or arranging.siblings_of(step)[-1].pk == step.pk:
        return ""
    return "Add a condition: only the last path can be the one for everything else."


def _is_in_loop(parent: Step | None) -> bool:
    """Whether a filter there ends a turn of a loop and not the run."""
    while parent is not None:
        if parent.kind == Step.Kind.LOOP:
            return True
        parent = parent.parent
    return False


# --- what was typed -------------------------------------------------------------------------------------------------


def _read(post: QueryDict) -> tuple[Group, dict[str, Row | Group]]:
    """The whole condition as it was typed, and its parts by their numbers."""
    root = Group(_group_kind(post, "group"))
    parts: dict[str, Row | Group] = {}
    for index in post.getlist("row")[:_MAX_ROWS]:
        if not index.isdecimal() or index in parts:
            continue
        above = parts.get(post.get(f"parent.{index}", ""))
        parent = above if isinstance(above, Group) and above.can_hold_groups else root
        if f"group.{index}" in post:
            parts[index] = Group(_group_kind(post, f"group.{index}"), depth=parent.depth + 1)
        else:
            parts[index] = Row(
                left=_text(post, f"left.{index}"),
                operator=post.get(f"operator.{index}", ""),
                right=_text(post, f"right.{index}"),
                until=_text(post, f"until.{index}"),
                is_case_sensitive=f"case.{index}" in post,
            )
        parent.items.append(parts[index])
    return root, parts


def _group_kind(post: QueryDict, name: str) -> str:
    kind = post.get(name, "")
    return kind if kind in dict(GROUPS) else Condition.Kind.ALL


def _text(post: QueryDict, name: str) -> str:
    return post.get(name, "").replace("\r\n", "\n").replace("\x00", "")[:4000]


def _change(root: Group, parts: dict[str, Row | Group], post: QueryDict) -> bool:
    """Do what a button asks. False where none was pressed."""
    for button in ("_add_row", "_add_group"):
        if button in post:
            found = parts.get(post.get(button, ""))
            group = found if isinstance(found, Group) else root
            is_group = button == "_add_group" and group.can_hold_groups
            inner = Group(Condition.Kind.ANY, [Row()], group.depth + 1)
            group.items.append(inner if is_group else Row())
            return True
    if "_remove_row" in post:
        gone = parts.get(post.get("_remove_row", ""))
        for each in (root, *parts.values()):
            if isinstance(each, Group):
                each.items = [item for item in each.items if item is not gone]
        return True
    return "_reload" in post


def _number(group: Group) -> None:
    """Number the parts in the order in which they are read, and the groups as people count them: 2, 2.1."""
    count = 0

    def number(inside: Group, label: str) -> None:
        nonlocal count
        for place, item in enumerate(inside.items, 1):
            item.number, item.label, count = count, f"{label}{place}", count + 1
            if isinstance(item, Group):
                number(item, f"{item.label}.")

    number(group, "")


def _check(group: Group) -> str:
    """Puts what is wrong beside the row it is about; the answer is what is wrong with the whole."""
    for row in group.rows():
        row.errors = _row_errors(row)
    if not group.items or any(row.errors for row in group.rows()):
        return ""
    for row in group.rows():
        try:
            conditions.check(_tree(row))
        except conditions.ConditionError as error:
            row.errors["right"] = error.message
    if any(row.errors for row in group.rows()):
        return ""
    try:
        conditions.check(_tree(group))
    except conditions.ConditionError as error:
        return str(error)
    return ""


def _sentence(group: Group) -> str:
    """The condition in plain English, where it can be read."""
    if not group.items:
        return ""
    try:
        return conditions.describe(_tree(group))
    except conditions.ConditionError:
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


def _tree(part: Row | Group) -> dict[str, Any]:
    if isinstance(part, Group):
        return {"group": str(part.kind), "items": [_tree(item) for item in part.items]}
    type_, _, key = part.operator.partition(".")
    return {
        "left": part.left,
        "type": type_,
        "operator": key,
        "right": part.right,
        "right_until": part.until,
        "case_sensitive": part.is_case_sensitive,
    }


# --- what is stored -------------------------------------------------------------------------------------------------


def _stored_tree(part: Row | Group) -> editing.Tree:
    if isinstance(part, Group):
        return {"group": part.kind, "items": [_stored_tree(item) for item in part.items]}
    type_, _, key = part.operator.partition(".")
    operands = OPERATORS[type_][key].operands
    return {
        "left": part.left,
        "type": type_,
        "operator": key,
        "right": part.right if operands > 0 else "",
        "right_until": part.until if operands > 1 else "",
        "is_case_sensitive": part.is_case_sensitive,
    }


def _stored_group(step: Step | None) -> Group:
    stored: list[Condition] = list(step.conditions.order_by("position", "pk")) if step else []
    inside: dict[int | None, list[Condition]] = {}
    for each in stored:
        inside.setdefault(each.parent_id, []).append(each)

    def build(row: Condition, depth: int) -> Row | Group:
        if row.kind == Condition.Kind.COMPARISON:
            return Row(row.left, f"{row.type}.{row.operator}", row.right, row.right_until, row.is_case_sensitive)
        return Group(row.kind, [build(each, depth + 1) for each in inside.get(row.pk, [])], depth)

    tops = [build(each, 0) for each in inside.get(None, [])]
    if len(tops) == 1 and isinstance(tops[0], Group):
        return tops[0]
    return Group(Condition.Kind.ALL, tops)
