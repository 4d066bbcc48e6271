"""A run for each row of a CSV file: read, shown with what is wrong, and started once per file and row.

A row's start is known by the file's SHA-256 and the row's number, so the same file again starts nothing, whatever was
chosen the first time. A file that is changed in one letter is another file.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.base import Door
from integrations.errors import InvalidInputError
from integrations.fields import Field, Kind
from integrations.jsonfield import dumps, storable_text
from workflows import dates, starting
from workflows.functions.number import read_number
from workflows.models import Event, Upload, Workflow
from workflows.values import MappingError

LONGEST_FILE = 5 * 1024 * 1024
MOST_ROWS = 10_000
MOST_COLUMNS = 200
#: More runs than this are asked about once more, with their number.
ASKS_ABOVE = 50
#: Rows are compared with those of so many files that were started last.
_FILES_COMPARED = 5

#: How numbers and dates may be written in a file; what fits most values is taken, of equals the first.
NUMBERS = (("1,234.56", "."), ("1.234,56", ","))
DATES = ("YYYY-MM-DD", "D.M.YYYY", "D/M/YYYY", "M/D/YYYY", "D MMM YYYY", "D MMMM YYYY")


class UnreadableFileError(Exception):
    """The file is none that rows can be read from; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Table:
    """A CSV file as read: the names of its columns, and its rows, each with its number from 1."""

    columns: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Reading:
    """How a file's values are taken: which column goes into which value, and how numbers and dates are written."""

    columns: dict[str, int | None]
    decimal: str
    date_format: str


@dataclass
class Checked:
    """What starting the file would do: good rows as data, bad ones with what is wrong, each by its number."""

    good: dict[int, dict[str, Any]] = field(default_factory=dict)
    bad: dict[int, dict[str, str]] = field(default_factory=dict)
    started_before: set[int] = field(default_factory=set)
    #: Rows that say the same as one that another file has started, as a mended file does of all its sound rows.
    repeats: set[int] = field(default_factory=set)

    def to_start(self, *, repeats_too: bool = False) -> list[int]:
        """The rows that would start a run now, those that repeat another file's only where that is wanted."""
        known = self.started_before if repeats_too else self.started_before | self.repeats
        return [number for number in self.good if number not in known]


def upload(workflow: Workflow, *, name: str, content: bytes, by: User) -> Upload:
    """Read a file and keep it until it is started. Raises UnreadableFileError, NotStartedError."""
    starting.opens(workflow, Door.FILE)
    table = read(content)
    # One person's earlier look at a file that was never started is of no use any more.
    Upload.objects.filter(workflow=workflow, status=Upload.Status.SHOWN, uploaded_by=by).delete()
    return Upload.objects.create(
        workflow=workflow,
        name=storable_text(name)[:200] or "file.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        columns=table.columns,
        rows=table.rows,
        row_count=len(table.rows),
        uploaded_by=by,
    )


def read(content: bytes) -> Table:
    """The columns and rows of a CSV file, whatever separates them. Raises UnreadableFileError."""
    if len(content) > LONGEST_FILE:
        raise UnreadableFileError(f"The file is larger than {LONGEST_FILE // 1024 // 1024} MB. Split it.")
    text = storable_text(_decoded(content))
    try:
        lines = [line for line in csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text)) if any(line)]
    except csv.Error as error:
        raise UnreadableFileError(f"The file is no CSV file that can be read: {error}.") from error
    if not lines:
        raise UnreadableFileError("The file is empty.")
    columns, rows = _names(lines[0]), lines[1:]
    if not rows:
        raise UnreadableFileError("The file has no rows below the line with the names of its columns.")
    if len(rows) > MOST_ROWS:
        raise UnreadableFileError(f"The file has {len(rows):,} rows; at most {MOST_ROWS:,} are taken. Split it.")
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFileError(f"The file has {len(columns)} columns; at most {MOST_COLUMNS} are taken.")
    return Table(columns, rows)


def guess(table: Upload, fields: Sequence[Field]) -> Reading:
    """Each value from the column of its name, and numbers and dates as most values of the file can be read."""
    by_name = {_plain(name): place for place, name in reversed(list(enumerate(table.columns)))}
    columns = {f.name: by_name.get(_plain(f.label), by_name.get(_plain(f.name))) for f in fields}
    reading = Reading(columns, NUMBERS[0][1], DATES[0])
    numbers = _values(table, fields, reading, Kind.NUMBER)
    days = _values(table, fields, reading, Kind.DATE)
    return Reading(
        columns,
        max((mark for _, mark in NUMBERS), key=lambda mark: sum(_reads_number(each, mark) for each in numbers)),
        max(DATES, key=lambda form: sum(_reads_date(each, form) for each in days)),
    )


def check(table: Upload, fields: Sequence[Field], reading: Reading) -> Checked:
    """Every row as data or with what is wrong, and which rows of this very file have been started before."""
    checked = Checked()
    for number, row in enumerate(table.rows, 1):
        try:
            checked.good[number] = _row(row, table, fields, reading)
        except InvalidInputError as error:
            checked.bad[number] = dict(error.problems)
    keys = {_key(table, number): number for number in checked.good}
    known = Event.objects.filter(starts=table.workflow_id, key__startswith=f"csv:{table.sha256}:")
    checked.started_before = {keys[key] for key in known.values_list("key", flat=True) if key in keys}
    others = _started_by_others(table) if checked.good else set()
    checked.repeats = {number for number, data in checked.good.items() if _said(data) in others}
    return checked


def start(table: Upload, reading: Reading, *, by: User, repeats_too: bool = False) -> int:
    """Start a run for each good row that has not been started before; how many. Raises NotStartedError.

    Rows that repeat another file's are left out, unless they are wanted.
    """
    workflow = table.workflow
    operation = starting.opens(workflow, Door.FILE).full_key
    checked = check(table, starting.fields_of(workflow), reading)
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=table.pk)
        if locked.status == Upload.Status.STARTED:
            return 0
        wanted = checked.to_start(repeats_too=repeats_too)
        items = [(_key(table, number), checked.good[number]) for number in wanted]
        started = starting.start_many(workflow, operation=operation, items=items, by=by)
        # What the rows held is in the events now.
        locked.status, locked.rows, locked.started_at = Upload.Status.STARTED, [], timezone.now()
        locked.started, locked.left_out = started, locked.row_count - started
        locked.save(update_fields=["status", "rows", "started_at", "started", "left_out"])
    return started


def started_before(table: Upload) -> Upload | None:
    """The last time that this very file was started; None where it never was."""
    same = Upload.objects.filter(workflow=table.workflow_id, sha256=table.sha256, status=Upload.Status.STARTED)
    return same.exclude(pk=table.pk).select_related("uploaded_by").order_by("-started_at").first()


def _started_by_others(table: Upload) -> set[str]:
    """What the rows said that the last other files have started."""
    files = Upload.objects.filter(workflow=table.workflow_id, status=Upload.Status.STARTED).exclude(sha256=table.sha256)
    found: set[str] = set()
    for sha256 in list(files.order_by("-started_at").values_list("sha256", flat=True)[:_FILES_COMPARED]):
        events = Event.objects.filter(starts=table.workflow_id, key__startswith=f"csv:{sha256}:")
        found.update(_said(data) for data in events.values_list("data", flat=True).iterator(chunk_size=500) if data)
    return found


def _said(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps(dict(sorted(data.items()))).encode()).hexdigest()


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(row: Sequence[str], table: Upload, fields: Sequence[Field], reading: Reading) -> dict[str, Any]:
    if len(row) > len(table.columns):
        raise InvalidInputError({"": f"The row has {len(row)} values, but there are {len(table.columns)} columns."})
    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for f in fields:
        text = _cell(row, reading.columns.get(f.name))
        try:
            given[f.name] = _value(f, text, reading) if text else ""
        except ValueError as error:
            problems[f.name] = str(error)
    try:
        cleaned = starting.cleaned(fields, given)
    except InvalidInputError as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InvalidInputError(problems)
    return cleaned


def _value(f: Field, text: str, reading: Reading) -> Any:
    if f.kind is Kind.NUMBER:
        try:
            return read_number(text, reading.decimal)
        except MappingError:
            shown = next(label for label, mark in NUMBERS if mark == reading.decimal)
            raise ValueError(f"{f.label} takes a number such as {shown}; this is “{text[:60]}”.") from None
    if f.kind is Kind.DATE:
        try:
            return dates.read(text, reading.date_format)
        except MappingError:
            raise ValueError(f"{f.label} takes a date as {reading.date_format}; this is “{text[:60]}”.") from None
    if f.kind is Kind.LIST:
        return [part.strip() for part in re.split(r"[;\n]", text) if part.strip()]
    return text


def _values(table: Upload, fields: Sequence[Field], reading: Reading, kind: Kind) -> list[str]:
    places = [reading.columns.get(f.name) for f in fields if f.kind is kind]
    return [text for row in table.rows for place in places if (text := _cell(row, place))]


def _cell(row: Sequence[str], place: int | None) -> str:
    return row[place].strip() if place is not None and place < len(row) else ""


def _reads_number(text: str, mark: str) -> bool:
    try:
        read_number(text, mark)
    except MappingError:
        return False
    return True


def _reads_date(text: str, form: str) -> bool:
    try:
        dates.read(text, form)
    except MappingError:
        return False
    return True


def _key(table: Upload, number: int) -> str:
    return f"csv:{table.sha256}:{number}"


# --- the file ---------------------------------------------------------------------------------------------------------


def _decoded(content: bytes) -> str:
    """The text, as spreadsheets write it: UTF-8, UTF-16 with its mark, else the old Western encoding."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")


def _delimiter(text: str) -> str:
    """What separates the columns: of the usual marks the one that makes most of the first line."""
    head = io.StringIO(text, newline="").readline()
    counted = {mark: len(next(csv.reader([head], delimiter=mark), [])) for mark in (",", ";", "\t", "|")}
    return max(counted, key=lambda mark: counted[mark])


def _names(line: Sequence[str]) -> list[str]:
    """The columns' names, each one different."""
    found: list[str] = []
    for place, name in enumerate(line, 1):
        base = name.strip()[:80] or f"Column {place}"
        number, unique = 2, base
        while unique in found:
            unique, number = f"{base} ({number})", number + 1
        found.append(unique)
    return found


def _plain(name: str) -> str:
    folded = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]", "", folded)


def reading_of(post: Mapping[str, str], table: Upload, fields: Sequence[Field]) -> Reading:
    """What a person chose in the preview; where nothing usable was, what is guessed."""
    usual = guess(table, fields)
    columns = dict(usual.columns)
    for f in fields:
        text = post.get(f"column.{f.name}")
        if text is not None:
            is_place = text.isdecimal() and len(text) < 4 and int(text) < len(table.columns)
            columns[f.name] = int(text) if is_place else None
    decimal = post.get("decimal", "")
    form = post.get("date_format", "")
    return Reading(
        columns,
        decimal if decimal in dict((mark, label) for label, mark in NUMBERS) else usual.decimal,
        form if form in DATES else usual.date_format,
    )


def forget_unstarted() -> int:
    """Remove files that were looked at more than a day ago and never started; how many."""
    old = Upload.objects.filter(status=Upload.Status.SHOWN, uploaded_at__lt=timezone.now() - timedelta(days=1))
    return int(old.delete()[0])
