"""What can be used at one place of a workflow: values for the picker, lists to repeat over, and data to try things on.

The examples come from the newest real event of the trigger where there is one, else from the operations' samples; what
a step works out is worked out from them. Which steps have come before a place for certain is the word of `reach`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils import timezone

from integrations.base import Operation
from integrations.registry import UnknownOperationError, operation
from workflows import hooks, mapping, outline
from workflows.compiling import Placed
from workflows.lookups import Reader, spread, standing
from workflows.models import Event, LookupTable, LookupVersion, Step, Workflow
from workflows.organisation import context_of
from workflows.outline import Node, Place
from workflows.reach import reaches
from workflows.tokens import Token, TokenGroup, example_of, tokens_of
from workflows.values import MappingContext, MappingError

_RUN = {"date": "2026-11-30", "id": 1042, "url": "https://…/runs/1042/"}
_RUN_GROUP = TokenGroup(
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
_EXAMPLE_ERROR = "The provider refused it: the contact is archived."
_HERE = -1


@dataclass(frozen=True)
class Sight:
    """What there is at a place. `data` are examples by root, as a mapping reads them; `context` the organisation's."""

    groups: list[TokenGroup] = field(default_factory=list)
    data: dict[str, Any] = field(default_factory=dict)
    context: MappingContext = field(default_factory=MappingContext)

    @property
    def lists(self) -> list[tuple[str, str]]:
        """The lists that can be repeated over, as (source, label)."""
        return [
            (token.source, f"{token.label} ({group.label}): {token.example}")
            for group in self.groups
            for token in group.tokens
            if token.is_list
        ]

    def items_of(self, source: str) -> TokenGroup | None:
        """The values of an item of this list, for a row that is repeated; None where it cannot be worked out."""
        found = _items(source, self.data, self.context)
        if found is None:
            return None
        said = next((label for each, label in self.lists if each == source), source)
        return TokenGroup("row", f"Each item of {said.rpartition(': ')[0] or said}", _item_tokens(found))

    def worked_out(self, source: str) -> str:
        """What the source is with the examples, in a few characters; what is wrong with it where it cannot be."""
        try:
            return example_of(mapping.evaluate(source, self.data, self.context))
        except MappingError as error:
            return f"cannot be worked out with these examples: {error.message}"


def sight(workflow: Workflow, steps: Sequence[Step], place: Place) -> Sight:
    """What a step at this place can use."""
    nodes = outline.outline(steps)
    here = Placed(Step(pk=_HERE, kind=Step.Kind.FORMAT))
    reach = reaches(_placed(nodes, place, here, at_top=True)).get(_HERE)
    if reach is None:
        note = "No run gets here: it comes after a stop."
        return Sight([replace(_RUN_GROUP, note=note)], {"run": _RUN})
    examples = Examples(workflow, nodes)
    data: dict[str, Any] = {"trigger": examples.trigger, "steps": {}, "run": _RUN}
    data["workflow"] = {"name": workflow.name, "version": 3}
    groups: list[TokenGroup] = []
    loop, failed = _around(nodes, place, Step.Kind.LOOP), _around(nodes, place, Step.Kind.ACTION)
    if failed is not None:
        data["error"] = {"step": failed.name, "message": _EXAMPLE_ERROR}
        groups.append(error_group(failed, data["error"]))
    if loop is not None:
        data |= examples.turns[loop.pk]
        groups.append(examples.item_group(loop))
    groups.append(examples.trigger_group)
    for node in outline.walk(nodes):
        key = node.step.key
        if key in reach.certain or key in reach.sometimes:
            data["steps"][key] = examples.outputs.get(node.step.pk, {})
            groups.append(examples.group(node.step, unsure=reach.sometimes.get(key, "")))
    return Sight([group for group in [*groups, _RUN_GROUP] if group.tokens], data, examples.context)


def labels(workflow: Workflow, steps: Sequence[Step]) -> tuple[list[TokenGroup], dict[str, list[TokenGroup]]]:
    """Every value of the workflow, for reading it; and what those inside a loop or an error path see, by its key."""
    nodes = outline.outline(steps)
    examples = Examples(workflow, nodes)
    groups = [examples.trigger_group, *(examples.group(node.step) for node in outline.walk(nodes)), _RUN_GROUP]
    own = {
        node.step.key: [examples.item_group(node.step)]
        if node.step.kind == Step.Kind.LOOP
        else [error_group(node.step, {"step": node.step.name, "message": _EXAMPLE_ERROR})]
        for node in outline.walk(nodes)
        if node.step.kind == Step.Kind.LOOP or (node.step.kind == Step.Kind.ACTION and node.children)
    }
    return [group for group in groups if group.tokens], own


class Examples:
    """What each step of a workflow might give, worked out in order from the examples before it."""

    def __init__(self, workflow: Workflow, nodes: list[Node]) -> None:
        self.workflow = workflow
        self.context = _context(workflow, nodes)
        self.trigger_group, self.trigger = _trigger(workflow)
        self.outputs: dict[int, Any] = {}
        #: By loop: `item` and `loop` as its steps see them.
        self.turns: dict[int, dict[str, Any]] = {}
        self._rows: dict[str, dict[str, str | bool]] = {}
        named = {"name": workflow.name, "version": 3}
        self._follow(nodes, {"trigger": self.trigger, "steps": {}, "run": _RUN, "workflow": named})

    def group(self, step: Step, *, unsure: str = "") -> TokenGroup:
        """The tokens of a step's output; `unsure` says why they may be missing."""
        tokens = tokens_of(self.outputs.get(step.pk, {}), f"steps.{step.key}", is_unsure=bool(unsure))
        return TokenGroup(step.key, step.name, tokens, f"Not always there: {unsure}." if unsure else "")

    def item_group(self, loop: Step) -> TokenGroup:
        """The tokens of a loop's item and turn."""
        turn = self.turns.get(loop.pk, {"item": None, "loop": {"index": 1, "count": 1}})
        tokens = (
            *_item_tokens(turn["item"]),
            Token("loop.index", "Number of the turn", "1"),
            Token("loop.count", "How many turns", str(turn["loop"]["count"])),
        )
        return TokenGroup(f"item-{loop.key}", f"Item of {loop.name}", tokens)

    def _follow(self, nodes: Iterable[Node], data: dict[str, Any]) -> None:
        for node in nodes:
            step = node.step
            inside = data
            if step.kind == Step.Kind.LOOP:
                items = _items(str(step.settings.get("items") or ""), data, self.context)
                turn = {"item": items, "loop": {"index": 1, "count": 1}}
                inside = {**data, **turn}
                self.turns[step.pk] = turn
            elif step.kind == Step.Kind.ACTION and node.children:
                inside = {**data, "error": {"step": step.name, "message": _EXAMPLE_ERROR}}
            self._follow(node.children, inside)
            output = self._output(node, data)
            if output is not None:
                self.outputs[step.pk] = data["steps"][step.key] = output

    def _output(self, node: Node, data: Mapping[str, Any]) -> Any:
        step, kind = node.step, Step.Kind
        if step.kind == kind.ACTION:
            found = operation_or_none(step.operation)
            return dict(found.sample) if found else {}
        if step.kind == kind.FORMAT:
            return {row.input: _tried(row.value, data, self.context) for row in step.mappings.all()}
        if step.kind == kind.LOOP:
            inner = {each.step.key: self.outputs[each.step.pk] for each in _turn(node) if each.step.pk in self.outputs}
            return {"count": 1, "done": 1, "failed": 0, "skipped": 0, "items": [inner]}
        if step.kind == kind.LOOKUP:
            return self._found(str(step.settings.get("table") or ""))
        if step.kind == kind.BRANCH:
            return {"path": node.children[0].step.key if node.children else None}
        return {
            kind.CALL: {"run": 1043, "status": "succeeded", "result": "Invoice INV-0042"},
            kind.DELAY: {"until": "2026-11-30T09:00:00+00:00"},
        }.get(kind(step.kind))

    def _found(self, name: str) -> dict[str, str | bool]:
        """What looking up in a table gives, by the example of its first row."""
        if name not in self._rows:
            table = LookupTable.objects.filter(team_id=self.workflow.team_id, name=name).first() if name else None
            version = table and LookupVersion.objects.filter(table=table, number=table.version).first()
            row = standing(table, version.number).first() if table and version else None
            cells = spread(version.columns, row.cells if row else {}) if version else {}
            beside = [text for column, text in cells.items() if version and column != version.key_column]
            self._rows[name] = {"value": next(iter(beside or cells.values()), ""), "found": True, **cells}
        return self._rows[name]


def error_group(action: Step, error: Mapping[str, str]) -> TokenGroup:
    """The tokens of an error path."""
    said = {"step": "Step that failed", "message": "What went wrong"}
    tokens = tuple(Token(f"error.{name}", label, error[name]) for name, label in said.items())
    return TokenGroup("error", f"The failure of {action.name}", tokens)


def operation_or_none(key: str) -> Operation | None:
    """The operation, or None where its connector is gone."""
    try:
        return operation(key)
    except UnknownOperationError:
        return None


def _trigger(workflow: Workflow) -> tuple[TokenGroup, dict[str, Any]]:
    trigger = operation_or_none(workflow.trigger_operation)
    if trigger is None:
        return TokenGroup("trigger", "Trigger", ()), {}
    events = Event.objects.filter(operation=workflow.trigger_operation).order_by("-pk")
    if workflow.trigger_connection_id:
        newest = events.filter(connection=workflow.trigger_connection_id).first()
    else:
        newest = None if trigger.connector.needs_connection else events.filter(starts=workflow).first()
    sample_of = getattr(trigger, "sample_of", None)
    sample = sample_of(workflow.trigger_inputs) if sample_of is not None else trigger.sample
    last = hooks.sample_of(workflow) or (newest.data if newest and isinstance(newest.data, dict) else {})
    data = {**sample, **last}
    return TokenGroup("trigger", trigger.name, tokens_of(data, "trigger")), data


def _context(workflow: Workflow, nodes: list[Node]) -> MappingContext:
    """Of the organisation that a step of the workflow is about, else of what the trigger listens to."""
    found = (node.step.connection for node in outline.walk(nodes) if node.step.connection is not None)
    books = next((each for each in found if each.details.get("currency")), workflow.trigger_connection)
    return context_of(books, now=timezone.now(), tables=Reader(workflow.team_id))


def _items(source: str, data: Mapping[str, Any], context: MappingContext) -> Any:
    """The first item of the list that the source is; None where it is none."""
    try:
        found = mapping.evaluate(source, data, context) if source else None
    except MappingError:
        return None
    return found[0] if isinstance(found, list) and found else None


def _item_tokens(item: Any) -> tuple[Token, ...]:
    if isinstance(item, Mapping):
        return tokens_of(item, "item")
    return (Token("item", "The item", "" if item is None else example_of(item), is_list=isinstance(item, list)),)


def _tried(source: str, data: Mapping[str, Any], context: MappingContext) -> Any:
    try:
        return mapping.evaluate(source, data, context)
    except MappingError:
        return ""


def _turn(loop: Node) -> Iterable[Node]:
    """The steps of a turn itself, not those of loops inside it."""
    for node in loop.children:
        yield node
        if node.step.kind != Step.Kind.LOOP:
            yield from _turn(node)


def _around(nodes: list[Node], place: Place, kind: str) -> Step | None:
    holder = outline.find(nodes, place.parent)
    above = [] if holder is None else [holder, *holder.ancestors]
    return next((each.step for each in above if each.step.kind == kind), None)


def _placed(nodes: Iterable[Node], place: Place, here: Placed, *, at_top: bool = False) -> list[Placed]:
    """The tree as `reach` reads it, with `here` standing at the place."""
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
