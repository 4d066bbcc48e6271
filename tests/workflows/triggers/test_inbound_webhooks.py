"""Calls of a workflow's own address: checked, stored, answered; and everything that is none."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import DatabaseError
from django.test import Client, override_settings

from integrations.models import Grant
from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.models import Event, InboundHook, Run, Workflow
from workflows.presenters.editor import available_values
from workflows.publishing import activation
from workflows.triggers import inbound_webhooks, starting


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    return started_by(cast, make_workflow, "start.webhook", {}, value="{{ trigger.body.customer }}")


def send(
    workflow: Workflow, body: Any = None, *, kind: str = "application/json", **headers: str
) -> tuple[int, dict[str, Any]]:
    content = body if isinstance(body, bytes | str) else json.dumps(body)
    address = f"/hooks/in/{inbound_webhooks.hook_of(workflow).token}/?source=shop"
    # As a program does: without cookies and without any CSRF token.
    answer = Client(enforce_csrf_checks=True).post(address, content, content_type=kind, headers=headers)
    assert answer["Cache-Control"] == "no-store"
    return answer.status_code, answer.json()


def test_a_call_is_answered_with_its_run_before_anything_is_done(
    workflow: Workflow, provider: scripted.Provider
) -> None:
    status, told = send(workflow, {"customer": "Jane Doe", "total": 10.10})
    run = Run.objects.get()
    assert (status, told) == (202, {"run": run.pk})
    assert (run.status, run.title, provider.books) == ("queued", "Jane Doe", [])
    assert run.event.data["query"] == {"source": "shop"}
    assert str(run.event.data["body"]["total"]) == "10.1"


def test_every_call_starts_a_run_where_no_identity_is_named(workflow: Workflow) -> None:
    assert [send(workflow, {"customer": "Jane"})[0] for _ in range(2)] == [202, 202]
    assert Run.objects.count() == 2


def test_a_call_of_the_same_identity_starts_nothing_again(cast: Cast, make_workflow: Make) -> None:
    workflow = started_by(
        cast, make_workflow, "start.webhook", {"dedupe": "order.id"}, value="{{ trigger.body.order.id }}"
    )
    first = send(workflow, {"order": {"id": 7}})
    again = send(workflow, {"order": {"id": 7}, "try": 2})
    assert first[0] == 202
    assert again == (200, {**first[1], "duplicate": True})
    assert send(workflow, {"order": {"id": 8}})[0] == 202
    status, told = send(workflow, {"order": {}})
    assert (status, told["error"]) == (422, "The body has no value at order.id, which tells one call from another.")
    assert Run.objects.count() == 2
    assert InboundHook.objects.get().sample["body"] == {"order": {}}


def test_a_form_is_read_too(workflow: Workflow) -> None:
    assert send(workflow, "customer=Jane+Doe&tag=a&tag=b", kind="application/x-www-form-urlencoded")[0] == 202
    assert Event.objects.get().data["body"] == {"customer": "Jane Doe", "tag": ["a", "b"]}
    address = f"/hooks/in/{inbound_webhooks.hook_of(workflow).token}/"
    assert Client().post(address, {"customer": "Rex"}).status_code == 202
    assert Event.objects.last().data["body"] == {"customer": "Rex"}


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"a": NaN}', "application/json", 400),
        (b"\xff\xfe", "application/json", 400),
        (b"[" * 60 + b"]" * 60, "application/json", 400),
        (b"[" * 100_000 + b"]" * 100_000, "application/json", 400),
        (b"1" * 5000, "application/json", 400),
        (b"<a/>", "application/xml", 415),
        (b'"' + b"x" * (1024 * 1024) + b'"', "application/json", 413),
        (b"--x\r\nnonsense", "multipart/form-data", 400),
    ],
)
def test_what_cannot_be_read_is_refused_and_starts_nothing(
    body: bytes, kind: str, status: int, workflow: Workflow
) -> None:
    got, told = send(workflow, body, kind=kind)
    assert got == status
    assert told["error"]
    assert not Run.objects.exists()


@pytest.mark.parametrize("body", [b"", b"[]", b'"text"', b'{"a": "\\u0000 \\ud800"}', b'{"a": {"b": [1, 2]}}'])
def test_every_other_json_is_taken(body: bytes, workflow: Workflow) -> None:
    assert send(workflow, body)[0] == 202
    assert Run.objects.get().title


@pytest.mark.parametrize("kind", ["hex", "base64"])
def test_a_signature_that_is_wanted_has_to_be_right(kind: str, workflow: Workflow) -> None:
    inbound_webhooks.set_signature(
        inbound_webhooks.hook_of(workflow), signature=kind, header="X-Shop-Hmac", secret="swordfish"
    )
    body = b'{"customer": "Jane"}'
    digest = hmac.new(b"swordfish", body, hashlib.sha256).digest()
    right = digest.hex() if kind == "hex" else base64.b64encode(digest).decode()
    for wrong in ("", "nonsense", right[:-4] + "AAAA", "é"):
        assert send(workflow, body, **{"X-Shop-Hmac": wrong})[0] == 401
    assert send(workflow, body + b" ", **{"X-Shop-Hmac": right})[0] == 401
    assert not Run.objects.exists()
    assert InboundHook.objects.get().sample is None
    assert send(workflow, body, **{"X-Shop-Hmac": right})[0] == 202
    assert send(workflow, body, **{"X-Shop-Hmac": f"sha256={right}"})[0] == 202


def test_an_address_that_there_is_not_tells_nothing(workflow: Workflow) -> None:
    hook = inbound_webhooks.hook_of(workflow)
    old = hook.token
    inbound_webhooks.rotate(hook)
    assert hook.token != old
    for token in (old, "nonsense", "x" * 500):
        answer = Client().post(f"/hooks/in/{token}/", "{}", content_type="application/json")
        assert (answer.status_code, answer.json()) == (404, {"error": "There is no such address."})
    assert Client().get(f"/hooks/in/{hook.token}/").status_code == 405
    Workflow.objects.filter(pk=workflow.pk).update(deleted_at="2026-11-30T00:00:00Z")
    assert send(workflow, {})[0] == 404


def test_a_call_while_it_is_switched_off_is_an_example_and_starts_nothing(cast: Cast, workflow: Workflow) -> None:
    activation.pause(workflow, by=cast.builder)
    status, told = send(workflow, {"customer": "Jane", "colour": "red"})
    assert status == 409
    assert "not switched on" in told["error"]
    assert not Run.objects.exists()
    groups, _ = available_values.token_groups(workflow, [])
    tokens = {token.path: token.example for token in groups[0].tokens}
    assert tokens["trigger.body.colour"] == "red"


def test_the_token_is_stored_encrypted_and_by_its_hash(workflow: Workflow) -> None:
    hook = inbound_webhooks.hook_of(workflow)
    inbound_webhooks.set_signature(hook, signature="hex", header="X-S", secret="swordfish")
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT token, secret, token_hash FROM workflows_inboundhook")
        token, secret, digest = cursor.fetchone()
    assert hook.token not in token
    assert "swordfish" not in secret
    assert digest == hashlib.sha256(hook.token.encode()).hexdigest()
    assert len(hook.token) >= 43


def test_a_call_that_cannot_be_stored_is_asked_for_again(workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **options: Any) -> None:
        raise DatabaseError("The disk is full.")

    monkeypatch.setattr(starting, "start_once", fail)
    status, told = send(workflow, {"customer": "Jane"})
    assert (status, told) == (503, {"error": "The call could not be stored. Send it again."})
    assert InboundHook.objects.get().sample is None


def test_neither_log_nor_page_of_colleagues_tells_the_address(
    cast: Cast, workflow: Workflow, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    token = inbound_webhooks.hook_of(workflow).token
    send(workflow, {"customer": "Jane"})
    send(workflow, b"{")
    assert token not in caplog.text
    client.force_login(cast.auditor)
    run = Run.objects.get()
    for address in (f"/workflows/{workflow.pk}/", f"/runs/{run.pk}/", f"/workflows/{workflow.pk}/versions/2/"):
        assert token not in client.get(address).content.decode()
    assert client.get(f"/workflows/{workflow.pk}/trigger/").status_code == 403
    sign_in_recently(client, cast.outsider)
    assert client.get(f"/workflows/{workflow.pk}/trigger/").status_code == 404
    assert client.post(f"/workflows/{workflow.pk}/trigger/new-address/").status_code == 404
    sign_in_recently(client, cast.builder)
    assert token in client.get(f"/workflows/{workflow.pk}/trigger/").content.decode()


def test_a_new_address_is_made_after_a_question_and_only_by_post(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    sign_in_recently(client, cast.builder)
    old = inbound_webhooks.hook_of(workflow).token
    page = client.get(f"/workflows/{workflow.pk}/trigger/new-address/").content.decode()
    assert "stops working at once" in page
    assert inbound_webhooks.hook_of(workflow).token == old
    client.post(f"/workflows/{workflow.pk}/trigger/new-address/")
    assert inbound_webhooks.hook_of(workflow).token != old


def test_a_signature_is_set_up_on_its_page_and_the_secret_is_not_shown_again(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    sign_in_recently(client, cast.builder)
    address = f"/workflows/{workflow.pk}/trigger/signature/"
    page = client.post(address, {"signature": "hex", "header": "", "secret": ""}).content.decode()
    assert "Say which header" in page
    assert "Give the secret" in page
    assert client.post(address, {"signature": "hex", "header": "X-S", "secret": "swordfish"}).status_code == 302
    assert "swordfish" not in client.get(address).content.decode()
    client.post(address, {"signature": "base64", "header": "X-S", "secret": ""})
    hook = inbound_webhooks.hook_of(workflow)
    assert (hook.signature, hook.secret) == ("base64", "swordfish")
    client.post(address, {"signature": "", "header": "X-S", "secret": ""})
    hook = inbound_webhooks.hook_of(workflow)
    assert (hook.signature, hook.secret, hook.header) == ("", "", "")


def test_a_log_line_of_whoever_writes_it_has_the_token_taken_out() -> None:
    import logging

    from pinxero.requests.logs import HideSecretAddresses

    line = logging.LogRecord(
        "gunicorn", 20, "", 0, '"POST %s HTTP/1.1" %d', ("/hooks/in/s3cr3t-Token_1/?a=b", 500), None
    )
    assert HideSecretAddresses().filter(line)
    assert line.getMessage() == '"POST /hooks/in/.../?a=b HTTP/1.1" 500'
    other = logging.LogRecord("x", 20, "", 0, "Run %s of %s", (1, "/hooks/xero/"), None)
    HideSecretAddresses().filter(other)
    assert other.getMessage() == "Run 1 of /hooks/xero/"


def test_a_lost_key_stops_neither_the_calls_nor_the_page(
    cast: Cast, workflow: Workflow, client: Client, settings: Any
) -> None:
    hook = inbound_webhooks.hook_of(workflow)
    address = f"/hooks/in/{hook.token}/"
    Grant.objects.update(access_token="", refresh_token="")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    sign_in_recently(client, cast.builder)
    assert Client().post(address, "{}", content_type="application/json").status_code == 202
    page = client.get(f"/workflows/{workflow.pk}/trigger/").content.decode()
    assert "none of the keys in TOKEN_KEYS opens it" in page
    inbound_webhooks.set_signature(hook, signature="hex", header="X-S", secret="swordfish")
    settings.TOKEN_KEYS = [Fernet.generate_key().decode()]
    assert Client().post(address, "{}", content_type="application/json").status_code == 503
    assert client.get(f"/workflows/{workflow.pk}/trigger/signature/").status_code == 200
    client.post(f"/workflows/{workflow.pk}/trigger/new-address/")
    assert inbound_webhooks.hook_of(workflow).token in client.get(f"/workflows/{workflow.pk}/trigger/").content.decode()
