"""Functions for dates: the financial year, terms of payment, working days, zones, each said another way too."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from workflows.language import number_formats
from workflows.language.mapping import MappingContext, MappingError, evaluate

CONTEXT = MappingContext(timezone="Pacific/Auckland", today=date(2026, 11, 23), year_end=(3, 31))
DAYS = st.dates(date(1990, 1, 1), date(2090, 12, 31))


def value(source: str, context: MappingContext = CONTEXT, **trigger: Any) -> Any:
    return evaluate(source, {"trigger": trigger}, context)


def refusal(source: str, context: MappingContext = CONTEXT, **trigger: Any) -> str:
    with pytest.raises(MappingError) as caught:
        value(source, context, **trigger)
    return caught.value.message


# --- years and quarters ---------------------------------------------------------------------------------------------


@given(day=DAYS, month=st.integers(1, 12), last=st.integers(1, 31))
def test_financial_years_follow_each_other_without_gap_and_hold_the_day(day: date, month: int, last: int) -> None:
    try:
        date(2000, month, last)
    except ValueError:
        assume(False)
    context = MappingContext(year_end=(month, last))
    begin, end = (
        date.fromisoformat(value(f"{{{{ trigger.d | {edge}_of_financial_year }}}}", context, d=day.isoformat()))
        for edge in ("start", "end")
    )
    assert begin <= day <= end
    assert 365 <= (end - begin).days + 1 <= 366
    before = (begin - timedelta(days=1)).isoformat()
    assert value("{{ trigger.d | end_of_financial_year }}", context, d=before) == before
    after = (end + timedelta(days=1)).isoformat()
    assert value("{{ trigger.d | start_of_financial_year }}", context, d=after) == after
    assert value("{{ trigger.d | financial_year }}", context, d=day.isoformat()) == end.year
    if (month, last) not in ((2, 28), (2, 29)):
        assert (end.month, end.day) == (month, last)
    else:
        assert (end + timedelta(days=1)).day == 1


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ '2026-03-31' | end_of_financial_year }}", "2026-03-31"),
        ("{{ '2026-04-01' | end_of_financial_year }}", "2027-03-31"),
        ("{{ '2026-04-01' | start_of_financial_year('12-31') }}", "2026-01-01"),
        ("{{ '2028-02-29' | end_of_financial_year('02-28') }}", "2028-02-29"),
        ("{{ '2028-03-01' | start_of_financial_year('02-28') }}", "2028-03-01"),
        ("{{ '2026-04-05' | financial_year('04-05') }}", 2026),
        ("{{ '2026-04-06' | financial_year('04-05') }}", 2027),
        ("{{ '2026-02-01' | start_of_quarter }}", "2026-01-01"),
        ("{{ '2026-12-31' | end_of_quarter }}", "2026-12-31"),
    ],
)
def test_examples_of_years(source: str, expected: Any) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ '2026-01-01' | financial_year('31/03') }}", "is not a day written as MM-DD"),
        ("{{ '2026-01-01' | financial_year('02-30') }}", "is not a day written as MM-DD"),
        ("{{ '9999-12-01' | end_of_financial_year }}", "outside the years 1 to 9999"),
        ("{{ '0001-01-01' | start_of_financial_year }}", "outside the years 1 to 9999"),
    ],
)
def test_years_that_cannot_be_are_refused(source: str, said: str) -> None:
    assert said in refusal(source)


# --- payment terms --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("day", "terms", "due"),
    [
        ("2026-11-23", "30", "2026-12-23"),
        ("2026-11-23", "0", "2026-11-23"),
        ("2026-11-23", "7, 'DAYSAFTERBILLDATE'", "2026-11-30"),
        ("2026-11-23", "14, 'DAYSAFTERBILLMONTH'", "2026-12-14"),
        ("2026-01-31", "60, 'DAYSAFTERBILLMONTH'", "2026-04-01"),
        ("2026-11-03", "20, 'OFCURRENTMONTH'", "2026-11-20"),
        ("2026-11-23", "20, 'OFCURRENTMONTH'", "2026-11-20"),
        ("2026-02-03", "31, 'OFCURRENTMONTH'", "2026-02-28"),
        ("2026-11-23", "20, 'OFFOLLOWINGMONTH'", "2026-12-20"),
        ("2026-12-31", "31, 'ofFollowingMonth'", "2027-01-31"),
        ("2028-01-31", "31, 'OFFOLLOWINGMONTH'", "2028-02-29"),
        ("2026-11-23", "trigger.terms", "2026-12-20"),
    ],
)
def test_due_dates_by_xeros_four_kinds_of_terms(day: str, terms: str, due: str) -> None:
    data = {"d": day, "terms": {"Day": 20, "Type": "OFFOLLOWINGMONTH"}}
    assert value(f"{{{{ trigger.d | due_date({terms}) }}}}", **data) == due


@pytest.mark.parametrize(
    ("terms", "said"),
    [
        ("30, 'NET'", 'There are no payment terms "NET". There are: DAYSAFTERBILLDATE'),
        ("1.5", "a whole number of days"),
        ("-1", "a whole number of days"),
        ("'30'", "a whole number of days"),
        ("0, 'OFCURRENTMONTH'", "A day of the month is 1 to 31"),
        ("32, 'OFFOLLOWINGMONTH'", "A day of the month is 1 to 31"),
        ("trigger.terms", "There are no payment terms"),
    ],
)
def test_terms_that_do_not_exist_are_refused(terms: str, said: str) -> None:
    assert said in refusal(f"{{{{ '2026-11-23' | due_date({terms}) }}}}", terms={})


# --- working days ---------------------------------------------------------------------------------------------------

HOLIDAYS = st.lists(st.dates(date(2026, 11, 1), date(2027, 1, 31)), max_size=8).map(
    lambda days: [day.isoformat() for day in days]
)
NEAR = st.dates(date(2026, 10, 1), date(2027, 2, 28))


def _works(day: date, holidays: list[str]) -> bool:
    return day.strftime("%a") not in ("Sat", "Sun") and day.isoformat() not in holidays


@given(day=NEAR, end=NEAR, holidays=HOLIDAYS)
def test_working_days_between_are_those_counted_one_by_one(day: date, end: date, holidays: list[str]) -> None:
    first, last = sorted([day, end])
    counted = sum(_works(first + timedelta(n), holidays) for n in range(1, (last - first).days + 1))
    source = "{{ trigger.d | working_days_between(trigger.e, trigger.h) }}"
    found = value(source, d=day.isoformat(), e=end.isoformat(), h=holidays)
    assert found == (counted if day <= end else -counted)


@given(day=NEAR, days=st.integers(-30, 30).filter(bool), holidays=HOLIDAYS)
def test_with_holidays_working_days_are_added_one_by_one(day: date, days: int, holidays: list[str]) -> None:
    source = "{{ trigger.d | add_working_days(trigger.n, trigger.h) }}"
    found = date.fromisoformat(value(source, d=day.isoformat(), n=days, h=holidays))
    step = timedelta(1 if days > 0 else -1)
    expected, left = day, abs(days)
    while not _works(expected, holidays):
        expected -= step
    while left:
        expected += step
        left -= _works(expected, holidays)
    assert found == expected
    assert _works(found, holidays)


@given(day=NEAR, holidays=HOLIDAYS)
def test_the_next_working_day_is_the_first_from_the_day_on(day: date, holidays: list[str]) -> None:
    found = value("{{ trigger.d | next_working_day(trigger.h) }}", d=day.isoformat(), h=", ".join(holidays))
    expected = next(day + timedelta(n) for n in range(30) if _works(day + timedelta(n), holidays))
    assert found == expected.isoformat()


@pytest.mark.parametrize(
    ("holidays", "said"),
    [
        ("['Christmas']", "In the list of holidays: A date is needed"),
        ("7", "Holidays are a list of days"),
        ("trigger.many", "more than 1,000 holidays"),
    ],
)
def test_holidays_that_are_none_are_refused(holidays: str, said: str) -> None:
    many = [f"{year}-01-01" for year in range(1000, 2100)]
    assert said in refusal(f"{{{{ '2026-11-23' | add_working_days(1, {holidays}) }}}}", many=many)


# --- zones and languages --------------------------------------------------------------------------------------------

_MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2060, 1, 1)).map(lambda moment: moment.replace(microsecond=0))


@given(moment=_MOMENTS, hours=st.integers(-100_000, 100_000))
def test_hours_between_moments_count_what_passes_whatever_the_clocks_do(moment: datetime, hours: int) -> None:
    first = moment.replace(tzinfo=UTC)
    second = first + timedelta(minutes=15 * hours)
    data = {"a": first.isoformat(), "b": second.isoformat()}
    assert value("{{ trigger.a | hours_between(trigger.b) }}", **data) == Decimal(hours) / 4


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{{ '2026-11-23T09:00:00Z' | timezone('America/New_York') }}", "2026-11-23T04:00:00"),
        ("{{ '2026-11-23T09:00:00' | timezone('Europe/London') }}", "2026-11-22T20:00:00"),
        ("{{ '2026-11-23T09:00:00Z' | timezone('Asia/Tokyo') | format_date('H:mm') }}", "18:00"),
        ("{{ '23.11.2026' | to_date('de') }}", "2026-11-23"),
        ("{{ '3.1.2026' | to_date('de-AT') }}", "2026-01-03"),
        ("{{ '11/23/2026' | to_date('en-US') }}", "2026-11-23"),
        ("{{ '23/11/2026' | to_date('en-GB') }}", "2026-11-23"),
        ("{{ '23-11-2026' | to_date('nl') }}", "2026-11-23"),
        ("{{ '2026. 11. 23.' | to_date('hu') }}", "2026-11-23"),
    ],
)
def test_zones_and_languages(source: str, expected: str) -> None:
    assert value(source) == expected


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("{{ '2026-11-23' | timezone('Asia/Tokyo') }}", "a day without a time"),
        ("{{ '2026-11-23T09:00:00Z' | timezone('Mars') }}", 'no time zone called "Mars"'),
        ("{{ '2026-11-23T09:00:00Z' | hours_between('2026-11-23') }}", "the other has none"),
        ("{{ '11/23/2026' | to_date('en') }}", "depends on the country"),
        ("{{ '11/23/2026' | to_date('de') }}", "not a date written as D.M.YYYY"),
    ],
)
def test_what_cannot_be_read_as_a_moment_is_said(source: str, said: str) -> None:
    assert said in refusal(source)


@given(day=DAYS, language=st.sampled_from(sorted(number_formats._DAYS_OF)))
def test_a_day_written_as_a_language_does_is_read_back(day: date, language: str) -> None:
    written = value(
        "{{ trigger.d | format_date(trigger.f) }}", d=day.isoformat(), f=number_formats.day_pattern(language)
    )
    assert value("{{ trigger.w | to_date(trigger.l) }}", w=written, l=language) == day.isoformat()
