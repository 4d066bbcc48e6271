"""What is in a mail: its text, the table below it, and the file that goes with it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from django.db.models import TextChoices
from django.utils.html import escape

from integrations.connectors.mail import table_files, tables
from integrations.connectors.mail.tables import Table
from integrations.core.email_headers import CSV, XLSX, Attachment


class TablePlace(TextChoices):
    """Where the table of a mail goes."""

    MAIL = "mail", "In the mail"
    CSV = "csv", "Attached, as a CSV file"
    XLSX = "xlsx", "Attached, as an Excel file"
    MAIL_AND_CSV = "mail_csv", "In the mail, and attached as a CSV file"
    MAIL_AND_XLSX = "mail_xlsx", "In the mail, and attached as an Excel file"


_FILES: dict[TablePlace, tuple[str, str, Callable[[Table], bytes]]] = {
    TablePlace.CSV: ("csv", CSV, table_files.as_csv),
    TablePlace.XLSX: ("xlsx", XLSX, table_files.as_xlsx),
    TablePlace.MAIL_AND_CSV: ("csv", CSV, table_files.as_csv),
    TablePlace.MAIL_AND_XLSX: ("xlsx", XLSX, table_files.as_xlsx),
}
_IN_MAIL = (TablePlace.MAIL, TablePlace.MAIL_AND_CSV, TablePlace.MAIL_AND_XLSX)


def table_problem(value: Any, place: TablePlace) -> str:
    """Why this table cannot go into a mail, as a sentence; empty if it can."""
    if value is None or place not in _FILES:
        return ""
    table = tables.of(value)
    if len(table.rows) > table_files.MOST_ROWS or table.width > table_files.MOST_COLUMNS:
        return (
            f"The table has {table.in_words()}; a file in a mail takes {table_files.MOST_ROWS:,} rows and "
            f"{table_files.MOST_COLUMNS} columns. Take a part of the list, for instance with a filter of its step."
        )
    size = len(_file(table, place))
    if size > table_files.MOST_BYTES:
        return f"The file would have {size:,} bytes; a mail takes {table_files.MOST_BYTES:,}. Take a part of the list."
    return ""


def text(words: str, table: Any, place: TablePlace) -> str:
    """The text part: what was written, and the table below it."""
    if table is None or place not in _IN_MAIL:
        return words
    return f"{words.rstrip()}\n\n{tables.as_text(tables.of(table))}\n"


def page(words: str, table: Any, place: TablePlace) -> str:
    """The same as an HTML page; empty if there is no table, because plain text needs none."""
    if table is None or place not in _IN_MAIL:
        return ""
    paragraphs = "<br>\n".join(escape(line) for line in words.rstrip().splitlines())
    return (
        '<!doctype html>\n<html><head><meta charset="utf-8"></head><body style="font-family:sans-serif">\n'
        f"<p>{paragraphs}</p>\n{tables.as_html(tables.of(table))}\n</body></html>\n"
    )


def attachment(subject: str, table: Any, place: TablePlace) -> Attachment | None:
    """The table as a file that is called after the subject."""
    if table is None or place not in _FILES:
        return None
    extension, content_type, _ = _FILES[place]
    return Attachment(f"{_stem(subject)}.{extension}", content_type, _file(tables.of(table), place))


def _file(table: Table, place: TablePlace) -> bytes:
    _, _, write = _FILES[place]
    return write(table)


def _stem(subject: str) -> str:
    plain = unicodedata.normalize("NFKD", subject).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50].strip("-") or "table"
