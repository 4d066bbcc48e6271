"""Days and moments as programs write them, in date inputs and in mappings alike."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core import moments
from integrations.schema.cleaning import clean_value
from integrations.schema.fields import Field, Kind
from workflows.language.mapped_inputs import mapped
from workflows.language.mapping import MappingContext, evaluate

MOMENT = datetime(2026, 11, 23, 10, 15, 30, tzinfo=UTC)
WRITTEN = [
    1795428930,
    Decimal("1795428930"),
    "1795428930",
    "1795428930000",
    1795428930000,
    "2026-11-23 10:15:30 UTC",
    "2026-11-23 10:15:30Z",
    "2026-11-23T10:15:30+00:00",
    "Mon, 23 Nov 2026 10:15:30 +0000",
    "Mon, 23 Nov 2026 10:15:30 GMT",
    "23 Nov 2026 11:15:30 +0100",
    "/Date(1795428930000)/",
    "/Date(1795428930000+0000)/",
]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_moment_is_read_as_programs_send_it(written: Any) -> None:
    assert moments.read(written) == MOMENT
    day = Field(name="day", label="Day", kind=Kind.DATE, is_required=True)
    assert clean_value(day, written) == date(2026, 11, 23)
    at = Field(name="at", label="At", kind=Kind.DATETIME, is_required=True)
    assert clean_value(at, written) == MOMENT
    # Late in the morning in London it is the evening of the day in Auckland, and 23:15 there.
    context = MappingContext(timezone="Pacific/Auckland")
    source = '{{ trigger.x | format_date("YYYY-MM-DD HH:mm") }}'
    assert evaluate(source, {"trigger": {"x": written}}, context) == "2026-11-23 23:15"


@pytest.mark.parametrize(
    "written",
    ["24/02/2026", "20261123", 20261123, "2026", 12345, "123456789", "17954289301", True, None, 1.5, "Nov 2026", "1e9"],
)
def test_what_no_program_writes_for_a_moment_is_none(written: Any) -> None:
    assert moments.read(written) is None
    day = Field(name="day", label="Day", kind=Kind.DATE, is_required=True)
    with pytest.raises(ValueError, match="Day takes a date such as 2026-11-30"):
        clean_value(day, written)


@pytest.mark.parametrize("written", ["2026-02-30", "2026-11-23T25:00", "Mon, 32 Nov 2026 10:15:30 +0000"])
def test_a_day_that_does_not_exist_is_an_error(written: str) -> None:
    with pytest.raises(ValueError):
        moments.read(written)


@given(
    st.one_of(
        st.text(max_size=70), st.integers(), st.decimals(), st.text(alphabet="0123456789-:TZ/Date() +", max_size=40)
    )
)
def test_anything_is_a_moment_or_none_or_an_error(value: Any) -> None:
    try:
        found = moments.read(value)
    except ValueError:
        return
    assert found is None or isinstance(found, date)


@pytest.mark.parametrize("written", ["2026-10-31 11:30:00 UTC", 1793446200, "Sat, 31 Oct 2026 11:30:00 GMT"])
def test_a_moment_mapped_into_a_date_input_is_the_organisations_day(written: Any) -> None:
    day = Field(name="day", label="Day", kind=Kind.DATE, is_required=True)
    context = MappingContext(timezone="Pacific/Auckland")
    found = mapped({"day": "{{ trigger.x }}"}, [day], {"trigger": {"x": written}}, context)
    assert (found.values, found.problems) == ({"day": "2026-11-01"}, {})
