"""The functions of the mapping language: every example, the edges, and the calendar against an independent count."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.language import date_formats
from workflows.language.functions import FUNCTIONS, Function, by_group, documentation
from workflows.language.mapping import MappingContext, MappingError, MappingTypeError, MissingPathError, evaluate
from workflows.language.signatures import GROUPS, function
from workflows.language.values import MappingLimitError

CONTEXT = MappingContext(timezone="Pacific/Auckland", today=date(2026, 11, 23))


def value(source: str, **trigger: Any) -> Any:
    return evaluate(source, {"trigger": trigger}, CONTEXT)


def refusal(source: str, kind: type[MappingError] = MappingTypeError, **trigger: Any) -> str:
    with pytest.raises(kind) as caught:
        value(source, **trigger)
    return caught.value.message


@pytest.mark.parametrize("declared", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_the_example_of_every_function_gives_its_result(declared: Function) -> None:
    result = evaluate(declared.example, documentation.SAMPLE, documentation.CONTEXT)
    assert result == declared.result
    assert type(result) is type(declared.result)
    assert f"| {declared.name}" in declared.example


@pytest.mark.parametrize("declared", FUNCTIONS.values(), ids=FUNCTIONS.keys())
def test_every_function_says_what_it_does(declared: Function) -> None:
    assert declared.label
    assert declared.summary.endswith(".")
    assert declared.kind in GROUPS


def test_the_functions_promised_are_there() -> None:
    assert set(FUNCTIONS) == {
        "absolute", "add", "add_days", "add_months", "add_working_days", "add_years", "allocate", "append", "average",
        "capitalise", "convert", "count", "days_between", "default", "divide", "due_date", "end_of_financial_year",
        "end_of_month", "end_of_quarter", "extract", "extract_all", "extract_email", "extract_number", "filter",
        "financial_year", "first", "flatten", "format_date", "format_money", "format_number", "from_minor_units",
        "get", "gross_from_net", "group", "hash", "hours_between", "join", "json", "last", "length", "lookup", "lower",
        "max", "min", "minor_units", "multiply", "net_from_gross", "next_working_day", "number", "pad", "parse_json",
        "percent", "pluck", "replace", "replace_pattern", "reverse", "round", "round_money", "share_of", "slug",
        "sort", "split", "start_of_financial_year", "start_of_month", "start_of_quarter", "strip_html", "substring",
        "subtract", "sum", "take", "tax_amount", "tax_per_line", "template", "text", "timezone", "title", "to_date",
        "to_minor_units", "trim", "truncate", "unique", "upper", "url_encode", "url_part", "uuid",
        "working_days_between", "zip",
    }  # fmt: skip


def test_the_page_of_functions_is_what_they_declare() -> None:
    written = (Path(__file__).parents[3] / "docs" / "functions.md").read_text()
    assert written == documentation.page(), "Bring it up to date: manage.py functions > docs/functions.md"
    for declared in FUNCTIONS.values():
        assert f"`{declared.call_text}`" in written
        assert declared.example in written


def test_every_function_is_in_one_group_of_the_picker() -> None:
    grouped = [each.name for _, functions in by_group() for each in functions]
    assert sorted(grouped) == sorted(FUNCTIONS)
    assert [label for label, _ in by_group()] == ["Text", "Numbers", "Money and tax", "Dates", "Lists", "Any value"]


def test_a_new_function_is_one_declared_python_function() -> None:
    @function(kind="text", label="Shout", example='{{ "oak" | shout(2) }}', result="oak!!")
    def shout(value: str, times: int = 1) -> str:
        """Adds exclamation marks."""
        return value + "!" * times

    try:
        assert value('{{ "oak" | shout }} {{ 5 | shout(times=3) }}') == "oak! 5!!!"
        assert FUNCTIONS["shout"].parameters[0].name == "times"
        assert FUNCTIONS["shout"].parameters[0].type is int
        assert FUNCTIONS["shout"].parameters[0].default == 1
        assert not FUNCTIONS["shout"].parameters[0].is_required
        assert FUNCTIONS["replace"].parameters[0].is_required
    finally:
        del FUNCTIONS["shout"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ trigger.none | upper }}", ""),
        ("{{ 12.50 | upper }}", "12.50"),
        ("{{ 'straße' | upper }}", "STRASSE"),
        ("{{ 'ÉCLAIR' | lower }}", "éclair"),
        ("{{ 'ikea LAMP, it’s new' | title }}", "Ikea Lamp, It’s New"),
        ("{{ ' \\n x y \\t' | trim }}", "x y"),
        ("{{ 'aaa' | replace('a', 'bb') }}", "bbbbbb"),
        ("{{ 'a.b' | replace('.', '') }}", "ab"),
        ("{{ 'short' | truncate(5) }}", "short"),
        ("{{ 'A long oak table' | truncate(9, '') }}", "A long oa"),
        ("{{ 'abcdef' | truncate(2, '...') }}", ".."),
        ("{{ 'abc' | truncate(0) }}", ""),
        ("{{ '' | split }}", [""]),
        ("{{ 'a,b,,c' | split }}", ["a", "b", "", "c"]),
        ("{{ ['a', 1.50, none] | join('-') }}", "a-1.50-"),
        ("{{ [] | join }}", ""),
        ("{{ trigger.table | length }}", 2),
        ("{{ 'é' | length }}", 1),
        ("{{ 'https://a.example:8080/x/oak-table/?q=1&q=2#top' | url_part('host') }}", "a.example"),
        ("{{ 'https://a.example:8080/x/oak-table/?q=1&q=2#top' | url_part('last') }}", "oak-table"),
        ("{{ 'https://a.example:8080/x/oak-table/?q=1&q=2#top' | url_part('path') }}", "/x/oak-table/"),
        ("{{ 'https://a.example:8080/x/oak-table/?q=1&q=2#top' | url_part('query', 'q') }}", "1"),
        ("{{ 'https://a.example/?q=1' | url_part('query', 'z') }}", ""),
        ("{{ 'not a link' | url_part('host') }}", ""),
    ],
)
def test_text_functions(source: str, expected: Any) -> None:
    assert value(source, none=None, table={"a": 1, "b": 2}) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ 2.5 | round }}", "3"),
        ("{{ -2.5 | round }}", "-3"),
        ("{{ 2.5 | round(0, 'half_even') }}", "2"),
        ("{{ 3.5 | round(mode='half_even') }}", "4"),
        ("{{ 2.341 | round(2, 'up') }}", "2.35"),
        ("{{ 2.349 | round(2, 'down') }}", "2.34"),
        ("{{ 1.005 | round(2) }}", "1.01"),
        ("{{ 7 | round(2) }}", "7.00"),
        ("{{ 0.004 | round(2) }}", "0.00"),
        ("{{ -0.004 | round(2) }}", "0.00"),
    ],
)
def test_rounding_is_half_up_and_exact(source: str, expected: str) -> None:
    assert str(value(source)) == expected


def test_rounding_refuses_what_it_does_not_know() -> None:
    assert 'There is no rounding mode "bankers"' in refusal("{{ 1 | round(2, 'bankers') }}")
    assert "is 0 to 20, not 21" in refusal("{{ 1 | round(21) }}")
    assert "A whole number" in refusal("{{ 1 | round(1.5) }}")


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("2026-11-23", "2026-11-23"),
        ("2026-11-23T10:59:59Z", "2026-11-23"),
        ("2026-11-23T11:00:00Z", "2026-11-24"),
        ("2026-11-23T23:30:00", "2026-11-23"),
        ("2026-11-23T12:30:00.1234567+00:00", "2026-11-24"),
        ("2020-01-01T20:10:40-00:00", "2020-01-02"),
        ("/Date(1763899200000+0000)/", "2025-11-24"),
        ("today", "2026-11-23"),
        ("Tomorrow", "2026-11-24"),
        ("yesterday", "2026-11-22"),
        (date(2026, 2, 1), "2026-02-01"),
        (datetime(2026, 2, 1, 12, tzinfo=UTC), "2026-02-02"),
    ],
)
def test_a_date_is_the_organisations_day(given_: Any, expected: str) -> None:
    assert value("{{ trigger.x | to_date }}", x=given_) == expected


def test_today_is_taken_from_the_clock_when_not_given() -> None:
    before = datetime.now(UTC).date()
    result = evaluate("{{ 'today' | to_date }}", {}, MappingContext())
    assert before <= date.fromisoformat(result) <= before + timedelta(days=1)


@pytest.mark.parametrize(
    "given_",
    ["", "soon", "23/11/2026", "2026-02-30", "2026-13-01", "20261123", "2026-W01-1", "2026-11-23T25:00", None, 5, True],
)
def test_what_is_no_date_is_refused(given_: Any) -> None:
    assert "date" in refusal("{{ trigger.x | to_date }}", x=given_)


@pytest.mark.parametrize("timezone", ["Mars/Base", "../../etc/passwd", "/etc/passwd", "", "x" * 300])
def test_an_unknown_time_zone_is_refused(timezone: str) -> None:
    with pytest.raises(MappingTypeError, match="There is no time zone called"):
        evaluate("{{ '2026-11-23T12:00:00Z' | to_date }}", {}, MappingContext(timezone=timezone))


@pytest.mark.parametrize(
    ("written", "pattern", "expected"),
    [
        ("23/11/2026", "D/M/YYYY", "2026-11-23"),
        ("03.02.2026", "DD.MM.YYYY", "2026-02-03"),
        ("Nov 3, 2026", "MMM D, YYYY", "2026-11-03"),
        ("3 november 2026", "D MMMM YYYY", "2026-11-03"),
        ("Date: 3 May 2026", "[Date]: D MMM YYYY", "2026-05-03"),
    ],
)
def test_dates_are_read_by_a_named_format(written: str, pattern: str, expected: str) -> None:
    assert value("{{ trigger.x | to_date(trigger.p) }}", x=written, p=pattern) == expected


@pytest.mark.parametrize(
    ("written", "pattern", "part"),
    [
        ("31/02/2026", "D/M/YYYY", "is not a date written as D/M/YYYY"),
        ("2026-11-23", "D/M/YYYY", "is not a date written as D/M/YYYY"),
        ("11/2026", "M/YYYY", "needs a day, a month and a year"),
        ("1/1/2026", "D/D/YYYY", "names the day twice"),
        ("1", "D" * 61, "at most 60 characters"),
    ],
)
def test_a_date_that_does_not_fit_its_format_is_refused(written: str, pattern: str, part: str) -> None:
    assert part in refusal("{{ trigger.x | to_date(trigger.p) }}", x=written, p=pattern)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("YYYY-MM-DD", "2026-01-05"),
        ("D MMM YYYY", "5 Jan 2026"),
        ("dddd, D MMMM YY", "Monday, 5 January 26"),
        ("ddd DD.M", "Mon 05.1"),
        ("[Q]Q YYYY", "Q1 2026"),
        ("HH:mm:ss", "15:04:09"),
        ("h:mm A", "3:04 PM"),
        ("hh:mm", "03:04"),
        ("[Day] D", "Day 5"),
        ("", ""),
    ],
)
def test_dates_are_written_by_a_format(pattern: str, expected: str) -> None:
    assert value("{{ trigger.x | format_date(trigger.p) }}", x="2026-01-05T15:04:09", p=pattern) == expected


def test_a_moment_is_written_in_the_organisations_time_zone() -> None:
    assert value("{{ '2026-11-23T12:30:00Z' | format_date('D MMM YYYY HH:mm') }}") == "24 Nov 2026 01:30"


@pytest.mark.parametrize(
    ("pattern", "part"),
    [
        ("YYYY-mm-DD", "mm means minutes"),
        ("%Y-%m", 'The date format has "Y"'),
        ("yyyy", 'The date format has "yyyy"'),
        ("HH:mm", "but 2026-01-05 has none"),
        ("D" * 61, "at most 60 characters"),
    ],
)
def test_a_format_that_means_nothing_is_refused(pattern: str, part: str) -> None:
    assert part in refusal("{{ trigger.x | format_date(trigger.p) }}", x="2026-01-05", p=pattern)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ '2026-11-23' | add_days(-23) }}", "2026-10-31"),
        ("{{ '2026-11-28' | add_working_days(1) }}", "2026-11-30"),
        ("{{ '2026-11-28' | add_working_days(-1) }}", "2026-11-27"),
        ("{{ '2026-11-28' | add_working_days(0) }}", "2026-11-28"),
        ("{{ '2026-11-23' | add_working_days(10) }}", "2026-12-07"),
        ("{{ '2026-12-31' | add_months(2) }}", "2027-02-28"),
        ("{{ '2026-01-31' | add_months(-2) }}", "2025-11-30"),
        ("{{ '2024-02-29' | add_years(-4) }}", "2020-02-29"),
        ("{{ '2024-02-01' | end_of_month }}", "2024-02-29"),
        ("{{ '2026-11-23' | add_months(1) | end_of_month | format_date('D MMMM') }}", "31 December"),
        ("{{ '2026-11-23' | days_between('2026-11-01') }}", -22),
        ("{{ '2026-11-23T23:00:00Z' | days_between('today') }}", -1),
    ],
)
def test_date_arithmetic(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "{{ '9999-12-31' | add_days(1) }}",
        "{{ '0001-01-01' | add_days(-1) }}",
        "{{ '2026-01-01' | add_months(999999) }}",
        "{{ '2026-01-01' | add_years(-2026) }}",
        "{{ '9000-01-01' | add_working_days(1000000) }}",
        "{{ '0001-01-06' | add_working_days(-1000000) }}",
        "{{ '0001-01-01T00:00:00+14:00' | to_date }}",
        "{{ '9999-12-31T23:59:59-12:00' | to_date }}",
    ],
)
def test_dates_outside_the_calendar_are_refused(source: str) -> None:
    with pytest.raises((MappingLimitError, MappingTypeError)):
        value(source)


@settings(max_examples=200, deadline=None)
@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.integers(-300, 300))
def test_working_days_agree_with_counting_one_by_one(start: date, days: int) -> None:
    day, left = start, abs(days)
    while left:
        day += timedelta(days=1 if days > 0 else -1)
        left -= day.weekday() < 5
    assert value(f"{{{{ trigger.x | add_working_days({days}) }}}}", x=start) == day.isoformat()


@settings(max_examples=200, deadline=None)
@given(st.dates(date(1000, 1, 1)), st.sampled_from(["YYYY-MM-DD", "D/M/YYYY", "D MMM YYYY", "MMMM DD, YYYY"]))
def test_a_date_written_by_a_format_is_read_back_by_it(day: date, pattern: str) -> None:
    assert date_formats.read(date_formats.write(day, pattern), pattern) == day


def test_first_and_last_of_an_empty_list_are_errors_unless_a_default_is_given() -> None:
    assert refusal("{{ [] | first }}", MissingPathError) == "First item: The list is empty, so it has no such item."
    assert value("{{ [] | last | default('none') }}") == "none"


@pytest.mark.parametrize(
    ("source", "part"),
    [
        ("{{ 'x' | join }}", "A list is needed here"),
        ("{{ 5 | length }}", "A text or a list is needed here"),
        ("{{ trigger.tags | upper }}", "A list cannot stand in a text"),
        ("{{ 'x' | replace('', 'y') }}", "The text to be replaced is empty."),
        ("{{ 'x' | split('') }}", "The separator is empty."),
        ("{{ 'x' | truncate(-1) }}", "cannot be below 0"),
        ("{{ 'x' | url_part('port') }}", "There are: scheme, host, path, last, query."),
        ("{{ 'http://[' | url_part('host') }}", "is not a web address"),
    ],
)
def test_a_wrong_argument_is_named(source: str, part: str) -> None:
    assert part in refusal(source, tags=["a"])


@pytest.mark.parametrize(
    "source",
    [
        "{{ trigger.big | replace('x', trigger.big) }}",
        "{{ trigger.big | split('x') | join(trigger.big) }}",
        "{{ trigger.big ~ trigger.big }}",
        "{{ trigger.list | join(trigger.big) }}",
    ],
)
def test_no_function_makes_a_giant_text(source: str) -> None:
    with pytest.raises(MappingLimitError):
        value(source, big="x" * 60_000, list=["a"] * 10_000)
