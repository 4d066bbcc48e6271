"""The API: who may, what it answers, and that a start happens once however often it is asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client, override_settings

from integrations.models import Membership, Role
from tests.base import Cast, sign_in_recently
from tests.source import ROOT
from tests.workflows.conftest import Make, settle
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, FIELDS, started_by
from workflows.api import tokens
from workflows.models import ApiCall, ApiToken, Event, Mapping, Run, Step, Workflow
from workflows.publishing import activation, publish
from workflows.runtime.clock import database_now
from workflows.triggers import idempotency


@pytest.fixture
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make, _with_starts: None) -> Workflow:
    return started_by(cast, make_workflow, "start.api")


def token_of(cast: Cast, user: Any = None, scope: str = "start", days: int | None = None) -> str:
    return tokens.make(cast.team, user or cast.builder, name="Shop", scope=scope, days=days)[1]


class Caller:
    """A program with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {token}"} if token else {})

    def get(self, address: str) -> Any:
        return self.client.get(f"/api/{address}")

    def start(self, workflow: Workflow, body: Any, key: str = "") -> Any:
        content = body if isinstance(body, str) else json.dumps(body)
        headers = {"Idempotency-Key": key} if key else {}
        address = f"/api/workflows/{workflow.pk}/start/"
        return self.client.post(address, content, content_type="application/json", headers=headers)


@pytest.fixture
def caller(cast: Cast, workflow: Workflow) -> Caller:
    return Caller(token_of(cast))


# --- starting ---------------------------------------------------------------------------------------------------------


def test_a_start_is_answered_with_its_run_which_then_writes(
    cast: Cast, caller: Caller, workflow: Workflow, provider: scripted.Provider
) -> None:
    answer = caller.start(workflow, '{"title": "Oak table", "amount": 0.10}')
    run = Run.objects.get()
    assert (answer.status_code, answer.json()["run"], answer.json()["details"]["status"]) == (202, run.pk, "queued")
    assert run.event.by == cast.builder
    assert str(run.event.data["amount"]) == "0.10"
    settle()
    told = caller.get(f"runs/{run.pk}/").json()
    assert (told["status"], told["title"], told["data"]["title"]) == ("succeeded", "Oak table", "Oak table")
    assert [(step["kind"], step["state"]) for step in told["steps"]] == [("action", "succeeded")]
    assert "0.10" in caller.get(f"runs/{run.pk}/").content.decode()


def test_the_same_key_is_done_once_and_answered_alike(caller: Caller, workflow: Workflow) -> None:
    first = caller.start(workflow, {"title": "Oak"}, "order-1")
    again = caller.start(workflow, {"title": "Oak"}, "order-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json()["run"] == again.json()["run"]
    assert "Idempotent-Replayed" not in first
    assert again["Idempotent-Replayed"] == "true"
    assert caller.start(workflow, {"title": "Oak"}, "order-2").json()["run"] != first.json()["run"]
    assert caller.start(workflow, {"title": "Oak"}).json()["run"] not in (None, first.json()["run"])
    assert Run.objects.count() == 3


def test_a_key_with_another_body_is_a_conflict(caller: Caller, workflow: Workflow) -> None:
    caller.start(workflow, {"title": "Oak"}, "order-1")
    answer = caller.start(workflow, {"title": "Ash"}, "order-1")
    assert (answer.status_code, "another body" in answer.json()["detail"]) == (409, True)
    assert Run.objects.count() == 1


def test_while_the_first_is_under_way_others_are_put_off_and_a_lost_one_is_taken_over(
    caller: Caller, workflow: Workflow
) -> None:
    import hashlib

    body = '{"title": "Oak"}'
    row = ApiCall.objects.create(
        workflow=workflow, key="order-1", body_sha256=hashlib.sha256(body.encode()).hexdigest(), asked_at=database_now()
    )
    answer = caller.start(workflow, body, "order-1")
    assert (answer.status_code, answer["Retry-After"]) == (409, "1")
    assert not Run.objects.exists()
    ApiCall.objects.update(asked_at=database_now() - timedelta(seconds=61))
    assert caller.start(workflow, body, "order-1").status_code == 202
    # Had the lost process started it already, this would be that run.
    assert Event.objects.get().key == f"api:{row.pk}"


def test_a_key_counts_for_a_day_and_within_its_workflow(
    cast: Cast, caller: Caller, make_workflow: Make, workflow: Workflow
) -> None:
    first = caller.start(workflow, {"title": "Oak"}, "order-1").json()["run"]
    other = started_by(cast, make_workflow, "start.manual", name="Other")
    assert caller.start(other, {"title": "Oak"}, "order-1").json()["run"] != first
    ApiCall.objects.update(asked_at=database_now() - idempotency.KEPT - timedelta(minutes=1))
    assert caller.start(workflow, {"title": "Oak"}, "order-1").json()["run"] != first
    assert Run.objects.count() == 3
    assert idempotency.forget_old() == 1


def test_what_does_not_fit_starts_nothing_and_leaves_the_key_free(
    cast: Cast, caller: Caller, workflow: Workflow
) -> None:
    answer = caller.start(workflow, {"amount": "ten", "colour": "red"}, "order-1")
    assert answer.status_code == 400
    assert answer.json()["problems"] == {
        "title": "Title is needed, but nothing was given.",
        "amount": 'Amount takes a number such as 1250.50; this is "ten".',
        "colour": "The workflow asks for no such value.",
    }
    activation.pause(workflow, by=cast.builder)
    answer = caller.start(workflow, {"title": "Oak"}, "order-1")
    assert (answer.status_code, answer.json()["detail"]) == (409, "Copy things is not switched on. Switch it on first.")
    assert not ApiCall.objects.exists()
    activation.activate(workflow, by=cast.builder)
    assert caller.start(workflow, {"title": "Oak"}, "order-1").status_code == 202
    assert Run.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("[]", 400),
        ('"text"', 400),
        ('{"title": NaN}', 400),
        ("[" * 100_000, 400),
        ('{"title": "' + "x" * 1024 * 1024 + '"}', 413),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused(body: str, status: int, caller: Caller, workflow: Workflow) -> None:
    for key in ("", "order-1"):
        answer = caller.start(workflow, body, key)
        assert (answer.status_code, bool(answer.json()["detail"])) == (status, True)
    assert not Event.objects.exists()


@pytest.mark.parametrize("key", ["x" * 256, "a b", "é"])
def test_a_key_that_is_none_is_refused(key: str, caller: Caller, workflow: Workflow) -> None:
    assert caller.start(workflow, {"title": "Oak"}, key).status_code == 400


def test_a_workflow_that_is_started_otherwise_is_not_started_by_the_api(
    cast: Cast, caller: Caller, make_workflow: Make
) -> None:
    for operation, inputs in [("start.schedule", {"how": "daily"}), ("start.call", None), ("start.csv", None)]:
        value = "{{ trigger.date }}" if operation == "start.schedule" else ""
        other = started_by(cast, make_workflow, operation, inputs, value=value, name=operation)
        answer = caller.start(other, {"title": "Oak"})
        assert (answer.status_code, "is not started by the API" in answer.json()["detail"]) == (409, True)
    assert not Run.objects.exists()


# --- who may ----------------------------------------------------------------------------------------------------------


def test_without_a_token_that_counts_nothing_is_told(cast: Cast, workflow: Workflow) -> None:
    token, text = tokens.make(cast.team, cast.builder, name="Old", scope="start", days=1)
    tokens.revoke(token, by=cast.builder)
    ended, ended_text = tokens.make(cast.team, cast.builder, name="Ended", scope="start", days=1)
    ApiToken.objects.filter(pk=ended.pk).update(expires_at=database_now() - timedelta(seconds=1))
    for wrong in ("", "nonsense", "pxt_nonsense", text, ended_text, "x" * 5000):
        for answer in (Caller(wrong).get("workflows/"), Caller(wrong).start(workflow, {"title": "Oak"})):
            assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert not Run.objects.exists()


def test_a_session_is_no_token(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    assert client.get("/api/runs/").status_code == 401
    assert client.post(f"/api/workflows/{workflow.pk}/start/", "{}", content_type="application/json").status_code == 401


def test_a_token_dies_with_the_account_the_membership_and_the_role(cast: Cast, workflow: Workflow) -> None:
    caller = Caller(token_of(cast))
    assert caller.get("runs/").status_code == 200
    Membership.objects.filter(user=cast.builder).update(role=Role.AUDITOR)
    assert caller.get("runs/").status_code == 200
    assert caller.start(workflow, {"title": "Oak"}).status_code == 403
    Membership.objects.filter(user=cast.builder).delete()
    assert caller.get("runs/").status_code == 401
    Membership.objects.create(team=cast.team, user=cast.builder, role=Role.BUILDER)
    assert caller.get("runs/").status_code == 401  # a membership that ended is not revived by another
    caller = Caller(token_of(cast))
    assert caller.get("runs/").status_code == 200
    cast.builder.is_active = False
    cast.builder.save()
    assert caller.get("runs/").status_code == 401
    assert not Run.objects.exists()


def test_a_reading_token_reads_and_starts_nothing(cast: Cast, workflow: Workflow) -> None:
    for person in (cast.builder, cast.auditor):
        caller = Caller(token_of(cast, person, scope="read"))
        assert caller.get("workflows/").status_code == 200
        assert caller.start(workflow, {"title": "Oak"}).status_code == 403
    with pytest.raises(tokens.TokenError):
        token_of(cast, cast.auditor, scope="start")
    with pytest.raises(tokens.TokenError):
        token_of(cast, cast.outsider, scope="read")


def test_nothing_of_another_team_is_seen_or_started(cast: Cast, caller: Caller, workflow: Workflow) -> None:
    run = caller.start(workflow, {"title": "Oak"}).json()["run"]
    token = tokens.make(cast.other_team, cast.outsider, name="Other", scope="start", days=None)[1]
    other = Caller(token)
    assert other.get("workflows/").json()["results"] == other.get("runs/").json()["results"] == []
    for address in (f"workflows/{workflow.pk}/", f"runs/{run}/"):
        assert other.get(address).status_code == 404
    assert other.start(workflow, {"title": "Oak"}).status_code == 404
    assert Run.objects.count() == 1


def test_calls_are_counted_per_token(cast: Cast, workflow: Workflow, monkeypatch: pytest.MonkeyPatch) -> None:
    from workflows.api.protocol import PerToken

    monkeypatch.setattr(PerToken, "rate", "2/min")
    caller = Caller(token_of(cast))
    assert [caller.get("runs/").status_code for _ in range(3)] == [200, 200, 429]
    assert Caller(token_of(cast)).get("runs/").status_code == 200


def test_only_the_hash_of_a_token_is_kept_and_its_last_use_is_noted(cast: Cast, caller: Caller) -> None:
    token, text = tokens.make(cast.team, cast.builder, name="Shop", scope="read", days=None)
    stored = repr(list(ApiToken.objects.values_list()))
    assert text not in stored
    assert text.removeprefix(token.prefix) not in stored
    assert token.last_used_at is None
    Caller(text).get("runs/")
    token.refresh_from_db()
    assert token.last_used_at is not None


# --- reading ----------------------------------------------------------------------------------------------------------


def test_workflows_tell_what_they_ask_for(caller: Caller, workflow: Workflow) -> None:
    told = caller.get("workflows/").json()["results"]
    assert [each["id"] for each in told] == [workflow.pk]
    one = caller.get(f"workflows/{workflow.pk}/").json()
    assert one == told[0]
    assert (one["trigger"], one["can_be_started"], one["status"], one["version"]) == ("start.api", True, "active", 2)
    assert one["values"][0] == {"name": "title", "label": "Title", "holds": "text", "required": True}
    assert one["values"][3]["choices"] == ["Sale", "Refund"]


def test_runs_come_in_pages_and_are_narrowed(caller: Caller, workflow: Workflow) -> None:
    runs = [caller.start(workflow, {"title": f"Row {number}"}).json()["run"] for number in range(5)]
    page = caller.get("runs/?page_size=2").json()
    seen = [each["id"] for each in page["results"]]
    while page["next"]:
        page = caller.client.get(page["next"]).json()
        seen += [each["id"] for each in page["results"]]
    assert seen == runs[::-1]
    assert len(caller.get("runs/?status=queued").json()["results"]) == 5
    assert caller.get("runs/?status=failed").json()["results"] == []
    assert len(caller.get(f"runs/?workflow={workflow.pk}").json()["results"]) == 5


def test_a_run_tells_neither_requests_nor_headers_nor_tokens(
    caller: Caller, workflow: Workflow, provider: scripted.Provider
) -> None:
    run = caller.start(workflow, {"title": "Oak"}).json()["run"]
    settle()
    told = caller.get(f"runs/{run}/").json()
    assert set(told["steps"][0]) == {
        "step", "iteration", "kind", "name", "operation", "state", "output", "provider_id", "link", "error",
        "started_at", "finished_at",
    }  # fmt: skip
    assert "stored-access-token" not in caller.get(f"runs/{run}/").content.decode()


def test_the_schema_describes_every_address(caller: Caller) -> None:
    schema = caller.client.get("/api/schema/?format=json").json()
    assert sorted(schema["paths"]) == [
        "/api/runs/", "/api/runs/{run_id}/", "/api/workflows/", "/api/workflows/{workflow_id}/",
        "/api/workflows/{workflow_id}/start/",
    ]  # fmt: skip
    start = schema["paths"]["/api/workflows/{workflow_id}/start/"]["post"]
    assert "Idempotency-Key" in [each["name"] for each in start["parameters"]]
    assert start["security"] == [{"token": []}]


# --- the page of tokens -----------------------------------------------------------------------------------------------


def test_a_token_is_shown_once_and_revoked_on_the_page(cast: Cast, workflow: Workflow, client: Client) -> None:
    sign_in_recently(client, cast.builder)
    posted = {"name": "Shop server", "scope": "start", "days": "30"}
    page = client.post("/api-tokens/", posted).content.decode()
    text = page.split('id="px-token" value="')[1].split('"')[0]
    assert Caller(text).get("runs/").status_code == 200
    page = client.get("/api-tokens/").content.decode()
    assert "Shop server" in page
    assert text not in page
    token = ApiToken.objects.get()
    client.get(f"/api-tokens/{token.pk}/revoke/")
    assert Caller(text).get("runs/").status_code == 200
    client.post(f"/api-tokens/{token.pk}/revoke/")
    assert Caller(text).get("runs/").status_code == 401
    token.refresh_from_db()
    assert token.revoked_by == cast.builder


def test_others_see_and_revoke_their_own_tokens_only(cast: Cast, workflow: Workflow, client: Client) -> None:
    token_of(cast)
    mine, _ = tokens.make(cast.team, cast.auditor, name="Auditor's", scope="read", days=None)
    other = ApiToken.objects.exclude(pk=mine.pk).get()
    sign_in_recently(client, cast.auditor)
    page = client.get("/api-tokens/").content.decode()
    assert "Auditor&#x27;s" in page
    assert "Shop<" not in page
    assert client.post(f"/api-tokens/{other.pk}/revoke/").status_code == 404
    assert client.post(f"/api-tokens/{mine.pk}/revoke/").status_code == 302
    page = client.post("/api-tokens/", {"name": "x", "scope": "start", "days": "0"}).content.decode()
    assert "does not allow such a token" in page
    client.force_login(cast.outsider)
    assert client.post(f"/api-tokens/{other.pk}/revoke/").status_code == 404


# --- many at once -----------------------------------------------------------------------------------------------------


def _database_url(folder: Path) -> str:
    """The tests' database for a process of its own: SQLite's is in memory, so it gets a copy in a file."""
    if connection.vendor == "sqlite":
        path = folder / "copy.sqlite3"
        with connection.cursor() as cursor:
            cursor.execute("VACUUM INTO %s", [str(path)])
        return f"sqlite:///{path}"
    base, _, _ = os.environ["DATABASE_URL"].partition("?")
    return f"{base.rpartition('/')[0]}/{connection.settings_dict['NAME']}"


@pytest.mark.django_db(transaction=True)
def test_twenty_calls_at_once_with_one_key_start_one_run(cast: Cast, tmp_path: Path) -> None:
    workflow = Workflow.objects.create(
        team=cast.team, name="Mails", trigger_operation="start.api", trigger_inputs={"fields_asked": FIELDS[:1]}
    )
    step = Step.objects.create(
        workflow=workflow, key="mail", name="Mail", kind="action", position=1, operation="mail.send_email"
    )
    for name in ("to", "subject", "text"):
        value = "jane@example.com" if name == "to" else "{{ trigger.title }}"
        Mapping.objects.create(step=step, input=name, value=value)
    publish.publish(workflow, by=cast.builder)
    activation.activate(workflow, by=cast.builder)
    token = token_of(cast)
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "DATABASE_URL": _database_url(tmp_path),
        "LOG_LEVEL": "ERROR",
    }
    command = ["-m", "tests.workflows.submitters", f"/api/workflows/{workflow.pk}/start/", token, "20"]
    done = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    statuses = [status for status, _ in told["answers"]]
    assert (told["runs"], told["events"], len(statuses)) == (1, 1, 20)
    assert set(statuses) <= {202, 409}
    assert len({run for status, run in told["answers"] if status == 202}) == 1
