"""Whether a contact can be used, and whether a new one would be refused.

https://developer.xero.com/documentation/api/accounting/contacts
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from integrations.connectors.xero.checks.currencies import currency_findings
from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.choices import SearchBy
from integrations.connectors.xero.search.contacts import by_id, is_guid, search
from integrations.framework.checks import Facts, Finding, stops, warns
from integrations.transport.http import ApiClient

#: As Xero takes one; it says no to letters beyond ASCII.
_EMAIL = re.compile(r"[^@\s<>]+@[^@\s<>]+\.[^@\s<>]+", re.ASCII)
_PICK = "Pick a contact, or take the ContactID that an earlier step found or created."


def contact_findings(facts: Facts, path: str, contact_id: str | None) -> Iterator[Finding]:
    """What is wrong with the contact of a document."""
    if not contact_id or facts.is_predicted(path):
        return
    yield from facts.tried("whether the contact exists and is active", lambda: _usable(facts, path, contact_id.strip()))


def _usable(facts: Facts, path: str, contact_id: str) -> Iterator[Finding]:
    if not is_guid(contact_id):
        yield stops("contact_no_id", path, f'"{contact_id[:60]}" is not the ID of a contact.', _PICK)
        return
    if facts.offers(choices.contacts, contact_id):
        return
    found = facts.ask(f"contact {contact_id}", lambda api: by_id(_client(api), contact_id))
    if not found:
        yield stops("contact_missing", path, f"There is no contact with the ID {contact_id} in {facts.name}.", _PICK)
    elif found[0].get("ContactStatus", "ACTIVE") != "ACTIVE":
        name = found[0].get("Name")
        yield stops(
            "contact_archived",
            path,
            f"The contact {name} is archived in {facts.name}.",
            "Restore it in Xero, or take another contact.",
        )


def new_contact_findings(facts: Facts, inputs: Any, *, is_new: bool = True) -> Iterator[Finding]:
    """What Xero would refuse of a contact's details; with `is_new` False of those of an existing one."""
    if "<" in inputs.name or ">" in inputs.name:
        yield stops("name_signs", "name", "The name of a contact cannot contain < or >.", "Take these signs out.")
    if inputs.email and not (inputs.email.isascii() and _EMAIL.fullmatch(inputs.email)):
        yield stops("email_invalid", "email", f'"{inputs.email[:60]}" is not an e-mail address.', "Correct it.")
    if inputs.country and not re.fullmatch(r"[A-Za-z ]*", inputs.country):
        yield stops(
            "country_letters", "country", "Xero takes a country in the letters A to Z only.", "Write it in English."
        )
    yield from currency_findings(facts, "default_currency", inputs.default_currency)
    if is_new:
        yield from facts.tried("whether the name is free", lambda: _name_taken(facts, inputs.name))
        yield from facts.tried("whether the number is free", lambda: _number_taken(facts, inputs.contact_number))


def _name_taken(facts: Facts, name: str) -> Iterator[Finding]:
    if facts.is_predicted("name"):
        return
    found = facts.ask(
        f"contact named {name}",
        lambda api: search(_client(api), SearchBy.NAME, name, include_archived=False, most=1),
    )
    if found:
        yield stops(
            "name_taken",
            "name",
            f"{found[0].get('Name')} is a contact in {facts.name} already, and a name can be used only once.",
            "Take Find or create contact instead, or another name.",
        )


def _number_taken(facts: Facts, number: str | None) -> Iterator[Finding]:
    if not number or facts.is_predicted("contact_number"):
        return
    found = facts.ask(
        f"contact numbered {number}",
        lambda api: search(_client(api), SearchBy.CONTACT_NUMBER, number, include_archived=True, most=1),
    )
    if found:
        yield stops(
            "contact_number_taken",
            "contact_number",
            f"The contact number {number} belongs to {found[0].get('Name')} already.",
            "Take another number, or leave it empty.",
        )


def without_email(facts: Facts, path: str, invoice: Any) -> Iterator[Finding]:
    """An invoice can be e-mailed only to a contact with an address."""
    if isinstance(invoice, dict) and not invoice.get("email"):
        name = (invoice.get("Contact") or {}).get("Name") or "The contact"
        yield warns("no_email", path, f"{name} has no e-mail address in Xero.", "Enter it in Xero first.")


def _client(api: ApiClient) -> XeroClient:
    assert isinstance(api, XeroClient)
    return api
