"""A workflow as a file, and a file as a draft.

    {"pinxero": "workflow", "format": 1, "name": ..., "description": ..., "interval_minutes": 5,
     "connections": {"1": {"provider": "xero", "name": "Acme Ltd"}},
     "workflows": {"7": {"name": "Book the freight"}},
     "safeguards": {"pause_after": 10, "hold_above": 50, ...},
     "labels": [{"connection": "1", "list": "contacts", "value": "5040915e-...", "label": "Bayside Club"}],
     "plan": {"trigger": {...}, "steps": [...]}}

The plan is the one that publishing compiles. Its ids of connections and of called workflows are keys of `connections`
and `workflows`, to be mapped to those of the installation that reads the file; `labels` names what was picked from
lists of a connection, because such ids are others in another organisation. `safeguards` leaves out whom to tell: people
are others too. There are no secrets in it: tokens belong
to connections, and a step that needs a password holds its name.
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

from integrations import registry
from integrations.fields import Field
from integrations.jsonfield import dumps
from integrations.models import ChoiceCache, Connection, Team
from integrations.schema import Kind
from workflows import compiling, conditions, kinds, plans, restoring
from workflows.models import Safeguards, Step, Workflow

FORMAT = 1
LONGEST_FILE = 2_000_000
_MOST_STEPS = 300
#: What a file holds of a workflow's safeguards.
_SAFEGUARDS = (
    *("pause_after", "hold_above", "most_per_hour"),
    *("expected", "expected_at", "expected_zone", "expected_weekday", "expected_day", "expected_within"),
)
_KEY = re.compile(r"[a-z][a-z0-9_]{0,49}")


class ImportFileError(Exception):
    """The file is no workflow that can be read; `message` says what is wrong with it, and where."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Pick:
    """A value of the plan that was picked from a list of a connection: which, and what it was called there."""

    connection: str
    declared: Field
    value: str
    label: str

    @property
    def key(self) -> str:
        """What tells it from every other: the same value of the same list is mapped once."""
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
    """The workflow as the text of a file: as its draft stands, or as the plan of one of its versions says."""
    told = json.loads(dumps(dict(plan) if plan is not None else compiling.compile_plan(workflow)), parse_float=str)
    told = {"trigger": told["trigger"], "steps": told["steps"]}
    used = Connection.objects.filter(pk__in=plans.connections(told))
    calls = {place["workflow"] for place in _places(told) if place.get("kind") == Step.Kind.CALL}
    called = Workflow.objects.filter(team_id=workflow.team_id, pk__in=[each for each in calls if each])
    labels = _labels(told)
    for place in _places(told):
        place["connection"] = str(place["connection"]) if place.get("connection") else None
        if place.get("kind") == Step.Kind.CALL:
            place["workflow"] = str(place["workflow"]) if place.get("workflow") else None
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
        "plan": told,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _safeguards(workflow: Workflow) -> dict[str, Any]:
    """What differs from the usual; nothing where nothing does."""
    stored, usual = Safeguards.objects.filter(workflow=workflow).first(), Safeguards()
    if stored is None:
        return {}
    told = {name: getattr(stored, name) for name in _SAFEGUARDS if getattr(stored, name) != getattr(usual, name)}
    return {name: value if isinstance(value, int | str) else value.isoformat() for name, value in told.items()}


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
    """Each source of an operation's inputs with where it stands: (holder, declared input, its key in it, source)."""
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
        told = json.loads(text, parse_float=str)
    except (ValueError, RecursionError) as error:
        raise ImportFileError(f"This is no JSON file: {error}.") from None
    if not isinstance(told, dict) or told.get("pinxero") != "workflow":
        raise ImportFileError('This is no exported workflow: "pinxero": "workflow" is missing at the beginning.')
    if told.get("format") != FORMAT:
        raise ImportFileError(
            f"The file is of format {str(told.get('format'))[:20]}; this version of Pinxero reads format {FORMAT}."
        )
    try:
        return _portable(told)
    except ImportFileError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ImportFileError(f"The file was damaged or changed by hand: {error!r} was not expected.") from None


def _portable(told: dict[str, Any]) -> Portable:
    made = Portable(
        name=_text(told["name"], 120, "name").strip() or "Imported workflow",
        description=_text(told.get("description", ""), 10_000, "description"),
        interval_minutes=min(15, max(1, int(told.get("interval_minutes", 5)))),
        connections={
            _text(key, 40, "connections"): {"provider": str(each["provider"])[:40], "name": str(each["name"])[:200]}
            for key, each in told["connections"].items()
        },
        workflows={
            _text(key, 40, "workflows"): {"name": str(each["name"])[:120]} for key, each in told["workflows"].items()
        },
        plan={"trigger": told["plan"]["trigger"], "steps": told["plan"]["steps"]},
    )
    made.safeguards = {
        name: told.get("safeguards", {})[name] for name in _SAFEGUARDS if name in told.get("safeguards", {})
    }
    try:
        Safeguards(**made.safeguards).clean_fields(exclude=["workflow"])
    except ValidationError as error:
        raise ImportFileError(f"The safeguards cannot be read: {'; '.join(error.messages)}") from None
    for each in told.get("labels", []):
        made.labels[str(each["connection"]), str(each["list"]), str(each["value"])] = str(each["label"])[:300]
    _check_trigger(made)
    keys: set[str] = set()
    for number, (step, depth) in enumerate(plans.each_step(made.plan), start=1):
        if number > _MOST_STEPS or depth > 2 * kinds.MOST_LEVELS:
            raise ImportFileError(f"The file has more than {_MOST_STEPS} steps, or they stand too deep in each other.")
        _check_step(made, step, f"step {number}")
        if step["key"] in keys:
            raise ImportFileError(f"Two steps have the key {step['key']}.")
        keys.add(step["key"])
    return made


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
    if kind == Step.Kind.CALL and step.get("workflow") is not None and step["workflow"] not in made.workflows:
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
    """What a person has chosen for what the file only names: own connections, own workflows, own values."""

    connections: Mapping[str, Connection | None]
    workflows: Mapping[str, Workflow | None]
    #: By `Pick.key`; "" leaves the input empty, what is missing keeps the value of the file.
    values: Mapping[str, str]


def make(file: Portable, answers: Answers, *, team: Team, name: str, by: User) -> Workflow:
    """A new draft that says what the file says. Raises ImportFileError where the team has a workflow of that name."""
    plan = json.loads(json.dumps(file.plan))
    for place, declared, key_of_cell, holder in _placed_cells(plan):
        chosen = Pick(str(place["connection"]), declared, holder[key_of_cell], "").key
        if chosen in answers.values:
            holder[key_of_cell] = answers.values[chosen]
    for place in _places(plan):
        connection = answers.connections.get(place.get("connection") or "")
        place["connection"] = connection.pk if connection else None
        if place.get("kind") == Step.Kind.CALL:
            called = answers.workflows.get(place.get("workflow") or "")
            place["workflow"] = called.pk if called else None
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


def _placed_cells(plan: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], Field, str, Any]]:
    """The constants picked from lists, with what holds them: (place, input, key in the holder, holder)."""
    for place in _places(plan):
        if not place.get("connection") or not place.get("operation"):
            continue
        for holder, declared, key, source in list(_cells(place)):
            if declared.dynamic_choices is not None and source and "{{" not in source:
                yield place, declared, key, holder
