"""Steps that need no connection: in the editor, in a version, in a run, and where nobody knows what came of one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from tests.base import Cast
from tests.integrations.mail_server import HANG_UP, MailServer, mail_server
from tests.integrations.outside import Host, Start, answer, start
from tests.world import World, make_event
from workflows.definitions import editing, validation
from workflows.engine.work_loop import do_one
from workflows.models import Run, Step, StepRun, Workflow, WorkflowVersion
from workflows.publishing import publish
from workflows.runs import decisions

__all__ = ["start"]

TOKEN = "4f1a-very-secret"
MAIL: editing.Sources = {
    "to": "jane@acme.example",
    "subject": "New pin: {{ trigger.title }}",
    "text": "Added on {{ run.date }}.",
}


@pytest.fixture
def host(start: Start, settings: Any) -> Host:
    """A listed host that thanks for everything."""
    made = start(answer(b'{"id": 7}', headers={"Content-Type": "application/json"}))
    settings.HTTP_REQUEST_HOSTS = [made.rule]
    return made


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    with mail_server() as running:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", running.port
        yield running


def workflow_of(world: World, operation: str, sources: editing.Sources) -> Workflow:
    """A draft whose one step is this."""
    workflow = editing.create_workflow(
        world.team,
        name=f"Pins to {operation}",
        operation="pinterest.new_pin",
        connection=world.pinterest,
        by=world.workflow.created_by,
    )
    editing.save_step(workflow, None, editing.StepDraft("Tell them", operation, None, sources))
    return workflow


def version_of(world: World, operation: str, sources: editing.Sources) -> WorkflowVersion:
    return publish.publish(workflow_of(world, operation, sources), by=None)


def run_of(world: World, version: WorkflowVersion) -> Run:
    """A run of the version that is due, and nothing else is."""
    Run.objects.all().delete()
    event = make_event(world.state, f"for {version.workflow_id}")
    return Run.objects.create(team=world.team, workflow=version.workflow, version=version, event=event, title="Oak")


def finish(run: Run) -> StepRun:
    while do_one():
        pass
    run.refresh_from_db()
    return StepRun.objects.get(run=run)


# --- in the editor --------------------------------------------------------------------------------------------------


def test_closed_steps_are_shown_with_the_reason_and_cannot_be_chosen(builder: Client, world: World) -> None:
    page = builder.get(reverse("new_step", args=[world.draft.pk])).content.decode()
    assert "HTTP requests are switched off." in page
    assert "?operation=web.http_read" not in page
    assert "?operation=mail.send_email" in page
    assert "E-mail is not connected yet" not in page
    assert "HTTP request is not connected yet" not in page
    form = builder.get(reverse("new_step", args=[world.draft.pk]) + "?operation=web.http_send").content.decode()
    assert "in the setting HTTP_REQUEST_HOSTS" in form


def test_listed_hosts_open_them(builder: Client, world: World, host: Host) -> None:
    page = builder.get(reverse("new_step", args=[world.draft.pk])).content.decode()
    assert "HTTP requests are switched off." not in page
    assert "?operation=web.http_read" in page
    assert "?operation=web.http_send" in page


def test_the_form_asks_for_no_connection_and_saves_none(builder: Client, world: World) -> None:
    address = reverse("new_step", args=[world.draft.pk]) + "?operation=mail.send_email"
    assert 'name="connection"' not in builder.get(address).content.decode()
    posted = {"name": "Tell them", "on_error": "stop", "max_attempts": "5", "connection": str(world.xero.pk)}
    posted |= {f"in.{name}": str(value) for name, value in MAIL.items()}
    assert builder.post(address, posted).status_code == 302
    step = Step.objects.get(workflow=world.draft, operation="mail.send_email")
    assert step.connection is None
    assert builder.get(reverse("workflow", args=[world.draft.pk])).status_code == 200
    assert 'name="connection"' not in builder.get(reverse("step", args=[world.draft.pk, step.pk])).content.decode()


def test_the_report_for_a_mail_is_picked_from_the_lists_there_are(builder: Client, world: World) -> None:
    draft = editing.StepDraft("Get profit and loss", "xero.get_profit_and_loss", world.xero, {})
    report = editing.save_step(world.draft, None, draft)
    table = f"{{{{ steps.{report.key}.table }}}}"
    address = reverse("new_step", args=[world.draft.pk]) + "?operation=mail.send_email"
    option = re.search(rf'<option value="{re.escape(table)}"[^>]*>([^<]*)<', builder.get(address).content.decode())
    assert option is not None
    assert option[1].startswith("Table (Get profit and loss)")
    posted = {"name": "Tell them", "on_error": "stop", "max_attempts": "5", "in.table": table}
    posted |= {f"in.{name}": str(value) for name, value in MAIL.items()}
    assert builder.post(address, posted).status_code == 302
    step = Step.objects.get(workflow=world.draft, operation="mail.send_email")
    assert (
        f'<option value="{table}" selected>'
        in builder.get(reverse("step", args=[world.draft.pk, step.pk])).content.decode()
    )


def test_a_closed_step_stops_publishing(world: World) -> None:
    workflow = workflow_of(world, "web.http_read", {"url": "https://api.example.com/"})
    [problem] = validation.problems(workflow)
    assert problem.message.startswith("HTTP requests are switched off.")
    with pytest.raises(publish.PublishError):
        publish.publish(workflow, by=None)


def test_a_host_that_is_not_listed_stops_publishing_at_its_input(world: World, host: Host) -> None:
    [problem] = validation.problems(workflow_of(world, "web.http_read", {"url": "https://api.example.com/"}))
    assert (problem.input, problem.message.split(" is ")[0]) == ("url", "api.example.com")


def test_a_version_says_what_they_do_without_naming_a_connection(world: World) -> None:
    version = version_of(world, "mail.send_email", MAIL)
    assert version.plan["steps"][0]["connection"] is None
    assert version.summary.splitlines()[1].startswith("Send e-mail (E-mail), with To = ")
    assert not publish.has_unpublished_changes(version.workflow)


def test_they_are_nothing_to_connect(builder: Client, world: World) -> None:
    page = builder.get(reverse("connections")).content.decode()
    assert "Connect E-mail" not in page
    assert "Connect HTTP request" not in page


def test_they_are_no_first_step(client: Client, cast: Cast) -> None:
    client.force_login(cast.outsider)
    page = client.get(reverse("admin:index")).content.decode()
    assert "Connect Xero" in page
    assert "Connect E-mail" not in page
    assert "Connect HTTP request" not in page


# --- in a run -------------------------------------------------------------------------------------------------------


def test_a_mail_is_dated_where_the_trigger_is(world: World, settings: Any) -> None:
    world.pinterest.details = {"timezone": "Pacific/Kiritimati"}
    world.pinterest.save()
    run = run_of(world, version_of(world, "mail.send_email", {**MAIL, "text": "{{ run.date }}"}))
    Run.objects.filter(pk=run.pk).update(created_at="2026-11-23T11:00:00Z")
    assert finish(run).state == "succeeded"
    assert mail.outbox[0].body.strip() == "2026-11-24"


def test_a_run_without_a_connection_tells_what_it_sent(builder: Client, world: World, server: MailServer) -> None:
    run = run_of(world, version_of(world, "mail.send_email", MAIL))
    step = finish(run)
    assert (run.status, run.connection_id, step.connection_id) == ("succeeded", None, None)
    [(recipients, content)] = server.taken
    assert recipients == ["jane@acme.example"]
    assert step.request["body"].encode() == content
    assert step.marker in step.provider_id
    assert run.result.startswith('E-mail "New pin: ')
    page = builder.get(reverse("run", args=[run.pk])).content.decode()
    assert "mailto:jane@acme.example" in page
    assert escape(run.result) in page


def test_a_secret_stands_in_no_row_and_on_no_page(builder: Client, world: World, host: Host, settings: Any) -> None:
    settings.HTTP_REQUEST_SECRETS = {"erp": {"host": host.rule, "value": f"Bearer {TOKEN}"}}
    sources: editing.Sources = {"url": host.url("/items"), "headers": [{"name": "Authorization", "secret": "erp"}]}
    version = version_of(world, "web.http_send", sources)
    run = run_of(world, version)
    step = finish(run)
    assert run.status == "succeeded"
    assert f"Authorization: Bearer {TOKEN}".encode() in host.heard[0]
    rows = [*StepRun.objects.filter(pk=step.pk).values(), *WorkflowVersion.objects.filter(pk=version.pk).values()]
    assert TOKEN not in repr(rows)
    for name, arguments in (("run", [run.pk]), ("workflow", [version.workflow_id])):
        assert TOKEN not in builder.get(reverse(name, args=arguments)).content.decode()


def test_the_key_on_the_page_is_the_one_that_was_sent(builder: Client, world: World, host: Host) -> None:
    run = run_of(world, version_of(world, "web.http_send", {"url": host.url()}))
    step = finish(run)
    assert f"Idempotency-Key: {step.marker}".encode() in host.heard[0]
    page = builder.get(reverse("run", args=[run.pk])).content.decode()
    assert str(step.marker) in page
    assert str(step.idempotency_key) not in page


# --- where nobody knows ---------------------------------------------------------------------------------------------


def test_a_mail_without_a_reply_waits_for_a_person_at_once_and_is_not_sent_again(
    world: World, server: MailServer
) -> None:
    server.script["."] = HANG_UP
    run = run_of(world, version_of(world, "mail.send_email", MAIL))
    step = finish(run)
    assert (run.status, step.state, step.look_ups) == ("needs_review", "needs_review", 0)
    assert "Pinxero has no way to look it up" in run.error
    assert len(server.taken) == len(server.talks) == 1


def test_what_a_dead_worker_had_sent_is_not_sent_again(world: World, server: MailServer) -> None:
    run = run_of(world, version_of(world, "mail.send_email", MAIL))
    step = finish(run)
    StepRun.objects.filter(pk=step.pk).update(state="sent", output=None, finished_at=None)
    Run.objects.filter(pk=run.pk).update(status="queued", finished_at=None)
    step = finish(run)
    assert (run.status, step.state) == ("needs_review", "needs_review")
    assert len(server.taken) == 1


def test_a_person_who_says_that_it_did_not_arrive_has_it_sent_with_the_same_message_id(
    cast: Cast, world: World, server: MailServer
) -> None:
    server.script["."] = HANG_UP
    run = run_of(world, version_of(world, "mail.send_email", MAIL))
    finish(run)
    server.script.clear()
    decisions.send_again(run, by=cast.builder, reason="Jane has nothing.")
    assert finish(run).state == "succeeded"
    ids = [next(line for line in content.split(b"\r\n") if b"Message-ID" in line) for _, content in server.taken]
    assert len(ids) == 2
    assert ids[0] == ids[1]


def test_what_certainly_was_not_sent_waits_and_goes_out_later(world: World, server: MailServer, settings: Any) -> None:
    settings.TIME_SCALE = 5000
    server.script["RCPT"] = "450 4.2.0 Greylisted"
    run = run_of(world, version_of(world, "mail.send_email", MAIL))
    assert do_one()
    run.refresh_from_db()
    assert (run.status, run.wait_reason) == ("waiting", "retry")
    server.script.clear()
    Run.objects.filter(pk=run.pk).update(wake_at=run.created_at)
    assert finish(run).state == "succeeded"
    assert len(server.taken) == 1
