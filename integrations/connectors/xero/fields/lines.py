"""The rows of a document: the fields that all kinds share, and those only of sales or of purchases.

https://developer.xero.com/documentation/api/accounting/invoices#creating-updating-and-deleting-line-items-when-updating-invoices
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.fields import choices
from integrations.core.sameness import folded, tidy
from integrations.schema.schema import Schema, field

#: Xero takes two tracking categories on a line.
TRACKING_FIELDS = ("tracking_1", "tracking_2")
_BETWEEN = ": "
_ACCOUNT_HELP = "Needed unless it stays a draft."
_ITEM_HELP = "Fills what is left empty in this row."
_TAX_HELP = "Left empty, Xero takes the rate of the account. Only rates that may stand on the account are offered."


class DocumentRow(Schema):
    """A row of the line items."""

    item_code: str | None = field("Item", choices=choices.items, default=None, max_length=30, help=_ITEM_HELP)
    description: str | None = field("Description", default=None, max_length=4000, long=True, usual=True)
    quantity: Decimal = field("Quantity", default=Decimal(1), decimal_places=4, usual=True)
    unit_amount: Decimal | None = field("Unit price", default=None, decimal_places=4, usual=True)
    account_code: str | None = field(
        "Account", choices=choices.line_accounts, default=None, max_length=10, help=_ACCOUNT_HELP, usual=True
    )
    tax_type: str | None = field(
        "Tax rate", choices=choices.line_tax_types, default=None, max_length=50, help=_TAX_HELP, usual=True
    )
    tracking_1: str | None = field(
        "Tracking", choices=choices.tracking_options, default=None, max_length=210, help="As Category: Option."
    )
    tracking_2: str | None = field(
        "Second tracking",
        choices=choices.tracking_options,
        default=None,
        max_length=210,
        help="Of another category than the first.",
    )
    tax_amount: Decimal | None = field(
        "Tax amount", default=None, decimal_places=2, help="Instead of what Xero works out from the rate."
    )


class SaleRow(DocumentRow):
    """A row of an invoice or a quote: what is sold, with room for a discount."""

    item_code: str | None = field("Item", choices=choices.items_sold, default=None, max_length=30, help=_ITEM_HELP)
    account_code: str | None = field(
        "Account", choices=choices.sales_accounts, default=None, max_length=10, help=_ACCOUNT_HELP, usual=True
    )
    tax_type: str | None = field(
        "Tax rate", choices=choices.sales_tax_types, default=None, max_length=50, help=_TAX_HELP, usual=True
    )
    discount_rate: Decimal | None = field("Discount %", default=None, minimum=0, maximum=100, decimal_places=2)
    discount_amount: Decimal | None = field(
        "Discount amount", default=None, minimum=0, decimal_places=2, help="Off the whole row; instead of a percentage."
    )


class PurchaseRow(DocumentRow):
    """A row of a bill or a purchase order: what is bought."""

    item_code: str | None = field("Item", choices=choices.items_purchased, default=None, max_length=30, help=_ITEM_HELP)
    account_code: str | None = field(
        "Account", choices=choices.purchase_accounts, default=None, max_length=10, help=_ACCOUNT_HELP, usual=True
    )
    tax_type: str | None = field(
        "Tax rate", choices=choices.purchase_tax_types, default=None, max_length=50, help=_TAX_HELP, usual=True
    )


_FIELDS = {
    "item_code": "ItemCode",
    "description": "Description",
    "quantity": "Quantity",
    "unit_amount": "UnitAmount",
    "account_code": "AccountCode",
    "tax_type": "TaxType",
    "tax_amount": "TaxAmount",
    "discount_rate": "DiscountRate",
    "discount_amount": "DiscountAmount",
}


def line_payload(line: Any) -> dict[str, Any]:
    """A row as Xero takes it, without the fields that were not given."""
    told: dict[str, Any] = {theirs: getattr(line, ours, None) for ours, theirs in _FIELDS.items()}
    told["Tracking"] = [{"Name": name, "Option": option} for name, option in tracking_of(line)] or None
    return {name: value for name, value in told.items() if value is not None}


def tracking_of(line: Any, names: Sequence[str] = TRACKING_FIELDS) -> list[tuple[str, str]]:
    """The (category, option) pairs of a row with "Region: North"; `names` are the inputs that hold them."""
    given = (getattr(line, name, None) for name in names)
    parted = (text.partition(_BETWEEN) for text in given if text)
    return [(tidy(category), tidy(option)) for category, _, option in parted]


def line_problems(lines: Sequence[Any], *, is_draft: bool, document: str) -> dict[str, str]:
    """What Xero would refuse in the rows, by input; `document` as in "an invoice"."""
    problems: dict[str, str] = {}
    for index, line in enumerate(lines):
        said = _problems(line, is_draft=is_draft, document=document)
        problems |= {f"lines.{index}.{name}": sentence for name, sentence in said.items()}
    return problems


def _problems(line: Any, *, is_draft: bool, document: str) -> Mapping[str, str]:
    problems: dict[str, str] = {}
    if not line.description and not line.item_code:
        problems["description"] = "Each row needs a description or an item."
    if not is_draft and not line.item_code:
        for name, label in (("account_code", "Account"), ("unit_amount", "Unit price")):
            if getattr(line, name) is None:
                problems[name] = (
                    f"{label} is needed in each row without an item, for {document} that does not stay a draft."
                )
    if getattr(line, "discount_rate", None) is not None and getattr(line, "discount_amount", None) is not None:
        problems["discount_amount"] = "A row takes a discount in percent or as an amount, not both."
    return problems | tracking_problems(line)


def tracking_problems(line: Any, names: Sequence[str] = TRACKING_FIELDS) -> dict[str, str]:
    """What is wrong with the tracking of a row, by input; `names` are the two inputs that hold it."""
    problems: dict[str, str] = {}
    for name in names:
        text = getattr(line, name, None)
        category, between, option = (text or "").partition(_BETWEEN)
        if text and not (between and category.strip() and option.strip()):
            problems[name] = f'"{text[:60]}" is not a tracking option. Write it as Category: Option, or pick one.'
    categories = [folded(category) for category, _ in tracking_of(line, names)]
    if not problems and len(categories) == 2 and categories[0] == categories[1]:
        problems[names[1]] = "Both trackings are of the same category. Xero takes one option of each category."
    return problems
