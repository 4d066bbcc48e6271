"""The document of a write step on the page of its run: from the inputs, beside what the provider made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import ChoiceCache
from tests.base import Cast
from tests.world import CONTACT, World, make_world
from workflows.models import StepRun
from workflows.views.papers import Paper

DETAILS = {
    "currency": "NZD",
    "accounts": {"200": {"name": "Sales", "class": "REVENUE", "type": "REVENUE", "tax_type": "OUTPUT2"}},
    "tax_rates": {"OUTPUT2": {"name": "15% GST on Income", "rate": "15", "classes": ["REVENUE"]}},
}
ROWS = [
    {"description": f"Product {name}", "unit_amount": price, "account_code": "200", "tracking_1": "Region: North"}
    for name, price in (("A", "25.06"), ("B", "25.61"), ("C", "25.63"))
]
WRITTEN = {
    "InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c",
    "InvoiceNumber": "INV-0007",
    "Type": "ACCREC",
    "Contact": {"ContactID": CONTACT, "Name": "Bayside Club"},
    "Date": "2026-11-23",
    "SubTotal": Decimal("76.30"),
    "TotalTax": Decimal("11.44"),
    "Total": Decimal("87.74"),
    "CurrencyCode": "NZD",
}


@pytest.fixture
def world(cast: Cast) -> World:
    made = make_world(cast)
    made.xero.details = {**made.xero.details, **DETAILS}
    made.xero.save()
    return made


@pytest.fixture
def builder(client: Client, cast: Cast) -> Client:
    client.force_login(cast.builder)
    return client


def change(world: World, **fields: Any) -> None:
    StepRun.objects.filter(pk=world.step_run.pk).update(**fields)


def shown(builder: Client, world: World) -> tuple[Paper, str]:
    response = builder.get(reverse("run", args=[world.run.pk]))
    (paper,) = [card.paper for card in response.context["cards"] if card.paper]
    return paper, response.content.decode()


def test_before_the_answer_it_shows_what_would_be_written(builder: Client, world: World) -> None:
    change(world, inputs={"contact_id": CONTACT, "lines": ROWS, "reference": "Spring"})
    paper, text = shown(builder, world)
    assert paper.what == "Sales invoice"
    assert paper.facts[:4] == [
        ("Contact", CONTACT),
        ("Organisation", "Acme Ltd"),
        ("Status", "Draft"),
        ("Invoice date", "The day on which it is written"),
    ]
    assert [(each.what, each.account, each.tax_rate, each.tax, each.amount) for each in paper.lines] == [
        ("Product A", "200 - Sales", "15% GST on Income", "3.76", "25.06"),
        ("Product B", "200 - Sales", "15% GST on Income", "3.84", "25.61"),
        ("Product C", "200 - Sales", "15% GST on Income", "3.84", "25.63"),
    ]
    assert [(each.label, each.ours, each.theirs) for each in paper.sums] == [
        ("Subtotal", "76.30", ""),
        ("Tax", "11.44", ""),
        ("Total", "87.74", ""),
    ]
    assert "Region: North" in text
    assert text.index("px-paper") < text.index("Exactly what was sent")


def test_a_contact_is_called_by_the_name_that_was_fetched_last(builder: Client, world: World) -> None:
    ChoiceCache.objects.create(
        connection=world.xero,
        key="integrations.xero.choices.contacts",
        inputs_hash="x",
        choices=[[CONTACT, "Bayside Club (ap@bayside.example)"]],
        fetched_at=world.run.created_at,
    )
    paper, _ = shown(builder, world)
    assert paper.facts[0] == ("Contact", "Bayside Club (ap@bayside.example)")


def test_after_it_the_providers_number_day_and_totals_stand_there(builder: Client, world: World) -> None:
    change(world, inputs={"contact_id": CONTACT, "lines": ROWS}, output=WRITTEN, state="succeeded")
    paper, text = shown(builder, world)
    assert (paper.number, paper.differences) == ("INV-0007", [])
    assert paper.facts[0] == ("Contact", "Bayside Club")
    assert ("Invoice date", "23 Nov 2026") in paper.facts
    assert "Totals agree with Xero" in text
    assert "Worked out" not in text


def test_a_cent_of_difference_is_pointed_out_with_both_amounts(builder: Client, world: World) -> None:
    answered = {**WRITTEN, "TotalTax": Decimal("11.45"), "Total": Decimal("87.75")}
    change(world, inputs={"contact_id": CONTACT, "lines": ROWS}, output=answered, state="succeeded")
    paper, text = shown(builder, world)
    assert paper.differences == [
        "Tax: Xero wrote 11.45; worked out here it is 11.44.",
        "Total: Xero wrote 87.75; worked out here it is 87.74.",
    ]
    assert "Totals agree" not in text
    assert text.count("px-paper-different") == 2


def test_what_only_xero_knows_is_left_open_and_then_taken_from_its_answer(builder: Client, world: World) -> None:
    rows = [{"item_code": "PRINT-A4", "quantity": "2"}]
    change(world, inputs={"contact_id": CONTACT, "lines": rows})
    paper, text = shown(builder, world)
    assert (paper.sums, paper.lines[0].what, paper.lines[0].amount) == ([], "Item PRINT-A4", "")
    assert "comes from its item" in text
    change(world, output=WRITTEN, state="succeeded")
    paper, text = shown(builder, world)
    assert [(each.ours, each.theirs) for each in paper.sums] == [("", "76.30"), ("", "11.44"), ("", "87.74")]
    assert (paper.is_compared, paper.notes) == (False, ())


def test_inputs_that_do_not_fit_have_no_document(builder: Client, world: World) -> None:
    change(world, inputs={"contact_id": CONTACT, "lines": "nonsense"}, state="failed")
    response = builder.get(reverse("run", args=[world.run.pk]))
    assert [card.paper for card in response.context["cards"] if card.paper] == []


def test_the_page_opens_even_if_a_document_has_a_bug(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("Oops")

    monkeypatch.setattr("integrations.xero.documents.CreateDocument.document", broken)
    response = builder.get(reverse("run", args=[world.run.pk]))
    assert response.status_code == 200
    assert "could not be shown" in caplog.text


def test_text_of_a_document_is_never_markup(builder: Client, world: World) -> None:
    rows = [{"description": "<script>alert(1)</script>", "unit_amount": "1", "tracking_1": "<b>: <i>x"}]
    change(world, inputs={"contact_id": "<img src=x>", "lines": rows, "reference": "<u>"})
    _, text = shown(builder, world)
    paper = text[text.index("px-paper") : text.index("Exactly what was sent")]
    assert "<script" not in paper
    assert "<img" not in paper
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in paper
