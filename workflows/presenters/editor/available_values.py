"""What can be used at one place of a workflow: values for the picker, lists to loop over, and example data.

The examples are the samples of the trigger and of the action steps, real ones where there are any; the results of
calculating steps are calculated from them. Each group says where its examples come from. `scope` decides which steps
are certain to have run before a place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from integrations.framework.registry import operation_or_none
from workflows.definitions import kinds, tree
from workflows.definitions.samples import worked_examples
from workflows.definitions.samples.worked_examples import RUN
from workflows.definitions.scope import reaches
from workflows.definitions.step_rows import Placed, step_inputs
from workflows.definitions.tree import Node, Place
from workflows.language import mapping
from workflows.language.references import TokenGroup, item_tokens, tokens_of
from workflows.language.values import MappingContext, MappingError
from workflows.models import Step, Workflow
from workflows.presenters.editor.record_offers import called_by_record
from workflows.presenters.value_names import RUN_GROUP

_HERE = -1


@dataclass(frozen=True)
class AvailableValues:
    """The values available at a place. `data` holds examples by root; `context` is the organisation's."""

    groups: list[TokenGroup] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    context: MappingContext = field(default_factory=MappingContext)

    @property
    def lists(self) -> list[tuple[str, str]]:
        """The lists to loop over, as (source, label)."""
        return [
            (token.source, f"{token.label} ({group.label}): {token.example}")
            for group in self.groups
            for token in group.tokens
            if token.is_list
        ]

    def items_of(self, source: str) -> TokenGroup | None:
        """The values of one item of this list, for a repeated row; None if it cannot be calculated."""
        found = _items(source, self.data, self.context)
        if found is None:
            return None
        said = next((label for each, label in self.lists if each == source), source)
        return TokenGroup("row", f"Each item of {said.rpartition(': ')[0] or said}", item_tokens(found))


def available_values(workflow: Workflow, steps: Sequence[Step], place: Place) -> AvailableValues:
    """The values that a step at this place can use."""
    nodes = tree.build_tree(steps)
    here = Placed(Step(pk=_HERE, kind=kinds.NoteKind.key))
    reach = reaches(_placed(nodes, place, here, at_top=True)).get(_HERE)
    if reach is None:
        note = "No run reaches this place: it comes after a stop."
        return AvailableValues([replace(RUN_GROUP, note=note)], {"run": RUN})
    examples = WorkedExamples(workflow, nodes)
    data: dict[str, Any] = {"trigger": examples.trigger, "steps": {}, "run": RUN}
    data["workflow"] = {"name": workflow.name, "version": 3}
    groups: list[TokenGroup] = []
    for holder in _opening(nodes, place):
        data |= examples.inside.get(holder.pk, {})
        groups.append(examples.inside_group(holder))
    groups.append(examples.trigger_group)
    for node in tree.walk(nodes):
        key = node.step.key
        if key in reach.certain or key in reach.sometimes:
            data["steps"][key] = examples.outputs.get(node.step.pk, {})
            groups.append(examples.group(node.step, unsure=reach.sometimes.get(key, "")))
    return AvailableValues([group for group in [*groups, RUN_GROUP] if group.tokens], data, examples.context)


def token_groups(workflow: Workflow, steps: Sequence[Step]) -> tuple[list[TokenGroup], dict[str, list[TokenGroup]]]:
    """All values of the workflow; and by the key of a loop or error path, those that are only seen inside it."""
    nodes = tree.build_tree(steps)
    examples = WorkedExamples(workflow, nodes)
    groups = [examples.trigger_group, *(examples.group(node.step) for node in tree.walk(nodes)), RUN_GROUP]
    own = {
        node.step.key: [examples.inside_group(node.step)]
        for node in tree.walk(nodes)
        if node.step.pk in examples.inside and node.step.kind in kinds.KINDS
    }
    return [group for group in groups if group.tokens], own


class WorkedExamples(worked_examples.WorkedExamples):
    """The examples of a workflow as groups of tokens."""

    @cached_property
    def trigger_group(self) -> TokenGroup:
        """The tokens of the trigger's item."""
        operation = operation_or_none(self.workflow.trigger_operation)
        if operation is None:
            return TokenGroup("trigger", "Trigger", ())
        tokens = tokens_of(self.trigger, "trigger", usual=operation.sample_of(self.workflow.trigger_inputs))
        tokens = called_by_record(tokens, operation, "trigger")
        return TokenGroup("trigger", operation.name, tokens, origin=self.sample.origin, sample=self.sample.title)

    def group(self, step: Step, *, unsure: str = "") -> TokenGroup:
        """The tokens of a step's output; `unsure` says why they may be missing."""
        given = self._given.get(step.pk)
        operation = operation_or_none(step.operation)
        usual = operation.sample_of(step_inputs(step)) if operation is not None else {}
        tokens = tokens_of(self.outputs.get(step.pk, {}), f"steps.{step.key}", is_unsure=bool(unsure), usual=usual)
        tokens = called_by_record(tokens, operation, f"steps.{step.key}")
        note = f"Not always available: {unsure}." if unsure else ""
        return TokenGroup(step.key, step.name, tokens, note, origin=given.origin if given else "")

    def inside_group(self, holder: Step) -> TokenGroup:
        """The tokens that only the steps inside this one can use."""
        known = kinds.of(holder.kind)
        return known.inside_tokens(holder, self.inside.get(holder.pk) or known.inside_example(holder, {}, self))


def _items(source: str, data: Mapping[str, Any], context: MappingContext) -> Any:
    """The first item of the source's list; None if it is not a list or is empty."""
    try:
        found = mapping.evaluate(source, data, context) if source else None
    except MappingError:
        return None
    return found[0] if isinstance(found, list) and found else None


def _opening(nodes: list[Node], place: Place) -> list[Step]:
    """The steps around the place whose names can be used there, innermost first; for each name the nearest."""
    holder = tree.find(nodes, place.parent)
    found: list[Step] = []
    seen: set[str] = set()
    for node in [] if holder is None else [holder, *holder.ancestors]:
        known = kinds.KINDS.get(node.step.kind)
        names = known.opens(node.step) if known is not None else frozenset()
        if names - seen:
            found.append(node.step)
            seen |= names
    return found


def _placed(nodes: Iterable[Node], place: Place, here: Placed, *, at_top: bool = False) -> list[Placed]:
    """The tree in the form that `scope` reads, with `here` at the place."""
    made = []
    for node in nodes:
        if place.before is not None and node.step.pk == place.before.pk:
            made.append(here)
        inside = _placed(node.children, place, here)
        if place.before is None and place.parent is not None and node.step.pk == place.parent.pk:
            inside.append(here)
        made.append(Placed(node.step, inside))
    if at_top and place == Place():
        made.append(here)
    return made
