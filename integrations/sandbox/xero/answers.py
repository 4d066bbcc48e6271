"""The shapes of Xero's answers: envelope, dates, errors."""

import uuid
from datetime import UTC, date, datetime
from typing import Any

from integrations.sandbox.exchange import clock
from integrations.sandbox.exchange.answers import Answer, Refused, json_answer, text_answer

NOT_FOUND = "The resource you're looking for cannot be found"


def envelope(plural: str, records: list[dict[str, Any]], pagination: dict[str, int] | None = None) -> Answer:
    body: dict[str, Any] = {
        "Id": str(uuid.uuid4()),
        "Status": "OK",
        "ProviderName": "Pinxero (local)",
        "DateTimeUTC": f"/Date({clock.now()})/",
    }
    if pagination is not None:
        body["pagination"] = pagination
    return json_answer({**body, plural: records})


def plain(record: dict[str, Any]) -> Answer:
    """A record without the envelope, where Xero leaves it out."""
    return json_answer(record)


def xero_moment(milliseconds: int) -> str:
    return f"/Date({milliseconds}+0000)/"


def xero_date(day: str) -> str:
    """A plain day, `2026-11-22`, in Xero's format."""
    moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=UTC)
    return xero_moment(int(moment.timestamp() * 1000))


def not_found() -> Refused:
    return Refused(text_answer(NOT_FOUND, 404), "refused: not found")


def method_not_allowed() -> Refused:
    return Refused(text_answer("The method is not available for this resource.", 405), "refused: method")


def problem(status: int, title: str, detail: str) -> Refused:
    """An error of Xero's gateway, before the accounting API is reached."""
    body: dict[str, Any] = {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid.uuid4()),
        "Extensions": {},
    }
    return Refused(json_answer(body, status), f"refused: {detail}")


def bad_request(number: int, kind: str, message: str) -> Refused:
    body = {"ErrorNumber": number, "Type": kind, "Message": message}
    return Refused(json_answer(body, 400), f"refused: {kind}: {message}")


def query_parse_error(message: str) -> Refused:
    return bad_request(16, "QueryParseException", message)


def bad_post_data(message: str) -> Refused:
    return bad_request(14, "PostDataInvalidException", message)


def validation_refusal(elements: list[dict[str, Any]], messages: list[str]) -> Refused:
    body = {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": elements,
    }
    return Refused(json_answer(body, 400), f"refused: {' | '.join(messages)}")
