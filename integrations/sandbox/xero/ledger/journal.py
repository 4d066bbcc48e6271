"""The journal, account by account: every approved document, payment and transfer as debits and credits.

Computed from the documents each time, in the organisation's own currency. Every group of postings sums to zero, so a
balance sheet made from them balances. `paymentsOnly` counts a document when and as far as it is paid.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.xero import books
from integrations.sandbox.xero.batch import Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, stock, totals
from integrations.sandbox.xero.ledger import banking

EXCHANGE = "FXGROUPID"  # gains and losses by exchange rates, which have no account
_FINAL = ("AUTHORISED", "PAID")
# Whether the lines of a document are credited (income) or debited (cost).
_LINE_SIGNS = {"ACCREC": -1, "ACCPAY": 1, "ACCRECCREDIT": 1, "ACCPAYCREDIT": -1, "RECEIVE": -1, "SPEND": 1}


@dataclass(frozen=True)
class Posting:
    """A debit (or, below zero, a credit) of an account on a day; `options` are the tracking options of the line."""

    day: str
    account: str
    amount: Decimal
    options: frozenset[str] = field(default_factory=frozenset)


def of(tenant: str, *, payments_only: bool = False) -> list[Posting]:
    return list(_Books(tenant).postings(payments_only))


class _Books:
    def __init__(self, tenant: str) -> None:
        self.tenant = tenant
        self.accounts = {account["AccountID"]: account for account in ORGANISATIONS[tenant].accounts()}
        self.by_code = {account["Code"]: key for key, account in self.accounts.items()}
        system = {account.get("SystemAccount"): key for key, account in self.accounts.items()}
        self.debtors, self.creditors, self.tax = system["DEBTORS"], system["CREDITORS"], system["GST"]

    def postings(self, payments_only: bool) -> Iterator[Posting]:
        documents = {one.id: one for kind in (invoices.KIND, "CreditNotes") for one in self._entries(kind, *_FINAL)}
        for one in documents.values():
            if not payments_only:
                yield from self._document(one.record, one.record["Date"], Decimal(1), self._control(one.record))
            yield from self._stock(one.record)
        for one in self._entries(banking.PAYMENTS, "AUTHORISED"):
            yield from self._payment(one.record, documents[one.record["TargetID"]].record, payments_only)
        yield from self._allocations(documents, payments_only)
        for one in self._entries("BankTransactions", "AUTHORISED"):
            yield from self._document(
                one.record, one.record["Date"], Decimal(1), one.record["BankAccount"]["AccountID"]
            )
            yield from self._stock(one.record)
        for one in self._entries(banking.TRANSFERS, "AUTHORISED"):
            amount = totals.rounded(one.record["Amount"] / one.record["CurrencyRate"])
            for end, moved in (("To", amount), ("From", -amount)):
                account = one.record[f"{end}BankAccount"]["AccountID"]
                yield Posting(one.record["Date"], account, moved, _options(one.record.get(f"{end}Tracking", [])))

    def _entries(self, kind: str, *statuses: str) -> list[Entry]:
        rows = books.rows(self.tenant, kind).filter(status__in=statuses).order_by("id")
        return [books.entry(row) for row in rows]

    def _control(self, record: Record) -> str:
        return self.debtors if record["Type"].startswith("ACCREC") else self.creditors

    def _document(self, record: Record, day: str, share: Decimal, against: str) -> Iterator[Posting]:
        """The lines and their tax, times `share`, and the sum against the receivable, payable or bank account."""
        rest = Decimal(0)
        for line in record["LineItems"]:
            options = _options(line.get("Tracking", []))
            net = stock.net_amount(line, record)
            for account, amount in ((self.by_code[line["AccountCode"]], net), (self.tax, line["TaxAmount"])):
                own = totals.rounded(amount * share / record["CurrencyRate"]) * _LINE_SIGNS[record["Type"]]
                if own:
                    rest += own
                    yield Posting(day, account, own, options)
        if rest:
            yield Posting(day, against, -rest)

    def _stock(self, record: Record) -> Iterator[Posting]:
        for move in record.get("StockMoves", []):
            item = books.find(self.tenant, stock.KIND, move["ItemID"])
            if item is None or not move["Adjustment"]:
                continue
            asset = self.by_code[item.record["InventoryAssetAccountCode"]]
            cost = self.by_code[item.record["PurchaseDetails"]["COGSAccountCode"]]
            yield Posting(record["Date"], asset, move["Adjustment"])
            yield Posting(record["Date"], cost, -move["Adjustment"])

    def _payment(self, payment: Record, document: Record, payments_only: bool) -> Iterator[Posting]:
        day, amount = payment["Date"], payment["Amount"]
        # A sale's payment comes in, a bill's goes out; for credit notes it is the other way round.
        sign = -_LINE_SIGNS[document["Type"]]
        banked = totals.rounded(amount / payment["CurrencyRate"]) * sign
        if payments_only:
            yield from self._earned(payment, document, banked)
            return
        owed = totals.rounded(amount / document["CurrencyRate"]) * sign
        yield Posting(day, payment["AccountID"], banked)
        yield Posting(day, self._control(document), -owed)
        if banked != owed:
            yield Posting(day, EXCHANGE, owed - banked)

    def _earned(self, payment: Record, document: Record, banked: Decimal) -> Iterator[Posting]:
        """A payment as income or cost, at its own rate; a cent left by rounding goes to the first line."""
        at_its_rate = {**document, "CurrencyRate": payment["CurrencyRate"]}
        share = payment["Amount"] / document["Total"]
        made = list(self._document(at_its_rate, payment["Date"], share, payment["AccountID"]))
        earned = made[:-1]
        yield from earned
        yield Posting(payment["Date"], payment["AccountID"], banked)
        left = -banked - sum(one.amount for one in earned)
        if left:
            first = document["LineItems"][0]
            options = _options(first.get("Tracking", []))
            yield Posting(payment["Date"], self.by_code[first["AccountCode"]], left, options)

    def _allocations(self, documents: dict[str, Entry], payments_only: bool) -> Iterator[Posting]:
        for note in documents.values():
            for one in note.record.get("Allocations", []):
                target = documents[one["InvoiceID"]].record
                control = self._control(target)
                if payments_only:
                    yield from self._document(target, one["Date"], one["Amount"] / target["Total"], control)
                    yield from self._document(note.record, one["Date"], one["Amount"] / note.record["Total"], control)
                    continue
                sign = -_LINE_SIGNS[target["Type"]]
                owed = totals.rounded(one["Amount"] / target["CurrencyRate"]) * sign
                credited = totals.rounded(one["Amount"] / note.record["CurrencyRate"]) * sign
                if owed != credited:
                    yield Posting(one["Date"], control, credited - owed)
                    yield Posting(one["Date"], EXCHANGE, owed - credited)


def _options(tracked: list[Record]) -> frozenset[str]:
    return frozenset(one["TrackingOptionID"] for one in tracked)
