"""A Xero document as shown to people, built from the inputs of the action that writes it.

Names of accounts and tax rates come from the connection's stored details; what is missing there, or filled in by Xero
from an item, is left open rather than guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from integrations.connectors.xero.fields import totals
from integrations.connectors.xero.fields.lines import tracking_of
from integrations.connectors.xero.fields.options import DocumentStatus
from integrations.connectors.xero.fields.totals import Basis
from integrations.schema.documents import Document, DocumentLine, Named, Totals, WrittenDocument, WrittenLine, facts_of
from integrations.schema.fields import Kind
from integrations.schema.schema import Schema

_HEAD = ("contact_id", "lines", "line_amount_types", "status", "currency", "reference")
#: Inputs that control the step and are not sent.
_STEERING = ("if_duplicate", "look_by", "if_several")
_UNPRICED = "The price of a row without one comes from its item; Xero fills it in, so the totals are not known yet."
_UNTAXED = "The tax of a row without a tax rate comes from its item; Xero fills it in, so the totals are not known yet."
_UNKNOWN_BASIS = (
    "Whether prices hold the tax stays as it is in Xero, so what this comes to is known once it is written."
)
_UNKNOWN_RATE = (
    "The percentage of a tax rate is not known here, so the totals are not known yet. Refresh the connection's details."
)


def document_of(what: str, inputs: Any, organisation: Mapping[str, Any], *, day: str = "") -> Document:
    """An invoice, bill, quote, purchase order or credit note, or a change of one. `day` names the input that holds the
    date of a new one.

    A change need not say whether prices include tax; then its tax and totals are left open, because Xero keeps the
    present setting.
    """
    told = getattr(inputs, "line_amount_types", None)
    reader = _Reader(organisation, Basis.of(told.value) if told else None)
    lines = tuple(reader.line(line) for line in inputs.lines)
    fields = {f.name: f for f in inputs.fields()}
    days = [f for f in fields.values() if f.kind is Kind.DATE]
    dates = [(f.label, getattr(inputs, f.name)) for f in days if f.name == day or getattr(inputs, f.name)]
    contact = fields.get("contact_id")
    whom = getattr(inputs, "contact_id", None)
    status = getattr(inputs, "status", None)
    return Document(
        what=what,
        organisation=str(organisation.get("name") or ""),
        whom=Named(whom, contact.dynamic_choices) if contact and whom else "",
        whom_label=contact.label if contact else "",
        status=status.label if status else "",
        dates=tuple(dates),
        reference=getattr(inputs, "reference", None) or "",
        facts=facts_of(inputs, but={*_HEAD, *_STEERING, *(f.name for f in days)}),
        lines=lines,
        prices=told.label if told else "",
        currency=getattr(inputs, "currency", None) or (str(organisation.get("currency") or "") if day else ""),
        totals=reader.sums if lines else None,
        notes=tuple(reader.notes),
    )


def shown_document(
    what: str, inputs: Schema, organisation: Mapping[str, Any], *, day: str = "", **more: Any
) -> Document:
    """Anything without lines: the inputs by their labels. `day` names an input that, left empty, means today."""
    days = {f.name: f.label for f in inputs.fields() if f.kind is Kind.DATE}
    given = {name: getattr(inputs, name) for name in days}
    dates = tuple((days[name], value) for name, value in given.items() if value or name == day)
    reference = getattr(inputs, "reference", None) or ""
    facts = facts_of(inputs, but={*days, "reference"})
    known = str(organisation.get("name") or "")
    return Document(what=what, organisation=known, dates=dates, reference=reference, facts=facts, **more)


def written_document(output: Mapping[str, Any], number_name: str) -> WrittenDocument:
    """A document as Xero recorded it, for comparison."""
    amounts = [_amount(output.get(name)) for name in ("SubTotal", "TotalTax", "Total")]
    known = [each for each in amounts if each is not None]
    contact = output.get("Contact") or {}
    return WrittenDocument(
        number=str(output.get(number_name) or ""),
        whom=str(contact.get("Name") or ""),
        whom_id=str(contact.get("ContactID") or ""),
        day=_day(output.get("Date")),
        status=_status(output.get("Status")),
        currency=str(output.get("CurrencyCode") or ""),
        totals=Totals(*known) if len(known) == 3 else None,
        lines=tuple(_written_line(line, output) for line in output.get("LineItems") or ()),
    )


def written_amount(output: Mapping[str, Any]) -> WrittenDocument:
    """A payment, a transfer or an allocation as Xero recorded it: no number, and one amount."""
    return WrittenDocument(
        day=_day(output.get("Date")),
        status=_status(output.get("Status")),
        currency=str(output.get("CurrencyCode") or ""),
        amount=_amount(output.get("Amount")),
    )


def written_contact(output: Mapping[str, Any]) -> WrittenDocument:
    """A contact as Xero recorded it: its name, and whether it is active."""
    return WrittenDocument(
        whom=str(output.get("Name") or ""),
        whom_id=str(output.get("ContactID") or ""),
        status=_status(output.get("ContactStatus")),
    )


def _status(told: Any) -> str:
    """The status in the words that forms use for it."""
    text = str(told or "")
    return str(DocumentStatus(text).label) if text in DocumentStatus.values else text.capitalize()


def _written_line(line: Mapping[str, Any], output: Mapping[str, Any]) -> WrittenLine:
    amount, tax = _amount(line.get("LineAmount")), _amount(line.get("TaxAmount"))
    if str(output.get("LineAmountTypes") or "").upper() == "INCLUSIVE" and amount is not None:
        amount = None if tax is None else amount - tax
    return WrittenLine(amount, tax)


def _amount(value: Any) -> Decimal | None:
    return Decimal(value) if isinstance(value, int | Decimal) and not isinstance(value, bool) else None


class _Reader:
    """Reads the rows in order, and adds them up as long as every row is known."""

    def __init__(self, organisation: Mapping[str, Any], basis: Basis | None) -> None:
        self.accounts: Mapping[str, Any] = organisation.get("accounts") or {}
        self.rates: Mapping[str, Any] = organisation.get("tax_rates") or {}
        self.basis = basis
        self.amounts: list[totals.LineAmounts] = []
        self.notes: list[str] = []

    @property
    def sums(self) -> Totals | None:
        return None if self.notes or self.basis is None else totals.document(self.amounts, self.basis)

    def line(self, row: Any) -> DocumentLine:
        name, rate = self._tax(row)
        unit = row.unit_amount if row.unit_amount is not None or row.item_code else Decimal(0)
        if unit is None:
            self._note(_UNPRICED)
        # Without a tax rate the amount can still be shown; only the tax is left out.
        amounts = None if unit is None else self._amounts(row, unit, Decimal(0) if rate is None else rate)
        if amounts is not None and rate is not None:
            self.amounts.append(amounts)
        return DocumentLine(
            description=row.description or "",
            item=row.item_code or "",
            quantity=row.quantity,
            unit_amount=unit,
            discount=_discount(row),
            account=self._account(row.account_code),
            tax_rate=name,
            tax=amounts.tax if amounts is not None and rate is not None else None,
            amount=amounts.amount if amounts is not None else None,
            tracking=tuple(f"{category}: {option}" for category, option in tracking_of(row)),
        )

    def _amounts(self, row: Any, unit: Decimal, rate: Decimal) -> totals.LineAmounts:
        return totals.line(
            quantity=row.quantity,
            unit_amount=unit,
            rate=rate,
            basis=self.basis or Basis.EXCLUSIVE,  # which decides the tax, not the amount
            discount_rate=getattr(row, "discount_rate", None),
            discount_amount=getattr(row, "discount_amount", None),
            tax_amount=row.tax_amount,
        )

    def _tax(self, row: Any) -> tuple[str, Decimal | None]:
        """The tax rate's name and percentage; None if only Xero knows it."""
        if self.basis is Basis.NO_TAX:
            return "", Decimal(0)
        if self.basis is None:
            self._note(_UNKNOWN_BASIS)
            return str((self.rates.get(row.tax_type) or {}).get("name") or row.tax_type or ""), None
        tax_type = row.tax_type
        if not tax_type and row.item_code:
            self._note(_UNTAXED)
            return "", None
        if not tax_type and row.account_code:
            account = self.accounts.get(row.account_code)
            tax_type = account and account.get("tax_type")
        elif not tax_type:
            return "", Decimal(0)
        rate = self.rates.get(tax_type) if tax_type else None
        if rate is None:
            self._note(_UNKNOWN_RATE)
            return tax_type or "", None
        return str(rate["name"]), Decimal(rate["rate"])

    def _account(self, code: str | None) -> str:
        account = self.accounts.get(code) if code else None
        return f"{code} - {account['name']}" if account else code or ""

    def _note(self, sentence: str) -> None:
        if sentence not in self.notes:
            self.notes.append(sentence)


def _discount(row: Any) -> str:
    rate, amount = getattr(row, "discount_rate", None), getattr(row, "discount_amount", None)
    if rate:
        return f"{rate.normalize():f} %"
    return f"{amount:,.2f}" if amount else ""


def _day(value: Any) -> date | None:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        return None
