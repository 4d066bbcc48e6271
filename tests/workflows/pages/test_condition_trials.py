"""Conditions in a form say what they are with the sample, and take their type from the value."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from tests.world import World
from workflows.forms.condition_form import Row
from workflows.models import Condition, Step
from workflows.presenters.editor.available_values import AvailableValues
from workflows.presenters.editor.condition_trials import Trial, Trials, settled

HERE = AvailableValues(
    data={
        "trigger": {
            "total": "600.00", "count": 3, "title": "Oak table", "day": "2026-11-30", "at": "2026-11-30T10:00:00Z",
            "is_new": True, "lines": [1, 2], "id": "813744226420700001", "code": "0123", "none": None, "empty": "",
            "year": "2026", "price": "-1.5", "odd": "12-34",
        }
    }
)  # fmt: skip
HOSTILE = "<script>alert(1)</script>"


def _path(world: World) -> str:
    return reverse("workflow_filter", args=[world.draft.pk])


def _typed(*rows: dict[str, str], **more: Any) -> dict[str, Any]:
    typed: dict[str, Any] = {"name": "Filter", "group": "all", "row": [str(n) for n in range(len(rows))], **more}
    for n, row in enumerate(rows):
        typed |= {f"{name}.{n}": value for name, value in {"operator": "text.contains", **row}.items()}
    return typed


def _comparison(left: str, operator: str, right: str = "", until: str = "") -> dict[str, Any]:
    type_, _, key = operator.partition(".")
    return {"left": left, "type": type_, "operator": key, "right": right, "right_until": until, "case_sensitive": False}


@pytest.mark.parametrize(
    ("name", "type_"),
    [
        ("total", "number"), ("count", "number"), ("price", "number"), ("title", "text"), ("day", "date"),
        ("at", "date"), ("is_new", "yes_no"), ("lines", "list"), ("id", "text"), ("code", "text"), ("none", ""),
        ("empty", ""), ("gone", ""), ("odd", "text"),
    ],
)  # fmt: skip
def test_a_value_suggests_its_type_and_a_code_is_no_number(name: str, type_: str) -> None:
    assert Trials(HERE).type_of("{{ trigger." + name + " }}") == type_


def test_a_typed_text_suggests_nothing() -> None:
    assert Trials(HERE).type_of("600") == ""


@pytest.mark.parametrize(
    ("comparison", "passed", "said"),
    [
        (
            ("{{ trigger.total }}", "number.equals", "600"),
            True,
            "true, because the value is 600.00, compared with 600.",
        ),
        (("{{ trigger.total }}", "number.between", "1", "9"), False, "the value is 600.00, compared with 1 and 9."),
        (("{{ trigger.title }}", "text.contains", "oak"), True, 'the value is "Oak table", compared with "oak".'),
        (("{{ trigger.day }}", "date.is_weekend"), False, "false, because the value is 2026-11-30."),
        (("{{ trigger.gone }}", "existence.exists"), False, "false, because the value is not there."),
        (("{{ trigger.is_new }}", "yes_no.is_true"), True, "true, because the value is yes."),
        (("{{ trigger.title }}", "number.equals", "1"), None, "it cannot be compared: "),
        (("{{ trigger.gone }}", "text.contains", "x"), None, "it cannot be compared: "),
    ],
)
def test_a_comparison_says_true_or_false_with_both_values(
    comparison: tuple[str, ...], passed: bool | None, said: str
) -> None:
    trial = Trials(HERE).of(_comparison(*comparison))
    assert trial.passed is passed
    assert trial.said.startswith("With this sample")
    assert said in trial.said


@pytest.mark.parametrize(
    ("kind", "answers", "passed"),
    [
        ("all", [True, True], True), ("all", [True, False], False), ("any", [False, True], True),
        ("any", [False, False], False), ("not", [False, False], True), ("not", [True, False], False),
        ("all", [True, None], None), ("any", [], None),
    ],
)  # fmt: skip
def test_a_group_says_what_its_parts_come_to(kind: str, answers: list[bool | None], passed: bool | None) -> None:
    assert settled(kind, [Trial(answer, "") for answer in answers]).passed is passed


@pytest.mark.parametrize(
    ("operator", "right", "is_tried"),
    [("number.at_least", "", False), ("number.at_least", "0", True), ("text.equals", "", True)],
)
def test_a_number_is_not_tried_before_there_is_one_to_compare_with(operator: str, right: str, is_tried: bool) -> None:
    row = Row(left="{{ trigger.total }}", operator=operator, right=right, is_chosen=True)
    row.settle(Trials(HERE))
    assert row.trial is not None
    assert bool(row.trial.said) is is_tried


def test_the_stored_conditions_say_it_when_the_form_opens(builder: Client, world: World) -> None:
    step = Step.objects.create(workflow=world.draft, key="filter", name="Filter", kind="filter", position=1)
    Condition.objects.create(
        step=step, position=1, left="{{ trigger.pin_count }}", type="number", operator="at_least", right="0"
    )
    text = builder.get(_path(world)).content.decode()
    assert re.search(r"With this sample: true, because the value is \d+, compared with 0\.", text)
    assert "With this sample: true, because 1 of 1 is true." in text


def test_what_is_typed_is_tried_without_saving_and_by_the_numbers_of_the_form(builder: Client, world: World) -> None:
    rows = [{"left": "{{ trigger.name }}", "right": "zzz"}, {"left": "{{ trigger.pin_count }}", "right": "0"}]
    typed = _typed(*rows)
    typed["row"] = ["1", "0"]
    text = builder.post(_path(world), {**typed, "_trial": "1"}).content.decode()
    told = dict(re.findall(r'data-px-trial-of="(\d+)" data-px-passed="(\w*)"', text))
    assert sorted(told) == ["0", "1"]
    assert told["0"] == "false"
    assert re.search(r'data-px-trial-of="1" data-px-passed="\w*" data-px-fits="number"', text)
    assert "<form" not in text
    assert not world.draft.steps.exists()


def test_the_type_follows_the_value_only_until_somebody_has_chosen(builder: Client, world: World) -> None:
    row = {"left": "{{ trigger.pin_count }}", "right": "4"}

    def operator(**more: str) -> Any:
        answer = builder.post(_path(world), _typed({**row, **more}, _reload="1"))
        (found,) = answer.context["group"].items
        return found

    assert operator().operator == "number.equals"
    assert operator().operators[0][0] == "number"
    assert operator(chosen="1").operator == "text.contains"
    assert operator(operator="text.starts_with").operator == "text.starts_with"


def test_saving_stores_the_comparison_as_it_was_posted(builder: Client, world: World) -> None:
    builder.post(_path(world), _typed({"left": "{{ trigger.pin_count }}", "right": "4"}))
    assert Condition.objects.get(step__workflow=world.draft, kind="comparison").type == "text"


def test_hostile_values_stay_text(builder: Client, world: World) -> None:
    rows = [{"left": HOSTILE, "right": HOSTILE}, {"left": "{{ " + HOSTILE, "operator": HOSTILE, "right": HOSTILE}]
    for more in ({"_trial": "1"}, {"_reload": "1"}):
        answer = builder.post(_path(world), _typed(*rows, **more))
        assert answer.status_code == 200
        assert HOSTILE not in answer.content.decode()


def test_thirty_conditions_cost_no_more_queries_than_one(builder: Client, world: World) -> None:
    def queries(count: int) -> int:
        typed = _typed(*[{"left": "{{ trigger.name }}", "right": "a"}] * count, _trial="1")
        with CaptureQueriesContext(connection) as found:
            builder.post(_path(world), typed)
        return len(found)

    queries(1)
    assert queries(30) == queries(1)
