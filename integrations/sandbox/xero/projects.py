"""Projects: a separate API with camelCase, ISO times, 201 and 204, and another shape of errors."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.http import QueryDict

from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange.answers import Answer, Refused, Unreadable, json_answer, loads
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.oauth.tokens import XERO_USER
from integrations.sandbox.xero import answers, books, contacts
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import totals

KIND = "Projects"
STATES = ("INPROGRESS", "CLOSED")
MAX_PAGE, DEFAULT_PAGE = 500, 50
_AMOUNTS = (
    "totalTaskAmount",
    "totalExpenseAmount",
    "taskAmountToBeInvoiced",
    "taskAmountInvoiced",
    "expenseAmountToBeInvoiced",
    "expenseAmountInvoiced",
    "projectAmountInvoiced",
    "deposit",
    "depositApplied",
    "creditNoteAmount",
    "totalInvoiced",
    "totalToBeInvoiced",
)


def list_projects(call: Call) -> Answer:
    query = call.request.GET
    found = books.rows(call.tenant, KIND)
    state = query.get("states", "").strip().upper()
    if state:
        if state not in STATES:
            raise _refusal({"states": f"{state!r} is not a state: use {' or '.join(STATES)}"})
        found = found.filter(status=state)
    for name, column in (("projectIds", "document_id"), ("contactID", "contact_id")):
        ids = _ids(query, name)
        if ids:
            found = found.filter(**{f"{column}__in": ids})
    return _page(query, [_render(books.entry(row)) for row in found.order_by("id")])


def list_users(call: Call) -> Answer:
    name = f"{XERO_USER['given_name']} {XERO_USER['family_name']}"
    user = {"userId": XERO_USER["xero_userid"], "name": name, "email": XERO_USER["email"]}
    return _page(call.request.GET, [user])


def get_project(call: Call, key: str) -> Answer:
    return json_answer(_render(_existing(call, key)))


def create_project(call: Call) -> Answer:
    return json_answer(_render(create(call, _body(call))), 201)


def create(call: Call, sent: dict[str, Any]) -> Entry:
    problems: dict[str, str] = {}
    record = _clean(sent, problems)
    contact_id = str(sent.get("contactId") or "")
    person = books.find(call.tenant, contacts.KIND, contact_id)
    if person is None:
        problems["contactId"] = "The contactId is required and must be that of a contact"
    elif person.record["ContactStatus"] != "ACTIVE":
        problems["contactId"] = "The contact must be active"
    if problems or person is None:
        raise _refusal(problems)
    record |= {"status": "INPROGRESS"}
    new = books.add(call, KIND, record, name=record["name"], status="INPROGRESS", contact_id=person.id)
    call.wrote(f"created project {record['name']}", new.id)
    return new


def update_project(call: Call, key: str) -> Answer:
    """PUT: name, deadline and estimate as sent; the contact cannot change."""
    found = _existing(call, key)
    sent = _body(call)
    problems: dict[str, str] = {}
    record = _clean(sent, problems)
    if sent.get("contactId") and str(sent["contactId"]).lower() != found.row.contact_id:
        problems["contactId"] = "The contact of a project cannot be changed"
    if problems:
        raise _refusal(problems)
    found.record = record | {"status": found.record["status"]}
    books.store(found, name=record["name"])
    call.wrote(f"updated project {record['name']}", found.id)
    return Answer(204)


def close_or_open(call: Call, key: str) -> Answer:
    found = _existing(call, key)
    status = _body(call).get("status")
    if status not in STATES:
        raise _refusal({"status": f"The status must be {' or '.join(STATES)}"})
    found.record["status"] = status
    books.store(found, status=str(status))
    call.wrote(f"set project {found.record['name']} to {status}", found.id)
    return Answer(204)


def _existing(call: Call, key: str) -> Entry:
    found = books.find(call.tenant, KIND, key)
    if found is None:
        raise answers.not_found()
    return found


def _body(call: Call) -> dict[str, Any]:
    try:
        body = loads(call.body)
    except Unreadable as error:
        raise _refusal({"": "The body is not JSON"}) from error
    if not isinstance(body, dict):
        raise _refusal({"": "The body must be one object"})
    return body


def _clean(sent: dict[str, Any], problems: dict[str, str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    name = sent.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > 255:
        problems["name"] = "The name is required, with at most 255 characters"
    else:
        record["name"] = name.strip()
    deadline = sent.get("deadlineUtc")
    if deadline is not None:
        record["deadlineUtc"] = _moment(deadline)
        if not record["deadlineUtc"]:
            problems["deadlineUtc"] = "The deadlineUtc must be a time, for example 2026-12-10T12:59:59Z"
    estimate = sent.get("estimateAmount")
    if estimate is not None:
        if isinstance(estimate, bool) or not isinstance(estimate, int | Decimal) or not 0 <= estimate < 10**12:
            problems["estimateAmount"] = "The estimateAmount must be a number, not below zero"
        else:
            record["estimate"] = totals.rounded(Decimal(estimate))
    return record


def _moment(value: Any) -> str:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return ""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _refusal(problems: dict[str, str]) -> Refused:
    body = {
        "message": "The request is invalid.",
        "modelState": {name: [message] for name, message in problems.items()},
    }
    return Refused(json_answer(body, 400), f"refused: {' | '.join(problems.values())}")


def _ids(query: QueryDict, name: str) -> list[str]:
    values = [part.strip().lower() for value in query.getlist(name) for part in value.split(",") if part.strip()]
    if not all(books.is_guid(value) for value in values):
        raise _refusal({name: f"{name} must be ids"})
    return values


def _page(query: QueryDict, found: list[dict[str, Any]]) -> Answer:
    page, size = _whole(query, "page", 1, 10**6), _whole(query, "pageSize", DEFAULT_PAGE, MAX_PAGE)
    pagination = {"page": page, "pageSize": size, "pageCount": -(-len(found) // size), "itemCount": len(found)}
    return json_answer({"pagination": pagination, "items": found[(page - 1) * size : page * size]})


def _whole(query: QueryDict, name: str, default: int, most: int) -> int:
    text = query.get(name, str(default))
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise _refusal({name: f"{name} must be a whole number from 1 to {most}"})
    return int(text[:9])


def _render(one: Entry) -> dict[str, Any]:
    record = one.record
    currency = ORGANISATIONS[one.tenant].currency
    printed: dict[str, Any] = {
        "projectId": one.id,
        "contactId": one.row.contact_id,
        "name": record["name"],
        "currencyCode": currency,
        "minutesLogged": 0,
        "minutesToBeInvoiced": 0,
        "status": record["status"],
    }
    printed |= {name: {"currency": currency, "value": Decimal("0.00")} for name in _AMOUNTS}
    if record.get("deadlineUtc"):
        printed["deadlineUtc"] = record["deadlineUtc"]
    if "estimate" in record:
        printed["estimate"] = {"currency": currency, "value": record["estimate"]}
    return printed
