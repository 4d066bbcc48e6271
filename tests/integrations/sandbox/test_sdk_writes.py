"""The official library as a witness for the second storey: it makes and reads one of each."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.integrations.sandbox.test_sdk import Library, accounting, api_client, configuration, invoice, library, oauth2
from tests.provider import DEMO, Sandbox

__all__ = ["library"]
project = pytest.importorskip("xero_python.project")

pytestmark = pytest.mark.hostile("The library sends properties that the description calls read-only.")


def contact(sandbox: Sandbox) -> Any:
    return accounting.Contact(contact_id=sandbox.contact_id("Boom FM"))


def line(**changes: Any) -> Any:
    details = {"description": "Work", "quantity": Decimal(2), "unit_amount": Decimal("12.50"), "account_code": "200"}
    return accounting.LineItem(**{**details, **changes})


def approved(sandbox: Sandbox, library: Library, **changes: Any) -> Any:
    sent = invoice(sandbox, status="AUTHORISED", line_items=[line()], **changes)
    return library.accounting.create_invoices(DEMO, sent).invoices[0]


def test_it_makes_moves_and_reads_a_quote(sandbox: Sandbox, library: Library) -> None:
    details = {"contact": contact(sandbox), "date": date(2026, 11, 22)}
    sent = accounting.Quote(**details, line_items=[line()], line_amount_types=accounting.QuoteLineAmountTypes.EXCLUSIVE)
    made = library.accounting.create_quotes(DEMO, accounting.Quotes(quotes=[sent])).quotes[0]
    assert (made.quote_number, made.total, made.status.value) == ("QU-0001", Decimal("28.75"), "DRAFT")
    sent = accounting.Quote(**details, status=accounting.QuoteStatusCodes.SENT)
    library.accounting.update_quote(DEMO, made.quote_id, accounting.Quotes(quotes=[sent]))
    found = library.accounting.get_quotes(DEMO, status="SENT").quotes
    assert [one.quote_id for one in found] == [made.quote_id]


def test_it_makes_and_reads_a_purchase_order(sandbox: Sandbox, library: Library) -> None:
    sent = accounting.PurchaseOrder(contact=contact(sandbox), line_items=[line(account_code="429")])
    orders = accounting.PurchaseOrders(purchase_orders=[sent])
    made = library.accounting.create_purchase_orders(DEMO, orders).purchase_orders[0]
    assert (made.purchase_order_number, made.total) == ("PO-0001", Decimal("28.75"))
    assert library.accounting.get_purchase_order_by_number(DEMO, "PO-0001").purchase_orders[0].status == "DRAFT"


def test_it_makes_and_allocates_a_credit_note(sandbox: Sandbox, library: Library) -> None:
    target = approved(sandbox, library)
    sent = accounting.CreditNote(
        type="ACCRECCREDIT", contact=contact(sandbox), line_items=[line()], status="AUTHORISED"
    )
    notes = accounting.CreditNotes(credit_notes=[sent])
    made = library.accounting.create_credit_notes(DEMO, notes).credit_notes[0]
    to = accounting.Invoice(invoice_id=target.invoice_id)
    allocation = accounting.Allocation(invoice=to, amount=Decimal("10.00"), date=date(2026, 11, 23))
    allocations = accounting.Allocations(allocations=[allocation])
    library.accounting.create_credit_note_allocation(DEMO, made.credit_note_id, allocations)
    kept = library.accounting.get_credit_note(DEMO, made.credit_note_id).credit_notes[0]
    assert (kept.remaining_credit, kept.allocations[0].amount) == (Decimal("18.75"), 10)
    assert library.accounting.get_invoice(DEMO, target.invoice_id).invoices[0].amount_credited == 10


def test_it_pays_an_invoice_and_takes_the_payment_back(sandbox: Sandbox, library: Library) -> None:
    target = approved(sandbox, library)
    sent = accounting.Payment(
        invoice=accounting.Invoice(invoice_id=target.invoice_id),
        account=accounting.Account(code="090"),
        amount=Decimal("28.75"),
        date=date(2026, 11, 23),
    )
    made = library.accounting.create_payments(DEMO, accounting.Payments(payments=[sent])).payments[0]
    assert library.accounting.get_invoice(DEMO, target.invoice_id).invoices[0].status == "PAID"
    delete = accounting.PaymentDelete(status="DELETED")
    assert library.accounting.delete_payment(DEMO, made.payment_id, delete).payments[0].status == "DELETED"
    assert library.accounting.get_payments(DEMO).payments[0].payment_type == "ACCRECPAYMENT"


def test_it_transfers_and_spends(sandbox: Sandbox, library: Library) -> None:
    banks = [accounting.Account(code=code) for code in ("090", "091")]
    category = library.accounting.get_tracking_categories(DEMO).tracking_categories[0]
    north = next(option for option in category.options if option.name == "North")
    tracked = accounting.TrackingReference(
        tracking_category_id=category.tracking_category_id, tracking_option_id=north.tracking_option_id
    )
    sent = accounting.BankTransfer(
        from_bank_account=banks[0],
        to_bank_account=banks[1],
        amount=Decimal("50.00"),
        from_tracking=[tracked],
        to_is_reconciled=True,
    )
    transfers = accounting.BankTransfers(bank_transfers=[sent])
    made = library.accounting.create_bank_transfer(DEMO, transfers).bank_transfers[0]
    read = library.accounting.get_bank_transfer(DEMO, made.bank_transfer_id).bank_transfers[0]
    assert (read.amount, read.from_is_reconciled, read.to_is_reconciled) == (50, False, True)
    assert ([one.option for one in read.from_tracking], read.to_tracking) == (["North"], [])
    spent = accounting.BankTransaction(
        type="SPEND", contact=contact(sandbox), bank_account=banks[0], line_items=[line(account_code="404")]
    )
    transactions = accounting.BankTransactions(bank_transactions=[spent])
    library.accounting.create_bank_transactions(DEMO, transactions)
    assert library.accounting.get_bank_transactions(DEMO).bank_transactions[0].total == 25


def test_it_makes_an_item_receives_stock_and_deletes_another(sandbox: Sandbox, library: Library) -> None:
    details = accounting.Purchase(cogs_account_code="310")
    tracked = accounting.Item(code="FRIDGE", inventory_asset_account_code="630", purchase_details=details)
    items = accounting.Items(items=[tracked, accounting.Item(code="LOOSE")])
    made = library.accounting.create_items(DEMO, items).items
    stock = line(item_code="FRIDGE", account_code="630", tax_type="NONE")
    library.accounting.create_invoices(DEMO, invoice(sandbox, type="ACCPAY", status="AUTHORISED", line_items=[stock]))
    kept = library.accounting.get_item(DEMO, made[0].item_id).items[0]
    assert (kept.quantity_on_hand, kept.total_cost_pool) == (2, 25)
    library.accounting.delete_item(DEMO, made[1].item_id)
    assert "LOOSE" not in {one.code for one in library.accounting.get_items(DEMO).items}


def test_it_mails_attaches_and_notes(sandbox: Sandbox, library: Library) -> None:
    made = approved(sandbox, library)
    library.accounting.email_invoice(DEMO, made.invoice_id, accounting.RequestEmpty())
    assert library.accounting.get_online_invoice(DEMO, made.invoice_id).online_invoices[0].online_invoice_url
    library.accounting.create_invoice_attachment_by_file_name(DEMO, made.invoice_id, "a.txt", b"text")
    listed = library.accounting.get_invoice_attachments(DEMO, made.invoice_id).attachments
    assert [(one.file_name, one.content_length) for one in listed] == [("a.txt", 4)]
    records = accounting.HistoryRecords(history_records=[accounting.HistoryRecord(details="Hello")])
    library.accounting.create_invoice_history(DEMO, made.invoice_id, records)


def test_it_voids_an_invoice_and_archives_a_contact(sandbox: Sandbox, library: Library) -> None:
    made = approved(sandbox, library)
    void = accounting.Invoices(invoices=[accounting.Invoice(status="VOIDED")])
    assert library.accounting.update_invoice(DEMO, made.invoice_id, void).invoices[0].status == "VOIDED"
    archive = accounting.Contacts(contacts=[accounting.Contact(contact_status="ARCHIVED")])
    archived = library.accounting.update_contact(DEMO, sandbox.contact_id("Boom FM"), archive).contacts[0]
    assert archived.contact_status == "ARCHIVED"


def test_it_reads_both_reports(sandbox: Sandbox, library: Library) -> None:
    approved(sandbox, library)
    for found in (
        library.accounting.get_report_balance_sheet(DEMO, date="2026-11-30", periods=1, timeframe="MONTH"),
        library.accounting.get_report_profit_and_loss(DEMO, from_date="2026-11-01", to_date="2026-11-30"),
    ):
        report = found.reports[0]
        assert report.rows[0].row_type.value == "Header"
        labels = [row.cells[0].value for top in report.rows for row in top.rows or []]
        assert "Net Profit" in labels or "Net Assets" in labels


def test_it_makes_closes_and_lists_projects(sandbox: Sandbox, library: Library) -> None:
    made_tokens = sandbox.tokens("xero")
    token = {"access_token": made_tokens["access_token"], "expires_at": 4102444800, "token_type": "Bearer"}
    token |= {"refresh_token": made_tokens["refresh_token"], "expires_in": 1800, "scope": ["projects"]}
    client = api_client.ApiClient(configuration.Configuration(oauth2_token=oauth2.OAuth2Token("id", "s")))
    client.oauth2_token_getter(lambda: token)
    client.oauth2_token_saver(token.update)
    api = project.ProjectApi(client, base_url=sandbox.url + "/projects.xro/2.0")
    deadline = datetime(2026, 12, 10, 12, 59, 59, tzinfo=UTC)
    body = project.ProjectCreateOrUpdate(
        contact_id=sandbox.contact_id("Boom FM"), name="New Kitchen", deadline_utc=deadline, estimate_amount=99.99
    )
    made = api.create_project(DEMO, project_create_or_update=body)
    assert (made.name, made.status.value) == ("New Kitchen", "INPROGRESS")
    api.patch_project(DEMO, made.project_id, project_patch=project.ProjectPatch(status=project.ProjectStatus.CLOSED))
    assert [one.name for one in api.get_projects(DEMO, states="CLOSED").items] == ["New Kitchen"]
    assert api.get_project_users(DEMO).items[0].email == "robin.ledger@pinworks.example"
