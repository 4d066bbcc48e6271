"""The mapping language: what a value becomes, and what is said when it cannot become anything."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from workflows.language.mapping import (
    MappingContext,
    MappingError,
    MappingSyntaxError,
    MappingTypeError,
    MissingPathError,
    check,
    evaluate,
    references,
)

CONTEXT = MappingContext(timezone="Pacific/Auckland", today=date(2026, 11, 23))
DATA: dict[str, Any] = {
    "trigger": {
        "title": "Oak table",
        "description": None,
        "note": "",
        "price": Decimal("99.99"),
        "quantity": 3,
        "weight": 1.1,
        "is_public": True,
        "board": {"id": "b1", "name": "Summer"},
        "lines": [{"amount": Decimal("10.00")}, {"amount": Decimal("2.50")}],
        "tags": ["oak", "table"],
        "odd key": "odd",
        "created_at": "2026-11-23T12:30:00Z",
    },
    "steps": {"invoice": {"Total": Decimal("100.05"), "Number": "INV-7"}},
    "run": {"id": 12},
    "workflow": {"name": "Pins to invoices"},
}


def value(source: str) -> Any:
    return evaluate(source, DATA, CONTEXT)


def refusal(source: str, kind: type[MappingError]) -> str:
    with pytest.raises(kind) as caught:
        value(source)
    assert caught.value.source == source
    assert str(caught.value) == caught.value.message
    return caught.value.message


def same(found: Any, expected: Any) -> None:
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ trigger.price }}", Decimal("99.99")),
        ("{{ trigger.quantity }}", 3),
        ("{{ trigger.weight }}", Decimal("1.1")),
        ("{{ trigger.description }}", None),
        ("{{ trigger.is_public }}", True),
        ("{{ trigger.tags }}", ["oak", "table"]),
        ("{{ trigger.board }}", {"id": "b1", "name": "Summer"}),
        ("{{- trigger.quantity -}}", 3),
        ("{{ 12.50 }}", Decimal("12.50")),
        ("{{ 1_000 }}", 1000),
        ("{{ 1e3 }}", Decimal("1000")),
        ("{{ none }}", None),
        ("{{ [trigger.quantity, 1.5, 'x', true] }}", [3, Decimal("1.5"), "x", True]),
    ],
)
def test_a_value_that_is_one_expression_keeps_its_type(source: str, expected: Any) -> None:
    same(value(source), expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", ""),
        ("Hello", "Hello"),
        ("  spaces stay \n", "  spaces stay \n"),
        ("100% of } and { stay", "100% of } and { stay"),
        ("{{ trigger.title }} costs {{ trigger.price }}", "Oak table costs 99.99"),
        (" {{ trigger.quantity }}", " 3"),
        ("[{{ trigger.description }}]", "[]"),
        ("{{ trigger.is_public }}!", "true!"),
        ("{{ 1e3 }}!", "1000!"),
        ("{{ 0.0000001 }}!", "0.0000001!"),
        ("a{# a remark #}b", "ab"),
        ("{{ '{{ x }}' }} stays", "{{ x }} stays"),
    ],
)
def test_anything_else_is_a_text(source: str, expected: str) -> None:
    same(value(source), expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ trigger.board.name }}", "Summer"),
        ("{{ trigger['odd key'] }}", "odd"),
        ("{{ trigger.lines[1].amount }}", Decimal("2.50")),
        ("{{ trigger.lines.0.amount }}", Decimal("10.00")),
        ("{{ trigger.lines[-1].amount }}", Decimal("2.50")),
        ("{{ (trigger.lines | first).amount }}", Decimal("10.00")),
        ("{{ run.id }}", 12),
        ("{{ workflow.name }}", "Pins to invoices"),
    ],
)
def test_a_reference_follows_keys_and_positions(source: str, expected: Any) -> None:
    same(value(source), expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 0.1 + 0.2 }}", Decimal("0.3")),
        ("{{ trigger.weight + 2.2 }}", Decimal("3.3")),
        ("{{ trigger.price * trigger.quantity }}", Decimal("299.97")),
        ("{{ 10 / 4 }}", Decimal("2.5")),
        ("{{ 10 / 3 }}", Decimal("3.333333333333333333333333333")),
        ("{{ 2 + 3 * 4 }}", Decimal("14")),
        ("{{ (2 + 3) * 4 }}", Decimal("20")),
        ("{{ 10 - 3 - 2 }}", Decimal("5")),
        ("{{ -trigger.price }}", Decimal("-99.99")),
        ("{{ +trigger.price }}", Decimal("99.99")),
        ("{{ 0.12345678901234567890123456789 * 1 }}", Decimal("0.12345678901234567890123456789")),
        ("{{ 999999999999999999.99 + 0.01 }}", Decimal("1000000000000000000.00")),
        ("{{ 0 * -1 }}", Decimal("0")),
    ],
)
def test_calculations_are_exact_decimals(source: str, expected: Decimal) -> None:
    same(value(source), expected)
    assert str(value(source)) == str(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ steps.invoice.Total * 1.1 | round(2) }}", Decimal("110.06")),
        ("{{ steps.invoice.Total * (1.1 | round) }}", Decimal("100.05")),
        ("{{ 1 + 1.26 | round(1) }}", Decimal("2.3")),
        ("{{ trigger.price | round * 2 }}", Decimal("200")),
        ("{{ trigger.price | round * 2.26 | round(1) }}", Decimal("226.0")),
        ("{{ (1.26 | round(1)) + (1.26 | round(1)) }}", Decimal("2.6")),
        ("{{ trigger.price * trigger.missing | default(2) }}", Decimal("199.98")),
        ("{{ trigger.missing | default(1) + trigger.missing | default(2) }}", Decimal("3")),
        ("{{ 'a' ~ 'b' | upper ~ 'c' }}", "aBc"),
        ("{{ 'Sum: ' ~ 1 + 2 }}", "Sum: 3"),
        ("{{ 2.4 | round == 2 }}", True),
        ("{{ 1 + 1.4 | round > 2 }}", False),
    ],
)
def test_a_function_works_on_the_whole_calculation_before_it(source: str, expected: Any) -> None:
    same(value(source), expected)


def test_a_function_in_the_middle_of_a_calculation_needs_brackets() -> None:
    assert refusal("{{ trigger.price * 2 + 1 | round * 3 }}", MappingSyntaxError) == (
        "The mapping cannot be read: A function in the middle of a calculation needs brackets: (a + b | round(2)) * c."
    )


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 1 == 1.0 }}", True),
        ("{{ trigger.title == 'Oak table' }}", True),
        ("{{ trigger.description == none }}", True),
        ("{{ trigger.quantity != 3 }}", False),
        ("{{ 1 < trigger.quantity <= 3 }}", True),
        ("{{ 3 > 1 < 2 }}", True),
        ("{{ 'oak' in trigger.tags }}", True),
        ("{{ 'oak' not in trigger.tags }}", False),
        ("{{ 'table' in trigger.title }}", True),
        ("{{ 'name' in trigger.board }}", True),
        ("{{ trigger.lines == trigger.lines }}", True),
        ("{{ [1, [2]] == [1.0, [2.00]] }}", True),
        ("{{ [1] == [true] }}", False),
        ("{{ trigger.created_at | to_date == '2026-11-24' }}", True),
        ("{{ trigger.created_at | to_date < '2026-11-24' }}", False),
        ("{{ not trigger.note }}", True),
        ("{{ trigger.note or 'None given' }}", "None given"),
        ("{{ trigger.title and trigger.quantity }}", 3),
        ("{{ 0 or 5 }}", 5),
        ("{{ 'many' if trigger.quantity > 2 else 'few' }}", "many"),
        ("{{ 'many' if trigger.quantity > 5 }}", None),
        ("{{ trigger.missing if false else 'fine' }}", "fine"),
        ("{{ true and false }}", False),
    ],
)
def test_comparisons_and_choices(source: str, expected: Any) -> None:
    same(value(source), expected)


def test_a_default_steps_in_for_missing_null_and_empty_values_only() -> None:
    assert value("{{ trigger.missing | default('x') }}") == "x"
    assert value("{{ trigger.board.missing.deeper | default('x') }}") == "x"
    assert value("{{ unknown.thing | default('x') }}") == "x"
    assert value("{{ trigger.description | default('x') }}") == "x"
    assert value("{{ trigger.note | default('x') }}") == "x"
    assert value("{{ 0 | default(5) }}") == 0
    assert value("{{ false | default(true) }}") is False
    assert value("{{ trigger.missing | default(trigger.title | upper) }}") == "OAK TABLE"


def test_a_default_hides_no_other_error() -> None:
    assert "divided by zero" in refusal("{{ 1 / 0 | default(1) }}", MappingTypeError)


@pytest.mark.parametrize(
    ("source", "path", "message"),
    [
        (
            "{{ trigger.titel }}",
            "trigger.titel",
            'There is no "titel" in trigger. It has: board, created_at, description, is_public, lines, note, odd key, '
            "price, quantity, tags, title, weight.",
        ),
        ("{{ trigger.board.nam }}", "trigger.board.nam", 'There is no "nam" in trigger.board. It has: id, name.'),
        (
            "{{ trigger.lines[2].amount }}",
            "trigger.lines.2",
            'There is no "2" in trigger.lines. It is a list with items 0 to 1.',
        ),
        ("{{ trigger.lines.amount }}", "trigger.lines.amount", None),
        ("{{ trigger.title.upper }}", "trigger.title.upper", 'There is no "upper" in trigger.title: it is text.'),
        (
            "{{ trigger.description.x }}",
            "trigger.description.x",
            'There is no "x" in trigger.description: it is empty.',
        ),
        (
            "{{ invoice.Total }}",
            "invoice",
            'There is no "invoice". A reference starts with one of: trigger, steps, run, workflow.',
        ),
        ("{{ item.x }}", "item", None),
        ("{{ trigger.missing | upper }}", "trigger.missing", None),
        ("{{ trigger.missing | upper | default(trigger.absent) }}", "trigger.absent", None),
    ],
)
def test_a_missing_path_is_an_error_that_names_it_and_what_there_is(
    source: str, path: str, message: str | None
) -> None:
    with pytest.raises(MissingPathError) as caught:
        value(source)
    assert caught.value.path == path
    if message:
        assert caught.value.message == message


def test_data_under_any_other_root_cannot_be_reached() -> None:
    with pytest.raises(MissingPathError):
        evaluate("{{ settings.SECRET_KEY }}", {"settings": {"SECRET_KEY": "x"}, "trigger": {}})
    assert evaluate("{{ item.x }}", {"item": {"x": 1}}) == 1


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("{{ trigger.title * 2 }}", 'trigger.title: A number is needed here, but "Oak table" is not one. Add | number'),
        ("{{ trigger.is_public + 1 }}", "A number is needed here, but true is not one."),
        ("{{ trigger.description + 1 }}", "trigger.description: A number is needed here, but empty is not one."),
        ("{{ trigger.title + 'x' }}", '+ adds numbers, but "Oak table" is text. Join texts with ~'),
        ("{{ 5 / (trigger.quantity - 3) }}", "5 cannot be divided by zero."),
        ("{{ trigger.quantity == '3' }}", '3 and "3" are of different kinds'),
        ("{{ trigger.tags < 3 }}", "a list of 2 and 3 are of different kinds"),
        ("{{ 'x' in 3 }}", '"in" looks into a text or a list, but 3 is neither.'),
        ("Tags: {{ trigger.tags }}", 'trigger.tags: A list cannot stand in a text. Join it with | join(", ")'),
        ("{{ trigger.board ~ '' }}", "A group of fields cannot stand in a text. Pick one of them: id, name."),
        ("{{ trigger.title | round }}", 'trigger.title, Round: A number is needed here, but "Oak table" is not one.'),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_with_a_hint(source: str, part: str) -> None:
    assert part in refusal(source, MappingTypeError)


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("{{ trigger.title", "The mapping cannot be read"),
        ("{{ }}", "The mapping cannot be read"),
        ("{{ trigger. }}", "The mapping cannot be read"),
        ('{{ "\\x00" }}', "holds a character that cannot be stored"),
        ('{{ "\\ud800" }}', "holds a character that cannot be stored"),
        ("a\x00b", "holds a character that cannot be stored"),
        ("a\ud800b", "holds a character that cannot be stored"),
        ("{{ trigger['\ud800'] }}", "holds a character that cannot be stored"),
        ("{{ trigger.title | uper }}", 'There is no function called "uper". Did you mean upper'),
        ("{{ trigger.title | zzz }}", "The list of functions shows what there is"),
        ("{{ trigger.title | upper(1) }}", "| upper takes no values in its brackets, not 1."),
        ("{{ trigger.title | replace('a') }}", "| replace needs new, for example"),
        ("{{ 1 | round(1, 'up', 3) }}", "| round takes at most 2 values in its brackets, not 3."),
        ("{{ 1 | round(digits=1) }}", '| round has no argument called "digits". It takes: mode, places.'),
        ("{{ 1 | round(1, places=1) }}", '| round is given "places" twice.'),
        ("{{ 1 | round(*[1]) }}", "* and ** do not exist."),
        ("{{ 2 ** 3 }}", "Powers (**) do not exist."),
        ("{{ 5 % 3 }}", "The remainder (%) does not exist."),
        ("{{ 5 // 3 }}", "Division without remainder (//) does not exist"),
        ("{{ 0xff }}", '"0xff" is not a decimal number.'),
        ("{{ trigger.tags[0:1] }}", "Square brackets after a value hold a name in quotes or a whole number."),
        ("{{ trigger.tags[trigger.quantity] }}", "Square brackets after a value hold a name in quotes"),
        ("{{ trigger.title.upper() }}", "Calls like name(…) do not exist"),
        ("{{ trigger.title is defined }}", '"is" does not exist'),
        ("{{ {'a': 1} }}", "Groups of fields {…: …} cannot be written in a mapping."),
        ("{{ 1, 2 }}", "A list is written in square brackets."),
        ("{% if true %}x{% endif %}", "blocks like {% … %} do not exist."),
        ("{% raw %}x{% endraw %}", "blocks like {% … %} do not exist."),
    ],
)
def test_what_cannot_be_read_is_found_by_check_already(source: str, part: str) -> None:
    with pytest.raises(MappingSyntaxError) as caught:
        check(source)
    assert part in caught.value.message
    assert caught.value.source == source
    refusal(source, MappingSyntaxError)


def test_check_looks_at_the_writing_only() -> None:
    assert check("{{ nowhere.at.all | round(2) }} and {{ 1 / 0 }}") is None


def test_a_mapping_that_is_not_a_text_is_refused() -> None:
    with pytest.raises(MappingSyntaxError):
        check(5)  # type: ignore[arg-type]


def test_references_are_listed_once_and_in_order() -> None:
    source = (
        "{{ trigger.title | default(trigger.board.name) }} {{ steps.invoice.Total * run.rate }} "
        "{{ trigger.title if item.x else trigger.lines[0].amount }} {{ trigger }}"
    )
    assert references(source) == [
        "trigger.title",
        "trigger.board.name",
        "steps.invoice.Total",
        "run.rate",
        "item.x",
        "trigger.lines.0.amount",
        "trigger",
    ]
    assert references("no reference") == []


def test_results_are_copies_of_the_data() -> None:
    data = {"trigger": {"tags": ["a"]}}
    evaluate("{{ trigger }}", data)["tags"].append("b")
    assert data == {"trigger": {"tags": ["a"]}}


def test_dates_in_the_data_come_out_as_text() -> None:
    data = {"trigger": {"day": date(2026, 1, 31), "at": datetime(2026, 1, 31, 8, 30)}}
    assert evaluate("{{ trigger }}", data) == {"day": "2026-01-31", "at": "2026-01-31T08:30:00"}
    assert evaluate("on {{ trigger.day }}", data) == "on 2026-01-31"
