"""Searching for contacts. Text that people enter is never put into Xero's filter language.

`searchTerm` takes any text and finds more than was meant (parts of names, e-mails and numbers); which of them really
match is decided here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import Any
from urllib.parse import quote

from integrations.connectors.xero.client import PAGE_SIZE, XeroClient, records
from integrations.connectors.xero.fields.choices import SearchBy
from integrations.core.errors import RejectedError
from integrations.core.sameness import folded, same, searchable, tidy

Contact = dict[str, Any]

SEARCH_HELP = "Compared as a whole; capitals, and how many spaces stand around and between words, do not matter."
#: A shorter piece of a name is too unspecific to search for.
_SHORTEST_PIECE, _PIECE_PAGE = 3, 100
_FIELDS = {
    SearchBy.EMAIL: "EmailAddress",
    SearchBy.NAME: "Name",
    SearchBy.CONTACT_NUMBER: "ContactNumber",
    SearchBy.ACCOUNT_NUMBER: "AccountNumber",
}


def search(api: XeroClient, by: SearchBy, value: str, *, include_archived: bool, most: int) -> list[Contact]:
    """The contacts whose field equals the value, sorted by name, at most `most`. Texts that people cannot tell apart
    are equal."""
    value = tidy(value)
    if by is SearchBy.CONTACT_ID:
        return [
            each for each in by_id(api, value) if include_archived or each.get("ContactStatus", "ACTIVE") == "ACTIVE"
        ]
    query = {"order": "Name ASC", "includeArchived": "true" if include_archived else "false"}
    if by is SearchBy.ANYWHERE:
        pages = api.pages("/Contacts", "Contacts", {**query, "searchTerm": value})
        return list(islice(chain.from_iterable(pages), most))
    for asked, page_size in _asked(by, value):
        is_cut = False
        found: list[Contact] = []
        for page in api.pages("/Contacts", "Contacts", {**query, **asked}, page_size=page_size):
            found += [each for each in page if same(each.get(_FIELDS[by]), value)]
            is_cut = page_size == _PIECE_PAGE and len(page) == page_size
            if is_cut or len(found) >= most:
                break
        if found or not is_cut:
            return found[:most]
    return []


def _asked(by: SearchBy, value: str) -> Iterator[tuple[dict[str, str], int]]:
    """The queries to try in turn until something is found, each with its page size.

    A name stored in Xero with two spaces or differently encoded accents may not contain the exact value, but it
    contains its longest plain piece. A common piece such as "limited" finds too many; then the whole value is searched
    for.
    """
    piece = searchable(value)
    if by is SearchBy.ACCOUNT_NUMBER:
        # The one field that searchTerm does not search. A plain piece contains nothing that could end the text.
        there = "AccountNumber!=null"
        yield {"where": f'{there} AND AccountNumber.ToLower().Contains("{piece}")' if piece else there}, PAGE_SIZE
        return
    if by is SearchBy.NAME and len(piece) >= _SHORTEST_PIECE and piece != folded(value):
        yield {"searchTerm": piece}, _PIECE_PAGE
    yield {"searchTerm": value}, PAGE_SIZE


def by_id(api: XeroClient, contact_id: str) -> list[Contact]:
    """The contact with that id, archived or not; empty if there is none."""
    try:
        body = api.read(f"/Contacts/{quote(contact_id, safe='')}").json()
    except RejectedError as error:
        if error.status == 404:
            return []
        raise
    return records(body, "Contacts")


def by_marker(api: XeroClient, marker: str) -> list[Contact]:
    """The contacts that have our marker as their number, archived ones too."""
    query: Mapping[str, str] = {"where": f'ContactNumber=="{marker}"', "includeArchived": "true"}
    return list(chain.from_iterable(api.pages("/Contacts", "Contacts", query)))


def is_guid(text: str) -> bool:
    """Whether it is an id in Xero's format."""
    try:
        return str(uuid.UUID(text)) == text.strip().lower()
    except ValueError:
        return False
