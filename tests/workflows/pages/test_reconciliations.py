"""The pages of reconciliations: beginning one, the report with its filters, its file, and who may do what."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry
from tests.base import Cast
from tests.world import World, make_world
from workflows.models import Notice, Posting, Reconciliation, ReconciliationFinding, StepRun
from workflows.notifications import notify
from workflows.reconciliation import beginning, results

NOVEMBER = {"since": "2026-11-01", "until": "2026-11-30"}


@pytest.fixture
def world(cast: Cast) -> World:
    return make_world(cast)


def _client(person: User) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def approver(cast: Cast) -> Client:
    return _client(cast.approver)


@pytest.fixture
def auditor(cast: Cast) -> Client:
    return _client(cast.auditor)


@pytest.fixture
def outsider(cast: Cast) -> Client:
    return _client(cast.outsider)


@pytest.fixture
def made(world: World) -> Reconciliation:
    row: Reconciliation = Reconciliation.objects.create(
        team=world.team, connection=world.xero, organisation="Acme Ltd", **NOVEMBER, status="done", total=4, done=4,
        counts={"same": 1, "changed": 2, "unknown": 1, "moved_on": 1}, fresh=1, finished_at=timezone.now(),
    )  # fmt: skip
    return row


def finding(made: Reconciliation, key: str, **values: Any) -> ReconciliationFinding:
    given = {"verdict": "changed", "signature": key, "noun": "Sales invoice", "number": key, "day": "2026-11-22"}
    row: ReconciliationFinding = ReconciliationFinding.objects.create(
        reconciliation=made, key=key, **{**given, **values}
    )
    return row


@pytest.fixture
def findings(made: Reconciliation) -> None:
    amount = [["amount", "Total", "115.00", "126.50"]]
    finding(made, "INV-1", changes=" amount ", fields=amount, amount=115, currency="NZD", contact="=Bayside")
    finding(made, "INV-2", changes=" voided ", fields=[["voided", "State", "Approved", "Voided"]], day="2026-12-03")
    finding(made, "INV-3", verdict="unknown", note="It was written by something else.", is_fresh=False)
    finding(made, "INV-4", verdict="moved_on", changes=" paid ", fields=[["paid", "State", "Approved", "Paid"]])


def numbers(client: Client, made: Reconciliation, **query: str) -> list[str]:
    response = client.get(reverse("reconciliation", args=[made.pk]), query)
    return [row.finding.number for row in response.context["rows"]]


@pytest.mark.usefixtures("findings")
def test_the_report_shows_what_to_look_at_and_the_filters_narrow_it(auditor: Client, made: Reconciliation) -> None:
    assert numbers(auditor, made) == ["INV-1", "INV-2", "INV-3"]
    assert numbers(auditor, made, verdict="moved_on") == ["INV-4"]
    assert numbers(auditor, made, change="amount") == ["INV-1"]
    assert numbers(auditor, made, until="2026-11-30") == ["INV-1", "INV-3"]
    assert numbers(auditor, made, q="bayside") == ["INV-1"]
    assert numbers(auditor, made, verdict="same\x00", change="no such", since="never") == ["INV-1", "INV-2", "INV-3"]
    text = auditor.get(reverse("reconciliation", args=[made.pk])).content.decode()
    for words in ("<del>115.00</del> → <ins>126.50</ins>", "Not from here", "of 4 documents compared with Xero"):
        assert words in text


@pytest.mark.usefixtures("findings")
def test_the_file_has_a_row_for_each_field_and_no_formula(auditor: Client, made: Reconciliation) -> None:
    address = reverse("reconciliation_csv", args=[made.pk])
    content = b"".join(auditor.get(address, {"change": "amount"})).decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(content))
    told = dict(zip(head, row, strict=True))
    assert (told["Field"], told["As written"], told["As it is now"]) == ("Total", "115.00", "126.50")
    assert told["Contact"] == "'=Bayside"
    assert AuditEntry.objects.filter(action=Audited.EXPORTED).count() == 1


def test_a_builder_and_an_approver_begin_one_and_an_auditor_does_not(
    builder: Client, approver: Client, auditor: Client, world: World
) -> None:
    address, asked = reverse("reconciliations"), {"connection": str(world.xero.pk), **NOVEMBER}
    assert auditor.post(address, asked).status_code == 403
    assert "Reconcile now" not in auditor.get(address).content.decode()
    assert Reconciliation.objects.count() == 0
    for client in (builder, approver):
        response = client.post(address, asked)
        row = Reconciliation.objects.latest("pk")
        assert response["Location"] == reverse("reconciliation", args=[row.pk])
        assert beginning.stop(row)
    entry = AuditEntry.objects.filter(action=Audited.RECONCILED).latest("number")
    assert entry.after == {"Organisation": "Acme Ltd", "Period": "2026-11-01 to 2026-11-30"}


@pytest.mark.parametrize(
    ("changed", "words", "wrong"),
    [
        ({"connection": "0"}, "Choose an organisation.", "connection"),
        ({"since": ""}, "Choose the first and the last day.", "since"),
        ({"until": "soon"}, "Choose the first and the last day.", "until"),
        ({"since": "2026-12-01"}, "The last day is before the first.", "until"),
        ({"since": "2025-01-01"}, "Choose 366 days at most.", "since"),
    ],
)
def test_what_is_wrong_with_a_period_is_said_at_its_field(
    builder: Client, world: World, changed: dict[str, str], words: str, wrong: str
) -> None:
    response = builder.post(reverse("reconciliations"), {"connection": str(world.xero.pk), **NOVEMBER, **changed})
    assert words in response.content.decode()
    assert response.context["wrong"] == {wrong}
    assert not Reconciliation.objects.exists()


def test_nobody_sees_those_of_another_team(outsider: Client, made: Reconciliation) -> None:
    assert "Acme Ltd" not in outsider.get(reverse("reconciliations")).content.decode()
    for name in ("reconciliation", "reconciliation_csv"):
        assert outsider.get(reverse(name, args=[made.pk])).status_code == 404


def test_the_notice_goes_to_everybody_and_leads_to_the_reports(cast: Cast, world: World) -> None:
    notify.notify(notify.Matter(world.team.pk, Notice.Kind.BOOKS, "Changed", connection=world.xero))
    notice = Notice.objects.get(kind=Notice.Kind.BOOKS)
    assert notify.page_of(notice) == f"{reverse('reconciliations')}?connection={world.xero.pk}"
    assert {cast.builder, cast.approver, cast.auditor} <= set(notify.recipients(notice))


def test_a_document_is_known_by_the_last_reconciliation_that_went_through_it(
    world: World, made: Reconciliation
) -> None:
    StepRun.objects.filter(pk=world.step_run.pk).update(state="succeeded")
    written = datetime(2026, 11, 22, 12, tzinfo=timezone.get_current_timezone())
    posting = Posting.objects.create(
        step_run=world.step_run, team=world.team, run=world.run, workflow=world.workflow, version=world.version,
        connection=world.xero, step="s", operation="xero.create_invoice", origin="answered", noun="Sales invoice",
        day="2026-11-22", fingerprint="x", written_at=written,
    )  # fmt: skip
    assert results.latest_findings([posting]) == {}
    old = finding(made, "INV-1", posting=posting)
    assert results.latest_findings([posting]) == {posting.pk: old}
    Reconciliation.objects.create(
        team=world.team, connection=world.xero, organisation="Acme Ltd", **NOVEMBER, status="done", total=1
    )
    assert results.latest_findings([posting]) == {}
