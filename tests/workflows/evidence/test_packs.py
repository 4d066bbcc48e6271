"""What stands in an evidence pack: runs, exact amounts, exact bytes, decisions, versions; and for whom it is made."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection as database
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.models import AuditEntry
from tests.base import Cast
from tests.workflows.evidence.packs import json_of, pack_of_documents, pack_of_run, unzipped, write_document
from tests.world import World, make_event, make_looped_run, make_run, make_step_run
from workflows.books.search import Filter
from workflows.evidence import pack, run_files, summary
from workflows.evidence.paper import Paper
from workflows.models import Posting, Run, StepRun

pytestmark = pytest.mark.django_db


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that a PDF is given from now on."""
    texts: list[str] = []
    clean = Paper.clean

    def noted(self: Paper, text: str, *args: Any) -> str:
        texts.append(text)
        return clean(self, text, *args)

    monkeypatch.setattr(Paper, "clean", noted)
    return texts


def more_runs(world: World, count: int) -> list[Run]:
    """Runs that have each written a document like the first one's."""
    write_document(world)
    posting, made = Posting.objects.get(), []
    for number in range(count):
        run = make_run(world.workflow, world.version, make_event(world.state, f"more {number}"), world.xero)
        posting.pk = make_step_run(run, first_sent_at=timezone.now()).pk
        posting.run, posting.number = run, f"INV-1{number:03}"
        posting.save(force_insert=True)
        made.append(run)
    return made


# --- what stands in it ------------------------------------------------------------------------------------------------


def test_a_run_is_there_with_what_came_in_its_steps_decisions_and_version(builder: Client, world: World) -> None:
    write_document(world)
    files = pack_of_run(builder, world.run.pk)
    folder = f"run-{world.run.pk}"
    run = json_of(files, f"{folder}/run.json")
    assert (run["run"], run["title"], run["status"]) == (world.run.pk, "Oak table", "succeeded")
    assert (run["came_in"]["operation"], run["came_in"]["data"]) == ("pinterest.new_pin", world.event.data)
    assert (run["version"]["number"], run["version"]["published_by"]) == (1, "builder")
    assert [each["step"] for each in json_of(files, f"{folder}/steps.json")][-1] == "create_invoice"
    (decision,) = json_of(files, f"{folder}/decisions.json")
    assert (decision["in_words"], decision["by"], decision["reason"]) == ("Tried again", "builder", "Try once more")
    assert files[f"{folder}/version.txt"].decode() == f"{world.version.summary}\n"
    assert "python3 check.py" in files["read-me.txt"].decode()
    actions = [each["content"]["action"] for each in json_of(files, f"workflow-{world.workflow.pk}/audit.json")]
    assert Audited.WORKFLOW_PUBLISHED in actions
    (exported,) = json_of(files, f"{folder}/audit.json")
    entry = AuditEntry.objects.get(chain=world.team.pk, number=exported["number"])
    assert (exported["hash"], exported["who"], exported["what"]) == (entry.hash, "builder", "Exported as a file")


def test_amounts_are_exact_everywhere(builder: Client, world: World) -> None:
    write_document(world)
    Posting.objects.update(amount=Decimal("12345678901.2345"))
    files = pack_of_run(builder, world.run.pk)
    (document,) = json_of(files, f"run-{world.run.pk}/document.json")
    assert (document["subtotal"], document["tax"]) == (Decimal("76.3000"), Decimal("11.4400"))
    assert str(document["total"]) == "12345678901.2345"
    assert document["document"]["lines"][1]["amount"] == Decimal("25.61")
    assert [(each["account"], each["net"]) for each in document["by_account"]] == [("200 - Sales", Decimal("76.30"))]
    (row,) = csv.DictReader(io.StringIO(files["documents.csv"].decode("utf-8-sig"), newline=""))
    assert (row["Number"], row["Total"]) == ("INV-0007", "12345678901.2345")


def test_the_bodies_are_the_exact_bytes_beside_what_the_call_was(builder: Client, world: World) -> None:
    write_document(world)
    files = pack_of_run(builder, world.run.pk)
    folder = f"run-{world.run.pk}/calls"
    body = world.step_run.request["body"].encode()
    assert files[f"{folder}/00001-request-body.json"] == body
    assert b"120.50" in body
    assert files[f"{folder}/00001-answer-body.json"] == b'{"Invoices":[{"Total":87.740}]}'
    call = json_of(files, f"{folder}/00001-call.json")
    assert (call["request"]["method"], call["effect"], call["answer"]["status"]) == ("PUT", "creates", 200)
    assert call["request"]["address"].endswith("/api.xro/2.0/Invoices?unitdp=4")
    assert call["request"]["sha256_of_method_path_query_and_body"] == world.step_run.request_sha256
    assert call["request"]["body"] == "00001-request-body.json"


def test_the_pdf_tells_all_of_it_in_words(builder: Client, world: World, drawn: list[str]) -> None:
    write_document(world)
    assert pack_of_run(builder, world.run.pk)["summary.pdf"].startswith(b"%PDF-")
    for text in (
        f"Run {world.run.pk}: Oak table", "Acme Finance", "Document: Sales invoice INV-0007", "87.74 NZD",
        "The totals agree with Xero.", "15% GST on Income", "Tried again", "Try once more", "Steps", "What came in",
        f"{world.workflow.name}, version 1, in words", "Workflow published",
    ):  # fmt: skip
        assert text in drawn, text
    assert any(text.startswith("3. Write it") or text.endswith("(Create invoice): Succeeded") for text in drawn)


def test_what_is_no_longer_kept_is_said(builder: Client, world: World, drawn: list[str]) -> None:
    write_document(world)
    StepRun.objects.filter(run=world.run).update(response_body="", response_headers=None)
    Run.objects.filter(pk=world.run.pk).update(trimmed_at=timezone.now())
    files = pack_of_run(builder, world.run.pk)
    folder = f"run-{world.run.pk}"
    assert "No longer kept: what came in and the provider's answers of the run." in files["read-me.txt"].decode()
    assert "no longer kept" in json_of(files, f"{folder}/run.json")["trimmed"]
    assert json_of(files, f"{folder}/calls/00001-call.json")["answer"]["removed"].startswith("Removed when")
    assert any("no longer kept" in text for text in drawn)
    assert f"{folder}/calls/00001-request-body.json" in files
    assert f"{folder}/calls/00001-answer-body.json" not in files


# --- a period ---------------------------------------------------------------------------------------------------------


def test_the_pack_of_a_period_has_the_runs_that_the_filter_finds(
    builder: Client, world: World, drawn: list[str]
) -> None:
    first, second = more_runs(world, 2)
    files = pack_of_documents(builder, q="INV-1001")
    assert {name.split("/")[0] for name in files if name.startswith("run-")} == {f"run-{second.pk}"}
    files = pack_of_documents(builder)
    runs = [world.run.pk, first.pk, second.pk]
    assert json_of(files, "manifest.json")["runs"] == runs
    assert [f"run-{pk}/run.json" in files for pk in runs] == [True] * 3
    assert "263.22" in drawn  # 3 x 87.74: the total of its currency
    entries = AuditEntry.objects.filter(action=Audited.EXPORTED, object_type="documents").order_by("number")
    assert [(each.after["File"], each.after.get("Search")) for each in entries] == [
        ("Evidence pack", "not kept"), ("Evidence pack, complete", "not kept"),
        ("Evidence pack", None), ("Evidence pack, complete", None),
    ]  # fmt: skip


def test_more_runs_than_a_pack_holds_are_sent_back_to_a_shorter_period(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pack, "MOST_RUNS", 2)
    more_runs(world, 2)
    response = builder.get(reverse("documents_evidence"), {"currency": "NZD"})
    assert (response.status_code, response["Location"]) == (302, "/documents/?currency=NZD")
    page = builder.get(response["Location"]).content.decode()
    assert "from more than 2 runs" in page
    assert "Choose a shorter period." in page
    assert not AuditEntry.objects.filter(action=Audited.EXPORTED).exists()


def test_a_filter_that_cannot_be_read_makes_no_pack(builder: Client, world: World) -> None:
    response = builder.get(reverse("documents_evidence"), {"since": "soon"})
    assert (response.status_code, response["Location"]) == (302, "/documents/?since=soon")
    assert not AuditEntry.objects.filter(action=Audited.EXPORTED).exists()


def test_a_run_that_is_deleted_while_the_pack_is_made_is_named(builder: Client, world: World) -> None:
    (first,) = more_runs(world, 1)
    response = builder.get(reverse("documents_evidence"))
    Run.objects.filter(pk=first.pk).delete()
    files = unzipped(response)
    assert json_of(files, "manifest.json")["runs_deleted_meanwhile"] == [first.pk]
    assert f"run-{world.run.pk}/run.json" in files


def test_the_pdf_says_what_it_has_no_room_for(
    builder: Client, world: World, drawn: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(summary, "MOST_RUNS", 1)
    monkeypatch.setattr(summary, "_MOST_DOCUMENTS", 2)
    (run, _) = more_runs(world, 2)
    files = pack_of_documents(builder)
    assert "The first 2 of 3 documents; documents.csv has all." in drawn
    assert "The first 1 of 3 runs stand above; each of the others has its folder." in drawn
    assert f"Run {world.run.pk}: Oak table" in drawn
    assert f"Run {run.pk}: Oak table" not in drawn
    assert f"run-{run.pk}/run.json" in files


def test_it_is_sent_while_the_runs_are_read(world: World, cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    more_runs(world, 3)
    read: list[int] = []
    run_facts = run_files.run_facts

    def noted(run: Run) -> dict[str, Any]:
        read.append(run.pk)
        return run_facts(run)

    monkeypatch.setattr(run_files, "run_facts", noted)
    made = pack.of_documents(Filter(), world.team, by=cast.builder)
    assert made is not None
    read_before = [len(read) for part in made.begin() if part]
    assert sorted(set(read_before)) == [0, 1, 2, 3, 4]


# --- for whom, and at what price --------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["builder", "approver", "auditor"])
def test_everybody_of_the_team_may_make_one(client: Client, cast: Cast, world: World, role: str) -> None:
    client.force_login(getattr(cast, role))
    assert "summary.pdf" in pack_of_run(client, world.run.pk)


def test_another_team_finds_neither_the_run_nor_its_documents(client: Client, cast: Cast, world: World) -> None:
    write_document(world)
    client.force_login(cast.outsider)
    assert client.get(reverse("run_evidence", args=[world.run.pk])).status_code == 404
    assert not [name for name in pack_of_documents(client) if name.startswith("run-")]


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(database) as asked:
        b"".join(client.get(path).streaming_content)
    return len(asked)


def test_a_run_costs_a_bounded_number_of_queries(builder: Client, world: World) -> None:
    path = reverse("documents_evidence")
    more_runs(world, 1)
    two = queries(builder, path)
    for number in range(3):
        run = make_run(world.workflow, world.version, make_event(world.state, f"again {number}"), world.xero)
        posting = Posting.objects.first()
        assert posting is not None
        posting.pk, posting.run = make_step_run(run, first_sent_at=timezone.now()).pk, run
        posting.save(force_insert=True)
    five = queries(builder, path)
    assert (five - two) / 3 <= 25


def test_iterations_cost_no_queries_of_their_own(builder: Client, world: World) -> None:
    run = make_looped_run(world, 3)
    path = reverse("run_evidence", args=[run.pk])
    with_few = queries(builder, path)
    StepRun.objects.bulk_create(
        StepRun(run=run, step="each", name="Each line", kind="turn", position=number, iteration=str(number),
                state="succeeded", outcome={"title": f"Line {number}"})
        for number in range(4, 41)
    )  # fmt: skip
    assert queries(builder, path) <= with_few
