"""Tracking categories and their options. At most two categories are active."""

import uuid
from typing import Any

from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, batch, books
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry

KIND = "TrackingCategories"
_FIELDS = {"Name": "text", "Status": "text", "TrackingCategoryID": "guid"}


def categories(tenant: str) -> list[Record]:
    return [_render(books.entry(row)) for row in books.rows(tenant, KIND).order_by("id")]


def chosen(tenant: str, sent: Any, name: str, messages: list[str], *, is_by_id: bool = False) -> list[Record]:
    """The options that a line or one side of a transfer is tracked under, at most two, with their names and ids.

    Lines give them by `Name` and `Option`; with `is_by_id` they are given by `TrackingCategoryID` and
    `TrackingOptionID`, and one of each category is used.
    """
    if not sent:
        return []
    given = ("TrackingCategoryID", "TrackingOptionID") if is_by_id else ("Name", "Option")
    if not isinstance(sent, list) or len(sent) > 2 or not all(isinstance(one, dict) for one in sent):
        messages.append(f"{name} is a list of at most 2 records with {given[0]} and {given[1]}")
        return []
    known = {_key(one[given[0]], is_by_id): one for one in categories(tenant)}
    kept: list[Record] = []
    for one in sent:
        category, option = _key(one.get(given[0]), is_by_id), _key(one.get(given[1]), is_by_id)
        found = known.get(category, {"Options": []})
        own = "TrackingOptionID" if is_by_id else "Name"
        match = next((each for each in found["Options"] if _key(each[own], is_by_id) == option), None)
        if match is None:
            messages.append(f"The tracking option '{one.get(given[0])}: {one.get(given[1])}' does not exist")
            continue
        kept.append(
            {
                "Name": found["Name"],
                "Option": match["Name"],
                "TrackingCategoryID": found["TrackingCategoryID"],
                "TrackingOptionID": match["TrackingOptionID"],
            }
        )
    if is_by_id and len({one["TrackingCategoryID"] for one in kept}) < len(kept):
        messages.append(f"{name} can hold one option of each tracking category")
    return kept


def _key(value: Any, is_id: bool) -> str:
    return str(value or "").lower() if is_id else str(value or "")


def list_categories(call: Call) -> Answer:
    entries = [books.entry(row) for row in books.rows(call.tenant, KIND).order_by("id")]
    found = books.filtered(call.request.GET, entries, _FIELDS, _render)
    return answers.envelope(KIND, [_render(one) for one in found])


def get_category(call: Call, key: str) -> Answer:
    return answers.envelope(KIND, [_render(books.existing(call, KIND, key))])


def create_category(call: Call) -> Answer:
    return batch.write(call, KIND, "TrackingCategoryID", lambda sent: _render(_create(call, sent)))


def _create(call: Call, sent: Record) -> Entry:
    name = _name(sent)
    kept = categories(call.tenant)
    if any(one["Name"].lower() == name.lower() for one in kept):
        raise Invalid(sent, [f"The tracking category {name} exists already"])
    if len(kept) >= 2:
        raise Invalid(sent, ["At most 2 tracking categories can be active"])
    new = books.add(call, KIND, {"Name": name, "Status": "ACTIVE", "Options": []}, status="ACTIVE")
    call.wrote(f"created tracking category {name}", new.id)
    return new


def create_options(call: Call, key: str) -> Answer:
    found = books.existing(call, KIND, key)
    return batch.write(call, "Options", "TrackingOptionID", lambda sent: _add_option(call, found, sent))


def _add_option(call: Call, found: Entry, sent: Record) -> Record:
    name = _name(sent)
    if any(one["Name"].lower() == name.lower() for one in found.record["Options"]):
        raise Invalid(sent, [f"The tracking option {name} exists already"])
    option = {"TrackingOptionID": str(uuid.uuid4()), "Name": name, "Status": "ACTIVE"}
    found.record["Options"].append(option)
    books.store(found)
    call.wrote(f"created tracking option {name}", option["TrackingOptionID"])
    return option


def _name(sent: Record) -> str:
    name = str(sent.get("Name") or "").strip()
    if not name or len(name) > 100:
        raise Invalid(sent, ["Name must be specified, with at most 100 characters"])
    return name


def _render(one: Entry) -> Record:
    return {"TrackingCategoryID": one.id, **one.record}
