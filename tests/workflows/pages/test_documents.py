"""The document of a write step on the page of its run: from the inputs, beside what the provider made of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.framework import registry
from integrations.models import ChoiceCache
from tests.base import Cast
from tests.world import CONTACT, World, make_world
from workflows.engine.writes import document_snapshot
from workflows.models import StepRun
from workflows.presenters.runs.documents import DocumentCard

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


def change(world: World, **fields: Any) -> None:
    StepRun.objects.filter(pk=world.step_run.pk).update(**fields)


def write(world: World, rows: list[dict[str, Any]], answered: dict[str, Any] = WRITTEN) -> None:
    """The step has written these rows with what is known of the organisation now, and got this answer."""
    inputs = {"contact_id": CONTACT, "lines": rows}
    action = registry.action("xero.create_invoice")
    drawn = document_snapshot.snapshot_of(
        action, action.Inputs.clean(inputs), action.connector.client_class(world.xero)
    )
    change(world, inputs=inputs, outcome=drawn, output=answered, state="succeeded", first_sent_at=timezone.now())


def know(world: World, **details: Any) -> None:
    """From now on something else is known of the organisation."""
    world.xero.details = {**world.xero.details, **details}
    world.xero.save()


def shown(builder: Client, world: World) -> tuple[DocumentCard, str]:
    response = builder.get(reverse("run", args=[world.run.pk]))
    (paper,) = [each.card.document for each in response.context["nodes"] if each.card.document]
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
        key="integrations.connectors.xero.fields.choices.contacts",
        inputs_hash="x",
        choices=[[CONTACT, "Bayside Club (ap@bayside.example)"]],
        fetched_at=world.run.created_at,
    )
    paper, _ = shown(builder, world)
    assert paper.facts[0] == ("Contact", "Bayside Club (ap@bayside.example)")


def test_after_it_the_providers_number_day_and_totals_stand_there(builder: Client, world: World) -> None:
    write(world, ROWS)
    paper, text = shown(builder, world)
    assert (paper.number, paper.differences) == ("INV-0007", [])
    assert paper.facts[0] == ("Contact", "Bayside Club")
    assert ("Invoice date", "23 Nov 2026") in paper.facts
    assert "Totals agree with Xero" in text
    assert "Calculated" not in text


def test_a_cent_of_difference_is_pointed_out_with_both_amounts(builder: Client, world: World) -> None:
    answered = {**WRITTEN, "TotalTax": Decimal("11.45"), "Total": Decimal("87.75")}
    write(world, ROWS, answered)
    paper, text = shown(builder, world)
    assert paper.differences == [
        "Tax: Xero wrote 11.45; calculated here it is 11.44.",
        "Total: Xero wrote 87.75; calculated here it is 87.74.",
    ]
    assert "Totals agree" not in text
    assert text.count("px-paper-different") == 2


def test_an_old_run_is_compared_with_what_was_worked_out_then(builder: Client, world: World) -> None:
    write(world, ROWS)
    before = shown(builder, world)[0]
    know(
        world,
        name="Acme Holdings",
        currency="AUD",
        accounts={"200": {"name": "Income", "class": "REVENUE", "type": "REVENUE", "tax_type": "OUTPUT3"}},
        tax_rates={"OUTPUT2": {"name": "12.5% GST", "rate": "12.5", "classes": ["REVENUE"]}},
    )
    paper, text = shown(builder, world)
    assert paper == before
    assert "Totals agree with Xero" in text
    line = paper.lines[0]
    assert (line.account, line.tax_rate, line.tax) == ("200 - Sales", "15% GST on Income", "3.76")
    assert ("Organisation", "Acme Ltd") in paper.facts


def test_a_difference_of_then_stays_one_whatever_is_known_later(builder: Client, world: World) -> None:
    know(world, tax_rates={"OUTPUT2": {"name": "12.5% GST", "rate": "12.5", "classes": ["REVENUE"]}})
    write(world, ROWS)
    know(world, **DETAILS)
    paper, text = shown(builder, world)
    assert paper.differences == [
        "Tax: Xero wrote 11.44; calculated here it is 9.53.",
        "Total: Xero wrote 87.74; calculated here it is 85.83.",
    ]
    assert "the tax rates known at the time" in text


def test_a_write_from_before_documents_were_kept_is_compared_with_nothing(builder: Client, world: World) -> None:
    write(world, ROWS)
    change(world, outcome={"described": "Invoice INV-0007"})
    paper, text = shown(builder, world)
    assert [(each.ours, each.theirs) for each in paper.sums] == [("", "76.30"), ("", "11.44"), ("", "87.74")]
    assert (paper.lines[0].tax, paper.lines[0].amount) == ("", "25.06")
    assert (paper.is_compared, paper.differences, "Totals agree" in text) == (False, [], False)


def test_what_only_xero_knows_is_left_open_and_then_taken_from_its_answer(builder: Client, world: World) -> None:
    rows = [{"item_code": "PRINT-A4", "quantity": "2"}]
    change(world, inputs={"contact_id": CONTACT, "lines": rows})
    paper, text = shown(builder, world)
    assert (paper.sums, paper.lines[0].what, paper.lines[0].amount) == ([], "Item PRINT-A4", "")
    assert "comes from its item" in text
    write(world, rows)
    paper, text = shown(builder, world)
    assert [(each.ours, each.theirs) for each in paper.sums] == [("", "76.30"), ("", "11.44"), ("", "87.74")]
    assert (paper.is_compared, paper.notes) == (False, ())


def test_inputs_that_do_not_fit_have_no_document(builder: Client, world: World) -> None:
    change(world, inputs={"contact_id": CONTACT, "lines": "nonsense"}, state="failed")
    response = builder.get(reverse("run", args=[world.run.pk]))
    assert [each.card.document for each in response.context["nodes"] if each.card.document] == []


def test_the_page_opens_even_if_a_document_has_a_bug(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> None:
        raise KeyError("Oops")

    monkeypatch.setattr("integrations.connectors.xero.actions.documents.creating.CreateDocument.document", broken)
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
