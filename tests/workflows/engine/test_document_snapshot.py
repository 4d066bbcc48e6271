"""A document that is stored comes back as it was, and no fault in one keeps anything from being written."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.schema import documents
from integrations.schema.documents import Document, DocumentLine, Named, Totals
from integrations.schema.fields import Choices
from tests.base import Cast, make_connection
from tests.workflows.pages.test_documents import DETAILS
from workflows.engine.writes import document_snapshot

INVOICE = registry.action("xero.create_invoice")
CONTACT = "6d42f03b-181f-43e3-93fb-2025c012de92"
VALUES = {"contact_id": CONTACT, "lines": [{"description": "Oak", "unit_amount": "25.06", "account_code": "200"}]}


def again(document: Document) -> Document:
    """As it comes back from a JSON column."""
    return documents.from_dict(loads(dumps(documents.to_dict(document))))


def test_every_part_of_a_document_comes_back_exactly() -> None:
    line = DocumentLine(
        description="Oak", item="OAK", quantity=Decimal("1.50"), unit_amount=Decimal("0.0000"), discount="10 %",
        account="200 - Sales", tax_rate="GST", tax=Decimal("0.00"), amount=Decimal("12.30"), tracking=("a: b", "c: d"),
    )  # fmt: skip
    whole = Document(
        what="Bill", organisation="Acme", whom="Jane", whom_label="From", status="Draft",
        dates=(("Date", date(2026, 11, 22)), ("Due", None)), reference="R", facts=(("A", "b"), ("C", Named("d"))),
        lines=(line, DocumentLine()), prices="Tax exclusive", currency="NZD",
        totals=Totals(Decimal("0.00"), Decimal("1.10"), Decimal("1.10")), notes=("One.", "Two."),
    )  # fmt: skip
    assert again(whole) == whole
    assert again(Document(what="Board")) == Document(what="Board")
    assert str(again(whole).lines[0].quantity) == "1.50"


def test_a_name_is_still_looked_up_where_its_choices_are_known_by_their_key() -> None:
    chosen = Choices(key="its.key", load=lambda api, inputs: [])
    stored = again(Document(what="Board", whom=Named("1", chosen), facts=(("Pin", Named("2", chosen)),)))
    names = {("its.key", "1"): "One", ("its.key", "2"): "Two"}
    texts = [stored.whom, stored.facts[0][1]]
    shown = [text.display(lambda choices, code: names[choices.key, code]) for text in texts if isinstance(text, Named)]
    assert shown == ["One", "Two"]


@pytest.mark.django_db
def test_what_an_action_writes_is_kept_with_what_is_known_now(cast: Cast) -> None:
    connection = make_connection(cast.team, "xero", **DETAILS)
    drawn = document_snapshot.snapshot_of(
        INVOICE, INVOICE.Inputs.clean(VALUES), INVOICE.connector.client_class(connection)
    )
    document = documents.from_dict(loads(dumps(drawn))["document"])
    assert document.totals == Totals(Decimal("25.06"), Decimal("3.76"), Decimal("28.82"))
    assert document.lines[0].tax_rate == "15% GST on Income"


@pytest.mark.django_db
def test_a_fault_in_a_document_keeps_nothing_and_raises_nothing(
    cast: Cast, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: object) -> Any:
        raise KeyError("Oops")

    monkeypatch.setattr(type(INVOICE), "document", broken)
    api = INVOICE.connector.client_class(make_connection(cast.team, "xero"))
    assert document_snapshot.snapshot_of(INVOICE, INVOICE.Inputs.clean(VALUES), api) == {}
    assert "xero.create_invoice cannot show what it writes." in caplog.text
