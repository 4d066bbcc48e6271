"""The kinds of steps: what each holds, what its `settings` say, which names its mapping rows go by.

`Step.settings` is JSON that people's forms write, so it is read here and nowhere else: `read_settings` gives every name
of the kind with its default where nothing usable stands, `settings_problems` says what is wrong with them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workflows.models import Step

Kind = Step.Kind

#: Kind of the row that the engine writes for each turn of a loop; no step of a workflow is of it.
TURN = "turn"
#: The most items that a loop may be allowed to take, and what it is allowed where nobody says.
MOST_TURNS, USUAL_TURNS = 1000, 100
#: How deep calls of workflows by workflows may go.
MOST_CALLS = 5
#: Steps within steps; deeper ones nobody can read any more.
MOST_LEVELS = 8
#: The longest delay, in days.
LONGEST_DELAY_DAYS = 400

_TIME = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Setting:
    """One name of a kind's settings.

    `choices` are (value, label) pairs where only these are taken; `is_source` tells a mapping from a plain value;
    `when` names a value of another setting without which this one says nothing.
    """

    name: str
    label: str
    default: Any = ""
    choices: tuple[tuple[str, str], ...] = ()
    is_source: bool = False
    is_yes_no: bool = False
    least: int | None = None
    most: int | None = None
    when: tuple[str, str] | None = None
    is_needed: bool = True


@dataclass(frozen=True)
class KindOfStep:
    """What there is to know of a kind.

    `holds` is "" (no children), "steps", "paths" or "error path". `inputs` are the mapping rows it knows, as
    (name, label, is needed); None where people name them themselves.
    """

    key: Kind
    label: str
    explanation: str
    holds: str = ""
    settings: tuple[Setting, ...] = ()
    inputs: tuple[tuple[str, str, bool], ...] | None = ()
    takes_conditions: bool = False
    can_fail: bool = False


_ON_ITEM_ERROR = (("stop", "Stop the loop"), ("go_on", "Go on with the next item"))
_HOW = (
    ("for", "For some time"),
    ("until", "Until a date or time"),
    ("until_working_day", "Until it is a working day"),
)
UNITS = (("minutes", "minutes"), ("hours", "hours"), ("days", "days"), ("working_days", "working days"))
_MISSING = (("fail", "The step fails"), ("default", "A default is used"))
_STOPS_AS = (("succeeded", "Done"), ("failed", "Failed"), ("filtered", "Filtered"))

KINDS: dict[str, KindOfStep] = {
    each.key.value: each
    for each in (
        KindOfStep(
            Kind.ACTION, "Action", "Does something at a provider.", holds="error path", inputs=None, can_fail=True
        ),
        KindOfStep(Kind.FILTER, "Filter", "Goes on only if the conditions are met.", takes_conditions=True),
        KindOfStep(Kind.BRANCH, "Branch", "Takes the first of its paths whose conditions are met.", holds="paths"),
        KindOfStep(
            Kind.PATH, "Path", "Steps that run where its branch takes it.", holds="steps", takes_conditions=True
        ),
        KindOfStep(
            Kind.LOOP,
            "Loop",
            "Runs its steps once for each item of a list.",
            holds="steps",
            settings=(
                Setting("items", "List", is_source=True),
                Setting("limit", "At most so many items", USUAL_TURNS, least=1, most=MOST_TURNS),
                Setting("on_item_error", "If one item fails", "stop", _ON_ITEM_ERROR),
            ),
            can_fail=True,
        ),
        KindOfStep(
            Kind.DELAY,
            "Delay",
            "Waits, then goes on by itself.",
            settings=(
                Setting("how", "How long", "for", _HOW),
                Setting("amount", "How many", is_source=True, when=("how", "for")),
                Setting("unit", "Unit", "days", UNITS, when=("how", "for")),
                Setting("moment", "Date or time", is_source=True, when=("how", "until")),
                Setting("at", "Not before", "09:00", when=("how", "until_working_day")),
            ),
            can_fail=True,
        ),
        KindOfStep(Kind.FORMAT, "Format", "Names values for later steps to use.", inputs=None, can_fail=True),
        KindOfStep(
            Kind.LOOKUP,
            "Lookup table",
            "Looks a value up in a table of your own.",
            settings=(
                Setting("table", "Lookup table"),
                Setting("missing", "If it is not there", "fail", _MISSING),
            ),
            inputs=(("value", "What to look up", True), ("default", "Default", False)),
            can_fail=True,
        ),
        KindOfStep(
            Kind.CALL,
            "Call another workflow",
            "Starts another workflow with data of this one.",
            settings=(
                Setting("workflow", "Workflow", None),
                Setting("waits", "Wait until it has ended", True, is_yes_no=True),
            ),
            inputs=None,
            can_fail=True,
        ),
        KindOfStep(
            Kind.STOP,
            "Stop",
            "Ends the run here, with a message.",
            settings=(Setting("as", "The run counts as", "succeeded", _STOPS_AS),),
            inputs=(("message", "Message", False),),
        ),
    )
}


def of(kind: str) -> KindOfStep:
    """What there is to know of a kind. Raises KeyError for one that there is not."""
    return KINDS[kind]


def label_of(kind: str) -> str:
    """The kind as people read it."""
    return "Turn of a loop" if kind == TURN else KINDS[kind].label if kind in KINDS else kind


def read_settings(kind: str, stored: Mapping[str, Any] | None) -> dict[str, Any]:
    """Every setting that counts for the kind as it stands, by name; its default where nothing usable stands."""
    stored = stored if isinstance(stored, Mapping) else {}
    read: dict[str, Any] = {}
    for each in KINDS[kind].settings:
        if each.when is None or read.get(each.when[0]) == each.when[1]:
            read[each.name] = _read(each, stored.get(each.name))
    return read


def _read(setting: Setting, value: Any) -> Any:
    if setting.is_yes_no:
        return value if isinstance(value, bool) else setting.default
    if setting.choices:
        return value if value in [key for key, _ in setting.choices] else setting.default
    if setting.least is not None or setting.name == "workflow":
        return value if isinstance(value, int) and not isinstance(value, bool) else setting.default
    if value is None:
        return setting.default
    return str(value).strip() or setting.default


def settings_problems(kind: str, stored: Mapping[str, Any] | None) -> dict[str, str]:
    """Setting to sentence for each that stops publishing. Sources are checked as mappings are, not here."""
    found: dict[str, str] = {}
    read = read_settings(kind, stored)
    for each in KINDS[kind].settings:
        if each.name not in read:
            continue
        value = read[each.name]
        if value in (None, "") and each.is_needed:
            found[each.name] = f"{each.label} is needed, but nothing was given."
        elif each.most is not None and each.least is not None and not each.least <= value <= each.most:
            found[each.name] = f"{each.label} takes {each.least} to {each.most:,}; this is {value:,}."
        elif each.name == "at" and not _TIME.fullmatch(value):
            found[each.name] = f'{each.label} takes a time of day such as 09:00; this is "{value[:20]}".'
    return found


def sources(kind: str, read: Mapping[str, Any]) -> dict[str, str]:
    """The settings that are mappings, of what `read_settings` gave, without empty ones."""
    return {each.name: read[each.name] for each in KINDS[kind].settings if each.is_source and read.get(each.name)}
