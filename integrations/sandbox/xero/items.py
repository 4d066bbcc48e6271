"""Items: products and services. A tracked one has an inventory account and a cost account; its quantity and cost pool
result from documents and are never inputs."""

from decimal import Decimal, InvalidOperation
from typing import Any

from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books, history
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices, lines, rules, totals
from integrations.sandbox.xero.documents.stock import KIND, ZERO, find

FIELDS = dict.fromkeys(("Code", "Name", "Description", "PurchaseDescription"), "text") | {
    "ItemID": "guid",
    "IsSold": "flag",
    "IsPurchased": "flag",
    "IsTrackedAsInventory": "flag",
    "UpdatedDateUTC": "date",
    "QuantityOnHand": "number",
}
_TEXTS = {"Code": 30, "Name": 50, "Description": 4000, "PurchaseDescription": 4000, "InventoryAssetAccountCode": 10}


def list_items(call: Call) -> Answer:
    found = books.changed_since(call, books.rows(call.tenant, KIND))
    entries = [books.entry(row) for row in found.order_by("id")]
    entries = books.filtered(call.request.GET, entries, FIELDS, _view)
    places = invoices.unit_places(call)
    return answers.envelope(KIND, [render(one, places) for one in entries])


def get_item(call: Call, key: str) -> Answer:
    return answers.envelope(KIND, [render(_existing(call, key), invoices.unit_places(call))])


def create_items(call: Call) -> Answer:
    return batch.write(call, KIND, "ItemID", lambda sent: _rendered(call, create(call, sent)))


def save_items(call: Call, key: str | None = None) -> Answer:
    """POST: changes the item with this id, else with this code; else creates one."""
    only = _existing(call, key).id if key else None
    return batch.write(call, KIND, "ItemID", lambda sent: _rendered(call, _save(call, sent)), only)


def delete_item(call: Call, key: str) -> Answer:
    found = _existing(call, key)
    if found.record.get("IsUsed"):
        raise answers.validation_refusal(
            [{"ItemID": found.id, "ValidationErrors": [{"Message": "The item is in use and cannot be deleted"}]}],
            ["The item is in use and cannot be deleted"],
        )
    call.wrote(f"deleted item {found.record['Code']}", found.id)
    found.row.delete()
    return Answer(204)


def _existing(call: Call, key: str) -> Entry:
    found = books.find(call.tenant, KIND, key) if books.is_guid(key) else find(call.tenant, key)
    if found is None:
        raise answers.not_found()
    return found


def _save(call: Call, sent: Record) -> Entry:
    if sent.get("ItemID"):
        found = books.find(call.tenant, KIND, str(sent["ItemID"]))
        if found is None:
            raise Invalid(sent, ["The item with this ItemID was not found."])
    else:
        found = find(call.tenant, str(sent.get("Code") or "").strip())
    return create(call, sent) if found is None else _change(call, found, sent)


def create(call: Call, sent: Record) -> Entry:
    record = _clean(call.tenant, sent, {})
    if find(call.tenant, record["Code"]):
        raise Invalid(sent, [f"Price List Item with Code '{record['Code']}' already exists"])
    new = books.add(call, KIND, record, number=record["Code"])
    history.write(call, new.id, "Created", f"Item {record['Code']} created {call.how}.")
    call.wrote(f"created item {record['Code']}", new.id)
    return new


def _change(call: Call, found: Entry, sent: Record) -> Entry:
    record = _clean(call.tenant, sent, found.record)
    taken = find(call.tenant, record["Code"])
    if taken is not None and taken.id != found.id:
        raise Invalid(sent, [f"Price List Item with Code '{record['Code']}' already exists"])
    found.record = record
    books.store(found, number=record["Code"])
    history.write(call, found.id, "Edited", f"Item {record['Code']} changed {call.how}.")
    call.wrote(f"updated item {record['Code']}", found.id)
    return found


def _clean(tenant: str, sent: Record, existing: Record) -> Record:
    messages: list[str] = []
    record = {"IsSold": True, "IsPurchased": True, "SalesDetails": {}, "PurchaseDetails": {}, **existing}
    rules.texts(sent, record, _TEXTS, messages)
    record.setdefault("Name", record.get("Code", ""))
    if not record.get("Code"):
        messages.append("Code must be specified for an item")
    for name in ("IsSold", "IsPurchased"):
        if sent.get(name) is not None:
            record[name] = sent[name] is True
    for name in ("SalesDetails", "PurchaseDetails"):
        if sent.get(name) is not None:
            record[name] = _details(tenant, name, sent[name], record[name], messages)
    _tracking(tenant, record, existing, messages)
    if messages:
        raise Invalid(sent, messages)
    return record


def _details(tenant: str, name: str, sent: Any, existing: Record, messages: list[str]) -> Record:
    if not isinstance(sent, dict):
        messages.append(f"{name} is a record")
        return existing
    kept = dict(existing)
    price = sent.get("UnitPrice")
    if price is not None:
        try:
            kept["UnitPrice"] = totals.rounded(Decimal(price), 4) if not isinstance(price, bool) else None
        except (InvalidOperation, TypeError, ValueError):
            kept["UnitPrice"] = None
        if kept["UnitPrice"] is None:
            messages.append(f"The UnitPrice of {name} must be a number")
    for field in ("AccountCode", "COGSAccountCode"):
        if sent.get(field) is not None:
            kept[field] = str(sent[field])
            account = lines.accounts(tenant).get(kept[field])
            if kept[field] and (account is None or account["Type"] == "BANK" or account.get("SystemAccount")):
                messages.append(f"Account code '{kept[field]}' is not a valid code for this item.")
    if sent.get("TaxType") is not None:
        kept["TaxType"] = str(sent["TaxType"])
        if kept["TaxType"] and kept["TaxType"] not in lines.tax_rates(tenant):
            messages.append(f"The TaxType code '{kept['TaxType']}' does not exist")
    return {field: value for field, value in kept.items() if value != ""}


def _tracking(tenant: str, record: Record, existing: Record, messages: list[str]) -> None:
    """A tracked item has an inventory account and a cost account, and no other purchases account."""
    asset, purchase = record.get("InventoryAssetAccountCode"), record["PurchaseDetails"]
    record["IsTrackedAsInventory"] = bool(asset or purchase.get("COGSAccountCode"))
    if existing.get("IsTrackedAsInventory") and not record["IsTrackedAsInventory"]:
        messages.append("A tracked item cannot become untracked")
    if not record["IsTrackedAsInventory"]:
        return
    wanted = ((asset, "INVENTORY", "InventoryAssetAccountCode"), (purchase.get("COGSAccountCode"), "DIRECTCOSTS", ""))
    for code, kind, name in wanted:
        account = lines.accounts(tenant).get(str(code))
        if account is None or account["Type"] != kind:
            messages.append(f"{name or 'COGSAccountCode'} must be an account of the type {kind} on a tracked item")
    if purchase.get("AccountCode"):
        messages.append("A tracked item has no PurchaseDetails.AccountCode: its purchases go to the inventory account")
    if existing.get("IsUsed") and existing.get("InventoryAssetAccountCode") not in {None, asset}:
        messages.append("The accounts of a tracked item that was used cannot be changed")
    record.setdefault("QuantityOnHand", ZERO)
    record.setdefault("TotalCostPool", ZERO)


def _view(one: Entry) -> Record:
    return {name: one.record.get(name) for name in FIELDS} | {
        "ItemID": one.id,
        "UpdatedDateUTC": clock.moment(one.row.updated_at),
    }


def _rendered(call: Call, one: Entry) -> Record:
    return render(one, invoices.unit_places(call))


def render(one: Entry, places: int) -> Record:
    kept = {name: value for name, value in one.record.items() if name != "IsUsed"}
    for name in ("SalesDetails", "PurchaseDetails"):
        details = dict(kept[name])
        if "UnitPrice" in details:
            details["UnitPrice"] = totals.rounded(details["UnitPrice"], places)
        kept[name] = details
    return {"ItemID": one.id, **kept, "UpdatedDateUTC": answers.xero_moment(one.row.updated_at)}
