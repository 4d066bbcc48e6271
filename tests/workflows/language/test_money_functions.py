"""Functions for numbers, money and tax: not a cent lost, whatever the amount, the currency and how it is written."""

from __future__ import annotations

import importlib
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.connectors.xero.fields.totals import Basis
from integrations.connectors.xero.fields.totals import line as xero_line
from workflows.language import number_formats
from workflows.language.mapping import MappingContext, MappingError, evaluate

CONTEXT = MappingContext(timezone="Europe/London", today=date(2026, 11, 23), currency="GBP")
CURRENCIES = {"GBP": 2, "EUR": 2, "JPY": 0, "ISK": 0, "KWD": 3, "TND": 3, "CLF": 4}


def value(source: str, context: MappingContext = CONTEXT, **trigger: Any) -> Any:
    return evaluate(source, {"trigger": trigger}, context)


def refusal(source: str, **trigger: Any) -> str:
    with pytest.raises(MappingError) as caught:
        value(source, **trigger)
    return caught.value.message


# --- allocating -----------------------------------------------------------------------------------------------------


@given(
    units=st.integers(-(10**12), 10**12),
    currency=st.sampled_from(sorted(CURRENCIES)),
    weights=st.lists(st.integers(0, 10**6).map(lambda n: Decimal(n).scaleb(-2)), min_size=1, max_size=40),
)
def test_an_allocated_amount_is_all_there_and_no_row_is_a_unit_off(
    units: int, currency: str, weights: list[Decimal]
) -> None:
    if not sum(weights):
        assert "all of them 0" in refusal("{{ 1 | allocate(trigger.weights) }}", weights=weights)
        return
    unit = Decimal(1).scaleb(-CURRENCIES[currency])
    amount = units * unit
    source = "{{ trigger.amount | allocate(trigger.weights, trigger.currency) }}"
    shares = value(source, amount=amount, weights=weights, currency=currency)
    assert sum(shares) == amount
    assert len(shares) == len(weights)
    for share, weight in zip(shares, weights, strict=True):
        assert share.as_tuple().exponent == -CURRENCIES[currency]
        assert abs(share - amount * weight / sum(weights)) < unit
        assert weight or not share
    for a, weight_a in zip(shares, weights, strict=True):
        for b, weight_b in zip(shares, weights, strict=True):
            assert weight_a < weight_b or abs(a) >= abs(b) - (unit if weight_a == weight_b else 0)


@given(units=st.integers(0, 10**9), rows=st.integers(1, 200))
def test_shares_over_rows_differ_by_one_unit_at_most_and_the_larger_come_first(units: int, rows: int) -> None:
    shares = value("{{ trigger.amount | allocate(trigger.rows) }}", amount=Decimal(units).scaleb(-2), rows=rows)
    assert shares == sorted(shares, reverse=True)
    assert shares[0] - shares[-1] <= Decimal("0.01")
    assert sum(shares) == Decimal(units).scaleb(-2)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 100 | allocate(3) }}", ["33.34", "33.33", "33.33"]),
        ("{{ -100 | allocate(3) }}", ["-33.34", "-33.33", "-33.33"]),
        ("{{ 0.01 | allocate(2) }}", ["0.01", "0.00"]),
        ('{{ 100 | allocate(3, "JPY") }}', ["34", "33", "33"]),
        ('{{ 1 | allocate(3, "KWD") }}', ["0.334", "0.333", "0.333"]),
        ("{{ 10 | allocate([1, 0, 2]) }}", ["3.33", "0.00", "6.67"]),
        ("{{ 10 | allocate('2') }}", ["5.00", "5.00"]),
        ('{{ 5 | allocate(trigger.lines | pluck("amount")) }}', ["1.25", "3.75"]),
    ],
)
def test_examples_of_allocating(source: str, expected: list[str]) -> None:
    assert [str(each) for each in value(source, lines=[{"amount": "1"}, {"amount": 3}])] == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 0.001 | allocate(2) }}", "0.001 has more than 2 decimal places. Round it first."),
        ('{{ 0.5 | allocate(2, "JPY") }}', "more than 0 decimal places"),
        ("{{ 1 | allocate(0) }}", "A whole number from 1"),
        ("{{ 1 | allocate(1.5) }}", "A whole number from 1"),
        ("{{ 1 | allocate(20001) }}", "A whole number from 1"),
        ("{{ 1 | allocate([]) }}", "no row to allocate to"),
        ("{{ 1 | allocate([1, -1]) }}", "A weight is below 0"),
        ("{{ 1 | allocate([1, 'x']) }}", 'Item 2: "x" is not a number'),
        ('{{ 1 | allocate(2, "pounds") }}', "A currency is three letters"),
    ],
)
def test_what_cannot_be_allocated_is_said(source: str, said: str) -> None:
    assert said in refusal(source)


# --- currencies -----------------------------------------------------------------------------------------------------


@given(amount=st.decimals(-(10**9), 10**9, places=6), currency=st.sampled_from(sorted(CURRENCIES)))
def test_money_is_rounded_to_its_unit_halves_away_from_zero(amount: Decimal, currency: str) -> None:
    expected = amount.quantize(Decimal(1).scaleb(-CURRENCIES[currency]), rounding=ROUND_HALF_UP)
    rounded = value("{{ trigger.a | round_money(trigger.c) }}", a=amount, c=currency)
    assert (rounded, rounded.as_tuple().exponent) == (expected, -CURRENCIES[currency])
    cents = value("{{ trigger.a | round_money(trigger.c) | to_minor_units(trigger.c) }}", a=amount, c=currency)
    assert cents == expected.scaleb(CURRENCIES[currency])
    assert value("{{ trigger.n | from_minor_units(trigger.c) }}", n=cents, c=currency) == expected


@pytest.mark.parametrize(
    ("context", "expected"),
    [(CONTEXT, "1.24"), (MappingContext(currency="JPY"), "1"), (MappingContext(currency="KWD"), "1.235"),
     (MappingContext(), "1.24")],
)  # fmt: skip
def test_without_a_currency_it_is_the_organisations_and_without_one_two_places(
    context: MappingContext, expected: str
) -> None:
    assert str(value("{{ 1.235 | round_money }}", context)) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ 1 | convert(0) }}", "A rate is above 0"),
        ('{{ 1 | convert(1.1, "EUR", "last week") }}', "A date is needed"),
        ('{{ 1.234 | to_minor_units("EUR") }}', "more than 2 decimal places"),
        ('{{ 1.5 | from_minor_units("EUR") }}', "more than 0 decimal places"),
        ('{{ "" | minor_units }}', "The currency is empty"),
    ],
)
def test_money_that_cannot_be_is_refused(source: str, said: str) -> None:
    assert said in refusal(source)


def test_a_converted_amount_is_rounded_once() -> None:
    assert value('{{ 2.675 | convert(1, "EUR") }}') == Decimal("2.68")
    assert value('{{ 1000 | convert(158.315, "JPY", "2026-11-23") }}') == Decimal("158315")


# --- tax ------------------------------------------------------------------------------------------------------------

_AMOUNTS = st.decimals(-(10**7), 10**7, places=2)
_RATES = st.decimals(0, 100, places=3)


@given(amount=_AMOUNTS, rate=_RATES)
def test_net_and_tax_make_gross_both_ways(amount: Decimal, rate: Decimal) -> None:
    data = {"a": amount, "r": rate}
    on_top = value("{{ trigger.a | tax_amount(trigger.r) }}", **data)
    assert value("{{ trigger.a | gross_from_net(trigger.r) }}", **data) == amount + on_top
    inside = value('{{ trigger.a | tax_amount(trigger.r, "inclusive") }}', **data)
    assert value("{{ trigger.a | net_from_gross(trigger.r) }}", **data) == amount - inside


@given(lines=st.lists(st.tuples(_AMOUNTS, _RATES), max_size=8), is_inclusive=st.booleans())
def test_the_tax_of_lines_is_to_the_cent_what_xero_books(
    lines: list[tuple[Decimal, Decimal]], is_inclusive: bool
) -> None:
    basis = Basis.INCLUSIVE if is_inclusive else Basis.EXCLUSIVE
    expected = [
        xero_line(quantity=Decimal(1), unit_amount=amount, rate=rate, basis=basis).tax for amount, rate in lines
    ]
    rows = [{"amount": amount, "tax": {"rate": rate}} for amount, rate in lines]
    source = f'{{{{ trigger.rows | tax_per_line("amount", "tax.rate", "{basis.value}") }}}}'
    assert value(source, rows=rows) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ('{{ 1 | tax_amount(20, "net") }}', '"exclusive" (on top) or "inclusive" (within)'),
        ("{{ 1 | tax_amount(-1) }}", "0 to 1,000 percent"),
        ('{{ [{"a": 1}] | tax_per_line("b", 20) }}', "Groups of fields"),
        ('{{ trigger.rows | tax_per_line("b", 20) }}', 'Item 1: There is no "b" in the item'),
    ],
)
def test_tax_that_cannot_be_worked_out_is_said(source: str, said: str) -> None:
    assert said in refusal(source, rows=[{"a": 1}])


# --- numbers as languages write them --------------------------------------------------------------------------------

LANGUAGES = sorted(number_formats._MARKS_OF)


@given(number=st.decimals(-(10**12), 10**12, places=4), language=st.sampled_from([*LANGUAGES, ".", ",", "pt-BR"]))
def test_a_number_written_for_a_language_is_read_back_by_it(number: Decimal, language: str) -> None:
    written = value("{{ trigger.n | format_number(4, trigger.l) }}", n=number, l=language)
    assert value("{{ trigger.w | number(trigger.l) }}", w=written, l=language) == number


@pytest.mark.parametrize(
    ("written", "language", "expected"),
    [
        ("1.234,56", ",", "1234.56"),
        ("1.234,56", "de", "1234.56"),
        ("1.234,56", "de-AT", "1234.56"),
        ("1 234,56", "fr", "1234.56"),
        ("1\u202f234,56", "fr", "1234.56"),
        ("1\xa0234\xa0567,5", "pl", "1234567.5"),
        ("1’234.50", "de-CH", "1234.50"),
        ("1'234.50", "de-CH", "1234.50"),
        ("12,34,567.89", "en-IN", "1234567.89"),
        ("−5,5", "sv", "-5.5"),
        ("1.000.000", "es", "1000000"),
        ("-0,5", "nl", "-0.5"),
        ("1.355,90 €", "de", "1355.90"),
        ("CHF 1’299.-", "de-CH", "1299"),
    ],
)
def test_numbers_of_many_languages_are_read(written: str, language: str, expected: str) -> None:
    assert str(value("{{ trigger.w | number(trigger.l) }}", w=written, l=language)) == expected


@pytest.mark.parametrize(
    ("written", "language"),
    [
        ("1,234.56", "de"),
        ("1.23", "de"),
        ("1.234.5", "de"),
        ("1.234,56", "fr"),
        ("1 234.56", "fr"),
        ("1 234\xa0567,5", "fr"),
        ("1,234,5", "en"),
        ("12,34,567", "en"),
        ("1'234.50", "en"),
        ("12 Stück", "de"),
        ("", "de"),
    ],
)
def test_a_number_written_otherwise_is_refused_and_never_guessed(written: str, language: str) -> None:
    assert "is not a number" in refusal("{{ trigger.w | number(trigger.l) }}", w=written, l=language)


def test_a_language_that_is_not_known_is_said() -> None:
    assert 'or a language such as "de"; not "klingon"' in refusal('{{ "1" | number("klingon") }}')


#: Where Django's tables differ from the CLDR, and from what is written in the country.
_OTHERWISE_IN_DJANGO = {"de-ch", "it-ch", "lv", "en-za", "es-mx"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_decimal_marks_agree_with_djangos(language: str) -> None:
    place, _, region = language.partition("-")
    name = f"{place}_{region.upper()}" if region else {"zh": "zh_Hans", "no": "nb"}.get(place, place)
    try:
        module = importlib.import_module(f"django.conf.locale.{name}.formats")
    except ImportError:
        return
    if language not in _OTHERWISE_IN_DJANGO:
        assert number_formats.number_format(language).decimal == getattr(module, "DECIMAL_SEPARATOR", ".")


# --- numbers of a list ----------------------------------------------------------------------------------------------


@given(st.lists(st.decimals(-(10**9), 10**9, places=2), min_size=1, max_size=30))
def test_sums_and_extremes_are_exact(numbers: list[Decimal]) -> None:
    rows = [{"n": number} for number in numbers]
    assert value('{{ trigger.rows | sum("n") }}', rows=rows) == sum(numbers)
    assert value("{{ trigger.n | min }}", n=numbers) == min(numbers)
    assert value("{{ trigger.n | max }}", n=numbers) == max(numbers)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ [] | sum }}", "0"),
        ("{{ ['1,234.50', 0.1, 0.2] | sum }}", "1234.80"),
        ("{{ 5 | min(3) }}", "3"),
        ("{{ -5 | max(0) }}", "0"),
        ("{{ 1 | divide(3) }}", "0.3333333333333333333333333333"),
        ("{{ 1 / 3 }}", "0.3333333333333333333333333333"),
        ("{{ 2 | share_of(3) | round(2) }}", "66.67"),
        ("{{ 19.99 | percent(17.5) }}", "3.49825"),
        ("{{ 1234567.891 | format_number(2, 'en-IN') }}", "1,234,567.89"),
        ("{{ -0.001 | format_number }}", "0.00"),
        ("{{ 0.5 | format_number(0) }}", "1"),
    ],
)
def test_number_functions(source: str, expected: str) -> None:
    assert str(value(source)) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ [1, none] | sum }}", "Item 2: empty is not a number"),
        ("{{ [] | max }}", "The list is empty"),
        ("{{ [] | average }}", "has no average"),
        ("{{ 1 | divide(0) }}", "cannot be divided by zero"),
        ("{{ 1 | share_of(0) }}", "no share of zero"),
        ("{{ 9e29 | multiply(10) }}", "digits before the decimal point"),
    ],
)
def test_what_cannot_be_calculated_is_said(source: str, said: str) -> None:
    assert said in refusal(source)
