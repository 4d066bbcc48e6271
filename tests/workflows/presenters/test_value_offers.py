"""What the fields of a form offer: the nearest first, what is seldom wanted apart, and every function as a form."""

from __future__ import annotations

import pytest

from workflows.language import mapping
from workflows.language.functions import FUNCTIONS
from workflows.language.references import Token, TokenGroup, tokens_of
from workflows.language.values import MappingError
from workflows.presenters.editor.function_forms import CHOICES, USUAL, argument_label, function_forms, literal
from workflows.presenters.editor.value_offers import value_offers


def _groups(*keys: str) -> list[TokenGroup]:
    return [TokenGroup(key, key.title(), (Token(f"{key}.title", "Title", "Oak"),)) for key in keys]


def test_the_nearest_step_comes_first_and_what_every_run_has_last() -> None:
    offered = value_offers(_groups("loop", "trigger", "first", "second", "run"), [])
    assert [group["key"] for group in offered["groups"]] == ["loop", "second", "first", "trigger", "run"]


def test_ids_empty_values_and_groups_of_fields_are_minor_and_words_that_end_alike_are_not() -> None:
    data = {"id": "1", "ContactID": "2", "board_id": "3", "paid": "yes", "note": "", "address": {"city": "Leeds"}}
    [group] = value_offers([TokenGroup("trigger", "New", tokens_of(data, "trigger"))], [])["groups"]
    minor = {value["path"].partition(".")[2]: value["minor"] for value in group["values"]}
    assert minor == {
        "id": True, "ContactID": True, "board_id": True, "paid": False, "note": True, "address": True,
        "address.city": False,
    }  # fmt: skip


def test_values_have_the_types_that_fields_ask_for() -> None:
    data = {"total": 12, "day": "2026-11-30", "at": "2026-11-30T09:00:00Z", "lines": [{"a": 1}], "is_paid": True}
    [group] = value_offers([TokenGroup("trigger", "New", tokens_of(data, "trigger"))], [])["groups"]
    kinds = {value["path"]: value["kind"] for value in group["values"]}
    assert kinds == {
        "trigger.total": "number", "trigger.day": "date", "trigger.at": "date", "trigger.lines": "list",
        "trigger.lines[0].a": "number", "trigger.lines[0]": "table", "trigger.is_paid": "yes_no",
    }  # fmt: skip


def test_every_function_has_a_form_the_usual_ones_first_and_each_argument_a_name() -> None:
    forms = function_forms()
    assert [form["name"] for form in forms[: len(USUAL)]] == list(USUAL)
    assert {form["name"] for form in forms} == set(FUNCTIONS)
    named = {argument_label(parameter) for function in FUNCTIONS.values() for parameter in function.parameters}
    assert not [label for label in named if "_" in label or label == label.lower()]


@pytest.mark.parametrize(("name", "argument"), sorted(CHOICES))
def test_every_choice_of_an_argument_is_one_that_the_function_knows(name: str, argument: str) -> None:
    function = FUNCTIONS[name]
    assert argument in {parameter.name for parameter in function.parameters}
    values = {"number": "12.5", "list": "[]", "date": '"2026-11-30"'}
    needed = {"rate": "20", "amount": '"a"', "terms": "5", "field": '"a"'}
    for choice, _ in CHOICES[name, argument]:
        others = [
            f"{each.name}={needed[each.name]}"
            for each in function.parameters
            if each.is_required and each.name != argument
        ]
        given = ", ".join([*others, f"{argument}={literal(choice)}"])
        source = f"{{{{ {values.get(_takes(name), chr(34) + '12.5' + chr(34))} | {name}({given}) }}}}"
        assert "There are" not in _problem(source), source


def _problem(source: str) -> str:
    """A choice that a function does not know is answered with those that there are."""
    try:
        mapping.evaluate(source, {})
    except MappingError as error:
        return error.message
    return ""


def _takes(name: str) -> str:
    return str(next(form["takes"] for form in function_forms() if form["name"] == name))
