"""Answers and refusals as plain values, so that they can be stored under an Idempotency-Key and sent again."""

import decimal
from dataclasses import dataclass, field
from typing import Any

import simplejson
from django.http import HttpResponse

JSON = "application/json; charset=utf-8"


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: dict[str, str] = field(default_factory=dict)

    def to_http(self) -> HttpResponse:
        response = HttpResponse(self.body, status=self.status, content_type=self.content_type, headers=self.headers)
        if self.status == 204:
            del response["Content-Type"]
        return response


class Refused(Exception):
    """The request is answered with an error and changes nothing. `reason` goes to the ledger."""

    def __init__(self, answer: Answer, reason: str) -> None:
        super().__init__(reason)
        self.answer = answer
        self.reason = reason


class Unreadable(ValueError):
    """The text is not JSON, or not JSON that is accepted here."""


def dumps(value: Any) -> str:
    return simplejson.dumps(value, use_decimal=True, ensure_ascii=False)


def loads(text: str | bytes) -> Any:
    """Parse JSON with every fraction as Decimal; NaN, Infinity and overlong numbers are refused."""
    try:
        return simplejson.loads(text, use_decimal=True, allow_nan=False)
    except (ValueError, RecursionError, decimal.DecimalException) as error:
        raise Unreadable(str(error)) from error


def json_answer(value: Any, status: int = 200, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, dumps(value).encode(), headers=headers or {})


def text_answer(text: str, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, text.encode(), "text/plain; charset=utf-8", headers or {})


def html_answer(status: int) -> Answer:
    page = "<!DOCTYPE html><html><head><title>Service</title></head><body><h1>We'll be right back</h1></body></html>"
    return Answer(status, page.encode(), "text/html; charset=utf-8")
