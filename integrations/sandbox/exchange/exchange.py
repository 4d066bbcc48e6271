"""One API request from arrival to ledger row: faults, access, limits, idempotency, effect, record.

The effect, the answer stored under the key and the ledger row are one transaction: the witness cannot disagree with
what happened. The checks are in the providers' order: authentication, limits, then the request itself.
"""

import contextlib
import hashlib
import itertools
import logging
import math
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse

from integrations.sandbox.exchange import clock, fault_dial, recorder, server
from integrations.sandbox.exchange.answers import Answer, Refused, html_answer, json_answer, text_answer
from integrations.sandbox.models import LedgerRow, Setting, StoredAnswer, Token

logger = logging.getLogger(__name__)
MAX_KEY = 128


@dataclass
class Call:
    """A request while the sandbox handles it."""

    request: HttpRequest
    provider: str
    arrival: int
    body: bytes
    key: str
    client_id: str = ""
    token: Token | None = None
    tenant: str = ""
    fault: str = ""
    outcome: str = "read"
    is_committed: bool = False
    object_ids: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    is_by_hand: bool = False  # a person did it in the provider's own pages

    @property
    def how(self) -> str:
        return "by hand" if self.is_by_hand else "through the API"

    @property
    def is_write(self) -> bool:
        return self.request.method in fault_dial.WRITES

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()

    @property
    def fingerprint(self) -> str:
        parts = (self.request.method or "", self.request.get_full_path(), self.tenant, self.body_sha256)
        return hashlib.sha256("\n".join(parts).encode()).hexdigest()

    def wrote(self, outcome: str, *object_ids: str) -> None:
        self.outcome = outcome if self.outcome == "read" else f"{self.outcome}; {outcome}"
        self.object_ids += object_ids


View = Callable[..., Answer]
Guard = Callable[[Call], contextlib.AbstractContextManager[None]]

_write_lock = threading.RLock()
_key_locks: dict[str, tuple[threading.Lock, int]] = {}
_key_locks_lock = threading.Lock()
_arrivals = itertools.count(1)
_chapter = 0


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Let one writer at a time work, in a transaction. Waiting here is fair; waiting in SQLite is not."""
    with _write_lock, transaction.atomic():
        yield


def begin_chapter() -> None:
    """Start a new chapter of the ledger, which is never shortened; requests are counted from 1 again."""
    global _arrivals, _chapter
    _chapter = chapter() + 1
    Setting.objects.update_or_create(name="chapter", defaults={"value": str(_chapter)})
    _arrivals = itertools.count(1)
    fault_dial.restart_token_calls()


def chapter() -> int:
    global _chapter
    if not _chapter:
        row = Setting.objects.filter(name="chapter").first()
        _chapter = int(row.value) if row else 1
    return _chapter


def handle(request: HttpRequest, provider: str, guard: Guard, view: View, **kwargs: Any) -> HttpResponse:
    """Answer one API request and write its ledger row."""
    call = Call(
        request=request,
        provider=provider,
        arrival=next(_arrivals),
        body=request.META.get("sandbox.body", b""),
        key=request.headers.get("Idempotency-Key", "") if provider == "xero" else "",
    )
    method, path = request.method or "", request.path
    call.fault = fault_dial.draw(call.arrival, provider, method, path)
    try:
        answer = _early_fault(call) or _guarded(call, guard, view, kwargs)
    except Refused as refusal:
        answer = refusal.answer
        _record(call, answer, refusal.reason)
    except Exception:
        logger.exception("The sandbox failed at %s %s.", method, path)
        answer = json_answer({"message": "The sandbox itself failed. Its log on the terminal says where."}, 500)
        _record(call, answer, "sandbox failure")
    _disturb_the_wire(call)
    if call.fault == "empty_200" and answer.status < 300:
        answer = Answer(200)
    if call.fault in fault_dial.GATEWAY:
        answer = _too_many(call) if call.fault == "gateway_429" else _unauthorised(call)
    response = answer.to_http()
    for name, value in call.headers.items():
        response.headers.setdefault(name, value)
    recorder.note(request, response, call.fault)
    return response


def _early_fault(call: Call) -> Answer | None:
    """The faults that do not depend on the caller and never commit anything."""
    answer = {
        "reset_before": lambda: text_answer("", 500),
        "429": lambda: _too_many(call),
        "html_503": lambda: html_answer(503),
        "html_200": lambda: html_answer(200),
        "400": lambda: _refused(call),
    }.get(call.fault)
    if answer is None:
        return None
    made = answer()
    _record(call, made, f"fault: {call.fault}")
    return made


def _too_many(call: Call) -> Answer:
    wait = str(max(1, math.ceil(clock.scaled(10))))
    if call.provider == "pinterest":
        message = "You have exceeded your rate limit. Try again later."
        return json_answer({"code": 8, "message": message}, 429, {"x-ratelimit-reset": wait})
    headers = {"X-Rate-Limit-Problem": "minute", "Retry-After": wait, "X-MinLimit-Remaining": "0"}
    return text_answer("Rate limit exceeded.", 429, headers)


def _unauthorised(call: Call) -> Answer:
    if call.provider == "pinterest":
        return json_answer({"code": 2, "message": "Authentication failed."}, 401)
    detail = "TokenExpired: token expired at 08/12/2022 07:00:40"
    return json_answer({"Type": None, "Title": "Unauthorized", "Status": 401, "Detail": detail}, 401)


def _refused(call: Call) -> Answer:
    """A refusal that the caller did not cause, in the wording and shape of the API that was called."""
    message = "This cannot be answered while the books are being moved."
    if call.provider == "pinterest":
        return json_answer({"code": 1, "message": message}, 400)
    if call.request.path.startswith("/projects.xro/"):
        return json_answer({"message": "The request is invalid.", "modelState": {"": [message]}}, 400)
    return json_answer({"ErrorNumber": 16, "Type": "QueryParseException", "Message": message}, 400)


def _guarded(call: Call, guard: Guard, view: View, kwargs: dict[str, Any]) -> Answer:
    with guard(call):
        if not (call.key and call.is_write):
            return _execute(call, view, kwargs)
        if len(call.key) > MAX_KEY:
            raise Refused(_key_problem("The Idempotency-Key is longer than 128 characters."), "refused: key too long")
        with _only_one(f"{call.client_id} {call.key}"):
            return _stored(call) or _execute(call, view, kwargs)


def _execute(call: Call, view: View, kwargs: dict[str, Any]) -> Answer:
    if call.fault == "500":
        answer = _server_error(call)
        with writing():
            _store(call, answer)
            _record(call, answer, "fault: 500")
        return answer
    if call.fault == "slow_commit":
        time.sleep(clock.scaled(fault_dial.current().slow_commit_seconds * (1 + fault_dial.roll(call.arrival, 1))))
    if not call.is_write:
        answer = view(call, **kwargs)
        _record(call, answer, call.outcome)
        return answer
    try:
        with writing():
            answer = view(call, **kwargs)
            if call.outcome == "read":
                call.outcome = "nothing written"
            call.is_committed = bool(call.object_ids)
            _store(call, answer)
            _record(call, answer, call.outcome)
    except Refused as refusal:
        call.is_committed, call.object_ids = False, []
        with writing():
            _store(call, refusal.answer)
            _record(call, refusal.answer, refusal.reason)
        return refusal.answer
    return answer


def _server_error(call: Call) -> Answer:
    if call.provider == "pinterest":
        return json_answer({"code": 12, "message": "Something went wrong on our end. Sorry about that."}, 500)
    message = "An error occurred in Xero. Check the API Status page for current service status."
    return json_answer({"ErrorNumber": 500, "Type": "UnknownErrorException", "Message": message}, 500)


def _stored(call: Call) -> Answer | None:
    """The earlier answer to this key, success or error; a different request under the same key is refused."""
    row = StoredAnswer.objects.filter(client_id=call.client_id, key=call.key).first()
    if row is None or row.stored_at + clock.scaled_ms(fault_dial.current().key_window_seconds) < clock.now():
        return None
    if row.fingerprint != call.fingerprint:
        problem = "The Idempotency-Key was used with a different request."
        raise Refused(_key_problem(problem), "refused: key of a different request")
    answer = Answer(row.status, bytes(row.body), row.content_type)
    _record(call, answer, "replayed the stored answer")
    return answer


def _store(call: Call, answer: Answer) -> None:
    if not (call.key and call.is_write):
        return
    row = StoredAnswer(
        client_id=call.client_id,
        key=call.key,
        fingerprint=call.fingerprint,
        stored_at=clock.now(),
        status=answer.status,
        content_type=answer.content_type,
        body=answer.body,
    )
    StoredAnswer.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["client_id", "key"],
        update_fields=["fingerprint", "stored_at", "status", "content_type", "body"],
    )


def _key_problem(message: str) -> Answer:
    return json_answer({"ErrorNumber": 17, "Type": "IdempotencyKeyException", "Message": message}, 400)


@contextlib.contextmanager
def _only_one(name: str) -> Iterator[None]:
    """A second request with the same key waits for the first and then finds its answer."""
    with _key_locks_lock:
        lock, users = _key_locks.get(name, (threading.Lock(), 0))
        _key_locks[name] = (lock, users + 1)
    try:
        with lock:
            yield
    finally:
        with _key_locks_lock:
            lock, users = _key_locks[name]
            if users == 1:
                del _key_locks[name]
            else:
                _key_locks[name] = (lock, users - 1)


def _disturb_the_wire(call: Call) -> None:
    environ = call.request.META
    if call.fault == "commit_then_silence":
        environ.update({"sandbox.wire": server.SILENCE, "sandbox.silence_seconds": clock.scaled(60)})
    elif call.fault in {"reset_before", "reset_after"}:
        environ["sandbox.wire"] = server.RESET


def record_other(request: HttpRequest, provider: str, answer: Answer, outcome: str, *, is_committed: bool) -> None:
    """Write a ledger row for a request outside the APIs: tokens and what belongs to them."""
    call = Call(request, provider, next(_arrivals), request.META.get("sandbox.body", b""), key="")
    call.is_committed = is_committed
    _record(call, answer, outcome)


def _record(call: Call, answer: Answer, outcome: str) -> None:
    request = call.request
    row = LedgerRow(
        chapter=chapter(),
        arrival=call.arrival,
        at=clock.now(),
        provider=call.provider,
        method=request.method or "",
        path=request.path,
        query=request.META.get("QUERY_STRING", ""),
        tenant=call.tenant,
        idempotency_key=call.key,
        body_sha256=call.body_sha256,
        status=answer.status,
        outcome=outcome[:500],
        fault=call.fault,
        is_committed=call.is_committed,
        object_ids=" ".join(call.object_ids),
    )
    with _write_lock:
        row.save(force_insert=True)
