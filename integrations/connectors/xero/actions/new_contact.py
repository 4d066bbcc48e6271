"""Creating a contact that must be new.

https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from integrations.connectors.xero.actions.contacts import tidy
from integrations.connectors.xero.actions.reading_back import CONTACTS, ReadsBack
from integrations.connectors.xero.actions.undoing import CAREFULLY
from integrations.connectors.xero.answers import only_record
from integrations.connectors.xero.checks.contacts import new_contact_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields.choices import SearchBy
from integrations.connectors.xero.fields.contacts import ContactDetails, new_contact
from integrations.connectors.xero.fields.document_preview import shown_document, written_contact
from integrations.connectors.xero.links import contact_link
from integrations.connectors.xero.plain import plain
from integrations.connectors.xero.samples import records as samples
from integrations.connectors.xero.search.contacts import by_marker, search
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.framework.checks import Facts, Finding
from integrations.framework.recovery import Proof
from integrations.schema.documents import Document, WrittenDocument
from integrations.transport.http import ApiClient


class CreateContact(ReadsBack, Action):
    """Create a contact; one with the same name is an error.

    PUT refuses a name that is taken. The marker is in `ContactNumber` unless the workflow fills that; then the number,
    which is unique, shows whether the contact was written.
    """

    key = "create_contact"
    name = "Create contact"
    words = ("customer", "client", "supplier", "vendor", "new", "add")
    effect = Effect.CREATES
    undo_words = "The contact is archived, because Xero deletes none."
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
    record_kind = CONTACTS
    key_window = 300
    lookup_reliable = True

    class Inputs(ContactDetails):
        pass

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        return Request.of_json(
            "PUT",
            "/Contacts",
            {"Contacts": [new_contact(inputs, writing.marker)]},
            query={"summarizeErrors": "true"},
        )

    def output(self, response: Response) -> dict[str, Any]:
        return tidy(only_record(response, "Contacts", "ContactID"))

    def find(
        self, api: ApiClient, inputs: Inputs, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]]:
        """By the marker, else by the workflow's own number, which Xero keeps unique."""
        assert isinstance(api, XeroClient)
        if inputs.contact_number is None:
            return [tidy(plain(contact)) for contact in by_marker(api, marker)]
        found = search(api, SearchBy.CONTACT_NUMBER, inputs.contact_number, include_archived=True, most=2)
        return [tidy(plain(contact)) for contact in found]

    def proof(self, inputs: Inputs) -> Proof:
        return Proof.MARKER if inputs.contact_number is None else Proof.LIKENESS

    def differs(self, inputs: Inputs, hit: Mapping[str, Any]) -> str:
        """The name, if the contact is identified by the number alone."""
        is_same = str(hit.get("Name") or "").casefold().split() == inputs.name.casefold().split()
        return "" if inputs.contact_number is None or is_same else f"its name is {hit.get('Name')}"

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ContactID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return contact_link(str(output["ContactID"]), organisation)

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Archive the contact: Xero cannot delete one."""
        record = {"ContactID": self.identify(output), "ContactStatus": "ARCHIVED"}
        return Request.of_json("POST", "/Contacts", {"Contacts": [record]}, query=CAREFULLY)

    def checks(self, facts: Facts, inputs: Inputs, found: Any) -> Iterable[Finding]:
        named = found.get("name") if found else None
        return new_contact_findings(facts, replace(inputs, name=named) if named else inputs)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return shown_document("Contact", inputs, organisation)

    def written_document(self, output: Mapping[str, Any]) -> WrittenDocument:
        return written_contact(output)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Contact {output['Name']}"
