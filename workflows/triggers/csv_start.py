"""A run for each row of a CSV file: read, shown with its problems, and started once per file and row.

A row's start is identified by the file's SHA-256 and the row's number, so the same file again starts nothing, whatever
was chosen the first time. A file with one letter changed is another file.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.core.errors import InvalidInputError
from integrations.core.exact_json import dumps, storable_text
from integrations.framework.base import Door, Start
from integrations.schema.fields import Field, sentences
from workflows.definitions import editing, samples, start_values
from workflows.definitions.samples import Found
from workflows.files import column_kinds, column_reading, spreadsheets
from workflows.files.column_kinds import Column
from workflows.files.column_reading import Reading
from workflows.models import Event, Upload, Workflow
from workflows.triggers import schedules, starting

LONGEST_FILE = 5 * 1024 * 1024
MOST_ROWS = 10_000
MOST_COLUMNS = 200
#: Starting more runs than this must be confirmed, with their number.
ASKS_ABOVE = 50
#: Rows are compared with those of this many files, the last ones started.
_FILES_COMPARED = 5


class UnreadableFileError(Exception):
    """No rows can be read from the file; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Table:
    """A CSV file as read: the names of its columns, and its rows, each with its number from 1."""

    columns: list[str]
    rows: list[list[str]]
    separator: str
    above: str


@dataclass
class Checked:
    """What starting the file would do: good rows as data, bad ones with their problems, each by its number."""

    good: dict[int, dict[str, Any]] = field(default_factory=dict)
    bad: dict[int, dict[str, str]] = field(default_factory=dict)
    started_before: set[int] = field(default_factory=set)
    #: Rows with the same content as one that another file has started, as in a corrected file.
    repeats: set[int] = field(default_factory=set)

    def to_start(self, *, repeats_too: bool = False) -> list[int]:
        """The rows that would start a run now; those that repeat another file's only with `repeats_too`."""
        known = self.started_before if repeats_too else self.started_before | self.repeats
        return [number for number in self.good if number not in known]


def upload(workflow: Workflow, *, name: str, content: bytes, by: User) -> Upload:
    """Read a file and keep it until it is started. Raises UnreadableFileError, NotStartedError."""
    start_values.opens(workflow, Door.FILE)
    table = read(content)
    # A file that this person uploaded earlier and never started is no longer needed.
    Upload.objects.filter(workflow=workflow, status=Upload.Status.SHOWN, uploaded_by=by).delete()
    return Upload.objects.create(
        workflow=workflow,
        name=storable_text(name)[:200] or "file.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        columns=table.columns,
        rows=table.rows,
        separator=table.separator,
        above=table.above,
        row_count=len(table.rows),
        uploaded_by=by,
    )


def read(content: bytes) -> Table:
    """The columns and rows of a CSV file, whatever separates them. Raises UnreadableFileError."""
    if len(content) > LONGEST_FILE:
        raise UnreadableFileError(f"The file is larger than {LONGEST_FILE // 1024 // 1024} MB. Split it.")
    if message := spreadsheets.other_kind(content):
        raise UnreadableFileError(message)
    text = storable_text(spreadsheets.decode(content)[0])
    try:
        sheet = spreadsheets.read(text, most_rows=MOST_ROWS)
    except csv.Error as error:
        raise UnreadableFileError(f"The file is no CSV file that can be read: {error}.") from error
    if sheet.heading is None:
        raise UnreadableFileError("The file is empty.")
    if not sheet.rows:
        raise UnreadableFileError("The file has no rows below the line with the names of its columns.")
    if len(sheet.rows) > MOST_ROWS:
        raise UnreadableFileError(f"The file has more than {MOST_ROWS:,} rows, which is the most. Split it.")
    columns = _names(sheet.heading.cells)
    if len(columns) > MOST_COLUMNS:
        raise UnreadableFileError(f"The file has {len(columns)} columns; at most {MOST_COLUMNS} are taken.")
    return Table(
        columns, [line.cells for line in sheet.rows], sheet.separator, spreadsheets.lines_above_in_words(sheet)
    )


def take_columns(workflow: Workflow, trigger: Start, *, content: bytes) -> int:
    """Declare the trigger's values by the columns of a file, and keep its first rows as samples; returns how many.

    Raises UnreadableFileError, also if the trigger cannot ask for these columns.
    """
    table = read(content)
    columns = column_kinds.columns_of(table.columns, table.rows)
    fields = trigger.fields(_declared(trigger, columns, [each.example for each in columns]))
    if workflow.trigger_operation == trigger.full_key:
        columns = _as_before(columns, fields, trigger.fields(workflow.trigger_inputs))
        fields = trigger.fields(_declared(trigger, columns, [each.example for each in columns]))
    rows = _first_rows(workflow, table, fields)
    inputs = _declared(trigger, columns, [_example(f, rows) for f in fields])
    editing.set_trigger(
        workflow,
        operation=trigger.full_key,
        connection=None,
        inputs=inputs,
        interval_minutes=workflow.interval_minutes,
    )
    samples.keep_items(workflow, [Found(each) for each in rows])
    return len(rows)


def _as_before(columns: Sequence[Column], fields: Sequence[Field], before: Sequence[Field]) -> list[Column]:
    """What was needed stays needed, and what no row of the file has keeps its kind: steps count on both."""
    known = {f.name: f for f in before}
    found = []
    for column, f in zip(columns, fields, strict=True):
        old = known.get(f.name, f)
        kind = column.kind if column.example else old.kind
        found.append(replace(column, kind=kind, is_required=column.is_required or old.is_required))
    return found


def _declared(trigger: Start, columns: Sequence[Column], examples: Sequence[str]) -> dict[str, Any]:
    """The trigger's inputs that declare these columns. Raises UnreadableFileError."""
    fields = [Field(each.label, each.label, each.kind, is_required=each.is_required) for each in columns]
    inputs = trigger.declaring(list(zip(fields, examples, strict=True)))
    try:
        trigger.Inputs.clean(inputs)
    except InvalidInputError as error:
        raise UnreadableFileError(f"The columns of the file cannot be used: {error.message}") from error
    return inputs


def _example(f: Field, rows: Sequence[Mapping[str, Any]]) -> str:
    """The first value that there is, as a run has it and not as the file writes it; "" if no row could be read."""
    return next((str(row[f.name]) for row in rows if row.get(f.name)), "")


def _first_rows(workflow: Workflow, table: Table, fields: Sequence[Field]) -> list[dict[str, Any]]:
    """The first rows that can be read without asking a person how."""
    sheet = Upload(workflow=workflow, columns=table.columns, rows=table.rows, separator=table.separator)
    reading = column_reading.guess(sheet, fields, zone=schedules.default_zone(workflow))
    found: list[dict[str, Any]] = []
    for row in table.rows[: 10 * samples.MOST_ITEMS]:
        with suppress(InvalidInputError):
            found.append(_row(row, sheet, fields, reading))
    return found[: samples.MOST_ITEMS]


def check(table: Upload, fields: Sequence[Field], reading: Reading) -> Checked:
    """Every row as data or with its problems, and which rows of this very file have been started before."""
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
    checked.repeats = {number for number, data in checked.good.items() if _content_hash(data) in others}
    return checked


def start(table: Upload, reading: Reading, *, by: User, repeats_too: bool = False) -> int:
    """Start a run for each good row that has not been started before; returns how many. Raises NotStartedError.

    Rows that repeat another file's are left out, unless they are asked for.
    """
    workflow = table.workflow
    operation = start_values.opens(workflow, Door.FILE).full_key
    fields = start_values.fields_of(workflow)
    for message in column_reading.doubts(table, fields, reading).values():
        raise start_values.NotStartedError(message)
    checked = check(table, fields, reading)
    with transaction.atomic():
        locked = Upload.objects.select_for_update().get(pk=table.pk)
        if locked.status == Upload.Status.STARTED:
            return 0
        wanted = checked.to_start(repeats_too=repeats_too)
        items = [(_key(table, number), checked.good[number]) for number in wanted]
        started = starting.start_many(workflow, operation=operation, items=items, by=by)
        # The events hold the content of the rows now.
        locked.status, locked.rows, locked.started_at = Upload.Status.STARTED, [], timezone.now()
        locked.started, locked.left_out = started, locked.row_count - started
        locked.save(update_fields=["status", "rows", "started_at", "started", "left_out"])
    return started


def started_before(table: Upload) -> Upload | None:
    """The last time that this very file was started; None if it never was."""
    same = Upload.objects.filter(workflow=table.workflow_id, sha256=table.sha256, status=Upload.Status.STARTED)
    return same.exclude(pk=table.pk).select_related("uploaded_by").order_by("-started_at").first()


def _started_by_others(table: Upload) -> set[str]:
    """Hashes of the content of the rows that the last other files have started."""
    files = Upload.objects.filter(workflow=table.workflow_id, status=Upload.Status.STARTED).exclude(sha256=table.sha256)
    found: set[str] = set()
    for sha256 in list(files.order_by("-started_at").values_list("sha256", flat=True)[:_FILES_COMPARED]):
        events = Event.objects.filter(starts=table.workflow_id, key__startswith=f"csv:{sha256}:")
        found.update(
            _content_hash(data) for data in events.values_list("data", flat=True).iterator(chunk_size=500) if data
        )
    return found


def _content_hash(data: Mapping[str, Any]) -> str:
    return hashlib.sha256(dumps(dict(sorted(data.items()))).encode()).hexdigest()


# --- rows -------------------------------------------------------------------------------------------------------------


def _row(row: Sequence[str], table: Upload, fields: Sequence[Field], reading: Reading) -> dict[str, Any]:
    if len(row) > len(table.columns):
        raise InvalidInputError({"": f"The row has {len(row)} values, but there are {len(table.columns)} columns."})
    given: dict[str, Any] = {}
    problems: dict[str, str] = {}
    for f in fields:
        text = column_reading.cell(row, reading.columns.get(f.name))
        try:
            given[f.name] = column_reading.value(f, text, reading) if text else ""
        except ValueError as error:
            problems[f.name] = str(error)
    try:
        cleaned = start_values.cleaned(fields, given, zone=reading.zone)
    except InvalidInputError as error:
        problems = {**error.problems, **problems}
    if problems:
        raise InvalidInputError(problems, sentences(fields, problems))
    return cleaned


def _key(table: Upload, number: int) -> str:
    return f"csv:{table.sha256}:{number}"


# --- the file ---------------------------------------------------------------------------------------------------------


def _names(line: Sequence[str]) -> list[str]:
    """The columns' names, made unique."""
    found: list[str] = []
    for place, name in enumerate(line, 1):
        base = name.strip()[:80] or f"Column {place}"
        number, unique = 2, base
        while unique in found:
            unique, number = f"{base} ({number})", number + 1
        found.append(unique)
    return found


def forget_unstarted() -> int:
    """Remove files that were uploaded more than a day ago and never started; returns how many."""
    old = Upload.objects.filter(status=Upload.Status.SHOWN, uploaded_at__lt=timezone.now() - timedelta(days=1))
    return int(old.delete()[0])
