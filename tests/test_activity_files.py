"""The activity page's files, the entries that exports leave, and the check of the record."""

from __future__ import annotations

import csv
import io
from zipfile import ZipFile

import pytest
from django.test import Client
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry
from pinxero.development.emptying import unprotected
from tests.activity import PAGE, add
from tests.addresses import furnish, path_of
from tests.base import Cast
from tests.world import make_world

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client: Client, cast: Cast) -> Client:
    client.force_login(cast.auditor)
    return client


# --- files ------------------------------------------------------------------------------------------------------------


def test_a_csv_file_holds_all_that_the_filter_finds_and_no_formula(auditor: Client, cast: Cast) -> None:
    add(cast, "=1+1", reason="@SUM(A1)", before={"Status": "Paused"}, after={"Status": "Active", "x": "y"})
    add(cast, action=Audited.RUN_SKIP)
    response = auditor.get(f"{PAGE}activity.csv", {"what": "workflow"})
    assert response["Content-Disposition"].startswith('attachment; filename="Activity ')
    (row,) = csv.DictReader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"), newline=""))
    assert (row["Number"], row["Who"], row["Role"], row["What"]) == ("1", "builder", "Builder", "Workflow switched on")
    assert (row["About"], row["Why"]) == ("'=1+1", "'@SUM(A1)")
    assert (row["Before"], row["After"]) == ("Status: Paused", "Status: Active\nx: y")
    assert row["Hash"] == AuditEntry.objects.get(chain=cast.team.pk, number=1).hash


def test_a_workbook_holds_the_entries_too(auditor: Client, cast: Cast) -> None:
    add(cast, "Pins & more")
    parts = auditor.get(f"{PAGE}activity.xlsx").streaming_content
    with ZipFile(io.BytesIO(b"".join(parts))) as package:
        assert "Pins &amp; more" in package.read("xl/worksheets/sheet1.xml").decode()


@pytest.mark.parametrize(
    ("path", "query", "form", "words"),
    [
        ("/activity/activity.csv", {"since": "2026-01-01", "what": "run"}, "CSV",
         {"On or after": "2026-01-01", "What": "Decisions about a run"}),
        ("/activity/activity.xlsx", {"about": "workflow-7"}, "Excel", {"About": "workflow-7"}),
        ("/documents/documents.csv", {"noun": "Bill", "contact": "Bo Ek"}, "CSV",
         {"Kind": "Bill", "Contact": "not kept"}),
        ("/documents/documents.xlsx", {"q": "Bo Ek", "since": "2026-01-01"}, "Excel",
         {"Written on or after": "2026-01-01", "Search": "not kept"}),
    ],
)  # fmt: skip
def test_an_export_is_recorded_with_its_filter_and_without_names(
    auditor: Client, cast: Cast, path: str, query: dict[str, str], form: str, words: dict[str, str]
) -> None:
    response = auditor.get(path, query)
    body = b"".join(response.streaming_content)
    assert body.startswith((b"\xef\xbb\xbf", b"PK"))
    entry = AuditEntry.objects.get(chain=cast.team.pk)
    assert (entry.action, entry.person, entry.role) == ("data.exported", cast.auditor.pk, "auditor")
    assert entry.after == {"File": form, **words}


@pytest.mark.parametrize(
    ("page", "kind", "after"),
    [
        ("export_lookup_table", "lookuptable", {"File": "CSV", "Version": "1"}),
        ("export_workflow", "workflow", {"File": "Workflow file", "Version": "the draft"}),
        ("backtest_file", "workflow", {"File": "CSV", "Part": "items"}),
        ("backup", "run", {"File": "Backup before a deletion"}),
    ],
)
def test_every_other_file_is_recorded_with_what_it_is_of(
    auditor: Client, cast: Cast, page: str, kind: str, after: dict[str, str]
) -> None:
    world = make_world(cast)
    furnish(world, cast)
    assert auditor.get(path_of(page, world)).status_code == 200
    entry = AuditEntry.objects.get(action=Audited.EXPORTED)
    assert (entry.chain, entry.person, entry.object_type) == (cast.team.pk, cast.auditor.pk, kind)
    assert after.items() <= entry.after.items()
    (row,) = auditor.get(PAGE, {"what": "data"}).context["rows"]
    assert auditor.get(row.url).status_code == 200


def test_an_export_of_one_persons_activity_keeps_their_number_only(auditor: Client, cast: Cast) -> None:
    auditor.get(f"{PAGE}activity.csv", {"person": cast.builder.pk})
    assert AuditEntry.objects.get().after == {"File": "CSV", "Who": str(cast.builder.pk)}


# --- checking ---------------------------------------------------------------------------------------------------------


def checked(client: Client) -> str:
    return " ".join(client.post(f"{PAGE}check/").content.decode().split())


def test_the_check_says_how_many_entries_it_read_and_from_when_to_when(auditor: Client, cast: Cast) -> None:
    assert "It has no entry yet" in checked(auditor)
    for _ in range(3):
        add(cast)
    text = checked(auditor)
    days = [timezone.localtime(each.at).strftime("%-d %b %Y, %H:%M:%S") for each in AuditEntry.objects.all()]
    assert "The record is whole." in text
    assert f"3 entries from {days[0]}" in text
    assert f"to {days[-1]}" in text


def test_the_check_names_the_entry_that_was_changed_and_says_what_to_do(auditor: Client, cast: Cast) -> None:
    for _ in range(3):
        add(cast)
    with unprotected():
        AuditEntry.objects.filter(number=2).update(reason="Another")
    text = checked(auditor)
    assert "The record is broken: entry 2 was changed" in text
    assert ("What to do" in text, "The record is whole" in text) == (True, False)
    assert "The 1 entry before it" in text


def test_a_long_record_is_left_to_the_command(auditor: Client, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.views.activity.MOST_CHECKED", 2)
    for _ in range(2):
        add(cast)
    assert "The record is whole." in checked(auditor)
    add(cast)
    monkeypatch.setattr("integrations.views.activity.verify", None)  # reading it would fail
    assert f"manage.py audit verify --team {cast.team.pk}" in checked(auditor)


def test_a_get_checks_nothing(auditor: Client, cast: Cast) -> None:
    assert auditor.get(f"{PAGE}check/").status_code == 405
