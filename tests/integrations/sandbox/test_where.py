"""The filter language by itself, and the arithmetic of documents."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.sandbox.xero import where
from integrations.sandbox.xero.documents import totals

FIELDS = {"Name": "text", "Total": "number", "Date": "date", "ID": "guid", "Is": "flag", "Contact.Name": "text"}
RECORD = {
    "Name": "Acme",
    "Total": Decimal("10.50"),
    "Date": datetime(2026, 11, 22, tzinfo=UTC),
    "ID": "430fa14a-f945-44d3-9f97-5df5e28441b8",
    "Is": True,
    "Contact.Name": None,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('Name=="Acme"', True),
        ('name == "Acme"', True),
        ('Name="Acme"', True),
        ('Name!="Acme"', False),
        ('Name<>"Acme"', False),
        ('"Acme"==Name', True),
        ("Total==10.5", True),
        ("Total>10 AND Total<11", True),
        ("Total>=11 OR Total<=1", False),
        ("Total>10 && (Total>20 || Is)", True),
        ("Is", True),
        ("Is==false", False),
        ("!Is", False),
        ("NOT Is OR Total==10.50", True),
        ("Date==DateTime(2026,11,22)", True),
        ("Date>DateTime(2026,11,22,0,0,1)", False),
        ('Date>=DateTime.Parse("2026-11-21")', True),
        ('ID==guid("430FA14A-F945-44D3-9F97-5DF5E28441B8")', True),
        ("Contact.Name==null", True),
        ("Contact.Name!=null", False),
        ('Contact.Name.Contains("x")', False),
        ('Name.ToUpper()=="ACME"', True),
        ('Name.ToLower().Contains("cm") AND Name.StartsWith("A") AND Name.EndsWith("e")', True),
        ('Name=="a AND b" OR Name=="Acme"', True),
        ("Total>-5", True),
    ],
)
def test_a_filter_means_what_it_says(text: str, expected: bool) -> None:
    assert where.parse(text, FIELDS)(RECORD) is expected


@given(st.text(max_size=60))
def test_any_text_is_a_filter_or_a_where_error(text: str) -> None:
    with contextlib.suppress(where.WhereError):
        assert where.parse(text, FIELDS)(RECORD) in {True, False}


@pytest.mark.parametrize(
    "text",
    [
        "!" * 2000,
        "!" * 2000 + "Is",
        "NOT " * 2000 + "Is",
        "(" * 2000 + "Is" + ")" * 2000,
        "!(" * 2000 + "Is" + ")" * 2000,
        "Name" + ".Trim()" * 2000 + '=="Acme"',
    ],
)
def test_a_filter_nested_without_end_is_a_where_error(text: str) -> None:
    with pytest.raises(where.WhereError, match=r"^The filter is nested too deeply at position \d+$"):
        where.parse(text, FIELDS)


@pytest.mark.parametrize(("text", "expected"), [("!" * 50 + "Is", True), ("!" * 49 + "Is", False)])
def test_every_negation_counts(text: str, expected: bool) -> None:
    assert where.parse(text, FIELDS)(RECORD) is expected


def test_a_long_filter_need_not_be_a_deep_one() -> None:
    assert where.parse(" OR ".join(["Is==false"] * 2000 + ["Is"]), FIELDS)(RECORD) is True


_WORDS = (
    'Name Total Date ID Is Contact.Name == != > <= AND OR ! ( ) "x" 1 null true guid( DateTime( 2026 , .Contains( && ||'
)
_pieces = st.sampled_from(_WORDS.split())


@given(st.lists(_pieces, max_size=12))
def test_any_mixture_of_its_words_is_a_filter_or_a_where_error(pieces: list[str]) -> None:
    with contextlib.suppress(where.WhereError):
        assert where.parse(" ".join(pieces), FIELDS)(RECORD) in {True, False}


@pytest.mark.parametrize(
    ("value", "expected"), [("2.345", "2.35"), ("-2.345", "-2.35"), ("2.344", "2.34"), ("0.005", "0.01")]
)
def test_halves_are_rounded_away_from_zero(value: str, expected: str) -> None:
    assert totals.rounded(Decimal(value)) == Decimal(expected)


_money = st.decimals(min_value=-10000, max_value=10000, places=4, allow_nan=False)


@given(st.lists(st.tuples(_money, st.sampled_from([Decimal(0), Decimal(5), Decimal(15), Decimal(20)])), max_size=8))
def test_inclusive_and_exclusive_totals_agree_with_their_lines(lines: list[tuple[Decimal, Decimal]]) -> None:
    for kind in ("Exclusive", "Inclusive", "NoTax"):
        amounts = [totals.line_amount(Decimal(1), unit, None, None) for unit, _ in lines]
        taxes = [totals.line_tax(amount, rate, kind) for amount, (_, rate) in zip(amounts, lines, strict=True)]
        whole = totals.document(list(zip(amounts, taxes, strict=True)), kind)
        assert whole.sub_total + whole.total_tax == whole.total
        assert whole.total_tax == sum(taxes)
        assert whole.total == (sum(amounts) if kind != "Exclusive" else sum(amounts) + sum(taxes))
        assert whole.total == whole.total.quantize(Decimal("0.01"))
