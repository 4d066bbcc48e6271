"""A run that calls a provider and another host: its tokens and header secrets are on the wire and nowhere else."""

from __future__ import annotations

import secrets
import socket
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.models import Grant
from tests.integrations.outside import Start, answer, start
from tests.test_canaries import canary, everything_stored
from tests.walk.stage import Stage
from workflows.definitions import editing
from workflows.models import Run, StepRun
from workflows.runtime import broker
from workflows.worker import housekeeping

__all__ = ["start"]


def echo(peer: socket.socket, heard: bytes) -> None:
    """Say back all that was sent, in the body and in a header."""
    said = next(line for line in heard.decode().split("\r\n") if line.startswith("Authorization: "))
    answer(heard, headers={"Content-Type": "text/plain", "X-Echo": said})(peer, heard)


def tokens_of(stage: Stage) -> list[str]:
    grants = Grant.objects.filter(team=stage.cast.team)
    return [token for grant in grants for token in (grant.access_token, grant.refresh_token)]


def run_with_a_renewal_and_a_secret(stage: Stage, url: str) -> Run:
    """Finds a contact, makes one and calls the host; every token is renewed on the way."""
    xero = stage.connections["xero"]
    workflow = editing.create_workflow(
        stage.cast.team,
        name="Tell the shop",
        operation="pinterest.new_board",
        connection=stage.connections["pinterest"],
        by=stage.cast.builder,
    )
    headers = [{"name": "Authorization", "secret": "shop"}]
    find: editing.Sources = {"search_by": "name", "value": "{{ trigger.name }}", "if_none": "empty"}
    for name, operation, connection, sources in (
        ("Look for it", "xero.find_contact", xero, find),
        ("Make it", "xero.create_contact", xero, {"name": "Canary {{ run.id }}"}),
        ("Tell", "web.http_send", None, {"url": url, "headers": headers}),
        ("Ask", "web.http_read", None, {"url": url, "headers": headers}),
    ):
        editing.save_step(workflow, None, editing.StepDraft(name, operation, connection, sources))
    run = stage.set_off(workflow)
    Grant.objects.update(expires_at=timezone.now() - timedelta(minutes=1))
    return run


@pytest.mark.parametrize("fault", ["", "gateway_401", "500"])
def test_a_run_leaves_no_token_and_no_header_secret_in_rows_answers_queue_or_log(
    stage: Stage, start: Start, settings: Any, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    caplog.set_level("DEBUG")
    host = start(echo)
    secret = canary("header")
    settings.HTTP_REQUEST_HOSTS = [host.rule]
    settings.HTTP_REQUEST_SECRETS = {"shop": {"host": host.rule, "value": f"Bearer {secret}"}}
    known = [secret, *tokens_of(stage)]
    run = run_with_a_renewal_and_a_secret(stage, host.url(f"/{secrets.token_hex(4)}"))
    if fault:
        stage.sandbox.faults(next=[fault], methods=["GET"], only_provider="xero")
    stage.settle(run)
    broker.wake_worker()
    housekeeping.do_chores()

    assert (run.status, run.error) == ("succeeded", "")
    assert [f"Bearer {secret}".encode() in heard for heard in host.heard] == [True, True]
    answers = "".join(str(each.output) for each in StepRun.objects.filter(run=run))
    assert answers.count("[secret]") >= 2  # the answers are stored, without it
    known += tokens_of(stage)
    assert len(set(known)) >= 7
    stored = everything_stored() | {"log": caplog.text}
    assert stored["workflows_steprun"].count("Canary") >= 1
    assert "Renewed the access of grant" in caplog.text
    assert [f"{place}: {each[:14]}" for place, text in stored.items() for each in known if each in text] == []
