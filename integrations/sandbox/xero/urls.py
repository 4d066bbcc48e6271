"""Xero's addresses. `/connections` ignores case, as the official SDK requires."""

from collections.abc import Callable
from functools import partial

from django.http import HttpResponse
from django.urls import URLPattern, path, re_path

from integrations.sandbox.exchange.exchange import View
from integrations.sandbox.xero import contacts, history, identity, items, projects, reference, tracking
from integrations.sandbox.xero.documents import (
    attachments,
    credit_notes,
    invoices,
    numbered,
    purchase_orders,
    quotes,
    sending,
)
from integrations.sandbox.xero.gate import identity_resource, resource
from integrations.sandbox.xero.ledger import bank_transactions, banking, reports

_INVOICES, _CONTACTS = "accounting.invoices", "accounting.contacts"
_SETTINGS = "accounting.settings"
_PRODUCTS = f"{_SETTINGS} {_INVOICES}"
_PAYMENTS, _BANKING, _FILES = "accounting.payments", "accounting.banktransactions", "accounting.attachments"
_A, _P = "api.xro/2.0/", "projects.xro/2.0/"
_WITH_FILES = ("Invoices", "CreditNotes", "Quotes", "PurchaseOrders", "Contacts", "BankTransactions", "BankTransfers")


def _notes(kind: str, scope: str) -> Callable[..., HttpResponse]:
    return resource(scope, GET=partial(history.list_notes, kind=kind), PUT=partial(history.add_notes, kind=kind))


def _papers(kind: numbered.Kind, list_all: View) -> list[URLPattern]:
    """The addresses of a kind of document: the list, one document, its history."""
    create, save = partial(numbered.create_all, kind=kind), partial(numbered.save_all, kind=kind)
    place = _A + kind.plural
    return [
        path(place, resource(_INVOICES, GET=list_all, PUT=create, POST=save)),
        path(f"{place}/<key>/History", _notes(kind.plural, _INVOICES)),
        path(f"{place}/<key>", resource(_INVOICES, GET=partial(numbered.get, kind=kind), POST=save)),
    ]


def _files(kind: str) -> list[URLPattern]:
    place = f"{_A}{kind}/<key>/Attachments"
    put = partial(attachments.put_attachment, kind=kind)
    return [
        path(place, resource(_FILES, GET=partial(attachments.list_attachments, kind=kind))),
        path(
            f"{place}/<name>", resource(_FILES, GET=partial(attachments.get_attachment, kind=kind), PUT=put, POST=put)
        ),
    ]


urlpatterns = [
    re_path(r"^(?i:connections)$", identity_resource(GET=identity.list_connections)),
    re_path(r"^(?i:connections)/(?P<connection_id>[^/]+)$", identity_resource(DELETE=identity.delete_connection)),
    path(_A + "Organisation", resource(_SETTINGS, GET=reference.get_organisation)),
    path(_A + "Accounts", resource(_SETTINGS, GET=reference.list_accounts)),
    path(_A + "Accounts/<key>", resource(_SETTINGS, GET=reference.get_account)),
    path(_A + "TaxRates", resource(_SETTINGS, GET=reference.list_tax_rates)),
    path(_A + "TaxRates/<key>", resource(_SETTINGS, GET=reference.get_tax_rate)),
    path(_A + "Currencies", resource(_SETTINGS, GET=reference.list_currencies)),
    path(_A + "BrandingThemes", resource(_SETTINGS, GET=reference.list_branding_themes)),
    path(_A + "BrandingThemes/<key>", resource(_SETTINGS, GET=reference.get_branding_theme)),
    path(_A + "TrackingCategories", resource(_SETTINGS, GET=tracking.list_categories, PUT=tracking.create_category)),
    path(_A + "TrackingCategories/<key>", resource(_SETTINGS, GET=tracking.get_category)),
    path(_A + "TrackingCategories/<key>/Options", resource(_SETTINGS, PUT=tracking.create_options)),
    path(
        _A + "Items",
        resource(_PRODUCTS, GET=items.list_items, PUT=items.create_items, POST=items.save_items),
    ),
    path(_A + "Items/<key>/History", _notes("Items", _PRODUCTS)),
    path(
        _A + "Items/<key>",
        resource(_PRODUCTS, GET=items.get_item, POST=items.save_items, DELETE=items.delete_item),
    ),
    path(
        _A + "Contacts",
        resource(_CONTACTS, GET=contacts.list_contacts, PUT=contacts.create_contacts, POST=contacts.save_contacts),
    ),
    path(_A + "Contacts/<key>/History", _notes("Contacts", _CONTACTS)),
    path(_A + "Contacts/<key>", resource(_CONTACTS, GET=contacts.get_contact, POST=contacts.save_contacts)),
    path(
        _A + "Invoices",
        resource(_INVOICES, GET=invoices.list_invoices, PUT=invoices.create_invoices, POST=invoices.save_invoices),
    ),
    path(_A + "Invoices/<key>/History", _notes("Invoices", _INVOICES)),
    path(_A + "Invoices/<key>", resource(_INVOICES, GET=invoices.get_invoice, POST=invoices.save_invoices)),
    *_papers(quotes.KIND, quotes.list_quotes),
    *_papers(purchase_orders.KIND, purchase_orders.list_purchase_orders),
    *_papers(credit_notes.KIND, credit_notes.list_credit_notes),
    path(_A + "CreditNotes/<key>/Allocations", resource(_INVOICES, PUT=credit_notes.allocate)),
    path(
        _A + "CreditNotes/<key>/Allocations/<allocation_id>", resource(_INVOICES, DELETE=credit_notes.delete_allocation)
    ),
    path(_A + "Invoices/<key>/Email", resource(_INVOICES, POST=sending.email)),
    path(_A + "Invoices/<key>/OnlineInvoice", resource(_INVOICES, GET=sending.online_invoice)),
    path(
        _A + "Payments",
        resource(_PAYMENTS, GET=banking.list_payments, PUT=banking.create_payments, POST=banking.create_payments),
    ),
    path(_A + "Payments/<key>/History", _notes("Payments", _PAYMENTS)),
    path(_A + "Payments/<key>", resource(_PAYMENTS, GET=banking.get_payment, POST=banking.change_payment)),
    path(
        _A + "BankTransfers",
        resource(_BANKING, GET=banking.list_transfers, PUT=banking.create_transfers, POST=banking.delete_transfers),
    ),
    path(_A + "BankTransfers/<key>/History", _notes("BankTransfers", _BANKING)),
    path(_A + "BankTransfers/<key>", resource(_BANKING, GET=banking.get_transfer, POST=banking.delete_transfers)),
    path(
        _A + "BankTransactions",
        resource(
            _BANKING,
            GET=bank_transactions.list_bank_transactions,
            PUT=bank_transactions.create_bank_transactions,
            POST=bank_transactions.save_bank_transactions,
        ),
    ),
    path(_A + "BankTransactions/<key>/History", _notes("BankTransactions", _BANKING)),
    path(
        _A + "BankTransactions/<key>",
        resource(_BANKING, GET=bank_transactions.get_bank_transaction, POST=bank_transactions.save_bank_transactions),
    ),
    *(address for kind in _WITH_FILES for address in _files(kind)),
    path(_P + "Projects", resource("projects", GET=projects.list_projects, POST=projects.create_project)),
    path(
        _P + "Projects/<key>",
        resource("projects", GET=projects.get_project, PUT=projects.update_project, PATCH=projects.close_or_open),
    ),
    path(_P + "ProjectsUsers", resource("projects", GET=projects.list_users)),
    path(_A + "Reports/BalanceSheet", resource("accounting.reports.balancesheet", GET=reports.balance_sheet)),
    path(_A + "Reports/ProfitAndLoss", resource("accounting.reports.profitandloss", GET=reports.profit_and_loss)),
]
