"""Actions on contacts.

https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from integrations.connectors.xero.actions.reading_back import CONTACTS, ReadsBack
from integrations.connectors.xero.answers import complete, only_record
from integrations.connectors.xero.checks.contacts import new_contact_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.contacts import ContactDetails, is_as_wanted, new_contact, update_of
from integrations.connectors.xero.fields.document_preview import shown_document, written_contact
from integrations.connectors.xero.fields.lock_keys import looked_for
from integrations.connectors.xero.links import contact_link
from integrations.connectors.xero.plain import plain, stamp
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import SEARCH_HELP, by_id, by_marker, is_guid, search
from integrations.core.errors import RejectedError
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, WrittenDocument
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient

#: The most contacts that one search may pass to later steps.
MOST_FOUND = 100


class FindContact(Action):
    """Find a contact by e-mail, name, number or ID."""

    key = "find_contact"
    name = "Find contact"
    words = ("customer", "client", "supplier", "vendor", "look up", "search", "read")
    effect = Effect.READS
    scopes = ("accounting.contacts",)
    sample = samples.FOUND_CONTACT

    class Inputs(Schema):
        search_by: choices.SearchBy = field("Search by", default=choices.SearchBy.EMAIL)
        value: str = field("Value", max_length=255, tidy=True, help=SEARCH_HELP)
        include_archived: bool = field("Archived contacts too", default=False)
        if_none: choices.IfNone = field(
            "If none is found", default=choices.IfNone.STOP, help="To create one then, take Find or create contact."
        )
        if_several: choices.IfSeveral = field("If several are found", default=choices.IfSeveral.STOP)

        def check(self) -> Mapping[str, str]:
            """What cannot be searched for."""
            if self.search_by is choices.SearchBy.CONTACT_ID and not is_guid(self.value):
                return {"value": _no_contact_id(self.value)}
            return {}

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, XeroClient)
        found = search(
            api, inputs.search_by, inputs.value, include_archived=inputs.include_archived, most=MOST_FOUND + 1
        )
        what = f'{inputs.search_by.label.lower()} "{inputs.value}"'
        if not found:
            if inputs.if_none is choices.IfNone.STOP:
                raise RejectedError(f"Xero has no contact with the {what} in {api.connection.name}.")
            return {**complete({}, samples.CONTACT), "is_found": False, "count": 0, "contacts": [], "warning": None}
        return {**one_of(found, what, inputs.if_several), "is_found": True}

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ContactID"] or "")

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return contact_link(str(output["ContactID"]), organisation) if output["is_found"] else ""

    def describe(self, output: Mapping[str, Any]) -> str:
        if not output["is_found"]:
            return "No contact found"
        more = f" and {output['count'] - 1} more" if output["count"] > 1 else ""
        return f"Contact {output['Name']}{more}"


class Recognition(Schema):
    """The inputs that say which contact is meant; they come before its details."""

    match_by: choices.MatchBy = field(
        "Recognise an existing contact by", default=choices.MatchBy.EMAIL, help="That input must then be given."
    )
    when_found: choices.WhenFound = field(
        "When the contact is there already", default=choices.WhenFound.FILL, help="Nothing is ever emptied."
    )
    contact_id: str | None = field("Contact ID", default=None, max_length=36)


class CreateOrUpdateContact(ReadsBack, Action):
    """Create a contact, or update the one that is there already.

    A new contact is created with PUT, which refuses a name that is taken, and carries the marker as its `ContactNumber`
    unless the workflow fills that: the number is meant for outside systems' keys and is not shown in Xero. An existing
    contact is changed with POST by its id, with only the fields to set; other fields stay as they are
    (https://developer.xero.com/documentation/api/accounting/contacts). Sending that twice gives the same contact, so an
    update needs no marker: it is confirmed by comparing the contact with the inputs.
    """

    key = "create_or_update_contact"
    name = "Create or update contact"
    words = ("customer", "client", "supplier", "vendor", "edit", "new", "address")
    effect = Effect.UPDATES
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    record_kind = CONTACTS
    key_window = 300
    lookup_reliable = True
    no_undo = "What the contact said before is in its history in Xero. Change it back, or archive it, there."

    class Inputs(ContactDetails, Recognition):
        def check(self) -> Mapping[str, str]:
            """The input that identifies the contact must be given and usable."""
            problems = dict(super().check())
            if getattr(self, self.match_by.value) is None:
                problems[self.match_by.value] = (
                    f"{self.match_by.label} is needed, because an existing contact is recognised by it."
                )
            elif self.match_by is choices.MatchBy.CONTACT_ID and not is_guid(self.contact_id or ""):
                problems["contact_id"] = _no_contact_id(self.contact_id or "")
            return problems

    def lock_key(self, inputs: Inputs) -> str:
        return looked_for("Contacts", inputs.match_by.value, getattr(inputs, inputs.match_by.value))

    def prepare(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        """The existing contact, under `contact`; empty if there is none."""
        assert isinstance(api, XeroClient)
        existing = _matching(api, inputs)
        if existing is None:
            return {}
        if existing.get("ContactStatus", "ACTIVE") != "ACTIVE":
            raise RejectedError(
                f"The contact {existing.get('Name')} is {str(existing['ContactStatus']).lower()} in Xero and cannot be "
                "changed. Restore it there, or match by something else."
            )
        return {"contact": existing}

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.STATE

    def settled(self, inputs: Inputs, found: Any) -> dict[str, Any] | None:
        existing = found.get("contact")
        return tidy(plain(existing)) if existing and is_as_wanted(existing, inputs) else None

    def seen(self, inputs: Inputs, found: Any) -> dict[str, Any]:
        return stamp(plain(found.get("contact") or {}), "ContactID", "Name", "EmailAddress")

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        existing = (writing.found or {}).get("contact")
        contact = new_contact(inputs, writing.marker) if existing is None else update_of(existing, inputs)
        return Request.of_json(
            "PUT" if existing is None else "POST",
            "/Contacts",
            {"Contacts": [contact]},
            query={"summarizeErrors": "true"},
        )

    def output(self, response: Response) -> dict[str, Any]:
        return tidy(only_record(response, "Contacts", "ContactID"))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """By the marker for a new contact, else the existing contact if it matches the inputs."""
        assert isinstance(api, XeroClient)
        found = by_marker(api, marker)
        if not found:
            existing = _matching(api, inputs)
            found = [existing] if existing and is_as_wanted(existing, inputs) else []
        return [tidy(plain(contact)) for contact in found]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ContactID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return contact_link(str(output["ContactID"]), organisation)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        is_new = found is not None and not found.get("contact")
        return new_contact_findings(facts, inputs, is_new=is_new)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Contact", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return written_contact(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Contact {output['Name']}"


def one_of(found: list[dict[str, Any]], what: str, if_several: choices.IfSeveral) -> dict[str, Any]:
    """The first of the contacts found, and all of them if asked for. Raises RejectedError if only one is expected;
    `what` says how they were found."""
    if len(found) > 1 and if_several is choices.IfSeveral.STOP:
        raise RejectedError(f"Xero has {_how_many(found)} contacts with the {what}: {names(found)}. One is expected.")
    is_cut = len(found) > MOST_FOUND and if_several is choices.IfSeveral.ALL
    warning = f"Xero has more than {MOST_FOUND} contacts with the {what}; these are the first." if is_cut else None
    contacts = [tidy(plain(contact)) for contact in found[:MOST_FOUND]]
    kept = contacts if if_several is choices.IfSeveral.ALL else contacts[:1]
    return {**contacts[0], "count": len(contacts), "contacts": kept, "warning": warning}


def _matching(api: XeroClient, inputs: CreateOrUpdateContact.Inputs) -> dict[str, Any] | None:
    """The one contact that the inputs mean. Raises RejectedError for several, and for an unknown ID."""
    value = getattr(inputs, inputs.match_by.value)
    if inputs.match_by is choices.MatchBy.CONTACT_ID:
        found = by_id(api, value)
        if not found:
            raise RejectedError(f"Xero has no contact with the ID {value} in {api.connection.name}.")
    else:
        # An archived contact keeps its number, so it cannot be used again; its name and e-mail can.
        is_number = inputs.match_by is choices.MatchBy.CONTACT_NUMBER
        found = search(api, choices.SearchBy(inputs.match_by.value), value, include_archived=is_number, most=6)
    if len(found) > 1:
        raise RejectedError(
            f'Xero has {_how_many(found)} contacts with the {inputs.match_by.label.lower()} "{value}": {names(found)}. '
            "Which one is meant is not clear; recognise the contact by its number or ID, or merge them in Xero."
        )
    return found[0] if found else None


def tidy(contact: Mapping[str, Any]) -> dict[str, Any]:
    """With every field, and the main phone and postal address first: Xero's order varies."""
    tidied = complete(contact, samples.CONTACT)
    tidied["Phones"] = sorted(tidied["Phones"] or [], key=lambda each: each.get("PhoneType") != "DEFAULT")
    tidied["Addresses"] = sorted(tidied["Addresses"] or [], key=lambda each: each.get("AddressType") != "POBOX")
    return tidied


def _no_contact_id(text: str) -> str:
    return f'"{text[:60]}" is not a contact ID, which looks like {samples.CONTACT["ContactID"]}.'


def names(contacts: list[dict[str, Any]]) -> str:
    """The first few names, for use in a sentence."""
    shown = [str(contact.get("Name")) for contact in contacts[:5]]
    return ", ".join(shown) + (" and more" if len(contacts) > 5 else "")


def _how_many(contacts: list[dict[str, Any]]) -> str:
    return str(len(contacts)) if len(contacts) <= 5 else "more than 5"
