"""The reader of numbers: whole or refused, whatever stands around them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core import numbers
from integrations.schema.cleaning import clean_value
from integrations.schema.fields import Field, Kind

#: Below zero, as it is written around a number.
BELOW = ("-{}", "−{}", "{}-", "- {}", "{} -", "({})", "( {} )")
CURRENCIES = ("", "£", "€ ", "EUR ", "CHF ", "US$", "kr ", "R$ ")
#: decimal mark, what stands between thousands
WRITTEN = [(".", ","), (".", "’"), (".", "'"), (",", "."), (",", "\xa0"), (",", "\u202f"), (",", "\u2009"), (",", " ")]

amounts = st.decimals(Decimal("0.00"), Decimal("99999999.99"), places=2)


def digits(text: str) -> str:
    return re.sub("[^0-9]", "", text).lstrip("0")


def written(amount: Decimal, mark: str, group: str) -> str:
    whole, _, cents = f"{amount:,f}".partition(".")
    return f"{whole.replace(',', group)}{mark}{cents}"


@given(
    amount=amounts,
    style=st.sampled_from(WRITTEN),
    currency=st.sampled_from(CURRENCIES),
    below=st.sampled_from(BELOW),
    is_before=st.booleans(),
)
def test_an_amount_is_read_whatever_stands_around_it(
    amount: Decimal, style: tuple[str, str], currency: str, below: str, is_before: bool
) -> None:
    mark, group = style
    figures = written(amount, mark, group)
    text = f"{currency}{figures}" if is_before else f"{figures} {currency.strip()}".strip()
    assert numbers.read(text, numbers.style_of(mark)) == amount
    assert numbers.read(below.format(text), numbers.style_of(mark)) == -amount
    assert numbers.find(below.format(text), numbers.style_of(mark)) == -amount


@given(amount=amounts, style=st.sampled_from(WRITTEN), words=st.sampled_from(["Oak table ", "Set of chairs: ", ""]))
def test_without_a_named_mark_it_is_read_right_or_refused(amount: Decimal, style: tuple[str, str], words: str) -> None:
    text = f"{words}€{written(amount, *style)}"
    try:
        found = numbers.find(text)
    except numbers.NumberError:
        assert style[0] == ","
        return
    assert found == amount


@given(st.text(alphabet="0123456789.,'’ \xa0-−()£€EURkINV%½/:", max_size=30))
def test_what_is_found_uses_every_digit_that_stands_together(text: str) -> None:
    try:
        found = numbers.find(text)
    except numbers.NumberError:
        return
    if found is None:
        assert not re.search("[0-9]", text)
        return
    together = re.search("[0-9]+(?:[.,'’][0-9]+)*", text)
    assert together is not None
    assert digits(str(found)).startswith(digits(together[0]))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Refund (£1,299.00)", '"Refund (£1,299.00)" could be above or below zero.'),
        ("Refund: - £5.00", '"Refund: - £5.00" could be above or below zero.'),
        ("2- seater", '"2- seater" could be above or below zero.'),
        ("Table 2 150 cm", '"Table 2 150 cm" could be one number or two.'),
        ("Was 2,500 now", '"Was 2,500 now" could be 2500 or 2.5.'),
        ("£5k", '"£5k" holds more than a plain number.'),
        ("1½ kg", '"1½ kg" holds more than a plain number.'),
        ("€2.5 million", '"€2.5 million" holds more than a plain number.'),
        ("24.02.2026", '"24.02.2026" is not a number.'),
        ("EUR-7", '"EUR-7" could be a reference.'),
    ],
)
def test_what_cannot_be_told_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(numbers.NumberError) as caught:
        numbers.find(text)
    assert caught.value.message == said


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Oak table £1,299.00 (solid)", "1299.00"),
        ("Chairs (4)", "4"),
        ("Total:-5.00", "-5.00"),
        ("From 10-20", "10"),
        ("INV-0042", "42"),
        ("€1 299,00 oak", "1299.00"),
        ("CHF 1'299.- net", "1299"),
        ("EUR-7.00", "-7.00"),
    ],
)
def test_the_first_number_of_a_text_is_found_with_its_sign(text: str, expected: str) -> None:
    assert str(numbers.find(text)) == expected


@pytest.mark.parametrize("text", ["(-5)", "--1", "5%", "€5 £", "0,123", "(5", "5)", "-5-", "1,23,456", "5 6", "1.2,3"])
def test_what_is_no_number_is_refused(text: str) -> None:
    for style in (numbers.UNSAID, numbers.style_of("."), numbers.style_of(",")):
        with pytest.raises(numbers.NumberError):
            numbers.read(text, style) if text != "0,123" else numbers.read(text)


def test_forms_and_the_api_read_numbers_in_the_same_way() -> None:
    amount = Field(name="amount", label="Amount", kind=Kind.NUMBER, is_required=True)
    for text, expected in [("(1,299.00)", "-1299.00"), ("1.355,90 €", "1355.90"), ("1.234", "1.234"), ("1e3", "1E+3")]:
        assert str(clean_value(amount, text)) == expected
    for text in ("EUR 2,500", "EUR 1.234"):
        with pytest.raises(ValueError, match=r"Amount takes a number such as 1250\.50; .* could be"):
            clean_value(amount, text)


def test_a_long_text_is_read_in_a_moment() -> None:
    assert numbers.find("-(£ " * 25_000 + "INV-7") == 7
    with pytest.raises(numbers.NumberError):
        numbers.find("1,111" * 20_000)
