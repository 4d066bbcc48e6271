"""How the numbers and days of a file are taken: as most fit, and asked about where nobody can tell."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.test import Client, override_settings

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from tests.workflows.triggers.test_csv_start import said, send
from workflows.definitions import start_values
from workflows.files import column_reading
from workflows.models import Event, Run, Upload, Workflow
from workflows.triggers import csv_start


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    return started_by(cast, make_workflow, "start.csv")


def data() -> list[tuple[object, object]]:
    return [(each.data["amount"], each.data["paid_on"]) for each in Event.objects.order_by("pk")]


def test_amounts_that_could_be_two_are_asked_about_and_never_guessed(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "Title;Amount;Paid on\nOak;1.000;24.02.2026\nAsh;2.500;25.02.2026\n")
    page = said(client.get(preview))
    assert "“1.000” is 1.00 or 1000.00; the file does not show which. Choose." in page
    assert "semicolons between its columns and days written with points, which mostly goes with 1.234,56." in page
    assert "Row 1: Amount: “1.000” can be read in two ways. Choose above how it is written." in page
    assert "Start 2 runs" not in page
    # Neither the page nor the service starts anything before the choice is made.
    assert "Nothing was started: first choose" in said(client.post(preview, {"leave_out": "2"}))
    table, fields = Upload.objects.get(), start_values.fields_of(workflow)
    with pytest.raises(start_values.NotStartedError, match="the file does not show which"):
        csv_start.start(table, column_reading.guess(table, fields), by=cast.builder)
    assert not Run.objects.exists()
    page = said(client.post(preview, {"decimal": ",", "_reload": "1"}))
    for text in ("1000.00", "in the file: 1.000", "2500.00", "Start 2 runs"):
        assert text in page
    client.post(preview, {"decimal": ","})
    assert data() == [(1000, "2026-02-24"), (2500, "2026-02-25")]


def test_days_that_could_be_two_are_asked_about_and_never_guessed(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "Title,Paid on\nOak,03/04/2026\nAsh,05/06/2026\n")
    page = said(client.get(preview))
    assert "“03/04/2026” is 3 April 2026 or 4 March 2026; the file does not show which. Choose." in page
    client.post(preview, {"leave_out": "2"})
    assert not Run.objects.exists()
    client.post(preview, {"date_format": "M/D/YYYY"})
    assert data() == [(None, "2026-03-04"), (None, "2026-05-06")]


@pytest.mark.parametrize(
    ("rows", "decimal"),
    [
        (["1.000", "12,5"], ","),
        (["1,000", "12.5"], "."),
        (["1.355,90 €", "(2.500)"], ","),
        (["CHF 1'299.50", "2,500.00"], "."),
        (["1\u202f299,50 €", "2.500"], ","),
        (["5", "-7"], "."),
        (["1.000", "2.500"], ""),
        (["1,000", "x"], ""),
    ],
)
def test_the_mark_that_fits_is_taken(cast: Cast, workflow: Workflow, rows: list[str], decimal: str) -> None:
    file = "Title;Amount\n" + "".join(f'Oak;"{each}"\n' for each in rows)
    table = csv_start.upload(workflow, name="a.csv", content=file.encode(), by=cast.builder)
    assert column_reading.guess(table, start_values.fields_of(workflow)).decimal == decimal


@pytest.mark.parametrize(
    ("written", "day"),
    [
        ("2026-02-24 00:00:00", "2026-02-24"),
        ("24/02/26", "2026-02-24"),
        ("24.02.26", "2026-02-24"),
        ("24.02.2026 14:30", "2026-02-24"),
        ("24/02/2026 2:30 PM", "2026-02-24"),
        ("02/24/2026", "2026-02-24"),
        ("24-02-2026", "2026-02-24"),
        ("2026/02/24", "2026-02-24"),
        ("2026-02-24 23:30:00 UTC", "2026-02-25"),
        ("1771975800", "2026-02-25"),
        ("Tue, 24 Feb 2026 23:30:00 GMT", "2026-02-25"),
    ],
)
def test_days_are_read_as_files_have_them(
    cast: Cast, workflow: Workflow, client: Client, connection: Connection, written: str, day: str
) -> None:
    # What names its zone is a day of the organisation's: late in the evening in UTC it is the next one in Auckland.
    Connection.objects.filter(pk=connection.pk).update(details={"timezone": "Pacific/Auckland"})
    client.force_login(cast.builder)
    client.post(send(client, workflow, f'Title;Paid on\nOak;"{written}"\n'), {})
    assert data() == [(None, day)]


def test_amounts_of_many_countries_are_read(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    amounts = ["1.355,90 €", "-12,50", "(2.500,00)", "1.000,00-", "€ 7", "1\u202f234,5"]
    preview = send(client, workflow, "Title;Amount\n" + "".join(f"Oak;{each}\n" for each in amounts))
    client.post(preview, {})
    assert [each for each, _ in data()] == [
        Decimal(each) for each in ("1355.90", "-12.50", "-2500.00", "-1000.00", "7", "1234.5")
    ]


def test_a_chosen_column_is_looked_at_and_not_the_one_of_its_name(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, 'Title,Amount,Net\nOak,1.50,"1.000"\n')
    assert "Start 1 run" in said(client.get(preview))
    assert "can be read in two ways" in said(client.post(preview, {"column.amount": "2", "_reload": "1"}))


def test_what_stands_above_the_heading_is_told_on_the_page(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "Sales of May\n\nTitle;Amount\nOak;1,50\nAsh;2,50\n")
    page = said(client.get(preview))
    assert "Not used are the lines above the heading: “Sales of May”." in page
    assert "Start 2 runs" in page


def test_a_workbook_is_named_on_the_page(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    page = send(client, workflow, b"PK\x03\x04" + b"xl/workbook.xml", name="rows.xlsx")
    assert "The file is an Excel workbook (.xlsx), which cannot be read here." in page
    assert not Upload.objects.exists()
