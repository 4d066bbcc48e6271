"""What a form of conditions holds: comparisons in groups, groups in groups; as typed, as stored, and what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django.http import QueryDict

from workflows.definitions import editing
from workflows.language import conditions, mapping
from workflows.language.conditions import NESTING_LIMIT, OPERATORS, TYPE_LABELS
from workflows.language.values import MappingError
from workflows.models import Condition, Step
from workflows.presenters.editor.condition_trials import Trial, Trials, settled

_MAX_ROWS = 150
GROUPS = [
    (Condition.Kind.ALL, "all of these are true"),
    (Condition.Kind.ANY, "at least one of these is true"),
    (Condition.Kind.NOT, "none of these is true"),
]


#: A type, what it is called, and its comparisons.
Operators = tuple[str, str, list[conditions.Operator]]


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
    #: Whether somebody has chosen how to compare; else the value decides.
    is_chosen: bool = False
    trial: Trial | None = None
    #: The comparisons by type, the type that fits the value first.
    operators: list[Operators] = field(default_factory=list)
    is_group: ClassVar[bool] = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was filled in."""
        return not (self.left.strip() or self.right.strip() or self.until.strip())

    @property
    def type(self) -> str:
        """The type of the comparison."""
        return self.operator.partition(".")[0]

    def settle(self, trials: Trials) -> None:
        """Compare with the sample, as the type that fits the value unless somebody has chosen another."""
        fitting = trials.type_of(self.left) if self.left.strip() else ""
        if fitting and not self.is_chosen and self.operator == Row.operator and fitting != self.type:
            self.operator = f"{fitting}.{next(iter(OPERATORS[fitting]))}"
        first = fitting or self.type
        self.operators = [
            (each, TYPE_LABELS[each], list(OPERATORS[each].values()))
            for each in sorted(OPERATORS, key=lambda known: known != first)
        ]
        self.trial = trials.of(_tree(self)) if self._is_filled_in else Trial(None, "")

    @property
    def _is_filled_in(self) -> bool:
        """Whether there is something to try: a text may be compared with nothing, a number not yet."""
        operator = OPERATORS.get(self.type, {}).get(self.operator.partition(".")[2])
        if operator is None or not self.left.strip():
            return False
        needed = [self.right, self.until][: operator.operands]
        return self.type == "text" or all(each.strip() for each in needed)


@dataclass
class Group:
    """Comparisons and groups of which all, any or none must be true. The whole condition has no number."""

    kind: str = Condition.Kind.ALL
    items: list[Row | Group] = field(default_factory=list)
    depth: int = 0
    number: int | None = None
    label: str = ""
    trial: Trial | None = None
    is_group: ClassVar[bool] = True

    @property
    def can_hold_groups(self) -> bool:
        """Whether it may contain groups."""
        return self.depth < NESTING_LIMIT - 1

    def settle(self) -> Trial:
        """What the group says with the sample, from what its parts say."""
        inner = [item.settle() if isinstance(item, Group) else item.trial or Trial(None, "") for item in self.items]
        self.trial = settled(str(self.kind), inner)
        return self.trial

    def rows(self) -> Iterator[Row]:
        """Every comparison in it, at any depth."""
        for item in self.items:
            if isinstance(item, Row):
                yield item
            else:
                yield from item.rows()

    def pruned(self) -> Group:
        """Without blank rows and groups."""
        kept: list[Row | Group] = []
        for item in self.items:
            if isinstance(item, Row):
                kept += [] if item.is_blank else [item]
            elif (inner := item.pruned()).items:
                kept.append(inner)
        return Group(self.kind, kept, self.depth)


# --- what was typed -------------------------------------------------------------------------------------------------


def read(post: QueryDict) -> tuple[Group, dict[str, Row | Group]]:
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
                is_chosen=bool(post.get(f"chosen.{index}")),
            )
        parent.items.append(parts[index])
    return root, parts


def _group_kind(post: QueryDict, name: str) -> str:
    kind = post.get(name, "")
    return kind if kind in dict(GROUPS) else Condition.Kind.ALL


def _text(post: QueryDict, name: str) -> str:
    return post.get(name, "").replace("\r\n", "\n").replace("\x00", "")[:4000]


def change(root: Group, parts: dict[str, Row | Group], post: QueryDict) -> bool:
    """Apply the button that was pressed. False if none was."""
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


def set_numbers(group: Group) -> None:
    """Number the parts in reading order, and label them as people count: 2, 2.1."""
    count = 0

    def number(inside: Group, label: str) -> None:
        nonlocal count
        for place, item in enumerate(inside.items, 1):
            item.number, item.label, count = count, f"{label}{place}", count + 1
            if isinstance(item, Group):
                number(item, f"{item.label}.")

    number(group, "")


def check(group: Group) -> str:
    """Puts problems on their rows; returns the problem of the whole condition, or an empty text."""
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


def sentence(group: Group) -> str:
    """The condition in plain English; empty if it cannot be read."""
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
        errors["left"] = "Pick the value to compare."
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


def stored_tree(part: Row | Group) -> editing.Tree:
    """The part as it is stored: without operands that its comparison does not take."""
    if isinstance(part, Group):
        return {"group": part.kind, "items": [stored_tree(item) for item in part.items]}
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


def stored_group(step: Step | None) -> Group:
    """The step's conditions as the form shows them; an empty group for a new step."""
    stored: list[Condition] = list(step.conditions.order_by("position", "pk")) if step else []
    inside: dict[int | None, list[Condition]] = {}
    for each in stored:
        inside.setdefault(each.parent_id, []).append(each)

    def build(row: Condition, depth: int) -> Row | Group:
        if row.kind == Condition.Kind.COMPARISON:
            operator = f"{row.type}.{row.operator}"
            return Row(row.left, operator, row.right, row.right_until, row.is_case_sensitive, is_chosen=True)
        return Group(row.kind, [build(each, depth + 1) for each in inside.get(row.pk, [])], depth)

    tops = [build(each, 0) for each in inside.get(None, [])]
    if len(tops) == 1 and isinstance(tops[0], Group):
        return tops[0]
    return Group(Condition.Kind.ALL, tops)
