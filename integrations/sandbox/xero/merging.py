"""Merging two contacts, which people do on Xero's pages; its API has no such call.

Documents of the one belong to the other afterwards, whose details stay. The one is archived and names the other, but
only if it is requested itself or in a page of a list.
"""

from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.exchange.unusable import Unusable
from integrations.sandbox.models import Document
from integrations.sandbox.xero import books, contacts, history
from integrations.sandbox.xero.books import Entry


def merge(call: Call, source_id: str, target_id: str) -> Entry:
    """The remaining contact, with everything of `source_id`. Raises Unusable if the two cannot be merged."""
    source, target = _active(call, source_id), _active(call, target_id)
    if source.id == target.id:
        raise Unusable("A contact cannot be merged into itself.")
    # No document counts as changed: each shows the contact that it belongs to.
    Document.objects.filter(tenant=call.tenant, contact_id=source.id).update(contact_id=target.id)
    for role in ("IsCustomer", "IsSupplier"):
        target.record[role] = bool(target.record.get(role) or source.record.get(role))
    source.record |= {"ContactStatus": "ARCHIVED", "MergedToContactID": target.id}
    books.store(source, status="ARCHIVED")
    books.store(target)
    history.write(call, source.id, "Archived", f"Merged into {target.record['Name']}.")
    history.write(call, target.id, "Edited", f"{source.record['Name']} was merged into this contact.")
    return target


def _active(call: Call, contact_id: str) -> Entry:
    found = books.find(call.tenant, contacts.KIND, contact_id)
    if found is None or found.record["ContactStatus"] != "ACTIVE":
        raise Unusable(f"There is no active contact with the id {contact_id[:40]!r}.")
    return found
