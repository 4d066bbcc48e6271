"""What an evidence pack tells of approvals: who was asked, who may not decide, who decided, and that it was they."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client

from integrations.models import Membership, Role
from tests.base import Cast, sign_in_recently
from tests.workflows.approvals.conftest import put_in_force, the_request
from tests.workflows.conftest import Make, drain, start, the_run
from tests.workflows.evidence.packs import json_of, pack_of_run
from tests.workflows.scripted.connector import Provider
from workflows.approvals import deciding
from workflows.evidence.paper import Paper

pytestmark = pytest.mark.django_db
BOTH = {"when": {}, "then": {"do": "approval", "stages": [{"role": "approver", "count": 2}], "message": "Ask Nora."}}


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text of the PDF, in its order."""
    texts: list[str] = []

    def line(self: Paper, text: str, **options: Any) -> None:
        texts.append(text)

    def table(self: Paper, heads: Any, rows: Any, *options: Any) -> None:
        texts.extend(cell for row in rows for cell in row)

    monkeypatch.setattr(Paper, "text_line", line)
    monkeypatch.setattr(Paper, "table", table)
    return texts


def test_a_pack_says_who_allowed_the_write_and_who_could_not(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client, drawn: list[str]
) -> None:
    second = User.objects.create_user("nora", first_name="Nora", last_name="Berg")
    Membership.objects.create(team=cast.team, user=second, role=Role.APPROVER)
    put_in_force(cast, BOTH)
    start(provider, make_workflow)
    drain()
    request = the_request()
    deciding.approve(request, by=cast.approver, shown=request.fingerprint)
    deciding.approve(request, by=second, shown=request.fingerprint, reason="The board agreed")
    drain()
    sign_in_recently(client, cast.auditor)
    files = pack_of_run(client, the_run().pk)
    [asked] = json_of(files, f"run-{the_run().pk}/approvals.json")["requests"]
    assert [asked["status"], asked["needed"], asked["policy"]] == ["granted", 2, 1]
    assert asked["stages"] == [{"count": 2, "role": "approver", "people": []}]
    assert [asked["fingerprint"], asked["message"]] == [request.fingerprint, "Ask Nora."]
    told = [[each["by"], each["decision"], each["reason"], each["seal_holds"]] for each in asked["decisions"]]
    assert told == [["approver", "approve", "", True], ["Nora Berg", "approve", "The board agreed", True]]
    assert {"who": "builder", "why": "published this version"} in asked["may_not_decide"]
    call = json_of(files, next(name for name in files if name.endswith("-call.json")))
    assert call["request"]["sha256_of_method_path_query_and_body"] == asked["sha256_of_method_path_query_and_body"]
    trail = [each["content"]["action"] for each in json_of(files, f"run-{the_run().pk}/audit.json")]
    assert trail == ["approval.asked", "approval.given", "approval.given", "data.exported"]
    assert f"Bound to SHA-256 {request.fingerprint}" in drawn
    assert "The board agreed" in drawn
    assert not any("SEAL" in each for each in drawn)


def test_an_approval_that_nobody_gave_in_pinxero_is_called_that(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client, drawn: list[str]
) -> None:
    put_in_force(cast, BOTH)
    start(provider, make_workflow)
    drain()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO workflows_approval (request_id, by_id, stage, decision, method, reason, fingerprint, at, seal)"
            " VALUES (%s, %s, 0, 'approve', 'page', '', %s, CURRENT_TIMESTAMP, %s)",
            [the_request().pk, cast.approver.pk, the_request().fingerprint, "0" * 64],
        )
    sign_in_recently(client, cast.auditor)
    files = pack_of_run(client, the_run().pk)
    [asked] = json_of(files, f"run-{the_run().pk}/approvals.json")["requests"]
    assert [each["seal_holds"] for each in asked["decisions"]] == [False]
    assert any("ITS SEAL DOES NOT HOLD" in each for each in drawn)


def test_a_write_that_a_rule_holds_is_told_with_who_let_it_go(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    put_in_force(cast, {"when": {}, "then": {"do": "hold"}})
    start(provider, make_workflow)
    drain()
    sign_in_recently(client, cast.auditor)
    [held] = json_of(pack_of_run(client, the_run().pk), f"run-{the_run().pk}/approvals.json")["held_back"]
    assert [held["step"], held["released_at"], held["released_by"]] == [held["step"], None, None]
    assert "holds this write until a person lets it go" in held["why"]
