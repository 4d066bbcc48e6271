"""Secret addresses that start workflows: creating, changing and calling them.

A call is checked, stored and answered in one short transaction; it waits for no provider and no step. The status gives
the result:

- 202: stored; a run has been started.
- 200: a call with this identity came before; the run that it started.
- 400, 413, 415, 422: the body cannot be read, is too long, is of an unknown type, or has no identity.
- 401: the signature is missing or wrong, or the signed time is too far from now.
- 404: there is no such address.
- 409: the workflow is not switched on. The call is kept as an example for building, and nothing runs.
- 429: too many calls in this minute.
- 503: it could not be stored. Send it again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import logging
import secrets
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.http import QueryDict
from django.utils import timezone

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.record import record
from integrations.connections.webhook_intake import impatient
from integrations.core.clock import DatabaseNow
from integrations.core.encryption import UndecryptableError
from integrations.core.exact_json import dumps, loads_answer, storable_text
from integrations.framework.base import Door
from integrations.framework.registry import UnknownOperationError, trigger
from workflows.definitions import start_values
from workflows.models import InboundHook, Workflow
from workflows.runtime.clock import database_now
from workflows.triggers import starting

logger = logging.getLogger(__name__)

LONGEST_BODY = 1024 * 1024
#: How far in the past or the future the signed time of a call may be.
SIGNED_SECONDS = 300
#: The example is replaced after this long: a busy shop need not store one for each of its orders.
_SAMPLE_SECONDS = 5
_DEEPEST = 50
_SAMPLE_BYTES = 100_000
#: Encrypted fields: they cannot be read if a key was lost.
_SECRETS = ("token", "secret")


@dataclass(frozen=True)
class Call:
    """A call as received. `form` is the parsed body of a form, None for every other type."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    query: QueryDict
    form: QueryDict | None = None


@dataclass(frozen=True)
class Answer:
    """The answer to the caller; `headers` say how many calls the address still accepts, and when to call again."""

    status: int
    body: dict[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error": message})


# --- the address ------------------------------------------------------------------------------------------------------


def hook_of(workflow: Workflow) -> InboundHook:
    """The workflow's address, created when first asked for. Its secrets are decrypted only when read."""
    found = InboundHook.objects.filter(workflow=workflow).defer(*_SECRETS).first()
    if found is not None:
        return found
    token = _new_token()
    try:
        with transaction.atomic():
            return InboundHook.objects.create(workflow=workflow, token=token, token_hash=hashed(token))
    except IntegrityError:
        return InboundHook.objects.defer(*_SECRETS).get(workflow=workflow)


def rotate(hook: InboundHook) -> None:
    """Give it another address; calls to the old one get 404 from now on."""
    token = _new_token()
    with transaction.atomic():
        InboundHook.objects.filter(pk=hook.pk).update(token=token, token_hash=hashed(token), rotated_at=DatabaseNow())
        _record(Audited.ADDRESS_RENEWED, hook)
    hook.refresh_from_db()


def set_signature(hook: InboundHook, *, signature: str, header: str, secret: str, time_header: str = "") -> None:
    """Require a signature of every call from now on, or none if `signature` is empty. An empty secret keeps the old.

    With `time_header` the time in that header is signed too, and calls older than `SIGNED_SECONDS` are refused, so
    that an intercepted call cannot be sent again later.
    """
    before = _signature_in_words(hook)
    hook.signature, hook.header = signature, header if signature else ""
    hook.time_header = time_header if signature else ""
    hook.secret = (secret or hook.secret) if signature else ""
    with transaction.atomic():
        hook.save(update_fields=["signature", "header", "time_header", "secret"])
        after = _signature_in_words(hook) | ({"Secret": "a new one"} if secret and signature else {})
        if after != before:
            _record(Audited.SIGNATURE_CHANGED, hook, before, after)


def _signature_in_words(hook: InboundHook) -> dict[str, str]:
    headers = {"Header of the signature": hook.header, "Header of the time": hook.time_header}
    return {"Signature": str(hook.get_signature_display()), **{name: words for name, words in headers.items() if words}}


def _record(
    action: Audited, hook: InboundHook, before: dict[str, str] | None = None, after: dict[str, str] | None = None
) -> None:
    workflow = hook.workflow
    record(action, team_id=workflow.team_id, about=workflow, by=origin.person(), before=before, after=after)


def hashed(token: str) -> str:
    """The hash by which a token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


# --- a call -----------------------------------------------------------------------------------------------------------


def find(token: str) -> InboundHook | None:
    """The address with this token; None if there is none."""
    rows = InboundHook.objects.select_related("workflow__published").filter(workflow__deleted_at__isnull=True)
    return rows.filter(token_hash=hashed(token)).defer("sample", *_SECRETS).first()


def receive(hook: InboundHook, call: Call) -> Answer:
    """Handle one call; returns the answer, as listed at the top. Raises only if there is a bug."""
    try:
        _check_signature(hook, call)
        body = _read(call)
        data = {
            "body": body,
            "query": _flat(call.query),
            "received_at": database_now().isoformat(timespec="milliseconds"),
        }
        with impatient():
            return _store(hook, data)
    except _RefusedError as refused:
        return refused.answer
    except UndecryptableError:
        logger.exception("The secret that calls of workflow %s are signed with cannot be opened.", hook.workflow_id)
        return Answer(503, {"error": "The signature cannot be checked now. Send it again later."})
    except DatabaseError as error:
        logger.warning("A call of the address of workflow %s could not be stored: %s", hook.workflow_id, error)
        return Answer(503, {"error": "The call could not be stored. Send it again."})


def _store(hook: InboundHook, data: dict[str, Any]) -> Answer:
    _refuse_when_full(hook)
    with transaction.atomic():
        answer = _started(hook, data)
        # Last, because from here to the end of their transactions all calls of an address wait for each other.
        _count(hook, data, is_example=answer.status >= 400)
    return replace(answer, headers=_allowance(hook, taken=hook.calls + 1 if hook.minute == _minute() else 1))


def _started(hook: InboundHook, data: dict[str, Any]) -> Answer:
    workflow = hook.workflow
    if workflow.published is None or workflow.status != Workflow.Status.ACTIVE:
        return _not_on()
    try:
        start_values.opens(workflow, Door.ADDRESS)
        key = _key(start_values.inputs_of(workflow), data)
        operation = workflow.published.plan["trigger"]["operation"]
        started = starting.start_once(workflow, operation=operation, key=key, data=data)
    except start_values.NotStartedError:
        return _not_on()
    except _RefusedError as refused:
        return refused.answer  # its data is kept as an example, and the call is counted
    body: dict[str, Any] = {"run": started.run.pk if started.run else None}
    return Answer(202, body) if started.is_new else Answer(200, {**body, "duplicate": True})


def _not_on() -> Answer:
    return Answer(
        409,
        {"error": "The workflow is not switched on. The call is kept as an example for building; nothing ran."},
    )


def _minute() -> int:
    return int(time.time() // 60)


def _refuse_when_full(hook: InboundHook) -> None:
    """Raise _RefusedError by the row as it was read, so that a flood of calls is refused without a lock or a write."""
    if hook.minute == _minute() and hook.calls >= settings.INBOUND_CALLS_A_MINUTE:
        raise _full(hook)


def _full(hook: InboundHook) -> _RefusedError:
    most = settings.INBOUND_CALLS_A_MINUTE
    refused = _RefusedError(429, f"This address takes {most:,} calls a minute. Send it again later.")
    headers = _allowance(hook, taken=most)
    refused.answer = replace(refused.answer, headers={**headers, "Retry-After": headers["RateLimit-Reset"]})
    return refused


def _allowance(hook: InboundHook, *, taken: int) -> dict[str, str]:
    """How many calls the address accepts in a minute, about how many are left, and seconds until the count restarts.

    https://datatracker.ietf.org/doc/html/draft-ietf-httpapi-ratelimit-headers-06
    """
    most: int = settings.INBOUND_CALLS_A_MINUTE
    return {
        "RateLimit-Limit": str(most),
        "RateLimit-Remaining": str(max(0, most - taken)),
        "RateLimit-Reset": str(60 - int(time.time() % 60)),
    }


def _count(hook: InboundHook, data: dict[str, Any], *, is_example: bool) -> None:
    """Count the call, up to the limit per minute, and sometimes keep its data as the example. Raises _RefusedError.

    Every call writes this row and the data is large, so it is not written each time.
    """
    minute = _minute()
    is_same = When(minute=minute, then=F("calls") + 1)
    rows = InboundHook.objects.filter(pk=hook.pk).exclude(minute=minute, calls__gte=settings.INBOUND_CALLS_A_MINUTE)
    changes: dict[str, Any] = {"calls": Case(is_same, default=Value(1)), "minute": minute, "called_at": DatabaseNow()}
    if (is_example or _needs_example(hook)) and len(dumps(data)) <= _SAMPLE_BYTES:
        changes |= {"sample": data, "sampled_at": DatabaseNow()}
    if not rows.update(**changes):
        raise _full(hook)


def _needs_example(hook: InboundHook) -> bool:
    return hook.sampled_at is None or (timezone.now() - hook.sampled_at).total_seconds() >= _SAMPLE_SECONDS


def _check_signature(hook: InboundHook, call: Call) -> None:
    if not hook.signature:
        return
    given = call.headers.get(hook.header, "").strip()
    given = given.removeprefix("sha256=")
    signed_at = call.headers.get(hook.time_header, "").strip() if hook.time_header else ""
    signed = f"{signed_at}.".encode() + call.body if hook.time_header else call.body
    digest = hmac.new((hook.secret or "").encode(), signed, hashlib.sha256).digest()
    try:
        sent = bytes.fromhex(given) if hook.signature == InboundHook.Signature.HEX else base64.b64decode(given)
    except (ValueError, binascii.Error):
        sent = b""
    if not hook.secret or not hmac.compare_digest(sent, digest):
        more = (
            f" What is signed is the time in {hook.time_header}, a full stop and the body." if hook.time_header else ""
        )
        raise _RefusedError(401, f"The signature in the header {hook.header} is missing or wrong.{more}")
    if hook.time_header and not _is_recent(signed_at):
        raise _RefusedError(
            401,
            f"The time in the header {hook.time_header} is not within {SIGNED_SECONDS // 60} minutes of now; it is "
            "written in seconds since 1970. A call that is sent again is signed again.",
        )


def _is_recent(signed_at: str) -> bool:
    is_number = signed_at.isascii() and signed_at.isdigit() and len(signed_at) < 12
    return is_number and abs(time.time() - int(signed_at)) <= SIGNED_SECONDS


def _read(call: Call) -> Any:
    """The body as data. Raises _RefusedError."""
    if len(call.body) > LONGEST_BODY:
        raise _RefusedError(413, "The body is longer than 1 MB.")
    kind = call.content_type.partition(";")[0].strip().lower()
    if call.form is not None:
        return _flat(call.form)
    if not call.body.strip():
        return {}
    if kind and kind != "application/json" and not kind.endswith("+json") and kind != "text/plain":
        raise _RefusedError(415, f"Send JSON or a form; {storable_text(kind)[:60]} is neither.")
    try:
        value = loads_answer(call.body)
    except (ValueError, RecursionError) as error:
        raise _RefusedError(400, f"The body is not valid JSON: {str(error)[:200]}") from error
    if _depth(value) > _DEEPEST:
        raise _RefusedError(400, f"The body is nested more than {_DEEPEST} deep.")
    return value


def _depth(value: Any, depth: int = 1) -> int:
    if depth > _DEEPEST:
        return depth
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(each, depth + 1) for each in inner), default=depth)


def _flat(form: QueryDict) -> dict[str, Any]:
    """The value of each name; a list if it was given several times."""
    return {
        storable_text(name): (texts[0] if len(texts) == 1 else texts)
        for name, texts in ((name, [storable_text(str(each)) for each in values]) for name, values in form.lists())
    }


def _key(inputs: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The call's identity: the value at the path that the trigger names, else a new one. Raises _RefusedError."""
    path = str(inputs.get("dedupe") or "")
    if not path:
        return f"call:{uuid.uuid4()}"
    value: Any = data["body"]
    for name in path.split("."):
        value = _inside(value, name)
    if value in (None, "") or isinstance(value, dict | list):
        raise _RefusedError(422, f"The body has no value at {path}, which tells one call from another.")
    return f"call:{path}={value}"


def _inside(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list) and name.isdecimal() and int(name) < len(value):
        return value[int(name)]
    return None


def sample_of(workflow: Workflow) -> dict[str, Any] | None:
    """The data of the last example call, for choosing values; None if there was none."""
    try:
        found = trigger(workflow.trigger_operation)
    except UnknownOperationError:
        return None
    if Door.ADDRESS not in getattr(found, "doors", ()):
        return None
    sample: dict[str, Any] | None = (
        InboundHook.objects.filter(workflow=workflow).values_list("sample", flat=True).first()
    )
    return sample
