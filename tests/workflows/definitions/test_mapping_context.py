"""What mappings know of the organisation, from what its connection remembers."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from integrations.models import Connection
from tests.base import Cast, make_connection
from workflows.definitions.mapping_context import context_of
from workflows.language.mapping import MappingError, evaluate
from workflows.lookup_tables import editing
from workflows.lookup_tables.lookup import Reader

NOW = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)


def _value(source: str, connection: Connection | None, team_id: int = 0) -> object:
    return evaluate(source, {}, context_of(connection, now=NOW, tables=Reader(team_id)))


def test_its_day_currency_year_and_locks_are_known_to_mappings(cast: Cast) -> None:
    connection = make_connection(
        cast.team,
        "xero",
        timezone="Pacific/Auckland",
        currency="KWD",
        financial_year_end="06-30",
        period_lock_date="2026-03-31",
        end_of_year_lock_date="",
    )
    context = context_of(connection, now=NOW, tables=Reader(cast.team.pk))
    assert (context.today, context.lock_dates) == (date(2026, 11, 23), (date(2026, 3, 31),))
    assert _value('{{ "today" | end_of_financial_year }}', connection) == "2027-06-30"
    assert _value("{{ 1 | allocate(3) }}", connection) == [Decimal("0.334"), Decimal("0.333"), Decimal("0.333")]


@pytest.mark.parametrize("details", [{}, {"financial_year_end": "31/03", "timezone": "Mars/Olympus", "currency": None}])
def test_what_it_does_not_tell_is_not_known(cast: Cast, details: dict[str, str]) -> None:
    connection = make_connection(cast.team, "xero", **details)
    context = context_of(connection, now=NOW, tables=Reader(cast.team.pk))
    assert (context.year_end, context.currency, context.timezone) == (None, "", "UTC")
    with pytest.raises(MappingError, match="Refresh its connection, or write the last day as MM-DD"):
        _value('{{ "today" | end_of_financial_year }}', connection)
    assert _value('{{ "today" | end_of_financial_year("12-31") }}', None) == "2026-12-31"


def test_a_mapping_looks_values_up_in_the_teams_tables(cast: Cast) -> None:
    rows = [{"Board": "Oak", "Account": "200"}, {"Board": "Ash"}]
    editing.create(cast.team, name="Boards", description="", columns=["Board", "Account"], rows=rows, by=cast.builder)
    team = cast.team.pk
    assert _value('{{ " OAK " | lookup("Boards", "Account") }}', None, team) == "200"
    assert _value('{{ "Oak" | lookup("Boards") }}', None, team) == {"Board": "Oak", "Account": "200"}
    assert _value('{{ ("Oak" | lookup("Boards")).Account }}', None, team) == "200"
    assert _value('{{ "Elm" | lookup("Boards", "Account") | default("999") }}', None, team) == "999"
    for source, said in [
        ('{{ "Elm" | lookup("Boards", "Account") }}', '"Elm" is not in the lookup table "Boards"'),
        ('{{ "Ash" | lookup("Boards", "Account") }}', '"Ash" has nothing under "Account"'),
        ('{{ "Oak" | lookup("Boards", "Tax") }}', 'has no column "Tax". It has: Board, Account'),
        ('{{ "Oak" | lookup("Nope", "Tax") }}', 'no lookup table called "Nope"'),
    ]:
        with pytest.raises(MappingError, match=said.replace("(", "\\(")):
            _value(source, None, team)


def test_without_tables_a_look_up_says_so() -> None:
    with pytest.raises(MappingError, match="cannot be asked here"):
        evaluate('{{ "Oak" | lookup("Boards") }}', {})
