"""The order of steps: adding at a place, moving, duplicating, deleting. Each is one change in one transaction."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from django.db import transaction
from django.utils import timezone

from workflows.definitions import kinds, tree
from workflows.definitions.edits.edit_record import records_edit
from workflows.definitions.tree import Place
from workflows.language import mapping
from workflows.models import Condition, Step, Workflow
from workflows.models import Mapping as MappingRow

_REFERENCE = re.compile(r"\{\{.*?\}\}", re.DOTALL)


class EditError(Exception):
    """The change cannot be made; `message` is a sentence for the person who asked for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def stand(step: Step, place: Place) -> None:
    """Put a new or existing step at a place and number those beside it. Raises EditError if it cannot be there."""
    nodes = tree.build_tree(step.workflow.steps.select_related("parent"))
    parent = tree.find(nodes, place.parent)
    if place.parent is not None and parent is None:
        raise EditError("The step it was to stand in is not there any more.")
    if not tree.can_hold(place.parent, step.kind):
        raise EditError(f"{step.name or 'This step'} cannot stand there.")
    own = tree.find(nodes, step) if step.pk else None
    if own is not None and parent is not None and own in (parent, *parent.ancestors):
        raise EditError(f"{step.name} cannot be moved into itself.")
    inner = max((node.nesting for node in tree.walk([own])), default=0) - own.nesting if own else 0
    depth = 0 if parent is None else parent.nesting + 1
    if depth + inner >= kinds.MOST_LEVELS:
        raise EditError(f"Steps can stand within each other at most {kinds.MOST_LEVELS} deep, paths included.")
    siblings = [each.step for each in (parent.children if parent else nodes) if each is not own]
    at = next((index for index, each in enumerate(siblings) if place.before and each.pk == place.before.pk), None)
    siblings.insert(len(siblings) if at is None else at, step)
    step.parent, step.position = place.parent, siblings.index(step) + 1
    step.save(update_fields=["parent", "position"] if step.pk else None)
    number(step.workflow, siblings)


def number(workflow: Workflow, siblings: Iterable[Step]) -> None:
    """Store the order of the steps in one place, and that the workflow has changed."""
    for position, each in enumerate(siblings, 1):
        if each.position != position:
            each.position = position
            Step.objects.filter(pk=each.pk).update(position=position)
    Workflow.objects.filter(pk=workflow.pk).update(changed_at=timezone.now())


def siblings_of(step: Step) -> list[Step]:
    """The steps in the same place in order, including the step itself."""
    return list(step.workflow.steps.filter(parent=step.parent_id).order_by("position", "pk"))


@transaction.atomic
@records_edit
def move_step(step: Step, *, up: bool) -> bool:
    """Swap a step with its neighbour in the same place. False if there is none in that direction."""
    siblings = siblings_of(step)
    moved = swapped(siblings, step, up=up)
    if moved == siblings:
        return False
    number(step.workflow, moved)
    return True


def swapped(siblings: Sequence[Step], step: Step, *, up: bool) -> list[Step]:
    """Their order with the step and its neighbour swapped; the same if there is none in that direction."""
    moved = list(siblings)
    place = moved.index(step)
    other = place - 1 if up else place + 1
    if 0 <= other < len(moved):
        moved[place], moved[other] = moved[other], moved[place]
    return moved


@transaction.atomic
@records_edit
def place_step(step: Step, place: Place) -> None:
    """Move a step with everything inside it. Raises EditError if it cannot be there."""
    left = [each for each in siblings_of(step) if each.pk != step.pk]
    stand(step, place)
    if left and left[0].parent_id != step.parent_id:
        number(step.workflow, left)


@transaction.atomic
@records_edit
def delete_step(step: Step) -> None:
    """Remove a step with its mappings and everything inside it."""
    siblings = [each for each in siblings_of(step) if each.pk != step.pk]
    step.delete()
    number(step.workflow, siblings)


@transaction.atomic
@records_edit
def duplicate_step(step: Step) -> Step:
    """Put a copy right after the step, with everything inside it. The copies refer to each other, not to the
    originals."""
    workflow = step.workflow
    steps = list(workflow.steps.prefetch_related("mappings", "conditions"))
    node = tree.find(tree.build_tree(steps), step)
    assert node is not None
    keys = free_keys([node], {each.key for each in steps})
    copy = copy_all([node], workflow, keys)[step.pk]
    copy.name = f"{step.name[:113]} (copy)"
    copy.save(update_fields=["name"])
    following = tree.place_of(tree.build_tree(steps), step)
    stand(copy, Place(step.parent, following.before))
    return copy


def free_keys(nodes: Iterable[tree.Node], taken: Iterable[str]) -> dict[str, str]:
    """A key for the copy of each of these steps and of those inside them, by the key of the original."""
    used = set(taken)
    keys: dict[str, str] = {}
    for each in tree.walk(nodes):
        keys[each.step.key] = free_key(re.sub(r"_\d+$", "", each.step.key), used)
        used.add(keys[each.step.key])
    return keys


def copy_all(nodes: Iterable[tree.Node], workflow: Workflow, keys: Mapping[str, str]) -> dict[int, Step]:
    """Copies of these steps and of those inside them, by the originals' ids, at the end of the workflow.

    `keys` are the new keys, by which references change as well.
    """
    copies: dict[int, Step] = {}
    for each in tree.walk(nodes):
        copies[each.step.pk] = _copy(each.step, workflow, keys, copies.get(each.step.parent_id or 0))
    return copies


def _copy(step: Step, workflow: Workflow, keys: Mapping[str, str], parent: Step | None) -> Step:
    made = Step.objects.create(
        workflow=workflow,
        key=keys[step.key],
        name=step.name,
        kind=step.kind,
        parent=parent,
        position=step.position,
        settings={
            name: renamed(value, keys) if isinstance(value, str) else value for name, value in step.settings.items()
        },
        operation=step.operation,
        connection=step.connection,
        on_error=step.on_error,
        max_attempts=step.max_attempts,
    )
    MappingRow.objects.bulk_create(
        MappingRow(step=made, input=row.input, row=row.row, column=row.column, value=renamed(row.value, keys))
        for row in step.mappings.all()
    )
    rows: dict[int, Condition] = {}
    for row in sorted(step.conditions.all(), key=lambda each: each.pk):
        rows[row.pk] = Condition.objects.create(
            step=made,
            parent=rows.get(row.parent_id or 0),
            position=row.position,
            kind=row.kind,
            left=renamed(row.left, keys),
            type=row.type,
            operator=row.operator,
            right=renamed(row.right, keys),
            right_until=renamed(row.right_until, keys),
            is_case_sensitive=row.is_case_sensitive,
        )
    return made


def renamed(source: str, keys: Mapping[str, str]) -> str:
    """The source with references to the steps' new keys."""
    if "{{" not in source or not keys:
        return source
    names = re.compile(rf"\bsteps\.({'|'.join(map(re.escape, keys))})\b")
    return _REFERENCE.sub(
        lambda part: names.sub(lambda found: f"steps.{keys[found[1]]}", part[0]),
        source,
    )


def uses(steps: Iterable[Step], keys: set[str]) -> list[Step]:
    """The steps that refer to the output of the steps with these keys."""
    return [step for step in steps if any(_refers(source, keys) for source in sources_in(step))]


def sources_in(step: Step) -> Iterable[str]:
    """Every source that a step holds: in its mappings, its conditions and its settings."""
    yield from (row.value for row in step.mappings.all())
    for row in step.conditions.all():
        yield from (row.left, row.right, row.right_until)
    yield from (value for value in step.settings.values() if isinstance(value, str))


def _refers(source: str, keys: set[str]) -> bool:
    if "{{" not in source:
        return False
    try:
        paths = mapping.references(source)
    except mapping.MappingError:
        return False
    return any(path.split(".")[1] in keys for path in paths if path.startswith("steps.") and path.count("."))


def free_key(wanted: str, taken: set[str]) -> str:
    """A unique key for a step, made from a word. Mappings use keys as names, so they must be valid names."""
    base = re.sub(r"[^a-z0-9_]", "_", wanted.lower())[:40] or "step"
    base = base if base[0].isalpha() else f"step_{base}"
    number, key = 2, base
    while key in taken:
        key, number = f"{base}_{number}", number + 1
    return key
