"""The fields of a contact, and which are sent: all for a new one, only those to be set for an existing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from integrations.connectors.xero.answers import given
from integrations.connectors.xero.fields import choices
from integrations.connectors.xero.fields.choices import WhenFound
from integrations.schema.schema import Schema, field

# Our input -> Xero's field.
_TEXTS = {
    "name": "Name",
    "first_name": "FirstName",
    "last_name": "LastName",
    "email": "EmailAddress",
    "contact_number": "ContactNumber",
    "account_number": "AccountNumber",
    "tax_number": "TaxNumber",
    "default_currency": "DefaultCurrency",
}
PHONE_PARTS = {
    "phone_country_code": "PhoneCountryCode",
    "phone_area_code": "PhoneAreaCode",
    "phone_number": "PhoneNumber",
}
ADDRESS_PARTS = {
    "address_line1": "AddressLine1",
    "address_line2": "AddressLine2",
    "city": "City",
    "region": "Region",
    "postal_code": "PostalCode",
    "country": "Country",
}
#: Kept although they cannot be mapped, so that they are not lost when the list of addresses is sent again.
_OTHER_ADDRESS_PARTS = ("AddressLine3", "AddressLine4", "AttentionTo")


class ContactDetails(Schema):
    """The inputs that say what a contact is."""

    name: str = field("Name", max_length=255, tidy=True, help="Unique among the active contacts of the organisation.")
    email: str | None = field("E-mail", default=None, max_length=255, tidy=True)
    contact_number: str | None = field(
        "Contact number",
        default=None,
        max_length=50,
        tidy=True,
        help="Your own key for this contact; Xero does not show it. Left empty, a new contact gets a code.",
    )
    account_number: str | None = field("Account number", default=None, max_length=50, tidy=True)
    first_name: str | None = field("First name", default=None, max_length=255, tidy=True)
    last_name: str | None = field("Last name", default=None, max_length=255, tidy=True)
    tax_number: str | None = field("Tax number", default=None, max_length=50, tidy=True)
    phone_country_code: str | None = field("Phone: country code", default=None, max_length=20)
    phone_area_code: str | None = field("Phone: area code", default=None, max_length=10)
    phone_number: str | None = field("Phone: number", default=None, max_length=50)
    address_line1: str | None = field("Address: line 1", default=None, max_length=500)
    address_line2: str | None = field("Address: line 2", default=None, max_length=500)
    city: str | None = field("Address: city", default=None, max_length=255)
    region: str | None = field("Address: region", default=None, max_length=255)
    postal_code: str | None = field("Address: postcode", default=None, max_length=50)
    country: str | None = field("Address: country", default=None, max_length=50)
    default_currency: str | None = field("Default currency", choices=choices.currencies, default=None, max_length=3)

    def check(self) -> Mapping[str, str]:
        """A phone and an address are complete or absent."""
        problems: dict[str, str] = {}
        if self.phone_number is None and any(getattr(self, name) for name in PHONE_PARTS):
            problems["phone_number"] = "A phone number is needed beside the codes."
        if self.address_line1 is None and any(getattr(self, name) for name in ADDRESS_PARTS):
            problems["address_line1"] = "The first line of the address is needed beside its other parts."
        return problems


def new_contact(inputs: Any, marker: str) -> dict[str, Any]:
    """The contact to create; its number is the marker if none is given."""
    contact = given({theirs: getattr(inputs, ours) for ours, theirs in _TEXTS.items()})
    contact.setdefault("ContactNumber", marker)
    if phone := _parts(inputs, PHONE_PARTS):
        contact["Phones"] = [{"PhoneType": "DEFAULT", **phone}]
    if address := _parts(inputs, ADDRESS_PARTS):
        contact["Addresses"] = [{"AddressType": "POBOX", **address}]
    return contact


def update_of(existing: Mapping[str, Any], inputs: Any) -> dict[str, Any]:
    """Only the id and the fields to set: Xero keeps the others as they are."""
    overwrites = inputs.when_found is WhenFound.OVERWRITE
    contact: dict[str, Any] = {"ContactID": existing["ContactID"]}
    for ours, theirs in _TEXTS.items():
        value = getattr(inputs, ours)
        if value is not None and (overwrites or not existing.get(theirs)):
            contact[theirs] = value
    phones = _slots(
        existing.get("Phones"), "PhoneType", "DEFAULT", _parts(inputs, PHONE_PARTS), PHONE_PARTS, overwrites
    )
    addresses = _slots(
        existing.get("Addresses"), "AddressType", "POBOX", _parts(inputs, ADDRESS_PARTS), ADDRESS_PARTS, overwrites
    )
    return {**contact, **given({"Phones": phones, "Addresses": addresses})}


def is_as_wanted(existing: Mapping[str, Any], inputs: Any) -> bool:
    """Whether the contact already has all that an update would set."""
    wanted = update_of(existing, inputs)
    texts_agree = all(existing.get(name) == wanted[name] for name in _TEXTS.values() if name in wanted)
    return (
        texts_agree
        and _slots_agree(existing.get("Phones"), wanted.get("Phones"))
        and _slots_agree(existing.get("Addresses"), wanted.get("Addresses"))
    )


def _parts(inputs: Any, names: Mapping[str, str]) -> dict[str, str]:
    return given({theirs: getattr(inputs, ours) for ours, theirs in names.items()})


def _slots(
    existing: Any, kind: str, which: str, new: Mapping[str, str], names: Mapping[str, str], overwrites: bool
) -> list[dict[str, str]] | None:
    """The list with one entry set, or None if nothing changes. An entry is replaced whole: half an old address is no
    address.

    The other entries are sent again unchanged, because the list sent may replace the existing one.
    """
    if not new:
        return None
    slots = [slot for slot in existing or [] if isinstance(slot, dict)]
    taken = any(_is_filled(slot) for slot in slots if slot.get(kind) == which)
    if taken and not overwrites:
        return None
    others = [given(_known_parts(slot, kind, names)) for slot in slots if slot.get(kind) != which and _is_filled(slot)]
    emptied = dict.fromkeys(names.values(), "") if taken else {}
    return [*others, {kind: which, **emptied, **new}]


def _known_parts(slot: Mapping[str, Any], kind: str, names: Mapping[str, str]) -> dict[str, Any]:
    kept = (kind, *names.values(), *(_OTHER_ADDRESS_PARTS if kind == "AddressType" else ()))
    return {name: slot.get(name) for name in kept}


def _is_filled(slot: Mapping[str, Any]) -> bool:
    return any(value for name, value in slot.items() if name not in {"PhoneType", "AddressType"})


def _slots_agree(existing: Any, wanted: list[dict[str, str]] | None) -> bool:
    if wanted is None:
        return True
    there = [slot for slot in existing or [] if isinstance(slot, dict)]
    return all(any(_holds(slot, want) for slot in there) for want in wanted)


def _holds(slot: Mapping[str, Any], want: Mapping[str, str]) -> bool:
    return all((slot.get(name) or "") == value for name, value in want.items())
