"""A workflow's steps as cards within cards: for the editor from its rows, for a version from its plan.

Both are drawn from steps of a plan (`compiling`), so that what is edited and what was published look alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.base import Operation
from integrations.fields import label_of
from integrations.models import Connection
from integrations.schema import Field, Kind, Schema
from workflows import conditions, kinds, mapping
from workflows.checking import Problem
from workflows.compiling import Placed, compiled_steps
from workflows.editing import Sources
from workflows.models import Step, Workflow
from workflows.outline import Place
from workflows.plans import PlanStep, each_step
from workflows.rows import EACH
from workflows.tokens import Piece, Token, TokenGroup, pieces, words
from workflows.values import MappingError
from workflows.views.common import ChoiceLabels, operation_or_none
from workflows.views.places import carried

ICONS = {
    "filter": "filter_alt", "branch": "alt_route", "path": "subdirectory_arrow_right", "loop": "repeat",
    "delay": "schedule", "format": "calculate", "lookup": "table_view", "call": "call_split", "stop": "stop_circle",
}  # fmt: skip
_STOPS = {"succeeded": "as done", "failed": "as failed", "filtered": "as filtered"}
#: The places of the values in an operator's sentence.
_SIDES = re.compile(r"\{(left|right|until)\}")

Fact = tuple[str, "list[Piece] | list[list[tuple[str, list[Piece]]]]", bool]
#: A comparison in parts: what is said of a value, or the words between. A group has `group` and `items`.
Said = dict[str, Any]


@dataclass
class Card:
    """One step, ready for the template. `step` is its row where it can be edited."""

    plan: PlanStep
    number: int | None
    kicker: str
    icon: str = ""
    step: Step | None = None
    operation: Operation | None = None
    connection: Connection | None = None
    facts: list[Fact] = field(default_factory=list)
    sentence: list[Piece] = field(default_factory=list)
    condition: Said | None = None
    policy: str = ""
    problems: list[Problem] = field(default_factory=list)
    #: Steps of a loop or a path, or paths of a branch.
    inside: list[Card] = field(default_factory=list)
    error_path: list[Card] | None = None
    #: Steps that stand on an error path which is not taken.
    unused: list[Card] = field(default_factory=list)
    is_first: bool = False
    is_last: bool = False

    @property
    def kind(self) -> str:
        """The step's kind."""
        return str(self.plan["kind"])

    @property
    def name(self) -> str:
        """What the step is called."""
        return str(self.plan["name"])

    @property
    def before(self) -> str:
        """The place before it, as the address of a new step carries it."""
        return carried(Place(self.step.parent, self.step)) if self.step else ""

    @property
    def at_end(self) -> str:
        """The place at the end of what stands in it, in the same way."""
        return carried(Place(self.step)) if self.step else ""


@dataclass
class Drawing:
    """What the cards of one workflow need. `own` are the values that only those inside a step see, by its key."""

    groups: list[TokenGroup]
    own: Mapping[str, list[TokenGroup]]
    connections: Mapping[int, Connection]
    labels: ChoiceLabels
    called: Mapping[int, str] = field(default_factory=dict)
    rows: Mapping[str, Step] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    number: int = 0

    def cards(self, steps: Sequence[PlanStep], above: Sequence[TokenGroup] = ()) -> list[Card]:
        """The cards of steps that stand side by side; `above` are the values that their holders give them."""
        made = [self._card(step, above) for step in steps]
        for place, card in enumerate(made):
            card.is_first, card.is_last = place == 0, place == len(made) - 1
        return made

    def _card(self, step: PlanStep, above: Sequence[TokenGroup]) -> Card:
        kind = step["kind"]
        if kind not in (Step.Kind.FILTER, Step.Kind.PATH):
            self.number += 1
        numbered = None if kind in (Step.Kind.FILTER, Step.Kind.PATH) else self.number
        card = Card(step, numbered, kinds.label_of(kind), ICONS.get(kind, ""), self.rows.get(step["key"]))
        card.problems = [each for each in self.problems if each.step == step["key"]]
        groups = [*above, *self.groups]
        below = [*self.own.get(step["key"], ()), *above]
        if kind == Step.Kind.ACTION:
            self._action(card, groups)
            if "error_steps" in step:
                card.error_path = self.cards(step["error_steps"], below)
            return card
        if step.get("conditions"):
            card.condition = said(step["conditions"], groups)
        card.sentence = self._sentence(step, groups)
        values = step.get("values") if kind == Step.Kind.FORMAT else step.get("inputs") if kind == "call" else None
        card.facts = [(name, pieces(source, groups), False) for name, source in (values or {}).items()]
        card.policy = _GOES_ON if step.get("on_error") == Step.OnError.GO_ON else ""
        card.inside = self.cards(step.get("paths") or step.get("steps") or [], below if kind == "loop" else above)
        return card

    def _action(self, card: Card, groups: list[TokenGroup]) -> None:
        step = card.plan
        card.operation = operation_or_none(step["operation"])
        card.connection = self.connections.get(step["connection"] or 0)
        card.kicker = card.operation.name if card.operation else step["operation"]
        schema = card.operation.Inputs if card.operation else None
        card.facts = facts(schema, step["inputs"], groups, card.connection, self.labels)
        card.policy = policy(step)

    def _sentence(self, step: PlanStep, groups: list[TokenGroup]) -> list[Piece]:
        """What a step without an operation does, with its values as people read them."""
        kind = step["kind"]
        inputs = step.get("inputs") or {}

        def value(source: Any, *, missing: str = "…") -> list[Piece]:
            return pieces(str(source), groups) if source not in (None, "") else [Piece(missing)]

        if kind == Step.Kind.BRANCH:
            return [Piece("The first path whose conditions are met is taken.")]
        if kind == Step.Kind.LOOP:
            on_error = "the next item follows" if step["on_item_error"] == "go_on" else "the loop stops"
            end = f", at most {step['limit']:,}. If one item fails, {on_error}."
            return [Piece("For each item of "), *value(step["items"]), Piece(end)]
        if kind == Step.Kind.DELAY:
            return _delay(step, value)
        if kind == Step.Kind.LOOKUP:
            missing = [Piece("the step fails.")]
            if step["missing"] == "default":
                missing = [*value(inputs.get("default")), Piece(" is used.")]
            table = step["table"] or "…"
            return [
                Piece("Looks up "), *value(inputs.get("value")), Piece(f" in the table {table}. If it is not there, "),
                *missing,
            ]  # fmt: skip
        if kind == Step.Kind.CALL:
            then = "waits until it has ended" if step["waits"] else "goes on at once"
            name = self.called.get(step["workflow"] or 0, "a workflow still to be chosen")
            return [Piece(f"Starts {name} and {then}{', with:' if inputs else '.'}")]
        if kind == Step.Kind.STOP:
            message = [Piece(": "), *value(inputs["message"])] if inputs.get("message") else [Piece(".")]
            return [Piece(f"Ends the run here, {_STOPS.get(step['as'], '')}"), *message]
        return []


def _delay(step: PlanStep, value: Any) -> list[Piece]:
    if step["how"] == "for":
        return [Piece("Waits "), *value(step["amount"]), Piece(f" {dict(kinds.UNITS)[step['unit']]}.")]
    if step["how"] == "until":
        return [Piece("Waits until "), *value(step["moment"]), Piece(".")]
    return [Piece(f"Waits until it is a working day, and not before {step['at']}.")]


_GOES_ON = "If it fails, the next step runs all the same."


def policy(step: PlanStep) -> str:
    """What happens where an action fails, in words."""
    tries = step.get("max_attempts", 5)
    tried = f" A passing failure is tried {tries} times at most." if tries > 1 else " Nothing is tried again."
    first = {
        Step.OnError.STOP: "If it fails, the run stops.",
        Step.OnError.GO_ON: _GOES_ON,
        Step.OnError.ERROR_PATH: "If it fails, its error path runs, and then the next step.",
    }
    return first[Step.OnError(step["on_error"])] + tried


def drawn(
    tree: list[Placed],
    *,
    groups: list[TokenGroup],
    own: Mapping[str, list[TokenGroup]],
    labels: ChoiceLabels,
    problems: Sequence[Problem],
) -> list[Card]:
    """The cards of a workflow's rows, with what can be changed."""
    places = {place.step.key: place for top in tree for place, _ in top.all()}
    for place in places.values():
        for child in place.children:
            child.step.parent = place.step  # as it is known here, without asking again
    rows = {key: place.step for key, place in places.items()}
    used = {step.connection_id: step.connection for step in rows.values() if step.connection}
    steps = compiled_steps(tree)
    connections = {pk: each for pk, each in used.items() if pk is not None}
    drawing = Drawing(groups, own, connections, labels, called_in(steps), rows, problems)
    cards = drawing.cards(steps)
    for card in _all(cards):
        place = places[card.plan["key"]]
        if place.children and card.kind == Step.Kind.ACTION and card.error_path is None:
            card.unused = drawing.cards(compiled_steps(place.children))
    return cards


def _all(cards: Iterable[Card]) -> list[Card]:
    found: list[Card] = []
    for card in cards:
        found += [card, *_all(card.inside), *_all(card.error_path or ())]
    return found


def called_in(steps: Sequence[PlanStep]) -> dict[int, str]:
    """The names of the workflows that these steps call."""
    called = {step["workflow"] for step, _ in each_step(steps) if step["kind"] == Step.Kind.CALL and step["workflow"]}
    return dict(Workflow.objects.filter(pk__in=called).values_list("pk", "name")) if called else {}


# --- inputs and conditions as they are read -------------------------------------------------------------------------


def facts(
    schema: type[Schema] | None,
    sources: Sources,
    groups: list[TokenGroup],
    connection: Connection | None,
    labels: ChoiceLabels,
) -> list[Fact]:
    """Inputs as they are read: label, what goes in, and whether that is a table."""
    found: list[Fact] = []
    for f in schema.fields() if schema else ():
        value = sources.get(f.name)
        if not value:
            continue
        if isinstance(value, list):
            rows = [_row(f, row, groups, connection, labels) for row in value]
            found.append((f.label, rows, True))
        else:
            found.append((f.label, _said(f, value, groups, connection, labels), False))
    return found


def _row(
    f: Field, row: dict[str, str], groups: list[TokenGroup], connection: Connection | None, labels: ChoiceLabels
) -> list[tuple[str, list[Piece]]]:
    repeated = [("For each item of", pieces(row[EACH], groups))] if row.get(EACH) else []
    groups = [_item_of_row(row), *groups] if repeated else groups
    return repeated + [
        (column.label, _said(column, row[column.name], groups, connection, labels))
        for column in f.columns
        if row.get(column.name)
    ]


def _item_of_row(row: dict[str, str]) -> TokenGroup:
    """What the cells of a repeated row call the values of its item; before a loop's, which go by the same names."""
    paths = {path for source in row.values() for path in _references(source) if path.partition(".")[0] == "item"}
    return TokenGroup("row", "its item", tuple(Token(path, _item_label(path), "") for path in sorted(paths)))


def _references(source: str) -> list[str]:
    try:
        return mapping.references(source) if "{{" in source else []
    except MappingError:
        return []


def _item_label(path: str) -> str:
    label = " · ".join(words(part) for part in path.split(".")[1:]) or "all of it"
    return label[:1].upper() + label[1:]


def as_text(stored: dict[str, Any]) -> Sources:
    """A trigger's stored inputs as sources."""
    return {name: value if isinstance(value, str | list) else str(value) for name, value in stored.items()}


def _said(
    f: Field, source: str, groups: list[TokenGroup], connection: Connection | None, labels: ChoiceLabels
) -> list[Piece]:
    if "{{" not in source:
        if f.kind is Kind.YES_NO:
            source = {"true": "Yes", "True": "Yes", "false": "No", "False": "No"}.get(source, source)
        elif f.dynamic_choices is not None and connection is not None:
            source = labels.get((connection.pk, f.dynamic_choices.key), {}).get(source, source)
        else:
            source = label_of(f, source)
        return [Piece(source)]  # a name may hold braces of its own
    return pieces(source, groups)


def said(tree: Mapping[str, Any], groups: list[TokenGroup]) -> Said:
    """A condition as it is read: groups with their items, comparisons in parts."""
    if "group" in tree:
        items = [said(item, groups) for item in tree["items"]]
        return {"group": tree["group"], "parts": [each for each in items if each]}
    operator = conditions.OPERATORS.get(tree.get("type", ""), {}).get(tree.get("operator", ""))
    if operator is None:
        return {}
    sides = {"left": tree["left"], "right": tree["right"] or "", "until": tree["right_until"] or ""}
    return {
        "words": [
            (pieces(sides[part], groups), "") if part in sides else ([], part)
            for part in _SIDES.split(operator.english)
        ]
    }
