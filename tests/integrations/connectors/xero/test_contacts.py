"""Find contact, and create or update contact, for real against the sandbox."""

from __future__ import annotations

import json
from typing import Any

import pytest

from integrations.connectors.xero.client import XeroClient
from integrations.connectors.xero.samples import records as samples
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.framework.base import Writing
from tests.integrations.wire import Wire
from tests.provider import DEMO, Sandbox

FIND = registry.action("xero.find_contact")
SAVE = registry.action("xero.create_or_update_contact")
MARKER = "PX-00112233aabbccdd"
NEW = {
    "name": "Pinworks Studio",
    "email": "studio@pinworks.example",
    "first_name": "Ada",
    "last_name": "Lovell",
    "account_number": "PW-1",
    "tax_number": "101-2-303",
    "phone_number": "5550100",
    "phone_area_code": "04",
    "phone_country_code": "64",
    "address_line1": "12 Harbour Street",
    "city": "Wellington",
    "postal_code": "6011",
    "country": "New Zealand",
    "default_currency": "NZD",
}


def save(api: XeroClient, marker: str = MARKER, **values: Any) -> dict[str, Any]:
    """Create or update as the engine would."""
    inputs = SAVE.Inputs.clean(values)
    found = SAVE.prepare(api, inputs)
    request = SAVE.request(inputs, Writing(marker=marker, back_link="https://pinxero.example/", found=found))
    return SAVE.output(api.write(request, idempotency_key=f"key-{marker}"))


def find(api: XeroClient, **values: Any) -> dict[str, Any]:
    return FIND.run(api, FIND.Inputs.clean(values))


# --- create or update ------------------------------------------------------------------------------------------------


def test_a_new_contact_is_created_with_every_field_and_the_marker_as_its_number(demo: Any, wire: Wire) -> None:
    output = save(demo, **NEW)

    assert wire.calls == ["GET /api.xro/2.0/Contacts", "PUT /api.xro/2.0/Contacts"]
    assert output["ContactNumber"] == MARKER
    assert output["Name"] == "Pinworks Studio"
    assert output["EmailAddress"] == "studio@pinworks.example"
    assert (output["FirstName"], output["LastName"], output["AccountNumber"]) == ("Ada", "Lovell", "PW-1")
    assert (output["TaxNumber"], output["DefaultCurrency"]) == ("101-2-303", "NZD")
    phone = output["Phones"][0]
    assert phone["PhoneType"] == "DEFAULT"
    assert (phone["PhoneCountryCode"], phone["PhoneAreaCode"], phone["PhoneNumber"]) == ("64", "04", "5550100")
    address = output["Addresses"][0]
    assert address["AddressType"] == "POBOX"
    assert (address["AddressLine1"], address["City"], address["Country"]) == (
        "12 Harbour Street",
        "Wellington",
        "New Zealand",
    )
    assert set(samples.CONTACT) <= set(output)


def test_a_number_of_ones_own_is_kept_instead_of_the_marker(demo: Any) -> None:
    assert save(demo, **NEW, contact_number="SHOP-9")["ContactNumber"] == "SHOP-9"


def test_only_empty_fields_are_filled_unless_told_otherwise(demo: Any, wire: Wire) -> None:
    first = save(demo, name="Pinworks Studio", email="studio@pinworks.example", first_name="Ada")
    wire.clear()

    second = save(
        demo, "PX-2", name="Pinworks Ltd", email="STUDIO@pinworks.example", first_name="Bob", last_name="Lovell"
    )

    assert wire.calls == ["GET /api.xro/2.0/Contacts", "POST /api.xro/2.0/Contacts"]
    assert json.loads(wire.exchanges[-1].body) == {
        "Contacts": [{"ContactID": first["ContactID"], "LastName": "Lovell"}]
    }
    assert second["ContactID"] == first["ContactID"]
    assert (second["Name"], second["FirstName"], second["LastName"]) == ("Pinworks Studio", "Ada", "Lovell")


def test_overwriting_sets_what_is_given_and_leaves_the_rest(demo: Any) -> None:
    save(demo, **NEW)
    second = save(
        demo,
        "PX-2",
        match_by="name",
        when_found="overwrite",
        name="Pinworks Studio",
        email="new@pinworks.example",
        address_line1="1 Hill Road",
        phone_number="999",
    )
    assert second["EmailAddress"] == "new@pinworks.example"
    assert (second["FirstName"], second["ContactNumber"]) == ("Ada", MARKER)
    address = next(each for each in second["Addresses"] if each["AddressType"] == "POBOX")
    assert (address["AddressLine1"], address["City"]) == ("1 Hill Road", ""), "an address is replaced as a whole"
    phone = next(each for each in second["Phones"] if each["PhoneType"] == "DEFAULT")
    assert (phone["PhoneNumber"], phone["PhoneAreaCode"]) == ("999", "")


def test_other_phones_and_addresses_are_sent_again_with_a_changed_one() -> None:
    existing = {
        "ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92",
        "Phones": [
            {"PhoneType": "MOBILE", "PhoneNumber": "777", "PhoneAreaCode": "", "PhoneCountryCode": ""},
            {"PhoneType": "DDI", "PhoneNumber": "", "PhoneAreaCode": "", "PhoneCountryCode": ""},
        ],
        "Addresses": [{"AddressType": "STREET", "AddressLine1": "Street 1", "AddressLine3": "Yard"}],
    }
    inputs = SAVE.Inputs.clean({"name": "N", "email": "a@b.example", "phone_number": "1", "address_line1": "Box 1"})
    request = SAVE.request(inputs, Writing(marker=MARKER, back_link="", found={"contact": existing}))
    (contact,) = json.loads(request.body)["Contacts"]
    assert contact["Phones"] == [
        {"PhoneType": "MOBILE", "PhoneCountryCode": "", "PhoneAreaCode": "", "PhoneNumber": "777"},
        {"PhoneType": "DEFAULT", "PhoneNumber": "1"},
    ]
    assert contact["Addresses"] == [
        {"AddressType": "STREET", "AddressLine1": "Street 1", "AddressLine3": "Yard"},
        {"AddressType": "POBOX", "AddressLine1": "Box 1"},
    ]


def test_several_contacts_with_one_email_are_never_guessed_among(demo: Any, sandbox: Sandbox) -> None:
    save(demo, "PX-1", name="One", email="shared@pinworks.example")
    save(demo, "PX-2", match_by="name", name="Two", email="shared@pinworks.example")
    before = sandbox.ledger(method="POST") + sandbox.ledger(method="PUT")

    with pytest.raises(RejectedError) as caught:
        save(demo, "PX-3", name="Three", email="shared@pinworks.example")

    assert caught.value.message.startswith(
        'Xero has 2 contacts with the e-mail "shared@pinworks.example": One, Two. Which one is meant is not clear;'
    )
    assert sandbox.ledger(method="POST") + sandbox.ledger(method="PUT") == before


def test_a_contact_is_recognised_by_its_id(demo: Any) -> None:
    first = save(demo, **NEW)
    second = save(
        demo, "PX-2", match_by="contact_id", contact_id=first["ContactID"], name="x", region="North", address_line1="y"
    )
    assert second["ContactID"] == first["ContactID"]
    assert second["Name"] == "Pinworks Studio"


def test_an_id_that_is_not_there_is_refused_before_anything_is_written(demo: Any, wire: Wire) -> None:
    with pytest.raises(RejectedError, match="Xero has no contact with the ID 00000000-0000-4000-8000-000000000000 in"):
        save(demo, match_by="contact_id", contact_id="00000000-0000-4000-8000-000000000000", name="x")
    assert [one.method for one in wire.exchanges] == ["GET"]


def test_an_archived_contact_that_holds_the_number_is_told_about(demo: Any) -> None:
    first = save(demo, **NEW, contact_number="SHOP-9")
    demo.write(
        SAVE.request(SAVE.Inputs.clean(NEW), Writing(marker="", back_link="")).of_json(
            "POST", "/Contacts", {"Contacts": [{"ContactID": first["ContactID"], "ContactStatus": "ARCHIVED"}]}
        )
    )
    with pytest.raises(RejectedError) as caught:
        save(demo, "PX-2", match_by="contact_number", contact_number="SHOP-9", name="Other")
    assert caught.value.message == (
        "The contact Pinworks Studio is archived in Xero and cannot be changed. Restore it there, or match by "
        "something else."
    )


def test_a_name_that_is_taken_is_refused_in_xeros_words(demo: Any) -> None:
    save(demo, **NEW)
    with pytest.raises(RejectedError) as caught:
        save(demo, "PX-2", name="Pinworks Studio", email="else@pinworks.example")
    assert caught.value.reasons == [
        "The contact name Pinworks Studio is already assigned to another contact. The contact name must be unique "
        "across all active contacts."
    ]


@pytest.mark.parametrize(
    ("values", "problems"),
    [
        ({"name": "N"}, {"email": "E-mail is needed, because an existing contact is recognised by it."}),
        (
            {"name": "N", "match_by": "contact_number"},
            {"contact_number": "Contact number is needed, because an existing contact is recognised by it."},
        ),
        (
            {"name": "N", "match_by": "contact_id", "contact_id": "../Invoices"},
            {"contact_id": '"../Invoices" is not a contact ID, which looks like 6d42f03b-181f-43e3-93fb-2025c012de92.'},
        ),
        (
            {"name": "N", "email": "e@x.example", "phone_area_code": "04"},
            {"phone_number": "A phone number is needed beside the codes."},
        ),
        (
            {"name": "N", "email": "e@x.example", "city": "Wellington"},
            {"address_line1": "The first line of the address is needed beside its other parts."},
        ),
        ({"email": "e@x.example"}, {"name": "Name is needed, but nothing was given."}),
        (
            {"name": "N" * 256, "email": "e@x.example"},
            {"name": "Name takes at most 255 characters; this has 256."},
        ),
    ],
)
def test_inputs_that_do_not_fit_are_told_per_input(values: dict[str, Any], problems: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError) as caught:
        SAVE.Inputs.clean(values)
    assert caught.value.problems == problems


def test_a_created_contact_is_found_by_its_marker_though_archived(demo: Any) -> None:
    first = save(demo, **NEW)
    (hit,) = SAVE.find(demo, SAVE.Inputs.clean(NEW), MARKER)
    assert hit == first


def test_an_update_counts_as_found_only_when_the_contact_is_as_it_should_be(demo: Any) -> None:
    save(demo, **NEW)
    same = SAVE.Inputs.clean({**NEW, "when_found": "overwrite"})
    other = SAVE.Inputs.clean({**NEW, "when_found": "overwrite", "last_name": "Byron"})
    elsewhere = SAVE.Inputs.clean({**NEW, "when_found": "overwrite", "phone_number": "1"})
    assert [hit["Name"] for hit in SAVE.find(demo, same, "PX-other")] == ["Pinworks Studio"]
    assert SAVE.find(demo, other, "PX-other") == []
    assert SAVE.find(demo, elsewhere, "PX-other") == []


def test_filling_counts_as_found_once_nothing_is_empty(demo: Any) -> None:
    save(demo, name="Pinworks Studio", email="studio@pinworks.example")
    wanted = SAVE.Inputs.clean({"name": "x", "email": "studio@pinworks.example", "last_name": "Lovell"})
    assert SAVE.find(demo, wanted, "PX-other") == []
    save(demo, "PX-2", name="x", email="studio@pinworks.example", last_name="Lovell")
    assert len(SAVE.find(demo, wanted, "PX-other")) == 1


def test_nothing_is_found_where_nothing_was_written(demo: Any) -> None:
    assert SAVE.find(demo, SAVE.Inputs.clean(NEW), MARKER) == []


def test_text_of_people_never_enters_xeros_filter_language(demo: Any, wire: Wire) -> None:
    hostile = '" || Name!=null || Name=="'
    for by in ("email", "name", "contact_number", "anywhere"):
        found = find(demo, search_by=by, value=hostile, if_none="empty")
        assert found["count"] == 0
    assert all("where" not in one.query for one in wire.exchanges)
    assert find(demo, search_by="account_number", value=hostile, if_none="empty")["count"] == 0
    # Letters and figures only, of which none can end the text in the filter.
    assert wire.exchanges[-1].query["where"] == 'AccountNumber!=null AND AccountNumber.ToLower().Contains("name")'


# --- find ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "value"),
    [
        ("email", " STUDIO@pinworks.example"),
        ("name", "pinworks studio"),
        ("contact_number", MARKER),
        ("account_number", "PW-1"),
        ("anywhere", "works stud"),
    ],
)
def test_a_contact_is_found_by_what_is_equal_in_one_call(demo: Any, wire: Wire, by: str, value: str) -> None:
    created = save(demo, **NEW)
    wire.clear()
    output = find(demo, search_by=by, value=value)
    assert wire.calls == ["GET /api.xro/2.0/Contacts"]
    assert output["is_found"] is True
    assert output["count"] == 1
    assert output["ContactID"] == created["ContactID"]
    assert output["contacts"] == [{name: output[name] for name in output["contacts"][0]}]
    assert FIND.describe(output) == "Contact Pinworks Studio"


def test_a_part_of_an_email_is_not_the_email(demo: Any) -> None:
    save(demo, **NEW)
    assert find(demo, value="studio@pinworks.exampl", if_none="empty")["is_found"] is False


def test_a_contact_is_found_by_its_id(demo: Any) -> None:
    created = save(demo, **NEW)
    assert find(demo, search_by="contact_id", value=created["ContactID"])["Name"] == "Pinworks Studio"
    missing = find(demo, search_by="contact_id", value="00000000-0000-4000-8000-000000000000", if_none="empty")
    assert missing["is_found"] is False


def test_finding_nothing_stops_the_run_with_a_sentence(demo: Any) -> None:
    with pytest.raises(RejectedError) as caught:
        find(demo, value="nobody@x.example")
    assert caught.value.message == 'Xero has no contact with the e-mail "nobody@x.example" in Demo Company (NZ).'


def test_going_on_empty_gives_every_field_empty(demo: Any) -> None:
    output = find(demo, value="nobody@x.example", if_none="empty")
    assert set(output) == set(samples.FOUND_CONTACT)
    assert output["ContactID"] is None
    assert (output["is_found"], output["count"], output["contacts"], output["Phones"]) == (False, 0, [], [])
    assert FIND.describe(output) == "No contact found"
    assert FIND.link(output, demo.connection.details) == ""


def test_of_several_one_may_stop_take_the_first_or_take_all(demo: Any) -> None:
    for number, name in enumerate(("Beta", "Alpha", "Gamma")):
        save(demo, f"PX-{number}", match_by="name", name=name, email="shared@x.example")
    with pytest.raises(RejectedError) as caught:
        find(demo, value="shared@x.example")
    assert (
        caught.value.message
        == 'Xero has 3 contacts with the e-mail "shared@x.example": Alpha, Beta, Gamma. One is expected.'
    )
    first = find(demo, value="shared@x.example", if_several="first")
    assert (first["Name"], first["count"], len(first["contacts"])) == ("Alpha", 3, 1)
    every = find(demo, value="shared@x.example", if_several="all")
    assert [each["Name"] for each in every["contacts"]] == ["Alpha", "Beta", "Gamma"]
    assert FIND.describe(every) == "Contact Alpha and 2 more"


def test_archived_contacts_are_found_only_when_asked_for(demo: Any, sandbox: Sandbox) -> None:
    created = save(demo, **NEW)
    body = {"Contacts": [{"ContactID": created["ContactID"], "ContactStatus": "ARCHIVED"}]}
    request = SAVE.request(SAVE.Inputs.clean(NEW), Writing(marker="", back_link=""))
    demo.write(type(request).of_json("POST", "/Contacts", body))
    assert find(demo, value=NEW["email"], if_none="empty")["is_found"] is False
    assert find(demo, value=NEW["email"], include_archived=True)["ContactStatus"] == "ARCHIVED"
    assert any(contact["id"] == created["ContactID"] for contact in sandbox.contacts(DEMO))
