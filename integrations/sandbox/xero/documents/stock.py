"""Stock of tracked items at average cost: only approved documents move it, and voiding them reverses it.

A document stores its moves: how each line changed an item's quantity and cost pool, and `Adjustment`, the amount that
the move posts from cost of goods to the inventory account beyond what the line itself posts there.
"""

from decimal import Decimal

from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import books
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import totals

KIND = "Items"
_FINAL = {"AUTHORISED", "PAID"}
# Whether the goods come in or go out.
_SIGNS = {"ACCPAY": 1, "SPEND": 1, "ACCRECCREDIT": 1, "ACCREC": -1, "RECEIVE": -1, "ACCPAYCREDIT": -1}
ZERO = Decimal("0.00")


def find(tenant: str, code: str) -> Entry | None:
    for row in books.rows(tenant, KIND).filter(number=code):
        if row.number == code:
            return books.entry(row)
    return None


def settle(call: Call, old: Record | None, new: Record) -> None:
    """Update the items for a document that is about to be stored. Raises Invalid if there is not enough stock."""
    changed: dict[str, Entry] = {}
    for move in (old or {}).get("StockMoves", []):
        item = changed.get(move["ItemID"]) or books.find(call.tenant, KIND, move["ItemID"])
        if item is not None:
            changed[item.id] = item
            item.record["QuantityOnHand"] -= move["Quantity"]
            item.record["TotalCostPool"] -= move["Cost"]
    new["StockMoves"] = _moves(call.tenant, new, changed) if new["Status"] in _FINAL else []
    if not new["StockMoves"]:
        del new["StockMoves"]
    may_be_short = books.is_true(call.request.GET, "allowBackorders") and new["Type"] == "ACCREC"
    for item in changed.values():
        if item.record["QuantityOnHand"] < 0 and not may_be_short:
            raise Invalid(new_as_sent(new), [_short(item)])
        books.store(item)


def new_as_sent(record: Record) -> Record:
    """The fields of a document that a refusal shows."""
    return {name: record[name] for name in ("Type", "Status", "Reference") if name in record}


def _short(item: Entry) -> str:
    short = totals.rounded(-item.record["QuantityOnHand"], 4)
    return f"There is not enough of the tracked inventory item {item.record['Code']} on hand: {short} are missing"


def _moves(tenant: str, record: Record, changed: dict[str, Entry]) -> list[Record]:
    made = []
    for line in record["LineItems"]:
        item = find(tenant, line["ItemCode"]) if line.get("ItemCode") and line["Quantity"] else None
        if item is None or not item.record["IsTrackedAsInventory"]:
            continue
        item = changed.setdefault(item.id, item)
        made.append(_move(item, line, record))
    return made


def _move(item: Entry, line: Record, record: Record) -> Record:
    quantity = line["Quantity"] * _SIGNS[record["Type"]]
    net = totals.rounded(net_amount(line, record) / record["CurrencyRate"])
    if record["Type"] in {"ACCPAY", "SPEND"}:
        cost, booked = net, net
    else:
        cost, booked = _average(item, quantity), -net if record["Type"] == "ACCPAYCREDIT" else ZERO
    item.record["QuantityOnHand"] += quantity
    item.record["TotalCostPool"] += cost
    item.record["IsUsed"] = True
    return {"ItemID": item.id, "Quantity": quantity, "Cost": cost, "Adjustment": cost - booked}


def _average(item: Entry, quantity: Decimal) -> Decimal:
    """The value of this quantity at the average; the last units take all that is left of the pool."""
    on_hand, pool = item.record["QuantityOnHand"], item.record["TotalCostPool"]
    if on_hand + quantity == 0:
        return Decimal(-pool)
    each = pool / on_hand if on_hand > 0 else item.record["PurchaseDetails"].get("UnitPrice", ZERO)
    return totals.rounded(each * quantity)


def net_amount(line: Record, record: Record) -> Decimal:
    """A line's amount without tax, in the document's currency."""
    amount: Decimal = line["LineAmount"]
    return amount - line["TaxAmount"] if record["LineAmountTypes"] == "Inclusive" else amount
