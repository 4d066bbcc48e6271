"""Numbers read from text by a mapping: whole or refused, and never guessed where they could be two."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.workflows.language.test_functions import refusal, value
from workflows.language.mapping import MissingPathError


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("1234.56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        (" -0.50 ", "-0.50"),
        ("+7", "7"),
        (".5", "0.5"),
        ("007", "7"),
    ],
)
def test_numbers_are_read_from_text_exactly(written: str, expected: str) -> None:
    result = value("{{ trigger.x | number }}", x=written)
    assert type(result) is Decimal
    assert str(result) == expected


@pytest.mark.parametrize(
    "written", ["", "abc", "1,5", "1,23,456", "12,34.5", "1.2.3", "INV-7", "5%", "1e5", "٣", "NaN", "--1", "1 000"]
)
def test_what_is_not_exactly_a_number_is_refused(written: str) -> None:
    assert "is not a number" in refusal("{{ trigger.x | number }}", x=written)


def test_a_decimal_comma_is_read_when_told() -> None:
    assert value("{{ '1.234,56' | number(',') }}") == Decimal("1234.56")
    assert "is not a number" in refusal("{{ '1,234.56' | number(',') }}")
    assert value("{{ 12.5 | number(',') }}") == Decimal("12.5")
    assert 'The decimal mark is "." or ","' in refusal("{{ '1' | number(';') }}")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("Oak table £1,299.00 (solid)", "1299.00"),
        ("INV-0042", "42"),
        ("Discount: -5.5%", "-5.5"),
        ("2.", "2"),
        ("From 10 to 20", "10"),
        ("EUR12", "12"),
        ("(1,299.00)", "-1299.00"),
        ("-£1,299.00", "-1299.00"),
        ("Refund -£1,299.00 of 24 May", "-1299.00"),
        ("1.299,00- €", "-1299.00"),
        ("Oak table - £1,299.00", "1299.00"),
        ("INV-7", "7"),
    ],
)
def test_the_first_number_is_found_in_a_text(written: str, expected: str) -> None:
    assert value("{{ trigger.x | extract_number }}", x=written) == Decimal(expected)


@pytest.mark.parametrize(
    ("written", "readings"),
    [
        ("EUR 1.234", "could be 1234 or 1.234."),
        ("EUR 2,500", "could be 2500 or 2.5."),
        ("2,500", "could be 2500 or 2.5."),
    ],
)
def test_a_number_that_could_be_two_is_refused_until_its_mark_is_named(written: str, readings: str) -> None:
    for source in ("{{ trigger.x | extract_number }}", "{{ trigger.x | number }}"):
        said = refusal(source, x=written)
        assert readings in said
        assert "Name its decimal mark" in said
    # A default stands in for a number that is not there, never for one that is.
    assert readings in refusal("{{ trigger.x | extract_number | default(0) }}", x=written)
    points = {"EUR 1.234": "1.234"}.get(written, "2500")
    assert value('{{ trigger.x | extract_number(".") }}', x=written) == Decimal(points)


def test_no_number_is_an_error_unless_a_default_is_given() -> None:
    assert refusal("{{ 'none' | extract_number }}", MissingPathError) == 'Find a number: There is no number in "none".'
    assert value("{{ 'none' | extract_number | default(0) }}") == 0
