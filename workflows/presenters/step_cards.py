"""A workflow's steps as cards within cards: for the editor from its rows, for a version from its plan.

Both are drawn from the steps of a plan (`compiler`), so that a draft and a published version look alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.framework.base import Operation
from integrations.framework.registry import operation_or_none
from integrations.models import Connection
from integrations.schema.fields import label_of
from integrations.schema.schema import Field, Kind
from workflows.definitions import kinds
from workflows.definitions.compiler import compiled_steps
from workflows.definitions.editing import Sources
from workflows.definitions.kinds.base import GOES_ON
from workflows.definitions.plans import PlanStep, called_names, each_step, following
from workflows.definitions.step_rows import Placed
from workflows.definitions.tree import Place
from workflows.definitions.validation import Problem
from workflows.language import conditions, mapping
from workflows.language.references import Piece, Token, TokenGroup, pieces, words
from workflows.language.table_rows import EACH
from workflows.language.values import MappingError
from workflows.models import Step
from workflows.presenters.field_links import ProblemLine, step_lines
from workflows.presenters.labels import ChoiceLabels, place_query

#: The positions of the values in an operator's sentence.
_SIDES = re.compile(r"\{(left|right|until)\}")

InputLine = tuple[str, "list[Piece] | list[list[tuple[str, list[Piece]]]]", bool]
#: A comparison in parts: pieces of a value, or the words between. A group has `group` and `parts`.
ConditionParts = dict[str, Any]


@dataclass
class Card:
    """One step, ready for the template. `step` is its row if it can be edited."""

    plan: PlanStep
    number: int | None
    kicker: str
    icon: str = ""
    step: Step | None = None
    operation: Operation | None = None
    connection: Connection | None = None
    inputs: list[InputLine] = field(default_factory=list)
    sentence: list[Piece] = field(default_factory=list)
    condition: ConditionParts | None = None
    policy: str = ""
    problems: list[ProblemLine] = field(default_factory=list)
    #: Steps of a loop or a path, or paths of a branch.
    inside: list[Card] = field(default_factory=list)
    error_path: list[Card] | None = None
    #: What the run does after the error path.
    after_error_path: str = ""
    #: Steps of an error path that is not used.
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
        """The place before it, as URL parameters for a new step."""
        return place_query(Place(self.step.parent, self.step)) if self.step else ""

    @property
    def at_end(self) -> str:
        """The place at the end of the steps inside it, in the same form."""
        return place_query(Place(self.step)) if self.step else ""


@dataclass
class CardBuilder:
    """Builds the cards of one workflow. `own` holds the values that only steps inside a step see, by its key."""

    groups: list[TokenGroup]
    own: Mapping[str, list[TokenGroup]]
    connections: Mapping[int, Connection]
    labels: ChoiceLabels
    called: Mapping[int, str] = field(default_factory=dict)
    rows: Mapping[str, Step] = field(default_factory=dict)
    problems: Sequence[Problem] = ()
    following: Mapping[str, str] = field(default_factory=dict)
    number: int = 0

    def cards(self, steps: Sequence[PlanStep], above: Sequence[TokenGroup] = ()) -> list[Card]:
        """The cards of steps on one level; `above` holds the values that the steps around them provide."""
        self.following = self.following or following(steps)
        made = [self._card(step, above) for step in steps]
        for place, card in enumerate(made):
            card.is_first, card.is_last = place == 0, place == len(made) - 1
        return made

    def _card(self, step: PlanStep, above: Sequence[TokenGroup]) -> Card:
        known = kinds.of(step["kind"])
        self.number += known.is_numbered
        number = self.number if known.is_numbered else None
        row = self.rows.get(step["key"])
        card = Card(step, number, known.label, known.icon, row)
        if row is not None:
            card.problems = step_lines(row, [each for each in self.problems if each.step == step["key"]])
        groups = [*above, *self.groups]
        below = [*self.own.get(step["key"], ()), *above]
        if "operation" in step:
            self._action(card, groups)
            if "error_steps" in step:
                card.error_path = self.cards(step["error_steps"], below)
                card.after_error_path = self.following.get(step["key"], "")
            return card
        if step.get("conditions"):
            card.condition = condition_parts(step["conditions"], groups)

        def value(source: Any, *, missing: str = "…") -> list[Piece]:
            return pieces(str(source), groups) if source not in (None, "") else [Piece(missing)]

        card.sentence = known.sentence(step, value, self.called)
        card.inputs = [(name, pieces(source, groups), False) for name, source in known.facts(step).items()]
        card.policy = GOES_ON if step.get("on_error") == Step.OnError.GO_ON else ""
        card.inside = self.cards(step.get("paths") or step.get("steps") or [], below)
        return card

    def _action(self, card: Card, groups: list[TokenGroup]) -> None:
        step = card.plan
        card.operation = operation_or_none(step["operation"])
        card.connection = self.connections.get(step["connection"] or 0)
        card.kicker = card.operation.name if card.operation else step["operation"]
        fields = card.operation.Inputs.fields() if card.operation else ()
        card.inputs = input_lines(fields, step["inputs"], groups, card.connection, self.labels)
        card.policy = policy(step)


def policy(step: PlanStep) -> str:
    """What happens if an action fails, in words."""
    tries = step.get("max_attempts", 5)
    tried = f" A temporary failure is tried at most {tries} times." if tries > 1 else " Nothing is tried again."
    first = {
        Step.OnError.STOP: "If it fails, the run stops.",
        Step.OnError.GO_ON: GOES_ON,
        Step.OnError.ERROR_PATH: "If it fails, its error path runs, and then the next step.",
    }
    return first[Step.OnError(step["on_error"])] + tried


def cards_of(
    tree: list[Placed],
    *,
    groups: list[TokenGroup],
    own: Mapping[str, list[TokenGroup]],
    labels: ChoiceLabels,
    problems: Sequence[Problem],
) -> list[Card]:
    """The cards of a workflow's draft, with links to change it."""
    places = {place.step.key: place for top in tree for place, _ in top.all()}
    for place in places.values():
        for child in place.children:
            child.step.parent = place.step  # as it is known here, without asking again
    rows = {key: place.step for key, place in places.items()}
    used = {step.connection_id: step.connection for step in rows.values() if step.connection}
    steps = compiled_steps(tree)
    connections = {pk: each for pk, each in used.items() if pk is not None}
    builder = CardBuilder(groups, own, connections, labels, called_in(steps), rows, problems)
    cards = builder.cards(steps)
    for card in _all(cards):
        place = places[card.plan["key"]]
        if place.children and card.kind == Step.Kind.ACTION and card.error_path is None:
            card.unused = builder.cards(compiled_steps(place.children))
    return cards


def _all(cards: Iterable[Card]) -> list[Card]:
    found: list[Card] = []
    for card in cards:
        found += [card, *_all(card.inside), *_all(card.error_path or ())]
    return found


def called_in(steps: Sequence[PlanStep]) -> dict[int, str]:
    """The names of the workflows that these steps, and those inside them, call."""
    return called_names(step for step, _ in each_step(steps))


# --- inputs and conditions for reading ------------------------------------------------------------------------------


def input_lines(
    fields: Iterable[Field],
    sources: Sources,
    groups: list[TokenGroup],
    connection: Connection | None,
    labels: ChoiceLabels,
) -> list[InputLine]:
    """Inputs for reading: label, content, and whether that is a table."""
    found: list[InputLine] = []
    for f in fields:
        value = sources.get(f.name)
        if not value:
            continue
        if isinstance(value, list):
            rows = [_row(f, row, groups, connection, labels) for row in value]
            found.append((f.label, rows, True))
        else:
            found.append((f.label, _input_pieces(f, value, groups, connection, labels), False))
    return found


def _row(
    f: Field, row: dict[str, str], groups: list[TokenGroup], connection: Connection | None, labels: ChoiceLabels
) -> list[tuple[str, list[Piece]]]:
    repeated = [("For each item of", pieces(row[EACH], groups))] if row.get(EACH) else []
    groups = [_item_of_row(row), *groups] if repeated else groups
    return repeated + [
        (column.label, _input_pieces(column, row[column.name], groups, connection, labels))
        for column in f.columns
        if row.get(column.name)
    ]


def _item_of_row(row: dict[str, str]) -> TokenGroup:
    """The item values that the cells of a repeated row use. They hide a loop's values of the same names."""
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


def _input_pieces(
    f: Field, source: str, groups: list[TokenGroup], connection: Connection | None, labels: ChoiceLabels
) -> list[Piece]:
    if "{{" not in source:
        if f.kind is Kind.YES_NO:
            source = {"true": "Yes", "True": "Yes", "false": "No", "False": "No"}.get(source, source)
        elif f.dynamic_choices is not None and connection is not None:
            source = labels.get((connection.pk, f.dynamic_choices.key), {}).get(source, source)
        else:
            source = label_of(f, source)
        return [Piece(source)]  # a name may contain braces
    return pieces(source, groups)


def condition_parts(tree: Mapping[str, Any], groups: list[TokenGroup]) -> ConditionParts:
    """A condition for reading: groups with their items, comparisons in parts."""
    if "group" in tree:
        items = [condition_parts(item, groups) for item in tree["items"]]
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
