"""The pages of backtests: beginning one, its progress and result, its lists and its files."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from integrations.schema import documents
from integrations.schema.documents import Document, DocumentLine, Totals
from tests.base import Cast
from tests.world import World
from workflows.models import Backtest, BacktestDocument, BacktestItem
from workflows.preview.backtest_totals import added

HOSTILE = "=HYPERLINK(\"http://x\")<script>alert('x')</script>"


def invoice(total: str, *, currency: str = "GBP", whom: str = "Acme", reference: str = "") -> Document:
    line = DocumentLine(description="Chairs", account="200", quantity=Decimal(1), amount=Decimal(total))
    sums = Totals(Decimal(total), Decimal(0), Decimal(total))
    return Document(
        what="Sales invoice", organisation="Acme Ltd", whom=whom, currency=currency, reference=reference, lines=(line,),
        totals=sums,
    )  # fmt: skip


def make_backtest(world: World, *, papers: list[Document], **fields: Any) -> Backtest:
    """A backtest with an item per document, then one that was filtered and one that would have failed."""
    values = {"days": 30, "since": "2026-10-31", "status": "done", "found": len(papers) + 2, "done": len(papers) + 2}
    made = Backtest.objects.create(
        team=world.team, workflow=world.workflow, version=world.version, plan=world.version.plan,
        totals=added({}, papers), **{**values, **fields},
    )  # fmt: skip
    for number, paper in enumerate(papers, start=1):
        item = BacktestItem.objects.create(
            backtest=made, number=number, key=str(number), title=f"Pin {number}", data={}, outcome="ran",
            documents_count=1,
        )  # fmt: skip
        BacktestDocument.objects.create(
            backtest=made, item=item, step="create_invoice", name="Write it", operation="xero.create_invoice",
            connection=world.xero, what=paper.what, whom=str(paper.whom), reference=paper.reference,
            currency=paper.currency, total=paper.totals and paper.totals.total, document=documents.to_dict(paper),
        )  # fmt: skip
    for number, (outcome, group) in enumerate([("filtered", "Not met: oak"), ("failed", "Write it: Name")], start=90):
        BacktestItem.objects.create(
            backtest=made, number=number, key=str(number), title="Other", data={}, outcome=outcome, group=group,
            message=group,
        )  # fmt: skip
    return made


def shown(client: Client, made: Backtest, query: str = "") -> Any:
    return client.get(reverse("backtest", args=[made.workflow_id, made.pk]) + query)


def file_of(client: Client, made: Backtest, part: str) -> list[list[str]]:
    answer = client.get(reverse("backtest_file", args=[made.workflow_id, made.pk, part]))
    assert answer["Content-Disposition"].startswith("attachment")
    return list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))


def test_it_is_begun_with_a_number_of_days_and_leads_to_its_page(builder: Client, world: World) -> None:
    path = reverse("backtest_workflow", args=[world.workflow.pk])
    text = builder.get(path).content.decode()
    assert "when the pin was created" in text or "What counts is" in text
    assert "Choose 7, 30 or 90 days." in builder.post(path, {"days": "8"}).content.decode()
    answer = builder.post(path, {"days": "90"})
    made = Backtest.objects.get()
    assert answer["Location"] == reverse("backtest", args=[world.workflow.pk, made.pk])
    assert (made.days, made.version, made.by) == (90, world.version, world.workflow.created_by)
    assert builder.post(path, {"days": "7"})["Location"] == answer["Location"], "one at a time"
    assert "Reading the items" in shown(builder, made).content.decode()
    builder.post(reverse("stop_backtest", args=[world.workflow.pk, made.pk]))
    made.refresh_from_db()
    assert made.status == "stopped"
    assert "draft" not in builder.get(path).content.decode(), "the draft is what is published"


def test_a_draft_that_differs_can_be_tested_and_so_can_the_version(builder: Client, world: World) -> None:
    world.steps[0].name = "Another name"
    world.steps[0].save()
    path = reverse("backtest_workflow", args=[world.workflow.pk])
    assert "The draft as it is now" in builder.get(path).content.decode()
    builder.post(path, {"days": "7", "of": "draft"})
    made = Backtest.objects.get()
    assert made.version is None
    Backtest.objects.update(status="done")
    builder.post(path, {"days": "7", "of": "published"})
    assert Backtest.objects.latest("pk").version == world.version


def test_the_result_has_figures_reasons_totals_and_documents(builder: Client, world: World) -> None:
    made = make_backtest(world, papers=[invoice("120.50"), invoice("0.10"), invoice("7.00", currency="EUR")])
    page = shown(builder, made)
    text = page.content.decode()
    assert [(each.outcome, each.count) for each in page.context["figures"]] == [
        ("ran", 3), ("filtered", 1), ("failed", 1),
    ]  # fmt: skip
    assert [(each.group, each.count) for each in page.context["reasons"]] == [
        ("Write it: Name", 1),
        ("Not met: oak", 1),
    ]
    assert [(row["currency"], row["count"], row["total"]) for row in page.context["totals"]["documents"]] == [
        ("EUR", 1, "7.00"), ("GBP", 2, "120.60"),
    ]  # fmt: skip
    assert [(row["account"], row["currency"], row["amount"]) for row in page.context["totals"]["accounts"]] == [
        ("200", "EUR", "7.00"), ("200", "GBP", "120.60"),
    ]  # fmt: skip
    assert "5 of 5 items gone through. Nothing was written." in text


def test_documents_are_sorted_and_filtered(builder: Client, world: World) -> None:
    made = make_backtest(world, papers=[invoice("9.00"), invoice("120.50"), invoice("7.00", currency="EUR")])

    def totals(query: str) -> list[str]:
        return [row.total for row in shown(builder, made, query).context["rows"]]

    assert totals("") == ["9.00", "120.50", "7.00"]
    assert totals("?sort=-total") == ["120.50", "9.00", "7.00"]
    assert totals("?sort=total&currency=GBP") == ["9.00", "120.50"]
    assert totals("?currency=nonsense&sort=nonsense&page=99") == ["9.00", "120.50", "7.00"]


def test_items_are_filtered_by_outcome_and_reason(builder: Client, world: World) -> None:
    made = make_backtest(world, papers=[invoice("9.00")])

    def keys(query: str) -> list[str]:
        return [each.key for each, _ in shown(builder, made, f"?show=items{query}").context["rows"]]

    assert keys("") == ["1", "90", "91"]
    assert keys("&outcome=failed") == ["91"]
    assert keys("&group=Not+met%3A+oak") == ["90"]
    assert keys("&outcome=nonsense&group=%00") == ["1", "90", "91"]


def test_a_waiting_one_says_why_and_a_cut_one_what_was_left_out(builder: Client, world: World) -> None:
    made = make_backtest(world, papers=[], status="walking", message="The calls are used up.", is_cut=True)
    text = shown(builder, made).content.decode()
    assert "<strong>It waits.</strong> The calls are used up." in text
    assert "There are more items than the 2,000" in text


def test_text_of_providers_is_never_markup_and_no_cell_is_a_formula(builder: Client, world: World) -> None:
    made = make_backtest(world, papers=[invoice("-12.50", whom=HOSTILE, reference="@SUM(A1)")])
    BacktestItem.objects.update(title=HOSTILE, message=HOSTILE, group=HOSTILE)
    for query in ("", "?show=items"):
        assert "<script>alert" not in shown(builder, made, query).content.decode()
    head, row = file_of(builder, made, "documents")
    found = dict(zip(head, row, strict=True))
    assert found["Item"] == found["For"] == f"'{HOSTILE}"
    assert (found["Reference"], found["Total"], found["Subtotal"]) == ("'@SUM(A1)", "-12.50", "-12.50")
    head, row = file_of(builder, made, "lines")
    assert dict(zip(head, row, strict=True))["Amount"] == "-12.50"
    assert file_of(builder, made, "items")[1][5] == f"'{HOSTILE}"
    assert builder.get(reverse("backtest_file", args=[made.workflow_id, made.pk, "plans"])).status_code == 404


def test_the_page_costs_the_same_for_one_document_and_for_forty(builder: Client, world: World) -> None:
    def counted(made: Backtest, query: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert shown(builder, made, query).status_code == 200
        return len(captured)

    one = make_backtest(world, papers=[invoice("9.00")])
    many = make_backtest(world, papers=[invoice("9.00")] * 40)
    for query in ("", "?show=items"):
        assert counted(many, query) == counted(one, query)


def test_nothing_of_another_team_is_shown(world: World, cast: Cast, client: Client) -> None:
    made = make_backtest(world, papers=[invoice("9.00")])
    client.force_login(cast.outsider)
    assert shown(client, made).status_code == 404
    assert client.get(reverse("backtest_file", args=[made.workflow_id, made.pk, "items"])).status_code == 404
