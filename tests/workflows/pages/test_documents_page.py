"""The page of documents: what was written, found by a filter, added up exactly, and taken along as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from tests.base import Cast, make_cast, make_connection
from tests.world import World, make_event, make_looped_run, make_run, make_world
from workflows.books import search, totals
from workflows.models import Posting, PostingLine, Run, StepRun

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
PAGE = "/documents/"


def post(world: World, number: int, *, run: Run | None = None, lines: Sequence[Any] = (), **values: Any) -> Posting:
    """A posting, an hour later for each number; of a run of its own unless told."""
    run = run or make_run(world.workflow, world.version, make_event(world.state, f"p{number}"), world.xero)
    iteration = values.get("iteration", "")
    step = {"step": "create_invoice", "iteration": iteration, "position": 3, "kind": "action", "name": "Write it"}
    step_run = StepRun.objects.create(run=run, **{**step, "step": values.get("step", step["step"])})
    given_ones = {
        "step": "create_invoice", "operation": "xero.create_invoice", "effect": "creates", "origin": "answered",
        "noun": "Sales invoice", "number": f"INV-{number:04}", "day": date(2026, 11, 1) + timedelta(days=number),
        "contact": "Bayside Club", "organisation": "Acme Ltd", "currency": "NZD", "status": "Draft",
        "amount": Decimal(number), "sub_total": Decimal(number), "tax": Decimal(0), "fingerprint": "x",
        "written_at": AT + timedelta(hours=number), "connection": world.xero, **values,
    }  # fmt: skip
    posting = Posting.objects.create(
        step_run=step_run, run=run, team=world.team, workflow=run.workflow, version=run.version, **given_ones
    )
    for account, rate, net, tax in lines:
        PostingLine.objects.create(posting=posting, account=account, tax_rate=rate, net=net, tax=tax, count=1)
    return posting


def listed(client: Client, **query: Any) -> list[str]:
    return [row.title for row in client.get(PAGE, query).context["rows"]]


# --- the list ---------------------------------------------------------------------------------------------------------


def test_without_documents_it_says_what_will_be_here(builder: Client, world: World) -> None:
    assert "No documents yet" in builder.get(PAGE).content.decode()


def test_each_row_says_what_was_written_and_leads_to_its_run(builder: Client, world: World) -> None:
    posting = post(world, 7, amount=Decimal("1234.5000"), reference="Pin 12", link="https://go.xero.example/x")
    text = builder.get(PAGE).content.decode()
    for part in ("INV-0007", "Sales invoice", "8 Nov 2026", "Bayside Club", "Pin 12", "Draft", "1,234.50 NZD"):
        assert part in text
    assert f'href="{reverse("run", args=[posting.run_id])}"' in text
    assert 'href="https://go.xero.example/x"' in text


def test_what_a_loop_wrote_leads_to_its_iteration(builder: Client, world: World) -> None:
    run = make_looped_run(world)
    inside = run.version.plan["steps"][0]["steps"][-1]["key"]
    post(world, 7, run=run, step=inside, iteration="3")
    (row,) = builder.get(PAGE).context["rows"]
    assert row.url == reverse("run_turn", args=[run.pk, "each", "3"])
    assert builder.get(row.url).status_code == 200


def test_an_auditor_reads_it_and_another_team_sees_none_of_it(client: Client, cast: Cast, world: World) -> None:
    post(world, 7, lines=[("200 - Sales", "GST", 7, 1)])
    for person, finds in ((cast.auditor, True), (cast.approver, True), (cast.outsider, False)):
        client.force_login(person)
        for path in (PAGE, f"{PAGE}documents.csv", f"{PAGE}?connection={world.xero.pk}"):
            response = client.get(path)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            assert (b"INV-0007" in body, b"Sales invoice" in body) == (finds, finds)
            assert (b"200 - Sales" in body) == (finds and path != f"{PAGE}documents.csv")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({}, "4321"),
        ({"noun": "Bill"}, "2"),
        ({"status": "Approved"}, "3"),
        ({"currency": "GBP"}, "4"),
        ({"contact": "bay"}, "421"),
        ({"q": "inv-0003"}, "3"),
        ({"q": "Pin 4"}, "4"),
        ({"least": "2", "most": "3.00"}, "32"),
        ({"least": "-5", "most": "1"}, "1"),
        ({"since": "2026-11-20", "until": "2026-11-20"}, "4321"),
        ({"until": "2026-11-19"}, ""),
        ({"by": "day", "since": "2026-11-03", "until": "2026-11-04"}, "32"),
        ({"noun": "Bill", "currency": "GBP"}, ""),
        ({"connection": "999999"}, ""),
        ({"workflow": "x"}, ""),
        ({"sort": "oldest"}, "1234"),
        ({"sort": "day"}, "4321"),
        ({"sort": "day-up"}, "1234"),
        ({"sort": "amount"}, "4321"),
        ({"sort": "amount-up"}, "1234"),
        ({"sort": "no such order"}, "4321"),
    ],
)
def test_the_filter_finds(builder: Client, world: World, query: dict[str, str], found: str) -> None:
    post(world, 1)
    post(world, 2, noun="Bill")
    post(world, 3, status="Approved", contact="Other")
    post(world, 4, currency="GBP", reference="Pin 4")
    assert listed(builder, **query) == [f"INV-000{number}" for number in found]


def test_it_is_filtered_by_organisation_and_workflow(builder: Client, world: World, cast: Cast) -> None:
    second = make_connection(cast.team, "xero", name="Acme Two")
    post(world, 1)
    post(world, 2, connection=second, organisation="Acme Two")
    other = make_run(world.draft, world.version, make_event(world.state, "d"), world.xero)
    post(world, 3, run=other)
    assert listed(builder, connection=second.pk) == ["INV-0002"]
    assert listed(builder, workflow=world.draft.pk) == ["INV-0003"]
    text = builder.get(PAGE, {"connection": second.pk}).content.decode()
    assert "<dt>Organisation</dt><dd>Acme Two</dd>" in text


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("since", "tomorrow", "“tomorrow” is not a day."),
        ("until", "1026-11-30", "“1026-11-30” is not a day."),
        ("least", "ten", "“ten” is not an amount."),
        ("most", "NaN", "“NaN” is not an amount."),
        ("most", "1e99", "“1e99” is not an amount."),
    ],
)
def test_what_cannot_be_read_is_said_and_kept(
    builder: Client, world: World, name: str, value: str, sentence: str
) -> None:
    post(world, 1)
    response = builder.get(PAGE, {name: value, "contact": "Bayside"})
    text = response.content.decode()
    assert sentence in text
    assert (f'value="{value}"' in text, 'value="Bayside"' in text, response.context["rows"]) == (True, True, [])
    assert builder.get(f"{PAGE}documents.csv", {name: value}).status_code == 200


@pytest.mark.parametrize("sort", list(search.SORTS))
def test_its_pages_hold_every_document_once_in_order(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    monkeypatch.setattr("workflows.views.documents.PER_PAGE", 2)
    run = make_run(world.workflow, world.version, make_event(world.state, "same"), world.xero)
    for number in range(1, 8):
        same = {"written_at": AT, "day": date(2026, 11, 2), "amount": Decimal("1.50")} if number < 5 else {}
        post(world, number, run=run, iteration=str(9 - number), **same)
    seen: list[str] = []
    mark = ""
    for _ in range(4):
        response = builder.get(PAGE, {"sort": sort, "from": mark})
        seen += [row.title for row in response.context["rows"]]
        mark = response.context["next"]
    assert (len(seen), len(set(seen)), mark) == (7, 7, "")
    assert seen == listed_whole(world, sort)


def test_very_many_documents_are_not_added_up_but_a_narrower_filter_is_asked_for(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workflows.views.documents._MOST_ADDED_UP", 2)
    for number in (1, 2, 3):
        post(world, number)
    response = builder.get(PAGE)
    assert "more than 2 documents. Choose a shorter period" in response.content.decode()
    assert "by_kind" not in response.context
    assert [row["count"] for row in builder.get(PAGE, {"most": "2"}).context["by_kind"]] == [2]


def listed_whole(world: World, sort: str) -> list[str]:
    order = search.Filter(sort=sort).order
    return [each.number for each in search.ordered(search.Filter().find(world.team), order)]


@pytest.mark.parametrize("mark", ["~", "x~1", "2026-11-20~9", "2026-11-20T12:00:00~5", "9" * 80, "NaN~1"])
@pytest.mark.parametrize("sort", list(search.SORTS))
def test_a_mark_that_makes_no_sense_shows_a_page_all_the_same(
    builder: Client, world: World, mark: str, sort: str
) -> None:
    post(world, 1)
    assert builder.get(PAGE, {"from": mark, "sort": sort}).status_code == 200


def test_in_the_order_of_amounts_what_has_none_is_left_out_and_that_is_said(builder: Client, world: World) -> None:
    post(world, 1, amount=None)
    post(world, 2)
    response = builder.get(PAGE, {"sort": "amount"})
    assert [row.title for row in response.context["rows"]] == ["INV-0002"]
    assert "only what has an amount is listed" in response.content.decode()


def test_the_page_costs_the_same_queries_for_few_and_for_many(builder: Client, world: World) -> None:
    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            assert builder.get(PAGE).status_code == 200
        counts = [each["sql"] for each in seen if "COUNT(*)" in each["sql"] and "LIMIT" not in each["sql"]]
        assert not [sql for sql in counts if "workflows_posting" in sql]
        return len(seen)

    run = make_looped_run(world)
    inside = run.version.plan["steps"][0]["steps"][-1]["key"]
    post(world, 1, run=run, step=inside, iteration="1")
    queries()
    few = queries()
    for number in range(2, 40):
        post(world, number, run=run, step=inside, iteration=str(number))
    assert queries() == few


def test_the_filter_offers_the_values_that_occur_in_the_team(cast: Cast, world: World) -> None:
    for number, noun in enumerate(["Bill", "Sales invoice", "Bill", "Board"], start=1):
        post(world, number, noun=noun, currency="" if noun == "Board" else "NZD")
    assert search.offered(world.team) == {
        "noun": ["Bill", "Board", "Sales invoice"], "status": ["Draft"], "currency": ["NZD"],
    }  # fmt: skip
    assert search.offered(cast.other_team) == {"noun": [], "status": [], "currency": []}


# --- totals -----------------------------------------------------------------------------------------------------------


def test_totals_are_by_organisation_kind_and_currency_and_follow_the_filter(builder: Client, world: World) -> None:
    post(world, 1, sub_total=Decimal("0.10"), tax=Decimal("0.02"), amount=Decimal("0.12"))
    post(world, 2, sub_total=Decimal("0.20"), tax=Decimal("0.03"), amount=Decimal("0.23"))
    post(world, 3, amount=None, sub_total=None, tax=None)
    post(world, 4, currency="GBP", amount=Decimal("-5.5"))
    post(world, 5, noun="Bill", organisation="Acme Two")
    rows = builder.get(PAGE).context["by_kind"]
    told = [
        (row["organisation"], row["noun"], row["currency"], row["count"], row["unknown"], row["amount"]) for row in rows
    ]
    assert told == [
        ("Acme Ltd", "Sales invoice", "GBP", 1, 0, "-5.50"),
        ("Acme Ltd", "Sales invoice", "NZD", 3, 1, "0.35"),
        ("Acme Two", "Bill", "NZD", 1, 0, "5.00"),
    ]
    assert (rows[1]["sub_total"], rows[1]["tax"]) == ("0.30", "0.05")
    (only,) = builder.get(PAGE, {"noun": "Bill"}).context["by_kind"]
    assert only["count"] == 1


def test_totals_by_account_and_tax_rate_follow_the_filter_too(builder: Client, world: World) -> None:
    post(world, 1, lines=[("200 - Sales", "GST", Decimal("10.10"), Decimal("1.52"))])
    post(
        world, 2, lines=[("200 - Sales", "GST", Decimal("0.20"), Decimal("0.03")), ("260", "", Decimal(5), Decimal(0))]
    )
    post(world, 3, noun="Bill", lines=[("200 - Sales", "GST", Decimal(99), Decimal(9))])
    rows = builder.get(PAGE, {"noun": "Sales invoice"}).context["by_account"]
    assert [(row["account"], row["tax_rate"], row["net"], row["tax"], row["count"]) for row in rows] == [
        ("200 - Sales", "GST", "10.30", "1.55", 2), ("260", "", "5.00", "0.00", 1),
    ]  # fmt: skip


class TestExactness(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        world = make_world(make_cast())
        run = make_run(world.workflow, world.version, make_event(world.state, "x"), world.xero)
        for number in range(6):
            post(world, number, run=run, iteration=str(number), lines=[("200", "", 0, 0)])

    @settings(max_examples=20, deadline=None)
    @given(
        amounts=st.lists(
            st.decimals(min_value=-(10**11), max_value=10**11, places=4, allow_nan=False), min_size=6, max_size=6
        )
    )
    def test_a_total_is_the_sum_to_the_last_digit(self, amounts: list[Decimal]) -> None:
        for number, amount in enumerate(amounts):
            Posting.objects.filter(iteration=str(number)).update(amount=amount)
            PostingLine.objects.filter(posting__iteration=str(number)).update(net=amount)
        (row,) = totals.by_kind(Posting.objects.all())
        (account,) = totals.by_account(Posting.objects.all())
        assert row["amount"] == account["net"] == sum(amounts)


# --- files ------------------------------------------------------------------------------------------------------------

HOSTILE = ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", 'Größe; "x"\nline']
_CELL = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def test_a_csv_file_holds_all_that_the_filter_finds_and_no_formula(builder: Client, world: World) -> None:
    for number, text in enumerate(HOSTILE, start=1):
        post(world, number, contact=text, amount=Decimal("-1234.5000"))
    post(world, 9, noun="Bill")
    response = builder.get(f"{PAGE}documents.csv", {"noun": "Sales invoice", "sort": "oldest"})
    assert response.streaming
    assert response["Content-Disposition"].startswith('attachment; filename="Documents ')
    rows = list(csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"), newline="")))
    assert [row["Contact"].removeprefix("'") for row in rows] == HOSTILE
    assert all(row["Contact"].startswith("'") for row in rows[:5])
    assert {(row["Total"], row["Currency"], row["Kind"]) for row in rows} == {("-1234.50", "NZD", "Sales invoice")}
    assert rows[0]["Address of the run"].endswith(f"/runs/{rows[0]['Run']}/")


def test_a_workbook_holds_amounts_as_numbers_and_texts_as_texts(builder: Client, world: World) -> None:
    for number, text in enumerate(HOSTILE, start=1):
        post(world, number, contact=text, amount=Decimal("-1234.5000"))
    response = builder.get(f"{PAGE}documents.xlsx")
    with ZipFile(io.BytesIO(b"".join(response.streaming_content))) as package:
        assert package.testzip() is None
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    rows = [list(row) for row in sheet.iter(f"{_CELL}row")]
    assert len(rows) == 1 + len(HOSTILE)
    assert not list(sheet.iter(f"{_CELL}f"))
    total = rows[0].index(next(cell for cell in rows[0] if "".join(cell.itertext()) == "Total"))
    assert {(row[total].get("t"), "".join(row[total].itertext())) for row in rows[1:]} == {(None, "-1234.50")}


def test_a_file_is_read_in_parts_and_costs_the_same_queries_for_many(builder: Client, world: World, cast: Cast) -> None:
    run = make_run(world.workflow, world.version, make_event(world.state, "x"), world.xero)

    def queries() -> int:
        with CaptureQueriesContext(database) as seen:
            b"".join(builder.get(f"{PAGE}documents.csv").streaming_content)
        return len(seen)

    post(world, 1, run=run)
    queries()
    few = queries()
    for number in range(2, 30):
        post(world, number, run=run, iteration=str(number))
    assert queries() == few
