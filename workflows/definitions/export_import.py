"""A workflow as a file, and a file as a draft.

    {"pinxero": "workflow", "format": 1, "name": ..., "description": ..., "interval_minutes": 5,
     "connections": {"1": {"provider": "xero", "name": "Acme Ltd"}},
     "workflows": {"7": {"name": "Book the freight"}},
     "safeguards": {"pause_after": 10, "hold_above": 50, ...},
     "labels": [{"connection": "1", "list": "contacts", "value": "5040915e-...", "label": "Bayside Club"}],
     "plan": {"trigger": {...}, "steps": [...]}}

The plan is as compiled for publishing. Its ids of connections and of called workflows are keys of `connections`
and `workflows`, to be mapped to those of the installation that reads the file; `labels` names what was picked from
lists of a connection, because such ids differ in another organisation. `safeguards` leaves out whom to notify: people
differ too. There are no secrets in it: tokens belong to connections, and a step that needs a password holds its name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from integrations.core.exact_json import dumps
from integrations.framework import registry
from integrations.models import ChoiceCache, Connection, Team
from integrations.schema.fields import Field
from integrations.schema.schema import Kind
from workflows.definitions import compiler, kinds, plans, restoring
from workflows.language import conditions
from workflows.models import Safeguards, Step, Workflow

FORMAT = 1
LONGEST_FILE = 2_000_000
_MOST_STEPS = 300
#: The most mapped values in all steps, and the most connections or workflows that a file may name.
_MOST_VALUES, _MOST_NAMED = 10_000, 100
#: The safeguards of a workflow that a file holds.
_SAFEGUARDS = (
    *("pause_after", "hold_above", "most_per_hour"),
    *("expected", "expected_at", "expected_zone", "expected_weekday", "expected_day", "expected_within"),
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")


class ImportFileError(Exception):
    """The file is not a readable workflow; `message` says what is wrong with it, and where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Pick:
    """A value of the plan that was picked from a list of a connection: which list, and the value's name there."""

    connection: str
    declared: Field
    value: str
    label: str

    @property
    def key(self) -> str:
        """Its identity: the same value from the same list is mapped once."""
        assert self.declared.dynamic_choices is not None
        return f"{self.connection}|{self.declared.dynamic_choices.key}|{self.value}"


@dataclass
class Portable:
    """A file that was read: a plan with keys instead of ids."""

    name: str
    description: str
    interval_minutes: int
    connections: dict[str, dict[str, str]]
    workflows: dict[str, dict[str, str]]
    plan: dict[str, Any]
    safeguards: dict[str, Any] = field(default_factory=dict)
    labels: dict[tuple[str, str, str], str] = field(default_factory=dict)

    def picks(self) -> list[Pick]:
        """What was picked from lists, each once, in the order of the steps."""
        found: dict[str, Pick] = {}
        for place, declared, source in _picked(self.plan):
            assert declared.dynamic_choices is not None
            key = str(place["connection"])
            label = self.labels.get((key, declared.dynamic_choices.key, source), source)
            pick = Pick(key, declared, source, label)
            found.setdefault(pick.key, pick)
        return list(found.values())


# --- out ------------------------------------------------------------------------------------------------------------


def export(workflow: Workflow, plan: Mapping[str, Any] | None = None) -> str:
    """The workflow as the text of a file: its draft, or the plan of one of its versions."""
    exported = json.loads(dumps(dict(plan) if plan is not None else compiler.compile_plan(workflow)), parse_float=str)
    exported = {"trigger": exported["trigger"], "steps": exported["steps"]}
    used = Connection.objects.filter(pk__in=plans.connections(exported))
    calls = {place[name] for place in _places(exported) if (name := _workflow_setting(place))}
    called = Workflow.objects.filter(team_id=workflow.team_id, pk__in=[each for each in calls if each])
    labels = _labels(exported)
    for place in _places(exported):
        place["connection"] = str(place["connection"]) if place.get("connection") else None
        if name := _workflow_setting(place):
            place[name] = str(place[name]) if place.get(name) else None
    content = {
        "pinxero": "workflow",
        "format": FORMAT,
        "name": workflow.name,
        "description": workflow.description,
        "interval_minutes": workflow.interval_minutes,
        "connections": {str(each.pk): {"provider": each.provider, "name": each.name} for each in used},
        "workflows": {str(each.pk): {"name": each.name} for each in called},
        "safeguards": _safeguards(workflow),
        "labels": labels,
        "plan": exported,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _workflow_setting(place: Mapping[str, Any]) -> str:
    """The setting of a step that names another workflow; "" if it has none."""
    known = kinds.KINDS.get(str(place.get("kind", "")))
    return known.workflow_setting if known is not None else ""


def _safeguards(workflow: Workflow) -> dict[str, Any]:
    """What differs from the defaults; empty if nothing does."""
    stored, usual = Safeguards.objects.filter(workflow=workflow).first(), Safeguards()
    if stored is None:
        return {}
    changed = {name: getattr(stored, name) for name in _SAFEGUARDS if getattr(stored, name) != getattr(usual, name)}
    return {name: value if isinstance(value, int | str) else value.isoformat() for name, value in changed.items()}


def _labels(plan: dict[str, Any]) -> list[dict[str, str]]:
    known: dict[tuple[int, str], dict[str, str]] = {}
    for row in ChoiceCache.objects.filter(connection__in=plans.connections(plan)).order_by("fetched_at"):
        labels = known.setdefault((row.connection_id, row.key), {})
        labels.update({str(value): str(label) for value, label in row.choices})
    found: dict[tuple[str, str, str], dict[str, str]] = {}
    for place, declared, source in _picked(plan):
        assert declared.dynamic_choices is not None
        key = declared.dynamic_choices.key
        label = known.get((place["connection"], key), {}).get(source)
        if label:
            connection = str(place["connection"])
            found[connection, key, source] = {
                "connection": connection,
                "list": key,
                "value": source,
                "label": label,
            }
    return list(found.values())


def _places(plan: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan["trigger"]
    for step, _ in plans.each_step(plan):
        yield step


def _picked(plan: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Field, str]]:
    """Every constant of an input whose values come from a list of its connection: (place, input, value)."""
    return ((place, declared, holder[key]) for place, declared, key, holder in _placed_cells(plan))


def _cells(place: Mapping[str, Any]) -> Iterator[tuple[Any, Field, str, str]]:
    """Each source of an operation's inputs with its position: (holder, declared input, its key in it, source)."""
    try:
        fields = {each.name: each for each in registry.operation(place["operation"]).Inputs.fields()}
    except registry.UnknownOperationError:
        return
    inputs = place["inputs"]
    for name, value in inputs.items():
        declared = fields.get(name)
        if declared is None:
            continue
        if declared.kind is Kind.ROWS and isinstance(value, list):
            columns = {each.name: each for each in declared.columns}
            for row in value:
                for column, source in row.items():
                    if column in columns and isinstance(source, str):
                        yield row, columns[column], column, source
        elif isinstance(value, str):
            yield inputs, declared, name, value


# --- in -------------------------------------------------------------------------------------------------------------


def read(text: str) -> Portable:
    """What a file says. Raises ImportFileError for anything that is not an exported workflow."""
    if len(text) > LONGEST_FILE:
        raise ImportFileError(f"The file has more than {LONGEST_FILE:,} characters; no workflow is that long.")
    try:
        content = json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"This is no JSON file: {error}.") from None
    if not isinstance(content, dict) or content.get("pinxero") != "workflow":
        raise ImportFileError('This is no exported workflow: "pinxero": "workflow" is missing at the beginning.')
    if content.get("format") != FORMAT:
        raise ImportFileError(
            f"The file is of format {str(content.get('format'))[:20]}; this version of Pinxero reads format {FORMAT}."
        )
    try:
        return _portable(content)
    except ImportFileError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ImportFileError(f"The file was damaged or changed by hand: {error!r} was not expected.") from None


def _portable(content: dict[str, Any]) -> Portable:
    made = Portable(
        name=_text(content["name"], 120, "name").strip() or "Imported workflow",
        description=_text(content.get("description", ""), 10_000, "description"),
        interval_minutes=min(15, max(1, int(content.get("interval_minutes", 5)))),
        connections={
            _text(key, 40, "connections"): {"provider": str(each["provider"])[:40], "name": str(each["name"])[:200]}
            for key, each in content["connections"].items()
        },
        workflows={
            _text(key, 40, "workflows"): {"name": str(each["name"])[:120]} for key, each in content["workflows"].items()
        },
        plan={"trigger": content["plan"]["trigger"], "steps": content["plan"]["steps"]},
    )
    made.safeguards = {
        name: content.get("safeguards", {})[name] for name in _SAFEGUARDS if name in content.get("safeguards", {})
    }
    try:
        Safeguards(**made.safeguards).clean_fields(exclude=["workflow"])
    except ValidationError as error:
        raise ImportFileError(f"The safeguards cannot be read: {'; '.join(error.messages)}") from None
    for each in content.get("labels", []):
        made.labels[str(each["connection"]), str(each["list"]), str(each["value"])] = str(each["label"])[:300]
    _check_trigger(made)
    for what in ("connections", "workflows"):
        if len(content[what]) > _MOST_NAMED:
            raise ImportFileError(f"The file names more than {_MOST_NAMED} {what}; no workflow uses that many.")
    keys: set[str] = set()
    values = 0
    for number, (step, depth) in enumerate(plans.each_step(made.plan), start=1):
        if number > _MOST_STEPS or depth > 2 * kinds.MOST_LEVELS:
            raise ImportFileError(f"The file has more than {_MOST_STEPS} steps, or they stand too deep in each other.")
        values += _values_of(step)
        if values > _MOST_VALUES:
            raise ImportFileError(f"The steps of the file have more than {_MOST_VALUES:,} values together.")
        _check_step(made, step, f"step {number}")
        if step["key"] in keys:
            raise ImportFileError(f"Two steps have the key {step['key']}.")
        keys.add(step["key"])
    return made


def _values_of(step: Mapping[str, Any]) -> int:
    """How many cells the step's values fill."""
    tables = [step.get(name) for name in ("inputs", "values")]
    # Anything but a table of values is refused where they are read.
    given = [value for table in tables if isinstance(table, Mapping) for value in table.values()]
    return sum(sum(_values_in(row) for row in each) if isinstance(each, list) else 1 for each in given)


def _values_in(row: Any) -> int:
    return max(1, len(row)) if isinstance(row, Mapping) else 1


def _check_trigger(made: Portable) -> None:
    trigger = made.plan["trigger"]
    trigger["operation"] = _text(trigger.get("operation", ""), 100, "trigger")
    _check_connection(made, trigger, "the trigger")
    if not isinstance(trigger.get("inputs"), dict):
        raise ImportFileError("The trigger has no inputs.")


def _check_connection(made: Portable, place: dict[str, Any], where: str) -> None:
    key = place.get("connection")
    if key is not None and key not in made.connections:
        raise ImportFileError(f"In {where} stands a connection that the file does not name.")


def _check_step(made: Portable, step: dict[str, Any], where: str) -> None:
    kind = step["kind"]
    if kind not in kinds.KINDS:
        raise ImportFileError(f"In {where} stands a kind of step that this version does not know: {str(kind)[:40]}.")
    if not isinstance(step["key"], str) or not _KEY.fullmatch(step["key"]):
        raise ImportFileError(f"The key of {where} is none: small letters, digits and _ only.")
    step["name"] = _text(step["name"], 120, where)
    step["operation"] = _text(step.get("operation", ""), 100, where)
    _check_connection(made, step, where)
    if step.get("on_error", Step.OnError.STOP) not in Step.OnError.values:
        raise ImportFileError(f"In {where} stands something unknown to do after an error.")
    attempts = step.get("max_attempts", 5)
    if not isinstance(attempts, int) or not 1 <= attempts <= 20:
        raise ImportFileError(f"In {where} the number of tries is not between 1 and 20.")
    for name in ("inputs", "values"):
        _check_sources(step.get(name, {}), where)
    if step.get("conditions"):
        try:
            conditions.describe(step["conditions"])
        except conditions.ConditionError as error:
            raise ImportFileError(f"The conditions of {where} cannot be read: {error}") from None
    called = step.get(_workflow_setting(step))
    if called is not None and called not in made.workflows:
        raise ImportFileError(f"In {where} stands a workflow that the file does not name.")
    for each in kinds.of(kind).settings:
        if isinstance(step.get(each.name), dict | list):
            raise ImportFileError(f"In {where}, {each.name} is not what it should be.")


def _check_sources(sources: Any, where: str) -> None:
    if not isinstance(sources, dict):
        raise ImportFileError(f"The values of {where} cannot be read.")
    for name, value in sources.items():
        _text(name, 100, where)
        rows = value if isinstance(value, list) else [{name: value}]
        for row in rows:
            if not isinstance(row, dict):
                raise ImportFileError(f"The rows of {where} cannot be read.")
            for column, source in row.items():
                _text(column, 100, where)
                _text(source, 100_000, where)


def _text(value: Any, longest: int, where: str) -> str:
    if not isinstance(value, str) or len(value) > longest or "\x00" in value:
        raise ImportFileError(f"In {where} stands something that is no text, or a text that is too long.")
    return value


@dataclass(frozen=True)
class Answers:
    """A person's choices for what the file only names: their connections, workflows and values."""

    connections: Mapping[str, Connection | None]
    workflows: Mapping[str, Workflow | None]
    #: By `Pick.key`; "" leaves the input empty, a missing key keeps the file's value.
    values: Mapping[str, str]


def make(file: Portable, answers: Answers, *, team: Team, name: str, by: User) -> Workflow:
    """A new draft with the file's content. Raises ImportFileError if the team has a workflow with that name."""
    plan = json.loads(json.dumps(file.plan))
    for place, declared, key_of_cell, holder in _placed_cells(plan):
        chosen = Pick(str(place["connection"]), declared, holder[key_of_cell], "").key
        if chosen in answers.values:
            holder[key_of_cell] = answers.values[chosen]
    for place in _places(plan):
        connection = answers.connections.get(place.get("connection") or "")
        place["connection"] = connection.pk if connection else None
        if setting := _workflow_setting(place):
            called = answers.workflows.get(place.get(setting) or "")
            place[setting] = called.pk if called else None
    try:
        with transaction.atomic():
            workflow = Workflow.objects.create(
                team=team,
                name=name,
                description=file.description,
                interval_minutes=file.interval_minutes,
                created_by=by,
            )
            restoring.rows_from_plan(workflow, plan)
            if file.safeguards:
                Safeguards.objects.create(workflow=workflow, **file.safeguards)
    except IntegrityError:
        raise ImportFileError(f"There is already a workflow called {name}. Choose another name.") from None
    return workflow


def free_name(team: Team, wanted: str) -> str:
    """The wanted name, with "(copy)" added if the team has a workflow of that name."""
    taken = set(Workflow.objects.for_team(team).values_list("name", flat=True))
    names = (wanted, *(f"{wanted[:105]} (copy{f' {number}' if number else ''})" for number in (0, *range(2, 100))))
    return next((name for name in names if name not in taken), wanted)


def _placed_cells(plan: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Field, str, Any]]:
    """The constants picked from lists, with what holds them: (place, input, key in the holder, holder)."""
    for place in _places(plan):
        if not place.get("connection") or not place.get("operation"):
            continue
        for holder, declared, key, source in list(_cells(place)):
            if declared.dynamic_choices is not None and source and "{{" not in source:
                yield place, declared, key, holder
