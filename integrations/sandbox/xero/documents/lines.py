"""The lines of a document: defaults, amounts, tax, and all their problems."""

import uuid
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Any

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange import fault_dial
from integrations.sandbox.xero import tracking
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import is_guid
from integrations.sandbox.xero.documents import stock, totals

_MOST = Decimal(10) ** 12
_LONGEST_DESCRIPTION = 4000
_CLASS_FLAGS = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}


@dataclass(frozen=True, kw_only=True)
class Document:
    """What the lines need to know about their document."""

    tenant: str
    kind: str  # ACCREC, ACCPAY, ACCRECCREDIT, ACCPAYCREDIT, QUOTE, PURCHASEORDER, RECEIVE or SPEND
    line_amount_types: str
    is_final: bool  # to be submitted or approved: nothing may be missing
    unit_places: int

    @property
    def is_sale(self) -> bool:
        return self.kind in {"ACCREC", "ACCRECCREDIT", "QUOTE", "RECEIVE"}

    @property
    def may_discount(self) -> bool:
        return self.kind in {"ACCREC", "QUOTE"}


def with_ids(sent: Record, kept: list[Record]) -> Record:
    """The record with checked line ids: a line that was on the document before keeps its id, one without an id is new,
    and an id from elsewhere is refused."""
    asked = sent.get("LineItems")
    if not isinstance(asked, list) or not all(isinstance(line, dict) for line in asked):
        return sent
    known = {line["LineItemID"] for line in kept}
    if not kept:
        return {**sent, "LineItems": [{name: line[name] for name in line if name != "LineItemID"} for line in asked]}
    used = [str(line["LineItemID"]).lower() for line in asked if line.get("LineItemID")]
    if set(used) - known or len(set(used)) < len(used):
        raise Invalid(sent, ["A LineItemID does not belong to a line of this document"])
    return sent


@cache
def accounts(tenant: str) -> dict[str, Record]:
    return {account["Code"]: account for account in ORGANISATIONS[tenant].accounts()}


@cache
def tax_rates(tenant: str) -> dict[str, Record]:
    return {rate["TaxType"]: rate for rate in ORGANISATIONS[tenant].tax_rates()}


def clean(document: Document, sent: Any, messages: list[str]) -> list[Record]:
    """The lines as stored. Problems are added to `messages`."""
    if not isinstance(sent, list) or not sent or not all(isinstance(line, dict) for line in sent):
        messages.append("One or more line items must be specified")
        return []
    return [_Line(document, line, messages).clean() for line in sent]


class _Line:
    def __init__(self, document: Document, sent: Record, messages: list[str]) -> None:
        self.document = document
        self.sent = sent
        self.messages = messages
        self.item: Record = {}

    def clean(self) -> Record:
        self._read_item()
        line_id = str(self.sent.get("LineItemID") or "")
        line: Record = {"LineItemID": line_id if is_guid(line_id) else str(uuid.uuid4())}
        line["Description"] = self._text("Description") or self.item.get("Description", "")
        if not line["Description"]:
            self.messages.append("Description must be specified for a line item")
        elif len(line["Description"]) > _LONGEST_DESCRIPTION:
            self.messages.append(f"Description cannot be longer than {_LONGEST_DESCRIPTION} characters")
        line |= self._amounts()
        line |= self._account_and_tax(line["LineAmount"])
        if self.item:
            line["ItemCode"] = self.item["Code"]
        line["Tracking"] = tracking.chosen(self.document.tenant, self.sent.get("Tracking"), "Tracking", self.messages)
        return line

    def _read_item(self) -> None:
        code = self._text("ItemCode")
        if not code:
            return
        entry = stock.find(self.document.tenant, code)
        if entry is None:
            self.messages.append(f"Item code '{code}' is not valid")
            return
        found = entry.record
        details = found["SalesDetails" if self.document.is_sale else "PurchaseDetails"]
        self.item = {**found, **details}
        if found["IsTrackedAsInventory"] and not self.document.is_sale:
            self.item["AccountCode"] = found["InventoryAssetAccountCode"]

    def _text(self, name: str) -> str:
        value = self.sent.get(name)
        return "" if value is None else str(value)

    def _number(self, name: str, default: Any = None) -> Decimal | None:
        value = self.sent.get(name, default)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | Decimal):
            self.messages.append(f"{name} must be a number, not {str(value)[:30]!r}")
            return None
        try:
            number = Decimal(value)
            if abs(number) < _MOST and number.is_finite():
                return number
        except InvalidOperation:
            pass
        self.messages.append(f"{name} is too large")
        return None

    def _amounts(self) -> Record:
        quantity, unit = self._number("Quantity"), self._number("UnitAmount", self.item.get("UnitPrice"))
        stated = self._number("LineAmount")
        if self.document.is_final:
            missing = [name for name, value in (("Quantity", quantity), ("UnitAmount", unit)) if value is None]
            if missing and stated is None:
                self.messages += [f"{name} must be specified for a line item" for name in missing]
        if quantity is None:
            quantity = Decimal(1) if unit is not None or stated is not None else Decimal(0)
        if unit is None:
            unit = stated / quantity if stated is not None and quantity else Decimal(0)
        quantity, unit = totals.rounded(quantity, 4), totals.rounded(unit, self.document.unit_places)
        rate, discount = self._discounts()
        amount = totals.line_amount(quantity, unit, rate, discount)
        if stated is not None and totals.rounded(stated) != amount:
            self.messages.append(
                f"The line total {totals.rounded(stated)} does not match the expected line total {amount}"
            )
        kept: Record = {"Quantity": quantity, "UnitAmount": unit, "LineAmount": amount}
        if rate is not None:
            kept["DiscountRate"] = rate
        elif discount is not None:
            kept["DiscountAmount"] = discount
        return kept

    def _discounts(self) -> tuple[Decimal | None, Decimal | None]:
        rate, discount = self._number("DiscountRate"), self._number("DiscountAmount")
        if (rate or discount) and not self.document.may_discount:
            self.messages.append("Discounts can only be given on sales invoices")
        if rate is not None and not 0 <= rate <= 100:
            self.messages.append("DiscountRate must be between 0 and 100")
        return (totals.rounded(rate, 4) if rate else None), (totals.rounded(discount) if discount else None)

    def _account_and_tax(self, amount: Decimal) -> Record:
        code = self._text("AccountCode") or self.item.get("AccountCode", "")
        account = accounts(self.document.tenant).get(code)
        is_archived = code in fault_dial.current().archived_accounts
        if code and (account is None or is_archived or account.get("SystemAccount") or account["Type"] == "BANK"):
            self.messages.append(f"Account code '{code}' is not a valid code for this document.")
        elif not code and self.document.is_final:
            self.messages.append("Account code must be specified for a line item")
        if account and not self._fits_stock(account):
            self.messages.append(f"Account code '{code}' is not a valid code for this document.")
        kept: Record = {"TaxType": self._tax_type(code, account)}
        rate = tax_rates(self.document.tenant).get(kept["TaxType"])
        percent = rate["EffectiveRate"] if rate else Decimal(0)
        own = self._number("TaxAmount")
        computed = totals.line_tax(amount, percent, self.document.line_amount_types)
        kept["TaxAmount"] = totals.rounded(own) if own is not None and percent else computed
        if code:
            kept |= {"AccountCode": code} | ({"AccountID": account["AccountID"]} if account else {})
        return kept

    def _fits_stock(self, account: Record) -> bool:
        """Purchases of a tracked item go to its inventory account, and nothing else goes there."""
        is_stock = bool(self.item.get("IsTrackedAsInventory")) and not self.document.is_sale
        own = self.item.get("InventoryAssetAccountCode") if is_stock else None
        return account["Code"] == own if is_stock else account["Type"] != "INVENTORY"

    def _tax_type(self, code: str, account: Record | None) -> str:
        if self.document.line_amount_types == "NoTax":
            return "NONE"
        asked = self._text("TaxType") or self.item.get("TaxType", "")
        if not asked:
            return account["TaxType"] if account else "NONE"
        rate = tax_rates(self.document.tenant).get(asked)
        if rate is None or asked in fault_dial.current().deleted_tax_rates:
            self.messages.append(
                f"The TaxType code '{asked}' does not exist or cannot be used for this type of transaction."
            )
        elif account and not rate[_CLASS_FLAGS[account["Class"]]]:
            self.messages.append(f"The TaxType code '{asked}' cannot be used with account code '{code}'.")
        return asked
