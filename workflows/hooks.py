"""Secret addresses that start workflows: made, changed, and called.

A call is checked, stored and answered in one short transaction; no provider and no step is waited for. What came of it
is said by the status:

- 202: stored; a run has been started.
- 200: its identity has been here before; the run it started then.
- 400, 413, 415, 422: the body cannot be read, is too long, is of no known kind, or has no identity.
- 401: the signature is missing or wrong.
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
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Case, F, Value, When
from django.http import QueryDict

from integrations.base import Door
from integrations.clock import DatabaseNow
from integrations.encryption import UndecryptableError
from integrations.jsonfield import dumps, loads_answer, storable_text
from integrations.registry import UnknownOperationError, trigger
from integrations.webhooks import impatient
from workflows import starting
from workflows.engine.lease import database_now
from workflows.models import InboundHook, Workflow

logger = logging.getLogger(__name__)

LONGEST_BODY = 1024 * 1024
#: Calls that one address takes in a minute.
MOST_A_MINUTE = 300
_DEEPEST = 50
_SAMPLE_BYTES = 100_000
#: What is encrypted, and so may not open where a key was lost.
_SECRETS = ("token", "secret")


@dataclass(frozen=True)
class Call:
    """A call as it came in. `form` is the parsed body of a form, None for every other kind."""

    body: bytes
    content_type: str
    headers: Mapping[str, str]
    query: QueryDict
    form: QueryDict | None = None


@dataclass(frozen=True)
class Answer:
    """What the caller is told."""

    status: int
    body: dict[str, Any]


class _RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.answer = Answer(status, {"error": message})


# --- the address ------------------------------------------------------------------------------------------------------


def hook_of(workflow: Workflow) -> InboundHook:
    """The workflow's address, made at the first asking. Its secrets are opened where they are asked for."""
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
    """Give it another address; the old one is answered with 404 from now on."""
    token = _new_token()
    InboundHook.objects.filter(pk=hook.pk).update(token=token, token_hash=hashed(token), rotated_at=DatabaseNow())
    hook.refresh_from_db()


def set_signature(hook: InboundHook, *, signature: str, header: str, secret: str) -> None:
    """Want a signature of every call from now on, or none where `signature` is empty. An empty secret keeps the old."""
    hook.signature, hook.header = signature, header if signature else ""
    hook.secret = (secret or hook.secret) if signature else ""
    hook.save(update_fields=["signature", "header", "secret"])


def hashed(token: str) -> str:
    """How a token is looked up."""
    return hashlib.sha256(token.encode()).hexdigest()


def _new_token() -> str:
    return secrets.token_urlsafe(32)


# --- a call -----------------------------------------------------------------------------------------------------------


def find(token: str) -> InboundHook | None:
    """The address with this token; None where there is none."""
    rows = InboundHook.objects.select_related("workflow__published").filter(workflow__deleted_at__isnull=True)
    return rows.filter(token_hash=hashed(token)).defer(*_SECRETS).first()


def receive(hook: InboundHook, call: Call) -> Answer:
    """Take one call; what to answer, as the module says. Never raises, but for a bug."""
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
    with transaction.atomic():
        _count(hook, data)
        workflow = hook.workflow
        if workflow.published is None or workflow.status != Workflow.Status.ACTIVE:
            return _not_on()
        try:
            starting.opens(workflow, Door.ADDRESS)
            key = _key(starting.inputs_of(workflow), data)
            operation = workflow.published.plan["trigger"]["operation"]
            started = starting.start_once(workflow, operation=operation, key=key, data=data)
        except starting.NotStartedError:
            return _not_on()
        except _RefusedError as refused:
            return refused.answer  # what it brought is kept as an example, and the call is counted
    told: dict[str, Any] = {"run": started.run.pk if started.run else None}
    return Answer(202, told) if started.is_new else Answer(200, {**told, "duplicate": True})


def _not_on() -> Answer:
    return Answer(
        409,
        {"error": "The workflow is not switched on. The call is kept as an example for building; nothing ran."},
    )


def _count(hook: InboundHook, data: dict[str, Any]) -> None:
    """Note the call and its data as the last ones, up to so many a minute. Raises _RefusedError."""
    minute = int(time.time() // 60)
    is_same = When(minute=minute, then=F("calls") + 1)
    rows = InboundHook.objects.filter(pk=hook.pk).exclude(minute=minute, calls__gte=MOST_A_MINUTE)
    changes: dict[str, Any] = {"calls": Case(is_same, default=Value(1)), "minute": minute, "called_at": DatabaseNow()}
    if len(dumps(data)) <= _SAMPLE_BYTES:
        changes["sample"] = data
    if not rows.update(**changes):
        raise _RefusedError(429, f"This address takes {MOST_A_MINUTE} calls a minute. Send it again later.")


def _check_signature(hook: InboundHook, call: Call) -> None:
    if not hook.signature:
        return
    given = call.headers.get(hook.header, "").strip()
    given = given.removeprefix("sha256=")
    digest = hmac.new((hook.secret or "").encode(), call.body, hashlib.sha256).digest()
    try:
        sent = bytes.fromhex(given) if hook.signature == InboundHook.Signature.HEX else base64.b64decode(given)
    except (ValueError, binascii.Error):
        sent = b""
    if not hook.secret or not hmac.compare_digest(sent, digest):
        raise _RefusedError(401, f"The signature in the header {hook.header} is missing or wrong.")


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
        raise _RefusedError(400, f"The body is no JSON that can be read: {str(error)[:200]}") from error
    if _depth(value) > _DEEPEST:
        raise _RefusedError(400, f"The body is nested more than {_DEEPEST} deep.")
    return value


def _depth(value: Any, depth: int = 1) -> int:
    if depth > _DEEPEST:
        return depth
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max((_depth(each, depth + 1) for each in inner), default=depth)


def _flat(form: QueryDict) -> dict[str, Any]:
    """Each name's value, a list where it was given several times."""
    return {
        storable_text(name): (texts[0] if len(texts) == 1 else texts)
        for name, texts in ((name, [storable_text(str(each)) for each in values]) for name, values in form.lists())
    }


def _key(inputs: Mapping[str, Any], data: Mapping[str, Any]) -> str:
    """The call's identity: the value at the path that the trigger names; else one of its own. Raises _RefusedError."""
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
    """The data of the last call, for choosing values; None where there was none."""
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
