"""Lists and reports in a mail: as a table in both parts, or as a file that goes with it."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree
from zipfile import ZipFile

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from integrations.connectors.mail import table_files, tables
from integrations.connectors.mail.client import MailClient
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.core.exact_json import dumps, loads
from integrations.transport.http import Request
from tests.integrations.connectors.test_mail import action, inputs, request, send, server
from tests.integrations.mail_server import MailServer

__all__ = ["server"]

REPORT = [
    ["", "31 Oct 26", "30 Sep 26"],
    ["Income", None, None],
    ["Sales", Decimal("9220.05"), Decimal("812.00")],
    ["Net Profit", Decimal("9220.05"), Decimal("-12.50")],
]
HOSTILE = [
    "<script>alert(1)</script>", "=HYPERLINK(\"http://evil.example\",\"x\")", "+cmd|' /C calc'!A0", "@SUM(A1)", "-2+3",
    "\u202egnp.exe", "a\x00b", "--px-boundary--", "line\r\nBcc: eve@evil.example", "=?utf-8?q?=0D=0ABcc:_x?=", "&amp;",
    "🪵" * 90,
]  # fmt: skip
SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"


def parts(made: Request) -> tuple[EmailMessage, list[EmailMessage]]:
    message = message_from_bytes(made.body, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message, [part for part in message.walk() if not part.is_multipart()]


def payload(part: EmailMessage) -> bytes:
    content = part.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content


def html_cells(page: str) -> list[list[tuple[str, str]]]:
    """The rows of the page's table: for each cell its text and its alignment."""

    class Reader(HTMLParser):
        rows: list[list[tuple[str, str]]] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag == "tr":
                self.rows.append([])
            if tag in ("td", "th"):
                style = dict(attrs)["style"] or ""
                self.rows[-1].append(("", style.partition("text-align:")[2].partition(";")[0]))
            assert tag not in ("script", "img", "a")

        def handle_data(self, data: str) -> None:
            if self.rows and self.rows[-1] and data.strip():
                text, side = self.rows[-1][-1]
                self.rows[-1][-1] = (text + data, side)

    reader = Reader()
    reader.rows = []
    reader.feed(page)
    return reader.rows


def test_a_report_stands_in_the_text_and_in_the_html_part_with_numbers_to_the_right(server: MailServer) -> None:
    output = send(request(text="Here it is.", table=REPORT))
    assert output["subject"] == "New pin: Oak table"
    [(_, content)] = server.taken
    message, (text, page) = parts(Request("MAIL", "", body=content))
    assert message.get_content_type() == "multipart/alternative"
    assert [each.get_content_type() for each in (text, page)] == ["text/plain", "text/html"]
    assert text.get_content().replace("\r\n", "\n") == (
        "Here it is.\n\n"
        "            31 Oct 26  30 Sep 26\n"
        "----------  ---------  ---------\n"
        "Income\n"
        "Sales        9,220.05     812.00\n"
        "Net Profit   9,220.05     -12.50\n"
    )
    assert html_cells(page.get_content())[2] == [("Sales", "left"), ("9,220.05", "right"), ("812.00", "right")]


def test_a_mail_without_a_table_is_plain_text_as_before() -> None:
    assert request().body == request(table_place="xlsx").body == request(table=None).body
    assert request().body.count(b"Content-Type") == 1


def test_the_same_table_gives_the_same_bytes_and_they_survive_storage() -> None:
    for place in ("mail", "csv", "xlsx", "mail_xlsx"):
        first, second = request(table=REPORT, table_place=place), request(table=REPORT, table_place=place)
        assert first == second
        assert Request.from_dict(loads(dumps(first.to_dict()))) == first
        assert first.body.isascii()
        assert max(len(line) for line in first.body.split(b"\r\n")) <= 998


@pytest.mark.parametrize("place", ["mail", "csv", "xlsx", "mail_csv", "mail_xlsx"])
def test_hostile_cells_stay_text_in_every_part(place: str, server: MailServer) -> None:
    rows = [{"Name": each, "Amount": Decimal("-1.50")} for each in HOSTILE]
    send(request(table=rows, table_place=place, subject="Größe <b>", text="Hello <i>"))
    [(recipients, content)] = server.taken
    assert recipients == ["jane@example.com"]
    message, found = parts(Request("MAIL", "", body=content))
    assert message["Bcc"] is None
    assert message.keys()[-2:] == ["MIME-Version", "Content-Type"]
    for part in found:
        if part.get_content_type() == "text/html":
            cells = html_cells(part.get_content())
            assert [row[0][0] for row in cells[1:4]] == HOSTILE[:3]
            assert "Hello &lt;i&gt;" in part.get_content()
        if part.get_content_type() == "text/csv":
            assert part.get_filename() == "groe-b.csv"
            written = list(csv.reader(io.StringIO(payload(part).decode("utf-8-sig"), newline="")))
            assert [row[0] for row in written[2:6]] == [f"'{each}" for each in HOSTILE[1:5]]
            assert {row[1] for row in written[1:]} == {"-1.50"}


def test_a_workbook_holds_numbers_as_numbers_and_formulas_as_text() -> None:
    made = tables.of([{"Name": each, "Amount": Decimal("-1.50"), "Count": 3} for each in HOSTILE])
    with ZipFile(io.BytesIO(table_files.as_xlsx(made))) as package:
        assert package.testzip() is None
        for name in package.namelist():
            ElementTree.fromstring(package.read(name))
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    assert not list(sheet.iter(f"{SHEET}f"))
    first = [cell for row in sheet.iter(f"{SHEET}row") for cell in row][3:6]
    assert [(cell.get("t"), "".join(cell.itertext())) for cell in first] == [
        ("inlineStr", HOSTILE[0]), (None, "-1.50"), (None, "3"),
    ]  # fmt: skip


def test_a_number_with_more_digits_than_a_spreadsheet_holds_is_not_rounded() -> None:
    made = tables.of([[""], [Decimal("12345678901234567.89")]])
    with ZipFile(io.BytesIO(table_files.as_xlsx(made))) as package:
        sheet = ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
    [cell] = list(sheet.iter(f"{SHEET}c"))
    assert (cell.get("t"), "".join(cell.itertext())) == ("inlineStr", "12345678901234567.89")


def test_a_long_or_wide_list_is_cut_in_the_mail_and_says_so() -> None:
    wide = [{f"c{column}": Decimal(row) for column in range(15)} for row in range(230)]
    _, (text, page) = parts(request(table=wide))
    said = "30 more rows and 3 more columns are not shown here; attach the table to send all."
    assert text.get_content().rstrip().endswith(said)
    assert said in page.get_content()
    assert len(html_cells(page.get_content())) == 201


def test_a_line_of_a_table_is_cut_to_a_width_that_mail_programs_show() -> None:
    rows = [{"Name": "n" * 300, "Description": "東" * 300, "Link": "l" * 300, "Amount": Decimal("1.00")}]
    lines = tables.as_text(tables.of(rows)).splitlines()
    assert all(tables._wide(line) <= 100 for line in lines)
    assert lines[-1].endswith("…    1.00")


def test_a_list_too_large_for_a_file_is_refused_with_what_to_do() -> None:
    rows = [{"Name": str(number)} for number in range(table_files.MOST_ROWS + 1)]
    with pytest.raises(InvalidInputError) as refused:
        inputs(table=rows, table_place="csv")
    assert refused.value.problems["table"].startswith(
        "The table has 10,001 rows, 1 column; a file in a mail takes 10,000"
    )
    assert inputs(table=rows)


def test_a_text_is_no_table() -> None:
    with pytest.raises(InvalidInputError) as refused:
        inputs(table="hello")
    assert refused.value.problems == {
        "table": 'Table takes a list or a group of values from an earlier step; this is "hello".'
    }


def test_an_empty_list_says_so_instead_of_an_empty_table() -> None:
    _, (text, page) = parts(request(table=[]))
    assert "There are no rows." in text.get_content()
    assert "There are no rows." in page.get_content()


@pytest.mark.parametrize(
    ("value", "head", "first"),
    [
        ([{"InvoiceID": "ed255415-e141-4150-aab7-89c3bbbb851c", "InvoiceNumber": "INV-1",
           "Contact": {"Name": "Acme", "ContactID": "x"}, "LineItems": [{"a": 1}], "AmountDue": Decimal("12.50")}],
         ("Invoice number", "Contact", "Amount due"), ("INV-1", "Acme", Decimal("12.50"))),
        ({"net_profit": Decimal("3.00"), "rows": [1]}, (), ("Net profit", Decimal("3.00"))),
        (["Oak", "Ash"], (), ("Oak",)),
        ([{"is_sold": True, "url_id": None}], ("Is sold",), ("yes",)),
    ],
)  # fmt: skip
def test_lists_and_groups_of_any_kind_become_columns_with_names(value: Any, head: Any, first: Any) -> None:
    made = tables.of(value)
    assert (made.head, made.rows[0][: len(first)]) == (head, first)


def test_what_is_written_is_shown_as_a_document_of_its_own() -> None:
    made = action().document(inputs(table=REPORT, table_place="mail_xlsx", subject="Profit"), {})
    facts = dict(made.facts)
    assert made.whom == "jane@example.com"
    assert facts["Table"] == "3 rows, 3 columns; in the mail, and attached as an Excel file"
    assert facts["Attached"].startswith("profit.xlsx, ")


def test_stored_bytes_with_parts_of_another_kind_are_not_sent(server: MailServer) -> None:
    made = request(table=REPORT, table_place="mail_csv")
    for before, after in (
        (b"text/csv", b"text/html"),
        (b'filename="new-pin-oak-table.csv"', b'filename="invoice.exe"'),
        (b"multipart/mixed", b"multipart/related"),
        (b"Auto-Submitted", b"Bcc: eve@evil.example\r\nAuto-Submitted"),
    ):
        assert before in made.body
        with pytest.raises(RejectedError, match=r"Nothing was sent\.$"):
            MailClient(None).write(Request(made.method, made.path, body=made.body.replace(before, after)))
    assert server.talks == []


AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=2)
CELLS = st.one_of(st.text(max_size=30), st.sampled_from(HOSTILE), AMOUNTS, st.none(), st.booleans())


@example(rows=[["--px", "."], ["\r\n.\r\n", "\x1b"]])
@given(st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=6))
def test_no_table_breaks_out_of_its_part(rows: list[list[Any]]) -> None:
    made = request(table=rows, table_place="mail_xlsx")
    message, found = parts(made)
    assert [part.get_content_type() for part in found] == [
        "text/plain", "text/html", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ]  # fmt: skip
    assert not message.defects
    with ZipFile(io.BytesIO(payload(found[2]))) as package:
        ElementTree.fromstring(package.read("xl/worksheets/sheet1.xml"))
