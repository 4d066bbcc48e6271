"""Every exchange of every test with the sandbox is checked against the providers' descriptions, both ways.

The sandbox writes down what was said; after each test what is new is read. Of exchanges that are alike in method,
address, status and the shape of what was sent and answered, the first is checked, once per session: the descriptions
say nothing that would tell the others from it, and all of them would cost minutes.

A test that breaks a description on purpose says so with `@pytest.mark.hostile("why")`: what it sends is not checked,
what is answered is. With `only_refused=True` that holds for requests that the sandbox refuses, with `answers=True` for
the answers too, where they repeat what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import simplejson

from tests.integrations.sandbox import contract

#: Answers that are no API's: the fault dial's.
_NO_ANSWER = {"html_503", "html_200", "empty_200", "reset_before", "reset_after", "commit_then_silence"}
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{6,}", re.IGNORECASE)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,29}")
_DAY_OR_TIME = re.compile(r"[\d:./()+TZ -]+|/Date\(.*\)/")


@dataclass
class Recording:
    """What one sandbox has written down so far, and how much of it was read."""

    path: Path
    read: int = 0

    def fresh(self) -> Iterator[dict[str, Any]]:
        """The exchanges since the last time."""
        if not self.path.exists() or self.path.stat().st_size <= self.read:
            return
        with self.path.open("rb") as record:
            record.seek(self.read)
            whole = record.read().rpartition(b"\n")[0] + b"\n"
        self.read += len(whole)
        for line in whole.splitlines():
            yield simplejson.loads(line)


@dataclass
class Checked:
    """What this session has seen and checked."""

    recordings: dict[Path, Recording] = field(default_factory=dict)
    shapes: set[Any] = field(default_factory=set)
    seen: int = 0


_session = Checked()


def recording(database: Path) -> Path:
    """Where the sandbox with this database is to write its exchanges down."""
    path = database.with_suffix(".exchanges")
    _session.recordings.setdefault(path, Recording(path))
    return path


@dataclass(frozen=True)
class Leave:
    """What a test is allowed to break."""

    requests: bool = False
    refused_requests: bool = False
    answers: bool = False

    @classmethod
    def of(cls, item: pytest.Item) -> Leave:
        """As its marks say, taken together."""
        marks = list(item.iter_markers("hostile"))
        return cls(
            requests=any(not mark.kwargs.get("only_refused") for mark in marks),
            refused_requests=bool(marks),
            answers=any(mark.kwargs.get("answers") for mark in marks),
        )


def check_new(leave: Leave) -> list[str]:
    """What breaks a description in the exchanges since the last time, beyond what the test has leave to break."""
    wrong = []
    if not contract.FOLDER.is_dir():
        return wrong
    for each in _session.recordings.values():
        for exchange in each.fresh():
            _session.seen += 1
            is_let = leave.requests or (leave.refused_requests and 400 <= exchange["status"] < 500)
            shape = (is_let, leave.answers, shape_of(exchange))
            if shape not in _session.shapes:
                _session.shapes.add(shape)
                wrong += [] if is_let else request_problems(exchange)
                wrong += [] if leave.answers else answer_problems(exchange)
    return wrong


def totals() -> tuple[int, int]:
    """How many exchanges this session has seen, and how many different ones it checked."""
    return _session.seen, len(_session.shapes)


def request_problems(exchange: dict[str, Any]) -> list[str]:
    """The sentence that says what of a request breaks the description of its API, if anything does."""
    body = exchange["body"].encode("latin-1")
    try:
        contract.validate_request(exchange["method"], exchange["url"], exchange["headers"], body)
    except AssertionError as error:
        return [str(error)]
    return []


def answer_problems(exchange: dict[str, Any]) -> list[str]:
    """The same of an answer; what the fault dial answers is no API's."""
    if exchange["fault"] in _NO_ANSWER:
        return []
    method, url, answer = exchange["method"], exchange["url"], exchange["answer"].encode("latin-1")
    try:
        contract.validate_response(method, url, exchange["status"], exchange["answer_headers"], answer)
    except AssertionError as error:
        return [str(error)]
    return []


def shape_of(exchange: dict[str, Any]) -> Any:
    """Equal for exchanges that a description cannot tell apart."""
    parts = urlsplit(exchange["url"])
    return (
        exchange["method"],
        _ID.sub("{}", parts.path),
        tuple(sorted((name, _leaf(value)) for name, value in parse_qsl(parts.query, keep_blank_values=True))),
        tuple(sorted(name for name in exchange["headers"] if name.lower() not in {"cookie", "content-length"})),
        _body(exchange["body"]),
        exchange["status"],
        exchange["fault"],
        _body(exchange["answer"]),
    )


def _body(text: str) -> Any:
    try:
        return _shape(simplejson.loads(text))
    except (ValueError, RecursionError):
        return "text" if text else ""


def _shape(value: Any) -> Any:
    if isinstance(value, dict):
        return tuple(sorted((name, _shape(inner)) for name, inner in value.items()))
    if isinstance(value, list):
        return frozenset(_shape(inner) for inner in value)
    return _leaf(value)


def _leaf(value: Any) -> Any:
    """Codes stay, for a description may list them; of other texts and of numbers only the kind counts."""
    if not isinstance(value, str):
        return type(value).__name__
    if _CODE.fullmatch(value):
        return value
    if _ID.fullmatch(value):
        return "id"
    return "moment" if _DAY_OR_TIME.fullmatch(value) else "text" if value else ""


@pytest.fixture(autouse=True)
def _as_described(request: pytest.FixtureRequest) -> Iterator[None]:
    """What the test said to the sandbox, and was answered, is as the providers describe it."""
    yield
    if _session.recordings:
        wrong = check_new(Leave.of(request.node))
        assert not wrong, "\n".join(wrong)
