"""The checks of a write and the sandbox agree: what a check stops is refused, what it warns of is taken, and the mended
write passes both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.framework.checks import Facts, Finding, Level, findings_of
from tests.base import Cast
from tests.integrations.connectors.xero.writing import written
from tests.integrations.examples import BANK
from tests.integrations.wire import DETAILS, client_for, connected
from tests.provider import DEMO, Sandbox

#: The marker of the second write of a test.
OTHER = "PX-2222222222222222"
NOBODY = "00000000-0000-4000-8000-000000000000"
SALE = {"description": "Oak table", "unit_amount": "250", "account_code": "200"}
COST = {"description": "Oak boards", "unit_amount": "38.5", "account_code": "310"}
#: What each kind of write needs beside what a case gives.
USUAL: Mapping[str, Mapping[str, Any]] = {
    "create_invoice": {"lines": [SALE]},
    "create_quote": {"lines": [SALE]},
    "create_bill": {"lines": [COST]},
    "create_purchase_order": {"lines": [COST]},
    "create_credit_note": {"lines": [SALE]},
    "create_contact": {"name": "Pinworks Studio"},
    "create_project": {"name": "Kitchen"},
    "create_payment": {"account_id": BANK["090"], "amount": "10"},
    "create_bank_transfer": {"from_account_id": BANK["090"], "to_account_id": BANK["091"], "amount": "50"},
    "add_stock_item": {"code": "PRINT-A3", "name": "Art print A3"},
}
DOCUMENTS = ("create_invoice", "create_quote", "create_bill", "create_purchase_order", "create_credit_note")


@dataclass(frozen=True)
class Case:
    """A write that a check finds something wrong with: its code, its input, and words of the sandbox's refusal (none
    where the sandbox takes it). `mended` are the inputs that are right instead."""

    action: str
    code: str
    input: str
    words: str
    wrong: Mapping[str, Any]
    mended: Mapping[str, Any] = field(default_factory=dict)

    @property
    def level(self) -> Level:
        return Level.STOPS if self.words else Level.WARNS

    def __str__(self) -> str:
        return f"{self.action}-{self.code}-{self.input or 'whole'}"


def row(**changed: Any) -> dict[str, Any]:
    """The usual row of a sale with some columns changed, or left out if None."""
    return {name: value for name, value in {**SALE, **changed}.items() if value is not None}


def lines(**changed: Any) -> dict[str, Any]:
    return {"lines": [SALE, row(**changed)]}


APPROVED = {"status": "AUTHORISED", "due_date": "2026-12-22"}
NOT_VALID = "is not a valid code for this document"
CASES = [
    *(Case(action, "contact_missing", "contact_id", "Contact", {"contact_id": NOBODY}) for action in (*DOCUMENTS,)),
    Case("create_project", "contact_missing", "contact_id", "contactId is required", {"contact_id": NOBODY}),
    Case("create_invoice", "account_missing", "lines.1.account_code", NOT_VALID, lines(account_code="9999")),
    Case("create_invoice", "account_missing", "lines.1.account_code", NOT_VALID, lines(account_code="Sales")),
    Case("create_bill", "account_missing", "lines.0.account_code", NOT_VALID, {"lines": [row(account_code="4000")]}),
    Case("create_quote", "account_unusable", "lines.1.account_code", NOT_VALID, lines(account_code="090")),
    Case("create_credit_note", "account_unusable", "lines.1.account_code", NOT_VALID, lines(account_code="610")),
    Case(
        "create_purchase_order",
        "account_of_stock",
        "lines.0.account_code",
        NOT_VALID,
        {"lines": [row(account_code="630")]},
    ),
    Case(
        "create_bill",
        "account_not_of_stock",
        "lines.0.account_code",
        NOT_VALID,
        {"lines": [{**COST, "item_code": "STOOL-OAK"}]},
        {"lines": [{"item_code": "STOOL-OAK"}]},
    ),
    Case("create_invoice", "account_unusual", "lines.1.account_code", "", lines(account_code="400")),
    Case("create_bill", "account_unusual", "lines.0.account_code", "", {"lines": [SALE]}),
    Case("create_invoice", "tax_missing", "lines.1.tax_type", "does not exist", lines(tax_type="RROUTPUT")),
    Case("create_invoice", "tax_missing", "lines.1.tax_type", "does not exist", lines(tax_type="Zero Rated")),
    Case("create_quote", "tax_unfit", "lines.1.tax_type", "cannot be used with account", lines(tax_type="INPUT2")),
    Case(
        "create_bill",
        "tax_unfit",
        "lines.0.tax_type",
        "cannot be used with account",
        {"lines": [{**COST, "tax_type": "OUTPUT2"}]},
        {"lines": [{**COST, "tax_type": "INPUT2"}]},
    ),
    Case("create_invoice", "item_missing", "lines.1.item_code", "is not valid", lines(item_code="NO-SUCH")),
    *(
        Case(
            action,
            "currency_off",
            "currency",
            "not subscribed to currency EUR",
            {"currency": "EUR"},
            {"currency": "USD"},
        )
        for action in DOCUMENTS
    ),
    Case(
        "create_invoice",
        "total_negative",
        "lines",
        "total of the document cannot be negative",
        {"lines": [row(unit_amount="-5")]},
    ),
    Case("create_bill", "total_negative", "lines", "cannot be negative", {"lines": [{**COST, "unit_amount": "-5"}]}),
    Case("create_credit_note", "total_negative", "lines", "cannot be negative", {"lines": [row(unit_amount="-5")]}),
    Case("create_quote", "total_negative", "lines", "", {"lines": [row(unit_amount="-5")]}),
    Case("create_purchase_order", "total_negative", "lines", "", {"lines": [{**COST, "unit_amount": "-5"}]}),
    *(
        Case(action, "total_zero", "lines", "", {"lines": [{**USUAL[action]["lines"][0], "unit_amount": "0"}]})
        for action in DOCUMENTS
    ),
    Case("create_contact", "name_taken", "name", "already assigned", {"name": "Boom FM"}),
    Case("create_contact", "name_signs", "name", "cannot contain < or >", {"name": "<b>Studio</b>"}),
    Case("create_contact", "email_invalid", "email", "must be valid", {"email": "nobody"}, {"email": "a@b.example"}),
    Case("create_contact", "currency_off", "default_currency", "EUR", {"default_currency": "EUR"}),
    Case(
        "create_contact",
        "country_letters",
        "country",
        "letters A to Z",
        {"address_line1": "1", "country": "Ö"},
    ),
    Case("create_payment", "account_unfit", "account_id", "must be a bank account", {"account_id": BANK["200"]}),
    Case("create_payment", "amount_too_large", "amount", "exceeds the amount outstanding", {"amount": "99999"}),
    Case(
        "create_bank_transfer", "account_unfit", "from_account_id", "FromBankAccount", {"from_account_id": BANK["200"]}
    ),
    Case("create_bank_transfer", "account_missing", "to_account_id", "ToBankAccount", {"to_account_id": NOBODY}),
    Case(
        "create_bank_transfer",
        "currency_unfit",
        "to_account_id",
        "different currencies",
        {"to_account_id": BANK["092"]},
    ),
    Case("add_stock_item", "account_missing", "sales_account", "not a valid code", {"sales_account": "9999"}),
    Case("add_stock_item", "account_unusable", "purchase_account", "not a valid code", {"purchase_account": "090"}),
    Case("add_stock_item", "tax_missing", "sales_tax_type", "does not exist", {"sales_tax_type": "RROUTPUT"}),
    Case(
        "add_stock_item",
        "account_unfit",
        "inventory_account",
        "INVENTORY",
        {"inventory_account": "200", "cost_of_goods_account": "310"},
        {"inventory_account": "630", "cost_of_goods_account": "310"},
    ),
    Case(
        "add_stock_item",
        "account_unfit",
        "cost_of_goods_account",
        "DIRECTCOSTS",
        {"inventory_account": "630", "cost_of_goods_account": "400"},
        {"inventory_account": "630", "cost_of_goods_account": "310"},
    ),
]


def values_of(action: str, sandbox: Sandbox, given: Mapping[str, Any]) -> dict[str, Any]:
    """Inputs that would be right but for those given."""
    names = {declared.name for declared in registry.action(f"xero.{action}").Inputs.fields() if declared.is_required}
    own: dict[str, Any] = {}
    if "contact_id" in names:
        own["contact_id"] = sandbox.contact_id("Boom FM")
    if "invoice_id" in names:
        own["invoice_id"] = sandbox.invoices(ours=False)[0]["id"]
    return {**own, **USUAL.get(action, {}), **given}


def found_in(api: Any, action: str, values: Mapping[str, Any], **options: Any) -> list[Finding]:
    operation = registry.action(f"xero.{action}")
    return findings_of(operation, Facts(api, **options), operation.Inputs.clean(values))


def named(findings: list[Finding]) -> list[tuple[str, str, str]]:
    return [(each.level.value, each.code, each.input) for each in findings]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_check_and_the_sandbox_agree(case: Case, demo: Any, sandbox: Sandbox) -> None:
    wrong = values_of(case.action, sandbox, case.wrong)
    mended = values_of(case.action, sandbox, case.mended)
    action = registry.action(f"xero.{case.action}")

    found = found_in(demo, case.action, wrong)
    assert named(found) == [(case.level.value, case.code, case.input)], found
    assert found[0].advice
    if case.words:
        with pytest.raises(RejectedError, match=case.words):
            written(demo, action, **wrong)
    else:
        written(demo, action, **wrong)
    assert found_in(demo, case.action, mended) == []
    assert action.identify(written(demo, action, marker=OTHER, **mended))


def archived_contact(sandbox: Sandbox) -> dict[str, Any]:
    key = str(sandbox.make("contact", name="Bayside Club")["id"])
    sandbox.change("contact", key, ContactStatus="ARCHIVED")
    return {"contact_id": key}


@pytest.mark.hostile("A name is sent where an id goes.")
@pytest.mark.parametrize("action", DOCUMENTS)
def test_a_name_where_the_id_of_a_contact_goes_stops_a_document(
    action: str, cast: Cast, sandbox_hosts: Sandbox
) -> None:
    sandbox, demo = sandbox_hosts, client_for(connected(sandbox_hosts, cast, "xero", DEMO, **DETAILS[DEMO]))
    wrong = values_of(action, sandbox, {"contact_id": "Boom FM"})

    assert named(found_in(demo, action, wrong)) == [("stops", "contact_no_id", "contact_id")]
    with pytest.raises(RejectedError, match="Contact"):
        written(demo, registry.action(f"xero.{action}"), **wrong)


@pytest.mark.parametrize("action", [*DOCUMENTS, "create_project"])
def test_an_archived_contact_stops_every_document(action: str, demo: Any, sandbox: Sandbox) -> None:
    wrong = values_of(action, sandbox, archived_contact(sandbox))

    found = found_in(demo, action, wrong)

    assert named(found) == [("stops", "contact_archived", "contact_id")]
    assert "Bayside Club is archived" in found[0].message
    with pytest.raises(RejectedError, match=r"archived|must be active"):
        written(demo, registry.action(f"xero.{action}"), **wrong)


def test_an_archived_account_stops_a_line(demo: Any, sandbox: Sandbox) -> None:
    sandbox.faults(archived_accounts=["200"])
    wrong = values_of("create_invoice", sandbox, {})

    assert named(found_in(demo, "create_invoice", wrong)) == [("stops", "account_archived", "lines.0.account_code")]
    with pytest.raises(RejectedError, match=NOT_VALID):
        written(demo, registry.action("xero.create_invoice"), **wrong)


def test_a_deleted_tax_rate_stops_a_line(demo: Any, sandbox: Sandbox) -> None:
    sandbox.faults(deleted_tax_rates=["ZERORATED"])
    wrong = values_of("create_invoice", sandbox, lines(tax_type="ZERORATED"))

    assert named(found_in(demo, "create_invoice", wrong)) == [("stops", "tax_inactive", "lines.1.tax_type")]
    with pytest.raises(RejectedError, match="cannot be used for this type"):
        written(demo, registry.action("xero.create_invoice"), **wrong)


def test_a_tax_rate_does_not_matter_where_there_is_no_tax(demo: Any, sandbox: Sandbox) -> None:
    values = values_of("create_invoice", sandbox, {**lines(tax_type="INPUT2"), "line_amount_types": "NoTax"})

    assert found_in(demo, "create_invoice", values) == []
    assert written(demo, registry.action("xero.create_invoice"), **values)


NUMBERS = {
    "create_invoice": ("invoice_number", "must be unique"),
    "create_quote": ("quote_number", "must be unique"),
    "create_purchase_order": ("order_number", "must be unique"),
    "create_credit_note": ("note_number", "must be unique"),
}


@pytest.mark.parametrize("action", NUMBERS)
def test_a_number_that_is_used_stops_a_document(action: str, demo: Any, sandbox: Sandbox) -> None:
    name, words = NUMBERS[action]
    values = values_of(action, sandbox, {name: "PIN-17"})
    assert found_in(demo, action, values) == []
    written(demo, registry.action(f"xero.{action}"), **values)

    assert named(found_in(demo, action, values)) == [("stops", "number_taken", name)]
    with pytest.raises(RejectedError, match=words):
        written(demo, registry.action(f"xero.{action}"), marker=OTHER, **values)


def test_the_number_of_a_suppliers_credit_note_may_repeat(demo: Any, sandbox: Sandbox) -> None:
    values = values_of("create_credit_note", sandbox, {"note_number": "S-1", "type": "ACCPAYCREDIT", "lines": [COST]})
    written(demo, registry.action("xero.create_credit_note"), **values)

    assert found_in(demo, "create_credit_note", values) == []
    assert written(demo, registry.action("xero.create_credit_note"), marker=OTHER, **values)


@pytest.mark.parametrize(
    ("action", "name"),
    [("create_invoice", "invoice_date"), ("create_bill", "bill_date"), ("create_credit_note", "note_date")],
)
def test_a_locked_period_stops_what_posts_to_the_ledger(
    action: str, name: str, northwind: Any, sandbox: Sandbox
) -> None:
    contact = next(one["id"] for one in sandbox.contacts(northwind.connection.external_id))
    code = "5000" if action == "create_bill" else "4000"
    values = {"contact_id": contact, "lines": [row(account_code=code)], name: "2025-12-31"}

    assert named(found_in(northwind, action, values)) == [("stops", "period_locked", name)]
    northwind.connection.details |= {"period_lock_date": "", "end_of_year_lock_date": ""}
    operation = registry.action(f"xero.{action}")
    with pytest.raises(RejectedError, match="cannot be before the period lock date"):
        written(northwind, operation, **values)
    mended = {**values, name: "2026-01-01"}
    assert found_in(northwind, action, mended) == []
    assert written(northwind, operation, marker=OTHER, **mended)


def test_a_quote_in_a_locked_period_is_fine(northwind: Any, sandbox: Sandbox) -> None:
    contact = next(one["id"] for one in sandbox.contacts(northwind.connection.external_id))
    values = {"contact_id": contact, "lines": [row(account_code="4000")], "quote_date": "2025-12-31"}

    assert found_in(northwind, "create_quote", values) == []
    assert written(northwind, registry.action("xero.create_quote"), **values)


@pytest.mark.parametrize("status", ["DRAFT", "AUTHORISED"])
def test_an_item_without_a_purchase_price_cannot_fill_an_approved_bill(
    status: str, demo: Any, sandbox: Sandbox
) -> None:
    """Required of the status: a draft may lack it."""
    approved = {"status": status, "due_date": "2026-12-22"}
    wrong = values_of("create_bill", sandbox, {"lines": [{"item_code": "PHOTO-HALF"}], **approved})
    action = registry.action("xero.create_bill")

    found = named(found_in(demo, "create_bill", wrong))

    if status == "DRAFT":
        assert found == []
        assert written(demo, action, **wrong)
        return
    assert found == [
        ("stops", "item_incomplete", "lines.0.unit_amount"),
        ("stops", "item_incomplete", "lines.0.account_code"),
    ]
    with pytest.raises(RejectedError, match=r"UnitAmount must be specified.*Account code must be specified"):
        written(demo, action, **wrong)
    mended = {**wrong, "lines": [{"item_code": "PHOTO-HALF", "unit_amount": "300", "account_code": "310"}]}
    assert found_in(demo, "create_bill", mended) == []
    assert written(demo, action, marker=OTHER, **mended)


def test_a_permission_that_was_not_given_stops_the_write(demo: Any, sandbox: Sandbox) -> None:
    demo.connection.grant.scopes = ["accounting.contacts"]

    found = found_in(demo, "create_invoice", values_of("create_invoice", sandbox, {}))

    assert named(found) == [("stops", "scope_missing", "")]
    assert "accounting.invoices" in found[0].message
