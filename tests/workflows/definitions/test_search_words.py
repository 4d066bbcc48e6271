"""What people type into the search of triggers, steps and recipes finds what they mean."""

from __future__ import annotations

import pytest

from integrations.framework.base import Operation
from integrations.framework.registry import actions, triggers
from workflows.definitions import kinds
from workflows.recipes.library import recipes

_OPERATIONS = {each.full_key: each for each in [*triggers(), *actions()]}


def _found(searched: str) -> set[str]:
    """The operations that the page leaves, as `choices.js` decides it: every word, within any text of the choice."""
    return {key for key, each in _OPERATIONS.items() if all(word in _text(each) for word in searched.lower().split())}


def _text(each: Operation) -> str:
    return " ".join([each.name, each.summary, " ".join(each.words), each.connector.name]).lower()


@pytest.mark.parametrize("key", _OPERATIONS)
def test_every_operation_is_found_by_further_words_of_which_none_is_in_its_name(key: str) -> None:
    words = _OPERATIONS[key].words
    assert words
    assert len(set(words)) == len(words)
    assert [word for word in words if word.lower() == _OPERATIONS[key].name.lower()] == []


@pytest.mark.parametrize("kind", [each.key for each in kinds.KINDS.values() if each.purpose])
def test_every_kind_of_step_that_can_be_added_is_found_by_further_words(kind: str) -> None:
    assert kinds.of(kind).words


@pytest.mark.parametrize(
    ("searched", "meant"),
    [
        ("bill", "xero.create_bill"),
        ("purchase invoice", "xero.create_bill"),
        ("supplier invoice", "xero.new_bill"),
        ("customer", "xero.find_or_create_contact"),
        ("supplier", "xero.create_contact"),
        ("vendor", "xero.find_contact"),
        ("credit", "xero.create_credit_note"),
        ("refund", "xero.create_credit_note"),
        ("stock", "xero.receive_stock"),
        ("inventory", "xero.add_stock_item"),
        ("SKU", "xero.add_stock_item"),
        ("P&L", "xero.get_profit_and_loss"),
        ("income statement", "xero.get_profit_and_loss"),
        ("e-mail", "mail.send_email"),
        ("email", "mail.send_email"),
        ("receipt", "xero.create_payment"),
        ("receipt", "xero.attach_file"),
        ("bank", "xero.create_bank_transfer"),
        ("post", "pinterest.create_pin"),
        ("picture", "pinterest.create_pin"),
        ("estimate", "xero.create_quote"),
        ("PO", "xero.create_purchase_order"),
        ("VAT", "xero.list_tax_rates"),
        ("chart of accounts", "xero.list_accounts"),
        ("cost centre", "xero.list_tracking_categories"),
        ("cancel", "xero.void_or_delete_invoice"),
        ("webhook", "start.webhook"),
        ("unpaid", "xero.overdue_invoice"),
    ],
)
def test_the_words_of_finance_people_find_what_they_mean(searched: str, meant: str) -> None:
    assert meant in _found(searched)


@pytest.mark.parametrize(
    ("searched", "meant"),
    [
        ("p&l", "month-end-profit-and-loss"),
        ("late", "overdue-invoices-to-the-team"),
        ("sku", "products-to-items-and-pins"),
        ("customer", "pins-to-draft-invoices"),
        ("refund", "new-credit-notes-to-the-team"),
        ("receivable", "pins-to-draft-invoices"),
    ],
)
def test_a_recipe_is_found_by_the_words_of_what_it_does(searched: str, meant: str) -> None:
    assert meant in {each.key for each in recipes() if searched in each.words.lower()}
