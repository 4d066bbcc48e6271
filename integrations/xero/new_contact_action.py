"""Creating a contact that must be new.

https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from integrations.base import Action, Effect, Writing
from integrations.documents import Document
from integrations.http import ApiClient, Request, Response
from integrations.xero import samples
from integrations.xero.answers import only_record
from integrations.xero.choices import SearchBy
from integrations.xero.client import XeroClient
from integrations.xero.contact_actions import tidy
from integrations.xero.contact_fields import ContactDetails, new_contact
from integrations.xero.contact_search import by_marker, search
from integrations.xero.documents import look_from
from integrations.xero.links import contact_link
from integrations.xero.papers import paper
from integrations.xero.plain import plain
from integrations.xero.undoing import CAREFULLY


class CreateContact(Action):
    """Create a contact; one with the same name is an error.

    PUT refuses a name that is taken. The marker stands in `ContactNumber` unless the workflow fills that; then the
    number, which is unique, tells whether the contact was written.
    """

    key = "create_contact"
    name = "Create contact"
    effect = Effect.CREATES
    scopes = ("accounting.contacts",)
    sample = samples.CONTACT
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
        """By the marker, else by the workflow's own number; a contact untouched since the write is an older one."""
        assert isinstance(api, XeroClient)
        if inputs.contact_number is None:
            return [tidy(plain(contact)) for contact in by_marker(api, marker)]
        found = search(api, SearchBy.CONTACT_NUMBER, inputs.contact_number, include_archived=True, most=2)
        begin = look_from(since)
        return [contact for contact in (tidy(plain(each)) for each in found) if str(contact["UpdatedDateUTC"]) >= begin]

    def identify(self, output: Mapping[str, Any]) -> str:
        return str(output["ContactID"])

    def link(self, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> str:
        return contact_link(str(output["ContactID"]), organisation)

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """Archive the contact: Xero deletes none."""
        record = {"ContactID": self.identify(output), "ContactStatus": "ARCHIVED"}
        return Request.of_json("POST", "/Contacts", {"Contacts": [record]}, query=CAREFULLY)

    def document(self, inputs: Inputs, organisation: Mapping[str, Any]) -> Document:
        return paper("Contact", inputs, organisation)

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"Contact {output['Name']}"
