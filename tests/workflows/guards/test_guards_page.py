"""The page of the guards: everybody reads it, administrators set them, and what is wrong is said at its field."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.base import Cast, sign_in_recently
from workflows.forms.guards_form import GuardsForm
from workflows.guards.settings import Settings, of_team

pytestmark = pytest.mark.django_db
TYPED = {"currency_1": "nzd", "largest_1": "1,000.50", "duplicates": "hold", "duplicate_days": "10", "period": "off"}


def _as(user: User) -> Client:
    client = Client()
    sign_in_recently(client, user)
    return client


def _body(response: Any) -> str:
    return str(response.content.decode())


def test_what_is_typed_is_set_and_shown_again(cast: Cast) -> None:
    client = _as(cast.administrator)
    assert "All guards are off." in _body(client.get("/guards/"))
    page = _body(client.post("/guards/", TYPED, follow=True))
    assert "It counts from the next write on." in page
    assert 'value="1,000.50"' in page
    expected = Settings(largest={"NZD": Decimal("1000.50")}, duplicates="hold", duplicate_days=10)
    assert of_team(cast.team.pk) == expected
    assert "Nothing was different" in _body(client.post("/guards/", TYPED, follow=True))


def test_all_that_can_be_set_is_shown_again_as_it_was_typed(cast: Cast) -> None:
    client = _as(cast.administrator)
    typed = {
        **TYPED, "per_day_1": "90,000.1250", "currency_2": "JPY", "per_hour_2": "5", "documents_per_hour": "7",
        "documents_per_day": "0", "period": "move", "lock_until": "2026-03-31", "holds_first_live": "on",
    }  # fmt: skip
    client.post("/guards/", typed)
    known = of_team(cast.team.pk)
    assert (known.per_day, known.per_hour, known.lock_until, known.documents_per_day, known.holds_first_live) == (
        {"NZD": Decimal("90000.125")}, {"JPY": Decimal(5)}, date(2026, 3, 31), 0, True
    )  # fmt: skip
    shown = GuardsForm(settings=known)
    values = {each.html_name: each.value() for each in shown}
    typed = {name: value for name, value in values.items() if value is not None and value is not False}
    form = GuardsForm(typed, settings=known)
    assert form.is_valid(), form.errors
    assert form.settings() == known


def test_a_row_that_is_emptied_is_no_limit_any_more(cast: Cast) -> None:
    client = _as(cast.administrator)
    client.post("/guards/", TYPED)
    client.post("/guards/", {**TYPED, "currency_1": "", "largest_1": ""})
    assert of_team(cast.team.pk).largest == {}


def test_who_does_not_administrate_reads_it_and_changes_nothing(cast: Cast) -> None:
    _as(cast.administrator).post("/guards/", TYPED)
    for user in (cast.builder, cast.approver, cast.auditor):
        client = _as(user)
        page = _body(client.get("/guards/"))
        assert "1,000.50" in page
        assert "Save the guards" not in page
        assert client.post("/guards/", {**TYPED, "duplicates": "off"}).status_code == 403
    assert of_team(cast.team.pk).duplicates == "hold"
    assert of_team(cast.other_team.pk) == Settings()


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"currency_1": "dollars"}, "currency_1", "A currency has a code of three letters, as NZD."),
        ({"currency_1": ""}, "currency_1", "A currency has a code of three letters, as NZD."),
        ({"currency_2": "NZD", "largest_2": "5"}, "currency_2", "NZD stands in another row already."),
        ({"largest_1": "a lot"}, "largest_1", "This is an amount, as 1000 or 1000.50."),
        ({"largest_1": "-1"}, "largest_1", "This is an amount, as 1000 or 1000.50."),
        ({"largest_1": "NaN"}, "largest_1", "This is an amount, as 1000 or 1000.50."),
        ({"currency_2": "EUR"}, "currency_2", "Give an amount for it, or empty the row."),
        (
            {"documents_per_day": "-1"},
            "documents_per_day",
            "This is a whole number from 0 to 1,000,000. Left empty, there is no limit.",
        ),
        ({"lock_until": "March"}, "lock_until", "This is a day, as 2026-03-31."),
        (
            {"lock_until": "2026-03-31"},
            "period",
            "Choose what is done up to the day that is given below, or empty that.",
        ),
        ({"duplicate_days": "366"}, "duplicate_days", "This is a whole number from 0 to 365."),
        ({"duplicates": ""}, "duplicates", "Choose what is done."),
    ],
)
def test_what_is_wrong_is_said_at_its_field(typed: dict[str, str], field: str, sentence: str) -> None:
    form = GuardsForm({**TYPED, **typed}, settings=Settings())
    assert not form.is_valid()
    assert form.errors[field] == [sentence]


def test_what_was_typed_stays_when_it_is_wrong(cast: Cast) -> None:
    page = _body(_as(cast.administrator).post("/guards/", {**TYPED, "largest_1": "a lot"}))
    assert 'value="a lot"' in page
    assert "Nothing is saved yet" in page
    assert of_team(cast.team.pk) == Settings()
