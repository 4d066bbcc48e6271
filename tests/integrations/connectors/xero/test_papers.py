"""The document view: what people read before and after a write, from the inputs alone."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError
from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.schema.documents import Document, Named, Totals
from tests.integrations.connectors.xero.papers import details_of
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import Wire
from tests.provider import DEMO, Sandbox

DETAILS = details_of(DEMO)
GUID = "430fa14a-f945-44d3-9f97-5df5e28441b8"
OTHER = "b2a3f7b0-7f39-4f0f-9b40-5c12e4a40c11"
ROW = {
    "description": "Shelf",
    "quantity": "2",
    "unit_amount": "25.5",
    "account_code": "200",
    "discount_rate": "12.50",
    "tracking_1": "Region: North",
}


def shown(key: str, **values: Any) -> Document:
    action = registry.action(f"xero.{key}")
    document = action.document(action.Inputs.clean(values), DETAILS)
    assert document is not None
    return document


def test_an_invoice_says_who_what_when_how_much_and_where() -> None:
    document = shown(
        "create_invoice",
        contact_id=GUID,
        lines=[ROW],
        due_date="2026-12-22",
        reference="Spring",
        status="AUTHORISED",
        branding_theme_id=OTHER,
    )
    assert (document.what, document.organisation, document.status) == (
        "Sales invoice",
        "Demo Company (NZ)",
        "Approved, awaiting payment",
    )
    assert (document.whom_label, document.whom) == ("Contact", Named(GUID, choices.contacts))
    assert document.dates == (("Invoice date", None), ("Due date", date(2026, 12, 22)))
    assert (document.reference, document.currency, document.prices) == ("Spring", "NZD", "Tax exclusive")
    assert document.facts == (("Branding theme", Named(OTHER, choices.branding_themes)),)
    (line,) = document.lines
    assert (line.account, line.tax_rate, line.discount) == ("200 - Sales", "15% GST on Income", "12.5 %")
    assert (line.amount, line.tax, line.tracking) == (Decimal("44.63"), Decimal("6.69"), ("Region: North",))
    assert document.totals == Totals(Decimal("44.63"), Decimal("6.69"), Decimal("51.32"))
    assert document.notes == ()


def test_what_steers_the_step_only_is_not_part_of_the_document() -> None:
    row = {"description": "Oak", "unit_amount": "10", "account_code": "310"}
    document = shown("create_bill", contact_id=GUID, lines=[row], bill_number="TT-1", if_duplicate="write")
    assert document.facts == (("Bill number", "TT-1"),)
    assert document.whom_label == "Supplier"


def test_without_what_the_organisation_has_set_up_nothing_is_guessed() -> None:
    invoice = registry.action("xero.create_invoice")
    document = invoice.document(invoice.Inputs.clean({"contact_id": GUID, "lines": [ROW]}), {})
    assert document is not None
    assert (document.totals, document.currency, document.lines[0].account) == (None, "", "200")
    assert document.lines[0].amount == Decimal("44.63")  # which needs no rate


def test_a_payment_a_transfer_and_an_allocation_are_told_by_their_inputs() -> None:
    document = shown("create_payment", invoice_id=GUID, account_id=OTHER, amount="1234.5", reference="Card")
    assert document.facts == (
        ("Invoice or bill", Named(GUID, choices.invoices)),
        ("Bank account", Named(OTHER, choices.bank_accounts)),
        ("Amount", "1,234.5"),
    )
    assert (document.dates, document.reference) == ((("Date", None),), "Card")
    transfer = shown("create_bank_transfer", from_account_id=GUID, to_account_id=OTHER, amount="1")
    assert "moves no money" in transfer.notes[0]


def test_a_change_that_does_not_say_whether_prices_hold_the_tax_shows_no_totals() -> None:
    document = shown("add_lines_to_invoice", invoice_id=GUID, lines=[{"description": "Oak", "unit_amount": "5"}])
    assert (document.totals, document.currency, document.whom) == (None, "", "")
    assert [(line.amount, line.tax) for line in document.lines] == [(Decimal("5.00"), None)]
    assert document.notes == (
        "Whether prices hold the tax stays as it is in Xero, so what this comes to is known once it is written.",
    )
    status = shown("update_invoice", invoice_id=GUID, status="AUTHORISED")
    assert (status.status, status.totals, status.notes) == ("Approved, awaiting payment", None, ())


@pytest.mark.parametrize(
    "one",
    [each for each in registry.actions() if each.connector.key == "xero" and each.effect is not Effect.READS],
    ids=lambda one: one.key,
)
def test_every_write_has_a_document(one: Action) -> None:
    assert type(one).document is not Action.document


# --- tracking, discounts ----------------------------------------------------------------------------------------------


def test_tracking_and_an_amount_off_reach_the_books(demo: Any, sandbox: Sandbox) -> None:
    row = {key: value for key, value in ROW.items() if key != "discount_rate"} | {"discount_amount": "1.05"}
    contact = str(sandbox.contacts()[0]["id"])
    output = written(demo, registry.action("xero.create_invoice"), contact_id=contact, lines=[row])
    (line,) = output["LineItems"]
    assert [(one["Name"], one["Option"]) for one in line["Tracking"]] == [("Region", "North")]
    assert (line["DiscountAmount"], line["LineAmount"], output["Total"]) == (
        Decimal("1.05"),
        Decimal("49.95"),
        Decimal("57.44"),
    )


@pytest.mark.parametrize("key", ["create_bill", "create_purchase_order", "create_credit_note", "create_quote"])
def test_every_kind_of_document_is_tracked(demo: Any, sandbox: Sandbox, key: str) -> None:
    account = "310" if key in {"create_bill", "create_purchase_order"} else "200"
    row = {"description": "Oak", "unit_amount": "10", "account_code": account, "tracking_2": "Region: South"}
    contact = str(sandbox.contacts()[0]["id"])
    output = written(demo, registry.action(f"xero.{key}"), contact_id=contact, lines=[row])
    assert output["LineItems"][0]["Tracking"][0]["Option"] == "South"


@pytest.mark.parametrize(
    ("row", "name", "sentence"),
    [
        (
            {"tracking_1": "North"},
            "tracking_1",
            '"North" is not a tracking option. Write it as Category: Option, or pick one.',
        ),
        (
            {"tracking_1": "Region: North", "tracking_2": "region: South"},
            "tracking_2",
            "Both trackings are of the same category. Xero takes one option of each category.",
        ),
        (
            {"discount_rate": "5", "discount_amount": "5"},
            "discount_amount",
            "A row takes a discount in percent or as an amount, not both.",
        ),
    ],
)  # fmt: skip
def test_a_row_that_xero_would_refuse_is_told_before(row: dict[str, str], name: str, sentence: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        registry.action("xero.create_invoice").Inputs.clean(
            {"contact_id": GUID, "lines": [{"description": "Shelf", **row}]}
        )
    assert refused.value.problems == {f"lines.0.{name}": sentence}


def test_the_less_usual_inputs_reach_the_books(demo: Any, sandbox: Sandbox) -> None:
    contact = str(sandbox.contacts()[0]["id"])
    row = {"description": "Oak", "unit_amount": "10"}
    invoice = written(
        demo,
        registry.action("xero.create_invoice"),
        contact_id=contact,
        lines=[{**row, "account_code": "200"}],
        currency="USD",
        currency_rate="0.65",
        status="AUTHORISED",
        due_date="2026-12-22",
        expected_payment_date="2026-12-24",
        is_sent="true",
    )
    assert (invoice["CurrencyRate"], invoice["ExpectedPaymentDate"]) == (Decimal("0.65"), "2026-12-24")
    assert invoice["SentToContact"] is True
    order = registry.action("xero.create_purchase_order")
    values: dict[str, Any] = {"contact_id": contact, "lines": [{**row, "account_code": "310"}]}
    assert written(demo, order, **values, expected_arrival_date="2026-12-01")["ExpectedArrivalDate"] == "2026-12-01"
    bill = written(demo, registry.action("xero.create_bill"), **values, currency="AUD", currency_rate="0.9")
    note = written(demo, registry.action("xero.create_credit_note"), **values, currency="AUD", currency_rate="0.9")
    assert (bill["CurrencyRate"], note["CurrencyRate"]) == (Decimal("0.9"), Decimal("0.9"))


@pytest.mark.parametrize("key", ["create_invoice", "create_bill", "create_credit_note", "create_quote"])
def test_a_rate_is_asked_for_and_kept_alike_for_every_document(demo: Any, sandbox: Sandbox, key: str) -> None:
    values = {
        "contact_id": str(sandbox.contacts()[0]["id"]),
        "lines": [{"description": "Oak", "unit_amount": "10"}],
        "currency": "AUD",
        "currency_rate": "0.9",
    }
    made = [written(demo, registry.action(f"xero.{name}"), **values) for name in (key, "create_purchase_order")]
    assert [(one["CurrencyCode"], one["CurrencyRate"]) for one in made] == [("AUD", Decimal("0.9"))] * 2
    asked = [{f.name: f for f in registry.action(f"xero.{name}").Inputs.fields()} for name in (key, "create_quote")]
    for name in ("currency", "currency_rate"):
        assert asked[0][name] == asked[1][name]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"currency_rate": "0.9"}, {"currency_rate": "An exchange rate needs a currency beside it."}),
        ({"is_sent": "yes"}, {"is_sent": "Only an approved invoice can be marked as sent."}),
    ],
)
def test_an_exchange_rate_without_a_currency_and_a_sent_draft_are_refused(
    values: dict[str, str], problems: dict[str, str]
) -> None:
    row = {"description": "Oak", "unit_amount": "10", "account_code": "200"}
    with pytest.raises(InvalidInputError) as refused:
        registry.action("xero.create_invoice").Inputs.clean({"contact_id": GUID, "lines": [row], **values})
    assert refused.value.problems == problems


def test_tracking_options_are_offered_with_their_category(demo: Any, wire: Wire) -> None:
    offered = list(choices.tracking_options.load(demo, {}))
    assert offered[:2] == [("Region: Eastside", "Region: Eastside"), ("Region: North", "Region: North")]
    assert wire.calls == ["GET /api.xro/2.0/TrackingCategories"]


# --- links ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "output", "page"),
    [
        ("create_payment", {"PaymentID": GUID}, f"/Bank/ViewTransaction.aspx%3FbankTransactionID%3D{GUID}"),
        (
            "create_bank_transfer",
            {"BankTransferID": OTHER, "FromBankTransactionID": GUID},
            f"/Bank/ViewTransaction.aspx%3FbankTransactionID%3D{GUID}",
        ),
        ("create_bank_transfer", {"BankTransferID": OTHER, "FromBankTransactionID": None}, ""),
        ("create_project", {"projectId": GUID}, ""),
    ],
)
def test_links_lead_where_xero_documents_a_page_and_nowhere_else(
    key: str, output: dict[str, Any], page: str, settings: Any
) -> None:
    link = registry.action(f"xero.{key}").link(output, {"short_code": "!Dm0Nz"})
    begin = f"{settings.XERO_WEB_BASE}/organisationlogin/default.aspx?shortcode=%21Dm0Nz&redirecturl="
    assert link == (begin + page.replace("/", "%2F") if page else "")
    assert registry.action(f"xero.{key}").link(output, {}) == ""
