"""Chores that keep people informed: e-mails, expected runs, what lasts, room on the disk, old signs of life."""

from __future__ import annotations

import smtplib
from collections import namedtuple
from datetime import UTC, datetime, time, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from integrations.core.errors import RejectedError, TemporaryError
from integrations.models import CallBudget, Connection, Membership, Role
from tests.base import Cast
from tests.workflows.conftest import Make, drain, settle, start
from tests.workflows.scripted.connector import Provider
from workflows.engine import work_loop as draining
from workflows.models import Beat, Notice, Run, Safeguards, TriggerState, Workflow
from workflows.notifications import email, notify
from workflows.publishing import activation
from workflows.runtime import disk, heartbeats
from workflows.worker import expected_runs, monitors

pytestmark = pytest.mark.django_db
Kind = Notice.Kind
Usage = namedtuple("Usage", "total used free")
GIB = 1024**3


def tell(workflow: Workflow, times: int = 1, text: str = "The account code is unknown.") -> None:
    matter = notify.Matter(workflow.team_id, Kind.FAILED, f"{workflow.name}: a run failed", text, workflow)
    notify.notify(matter, times=times)


def let_pass(**ago: float) -> None:
    Notice.objects.exclude(mailed_at=None).update(mailed_at=timezone.now() - timedelta(**ago))


@pytest.fixture(autouse=True)
def _real_time(provider: Provider, settings: Any) -> None:
    settings.TIME_SCALE = 1


# --- e-mails ---------------------------------------------------------------------------------------------------------


def test_a_matter_is_mailed_at_most_once_an_hour_with_what_came_since(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    tell(workflow)
    assert email.send_due() == 1
    tell(workflow)
    tell(workflow)
    assert email.send_due() == 0
    let_pass(minutes=59)
    assert email.send_due() == 0
    let_pass(minutes=61)
    assert email.send_due() == 1
    assert email.send_due() == 0
    first, second = mail.outbox
    assert first.to == [cast.builder.email]
    assert first.subject == "Pinxero: Copy things: a run failed"
    assert "The account code is unknown." in first.body
    assert f"http://127.0.0.1:8000/runs/?status=failed&workflow={workflow.pk}" in second.body
    assert "a run failed (2 times more)" in second.body
    assert first.message()["Auto-Submitted"] == "auto-generated"


def test_reading_a_notice_does_not_let_the_same_matter_mail_again_within_the_hour(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    workflow = make_workflow()
    tell(workflow)
    email.send_due()
    notify.mark_read(Notice.objects.all(), by=cast.builder)
    tell(workflow)
    assert email.send_due() == 0
    let_pass(hours=2)
    assert email.send_due() == 1


def test_what_is_due_for_a_person_is_one_mail(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    tell(make_workflow())
    tell(make_workflow(name="Other"))
    assert email.send_due() == 1
    assert mail.outbox[0].subject == "Pinxero: 2 notices for Acme Finance"
    assert "Copy things: a run failed" in mail.outbox[0].body
    assert "Other: a run failed" in mail.outbox[0].body


def test_what_was_read_or_is_over_before_it_was_mailed_is_not(
    provider: Provider, make_workflow: Make, cast: Cast, connection: Connection
) -> None:
    tell(make_workflow())
    notify.mark_read(Notice.objects.all(), by=cast.builder)
    notify.keep_lasting_notices([Kind.DOWN], [notify.Matter(cast.team.pk, Kind.DOWN, "Down", connection=connection)])
    notify.keep_lasting_notices([Kind.DOWN], [])
    assert email.send_due() == 0


def test_a_mail_that_cannot_be_sent_is_tried_again_and_said_so(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(make_workflow())

    def fail(self: Any, messages: Any) -> int:
        raise smtplib.SMTPServerDisconnected("Connection unexpectedly closed")

    with monkeypatch.context() as patch:
        patch.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", fail)
        assert email.send_due() == 0
    notice = Notice.objects.get()
    assert notice.mail_problem == "The last e-mail could not be sent: Connection unexpectedly closed"
    assert email.send_due() == 0
    let_pass(minutes=11)
    assert email.send_due() == 1
    assert Notice.objects.get().mail_problem == ""


def test_a_title_cannot_smuggle_headers_into_a_mail(provider: Provider, make_workflow: Make) -> None:
    workflow = make_workflow(name="Copy\nBcc: thief@example.com")
    tell(workflow)
    assert email.send_due() == 1
    assert mail.outbox[0].subject == "Pinxero: Copy Bcc: thief@example.com: a run failed"
    assert mail.outbox[0].message()["Bcc"] is None


def test_a_title_that_looks_encoded_and_a_text_of_html_are_read_as_they_are(
    provider: Provider, make_workflow: Make
) -> None:
    name = "=?utf-8?q?Paid=0D=0ABcc:_x=40evil.example=0D=0A=0D=0A<h1>?="
    tell(make_workflow(name=name), text="<script>alert(1)</script>\n.\n=?utf-8?q?x?=")
    assert email.send_due() == 1
    sent = message_from_bytes(mail.outbox[0].message().as_bytes(linesep="\r\n"), policy=policy.default)
    assert isinstance(sent, EmailMessage)
    assert sent["Subject"] == f"Pinxero: {name}: a run failed"
    assert sent.keys() == [
        "Date", "Message-ID", "From", "To", "Subject", "Auto-Submitted", "Content-Type", "Content-Transfer-Encoding",
        "MIME-Version",
    ]  # fmt: skip
    assert sent.get_content_type() == "text/plain"
    assert "<script>alert(1)</script>\n.\n=?utf-8?q?x?=\n" in sent.get_content().replace("\r\n", "\n")


@pytest.mark.parametrize("address", ["=?utf-8?q?eve=40evil.example=2C?=@example.com", "jörg@example.com"])
def test_an_address_that_would_be_read_otherwise_gets_no_mail_and_the_notice_says_so(
    provider: Provider, make_workflow: Make, cast: Cast, address: str
) -> None:
    cast.builder.email = address
    cast.builder.save()
    tell(make_workflow())
    assert email.send_due() == 0
    assert mail.outbox == []
    assert Notice.objects.get().mail_problem == (
        f"The last e-mail could not be sent: {address!r} is no address that a mail can go to. "
        "An administrator can mend it."
    )


def test_one_whose_address_is_none_does_not_let_the_others_be_told_again_and_again(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    cast.builder.email = "jörg@example.com"
    cast.builder.save()
    Membership.objects.filter(user=cast.approver).update(role=Role.BUILDER)
    tell(make_workflow())
    assert email.send_due() == 1
    let_pass(hours=2)
    assert email.send_due() == 0
    assert [sent.to for sent in mail.outbox] == [[cast.approver.email]]


def test_a_domain_in_another_script_is_written_as_mail_servers_do(
    provider: Provider, make_workflow: Make, cast: Cast
) -> None:
    cast.builder.email = "joerg@bücher.example"
    cast.builder.save()
    tell(make_workflow())
    assert email.send_due() == 1
    assert mail.outbox[0].to == ["joerg@xn--bcher-kva.example"]


def test_a_run_that_fails_reaches_people_by_the_chores(provider: Provider, make_workflow: Make) -> None:
    provider.script.append(RejectedError("The account code is unknown."))
    start(provider, make_workflow)
    drain()
    assert email.send_due() == 1
    assert f"/runs/{Run.objects.get().pk}/" in mail.outbox[0].body


# --- what lasts ------------------------------------------------------------------------------------------------------


def test_connections_and_outages_are_told_once_and_end(provider: Provider, connection: Connection) -> None:
    assert monitors.watch() == 0
    CallBudget.objects.create(connection=connection, down_since=timezone.now(), down_reason="it answered 503")
    assert monitors.watch() == 1
    assert monitors.watch() == 0
    assert Notice.objects.get().title == "Scripted account: Scripted does not answer"
    CallBudget.objects.update(down_since=None)
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECT, last_error="Access is over.")
    assert monitors.watch() == 2
    assert {each.kind: each.ended_at is None for each in Notice.objects.all()} == {"down": False, "reconnect": True}
    Connection.objects.update(status=Connection.Status.CONNECTED)
    assert monitors.watch() == 1


def test_looks_that_fail_three_times_are_told(provider: Provider, make_workflow: Make) -> None:
    make_workflow()
    drain()
    TriggerState.objects.update(failures=2, last_error="Oh.")
    CallBudget.objects.create(connection=Connection.objects.get())
    assert monitors.watch() == 0
    TriggerState.objects.update(failures=3)
    assert monitors.watch() == 1
    assert "The last error was: Oh." in Notice.objects.get().text


def test_a_connection_that_was_never_called_may_fail_too(provider: Provider, make_workflow: Make) -> None:
    make_workflow()
    drain()
    TriggerState.objects.update(failures=3, last_error="Oh.")
    assert not CallBudget.objects.exists()
    assert monitors.watch() == 1


def test_a_provider_that_nothing_else_tries_is_tried_by_the_chores(
    provider: Provider, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried: list[str] = []

    def refresh(each: Connection) -> None:
        tried.append(each.name)
        if len(tried) == 1:
            raise TemporaryError("Still nothing.")

    monkeypatch.setattr(monitors.service, "refresh_details", refresh)
    now = timezone.now()
    CallBudget.objects.create(connection=connection, down_since=now, probe_at=now - timedelta(seconds=100))
    assert monitors.try_providers() == 0
    assert tried == [], "its turn is hardly over; a run may be about to try"
    CallBudget.objects.update(probe_at=now - timedelta(seconds=121))
    assert monitors.try_providers() == 0
    assert monitors.try_providers() == 1
    Connection.objects.update(status=Connection.Status.DISCONNECTED)
    assert monitors.try_providers() == 0
    assert tried == ["Scripted account"] * 2


# --- the disk --------------------------------------------------------------------------------------------------------


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Says how much is free of how much, in GiB."""

    def of(free: float, total: float) -> None:
        usage = Usage(int(total * GIB), int((total - free) * GIB), int(free * GIB))
        monkeypatch.setattr(disk.shutil, "disk_usage", lambda path: usage)
        monkeypatch.setattr(disk, "_seen", disk._Seen())

    return of


@pytest.mark.parametrize(
    ("has", "total", "is_low"),
    [(0.9, 5, True), (1.1, 5, False), (4, 50, True), (6, 50, False), (19, 4000, True), (21, 4000, False)],
)
def test_too_little_is_a_gibibyte_or_a_tenth_but_never_more_than_twenty(
    free: Any, has: float, total: float, is_low: bool
) -> None:
    free(has, total)
    assert disk.is_low() is is_low


def test_nothing_is_begun_on_a_full_disk_and_all_goes_on_after(
    provider: Provider, make_workflow: Make, free: Any, settings: Any
) -> None:
    start(provider, make_workflow)
    free(0.5, 100)
    assert draining.drain(1) == 0
    assert Run.objects.get().status == "queued"
    assert monitors.watch() == 1 + 1, "each team is told"
    assert "0.5 GiB are free on the disk of" in Notice.objects.filter(kind="disk")[0].text
    settings.DISK_LEAST_BYTES = settings.DISK_LEAST_PERCENT = 0
    free(0.5, 100)
    assert draining.drain(1) > 0
    assert Run.objects.get().status == "succeeded"


def test_the_disk_of_a_database_file_is_looked_at(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    database = {"ENGINE": "django.db.backends.sqlite3", "NAME": tmp_path / "pinxero.sqlite3"}
    here = SimpleNamespace(BASE_DIR="/", DATABASES={"default": database}, DISK_LEAST_BYTES=1, DISK_LEAST_PERCENT=0)
    monkeypatch.setattr(disk, "settings", here)
    assert {room.path for room in disk.disk_spaces()} == {"/", str(tmp_path)}


# --- expected runs ---------------------------------------------------------------------------------------------------


def expect(workflow: Workflow, since: datetime, **values: Any) -> Safeguards:
    fields = {"expected": "monthly", "expected_at": time(10), "expected_zone": "Pacific/Auckland", **values}
    return Safeguards.objects.create(workflow=workflow, expected_checked=since, **fields)


def at(monkeypatch: pytest.MonkeyPatch, *when: int) -> None:
    monkeypatch.setattr(expected_runs, "database_now", lambda: datetime(*when, tzinfo=UTC))  # type: ignore[misc, arg-type]


def test_a_run_missing_at_ten_on_the_first_is_told_once(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow()
    expect(workflow, datetime(2026, 10, 15, tzinfo=UTC))
    at(monkeypatch, 2026, 10, 31, 20, 59)  # 09:59 on 1 November in Auckland
    assert expected_runs.check() == 0
    at(monkeypatch, 2026, 10, 31, 21, 0)
    assert expected_runs.check() == 1
    assert expected_runs.check() == 0
    notice = Notice.objects.get()
    assert notice.title == "Copy things: no run when one was expected"
    assert notice.text == (
        "A run was expected by 10:00 on 1 November (Pacific/Auckland), but none was started in the 24 hours before. "
        "The workflow is active: see whether there was anything for it to do, and whether its checks succeed."
    )


def test_a_run_in_time_is_enough_and_one_too_early_or_too_late_is_not(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    start(provider, make_workflow)
    settle()
    own = expect(Workflow.objects.get(), datetime(2026, 11, 1, tzinfo=UTC), expected="daily", expected_within=2)
    at(monkeypatch, 2026, 11, 1, 21, 5)
    for began, missing in (((18, 59), 1), ((19, 1), 0), ((21, 0), 0), ((21, 1), 1)):
        Run.objects.update(created_at=datetime(2026, 11, 1, *began, tzinfo=UTC))
        Safeguards.objects.update(expected_checked=own.expected_checked)
        assert expected_runs.check() == missing, began


def test_days_without_a_worker_are_caught_up_in_one_notice(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow = make_workflow()
    expect(workflow, datetime(2026, 11, 1, tzinfo=UTC), expected="weekdays", expected_zone="UTC")
    at(monkeypatch, 2026, 11, 8, 12, 0)
    assert expected_runs.check() == 5
    assert Notice.objects.get().count == 5


def test_a_paused_workflow_is_expected_too_and_says_why_it_did_nothing(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch, cast: Cast
) -> None:
    workflow = make_workflow()
    activation.pause(workflow, by=cast.builder, reason="Month end")
    expect(workflow, datetime(2026, 11, 1, tzinfo=UTC), expected="weekly", expected_weekday=4, expected_zone="UTC")
    at(monkeypatch, 2026, 11, 8, 12, 0)
    assert expected_runs.check() == 1
    assert Notice.objects.get().text.endswith("The workflow is paused: Month end")


def test_what_was_never_looked_at_begins_now_and_drafts_are_left_alone(provider: Provider, make_workflow: Make) -> None:
    workflow = make_workflow()
    Safeguards.objects.create(workflow=workflow, expected="daily", expected_at=time(10))
    assert expected_runs.check() == 0
    assert Safeguards.objects.get().expected_checked is not None
    Safeguards.objects.update(expected_checked=datetime(2020, 1, 1, tzinfo=UTC))
    Workflow.objects.update(status="draft")
    assert expected_runs.check() == 0


# --- old signs of life -----------------------------------------------------------------------------------------------


def test_signs_of_supervisors_that_are_gone_are_dropped_and_fresh_ones_kept(db: None) -> None:
    old = timezone.now() - timedelta(days=8)
    Beat.objects.create(name="worker@gone", at=old)
    Beat.objects.create(name="chore:organisation 77", at=old)
    Beat.objects.create(name="worker@here", at=timezone.now() - timedelta(days=6))
    Beat.objects.create(name="chore:daily", at=timezone.now())
    assert heartbeats.forget_old() == 2
    assert set(Beat.objects.values_list("name", flat=True)) == {"worker@here", "chore:daily"}
