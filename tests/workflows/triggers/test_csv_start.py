"""A run for each row of a CSV file: how files are read, what is asked before, and that a row starts once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, override_settings
from django.utils import timezone

from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted import connector as scripted
from tests.workflows.starts import CONNECTORS, started_by
from workflows.definitions import start_values
from workflows.files import column_reading
from workflows.models import Event, Run, Upload, Workflow
from workflows.triggers import csv_start

FILE = "Title;Amount;Paid on\nOak table;1.234,56;30.11.2026\nOak chair;99,5;1.12.2026\n"


@pytest.fixture(autouse=True)
def _with_starts(provider: scripted.Provider) -> Iterator[None]:
    with override_settings(CONNECTORS=CONNECTORS):
        yield


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    return started_by(cast, make_workflow, "start.csv")


def send(client: Client, workflow: Workflow, text: str | bytes, name: str = "rows.csv") -> str:
    """Upload a file; the address of its preview, or the page that says what is wrong."""
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile(name, content, content_type="text/csv")
    answer = client.post(f"/workflows/{workflow.pk}/rows/", {"file": file})
    return str(answer.url) if answer.status_code == 302 else answer.content.decode()


def said(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_file_is_shown_first_and_started_by_a_second_step(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, FILE)
    page = said(client.get(preview))
    for text in ("2 rows, 3 columns", "Oak table", "1234.56", "2026-11-30", "Start 2 runs", "This writes for real"):
        assert text in page
    assert not Run.objects.exists()
    assert client.post(preview, {}).status_code == 302
    assert [run.title for run in Run.objects.order_by("pk")] == ["Oak table", "Oak chair"]
    data = Event.objects.order_by("pk")[0].data
    assert (data["amount"], data["paid_on"], data["kind"]) == (Decimal("1234.56"), "2026-11-30", None)
    assert set(Event.objects.values_list("by", flat=True)) == {cast.builder.pk}
    assert Upload.objects.get().rows == []


def test_the_same_file_again_starts_nothing_and_says_so(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    client.post(send(client, workflow, FILE))
    preview = send(client, workflow, FILE, name="renamed.csv")
    page = said(client.get(preview))
    assert "This file was already started" in page
    assert "none is left to start" in page
    assert "every row of this file has been started before" in said(client.post(preview, {}))
    assert Run.objects.count() == 2
    # Neither do other choices make other starts of the same rows.
    client.post(preview, {"column.title": "1"})
    assert Run.objects.count() == 2


def test_pressing_twice_starts_once(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, FILE)
    client.post(preview, {})
    assert client.post(preview, {}).status_code == 302
    assert Run.objects.count() == 2


def test_bad_rows_are_told_and_left_out_only_by_a_persons_word(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "Title,Amount,Kind\nOak,1,Sale\n,2,Sale\nAsh,ten,Gift\nElm,3,,extra\n")
    page = said(client.get(preview))
    assert "3 rows cannot be started" in page
    assert "Row 2: Title is needed, but nothing was given." in page
    assert "Row 3: " in page
    assert "Kind takes one of Sale, Refund; this is “Gift”." in page
    assert "Row 4: The row has 4 values, but there are 3 columns." in page
    assert "Say whether the rows" in said(client.post(preview, {}))
    assert not Run.objects.exists()
    assert client.post(preview, {"leave_out": "3"}).status_code == 302
    assert [run.title for run in Run.objects.all()] == ["Oak"]
    row = Upload.objects.get()
    assert (row.started, row.left_out) == (1, 3)


def test_more_than_fifty_runs_are_confirmed_with_their_number(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "Title\n" + "".join(f"Row {number}\n" for number in range(51)))
    assert "Yes, start 51 runs" in said(client.get(preview))
    assert "Confirm that 51 runs are to be started." in said(client.post(preview, {}))
    assert "Confirm that 51 runs" in said(client.post(preview, {"confirmed": "50"}))
    assert not Run.objects.exists()
    client.post(preview, {"confirmed": "51"})
    assert Run.objects.count() == 51


def test_columns_are_chosen_by_hand_where_their_names_say_nothing(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, "A,B\nOak,5\nAsh,6\n")
    assert "2 rows cannot be started" in said(client.get(preview))
    chosen = {"column.title": "0", "column.amount": "1"}
    assert "Start 2 runs" in said(client.post(preview, {**chosen, "_reload": "1"}))
    assert not Run.objects.exists()
    client.post(preview, chosen)
    assert [(e.data["title"], e.data["amount"]) for e in Event.objects.order_by("pk")] == [("Oak", 5), ("Ash", 6)]


@pytest.mark.parametrize(
    "content",
    [
        FILE.encode(),
        FILE.encode("utf-8-sig"),
        FILE.encode("utf-16"),
        FILE.encode("cp1252"),
        FILE.replace(";", "\t").encode(),
        FILE.replace("\n", "\r\n").encode(),
        b'Title;Amount;Paid on\n"Oak table";"1.234,56";30.11.2026\n\n;;\nOak chair;99,5;1.12.2026',
    ],
)
def test_files_are_read_as_spreadsheets_write_them(content: bytes) -> None:
    table = csv_start.read(content)
    assert table.columns == ["Title", "Amount", "Paid on"]
    assert table.rows == [["Oak table", "1.234,56", "30.11.2026"], ["Oak chair", "99,5", "1.12.2026"]]


def test_a_comma_in_quotes_and_a_line_break_stay_within_their_value() -> None:
    table = csv_start.read(b'Title,Note,Title\n"Oak, large","two\nlines",x\n')
    assert table.columns == ["Title", "Note", "Title (2)"]
    assert table.rows == [["Oak, large", "two\nlines", "x"]]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "The file is empty."),
        (b"Title\n", "no rows below the line"),
        (b"Title\n" + b"x\n" * 10_001, "more than 10,000 rows"),
        (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
        (b",".join([b"a"] * 201) + b"\n1\n", "201 columns"),
        (b"Title\n" + b"x" * 200_000, "no CSV file that can be read"),
    ],
)
def test_a_file_that_cannot_be_taken_is_refused_in_words(content: bytes, words: str) -> None:
    with pytest.raises(csv_start.UnreadableFileError, match=words):
        csv_start.read(content)


def test_a_picture_is_no_table_and_harms_nothing(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\xff" * 20, name="a\x00b.png")
    assert "Nothing is started yet" in said(client.get(preview)) or "cannot be read" in preview


def test_only_builders_of_the_team_and_workflows_that_take_files(
    cast: Cast, make_workflow: Make, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    preview = send(client, workflow, FILE)
    for person, status in [(cast.auditor, 403), (cast.outsider, 404)]:
        client.force_login(person)
        assert client.get(preview).status_code == client.post(preview, {}).status_code == status
    client.force_login(cast.builder)
    other = started_by(cast, make_workflow, "start.call", name="Other")
    assert "Other is not started from files." in send(client, other, FILE)
    assert client.post(preview.replace(f"/{workflow.pk}/", f"/{other.pk}/"), {}).status_code == 404
    workflow.status = "paused"
    workflow.save()
    assert "is not switched on" in said(client.post(preview, {}))
    assert not Run.objects.exists()
    Workflow.objects.filter(pk=workflow.pk).update(deleted_at="2026-11-30T00:00:00Z")
    with pytest.raises(start_values.NotStartedError, match="has been deleted"):
        csv_start.start(Upload.objects.get(), column_reading.guess(Upload.objects.get(), ()), by=cast.builder)


def test_a_file_that_is_never_started_is_removed_after_a_day(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    client.post(send(client, workflow, FILE))
    send(client, workflow, FILE + "x;1,00;1.1.2026\n")
    assert csv_start.forget_unstarted() == 0
    Upload.objects.update(uploaded_at=timezone.now() - timedelta(hours=25))
    assert csv_start.forget_unstarted() == 1
    assert Upload.objects.get().status == "started"


def test_one_value_that_is_none_does_not_change_how_the_others_are_read(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    page = said(client.get(send(client, workflow, FILE + "Oak bench;x;someday\n")))
    assert "1 row cannot be started" in page
    assert "Start 2 runs" in page
    assert "Amount takes a number such as 1.234,56; this is “x”." in page
    assert "Paid on takes a date as D.M.YYYY; this is “someday”." in page


def test_a_mended_file_starts_only_what_the_first_one_did_not_unless_asked(
    cast: Cast, workflow: Workflow, client: Client
) -> None:
    client.force_login(cast.builder)
    client.post(send(client, workflow, FILE + ";1,00;1.12.2026\n"), {"leave_out": "1"})
    assert Run.objects.count() == 2
    preview = send(client, workflow, FILE + "Oak bench;1,00;1.12.2026\n")
    page = said(client.get(preview))
    assert "2 rows say the same as one that another file has started." in page
    assert "Start 1 run<" in page
    assert "Start 3 runs" in said(client.post(preview, {"_reload": "1", "repeats_too": "yes"}))
    client.post(preview, {})
    assert [run.title for run in Run.objects.order_by("pk")] == ["Oak table", "Oak chair", "Oak bench"]
    client.post(send(client, workflow, FILE + "Oak shelf;1,00;1.12.2026\n"), {"repeats_too": "yes"})
    assert Run.objects.count() == 6


def test_rows_that_are_alike_within_one_file_all_start(cast: Cast, workflow: Workflow, client: Client) -> None:
    client.force_login(cast.builder)
    client.post(send(client, workflow, "Title\nOak\nOak\n"))
    assert Run.objects.count() == 2
