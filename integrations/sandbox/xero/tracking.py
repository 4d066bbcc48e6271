"""Tracking categories and their options. At most two categories are active."""

import uuid

from integrations.sandbox.answers import Answer
from integrations.sandbox.exchange import Call
from integrations.sandbox.xero import answers, batch, books
from integrations.sandbox.xero.batch import Invalid, Record
from integrations.sandbox.xero.books import Entry

KIND = "TrackingCategories"
_FIELDS = {"Name": "text", "Status": "text", "TrackingCategoryID": "guid"}


def categories(tenant: str) -> list[Record]:
    return [_render(books.entry(row)) for row in books.rows(tenant, KIND).order_by("id")]


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
