"""Looking for contacts. Text that people bring is never put into Xero's filter language.

`searchTerm` takes any text and finds more than was meant (parts of names, e-mails and numbers); what is really equal is
decided here.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from integrations.errors import RejectedError
from integrations.xero.choices import SearchBy
from integrations.xero.client import XeroClient, records

Contact = dict[str, Any]

_FIELDS = {
    SearchBy.EMAIL: "EmailAddress",
    SearchBy.NAME: "Name",
    SearchBy.CONTACT_NUMBER: "ContactNumber",
    SearchBy.ACCOUNT_NUMBER: "AccountNumber",
}


def search(api: XeroClient, by: SearchBy, value: str, *, include_archived: bool, most: int) -> list[Contact]:
    """The contacts whose field is the value, by name; at most so many. Capitals and outer spaces do not count."""
    value = value.strip()
    if by is SearchBy.CONTACT_ID:
        found = by_id(api, value)
        return [each for each in found if include_archived or each.get("ContactStatus", "ACTIVE") == "ACTIVE"]
    query = {"order": "Name ASC", "includeArchived": "true" if include_archived else "false"}
    if by is SearchBy.ACCOUNT_NUMBER:
        # The one field that searchTerm does not look at; its value has no quotation mark (see the Inputs' check).
        query["where"] = f'AccountNumber=="{value}"'
    else:
        query["searchTerm"] = value
    contacts = chain.from_iterable(api.pages("/Contacts", "Contacts", query))
    matching = (each for each in contacts if by is SearchBy.ANYWHERE or _is_same(each.get(_FIELDS[by]), value))
    return list(islice(matching, most))


def by_id(api: XeroClient, contact_id: str) -> list[Contact]:
    """The contact with that id, archived or not; none where there is none."""
    try:
        body = api.read(f"/Contacts/{quote(contact_id, safe='')}").json()
    except RejectedError as error:
        if error.status == 404:
            return []
        raise
    return records(body, "Contacts")


def by_marker(api: XeroClient, marker: str) -> list[Contact]:
    """The contacts that carry a marker of ours as their number, archived ones too."""
    query: Mapping[str, str] = {"where": f'ContactNumber=="{marker}"', "includeArchived": "true"}
    return list(chain.from_iterable(api.pages("/Contacts", "Contacts", query)))


def is_guid(text: str) -> bool:
    """Whether it is an id as Xero writes them."""
    try:
        return str(uuid.UUID(text)) == text.strip().lower()
    except ValueError:
        return False


def _is_same(one: Any, other: str) -> bool:
    return str(one or "").strip().casefold() == other.casefold()
