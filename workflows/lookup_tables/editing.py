"""How people's edits of lookup tables become versions. Each function is one change in one transaction.

Every edit (rows typed, a file, an older version brought back) results in a whole `Content` that is checked and then
stored by `_store`: only what differs is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from integrations.audit import origin
from integrations.audit.actions import Audited
from integrations.audit.record import record, record_difference
from integrations.models import Team
from workflows.language.values import is_storable
from workflows.lookup_tables.lookup import KEY_LIMIT, Content, content, fold, spread, standing
from workflows.models import LookupRow, LookupTable, LookupVersion

ROWS_LIMIT = 10_000
COLUMNS_LIMIT = 12
CELL_LIMIT = 500  # characters
NAME_LIMIT = 100  # characters of a column's name


class LookupEditError(Exception):
    """The change cannot be made; `message` is a sentence for the person who asked for it."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Differences:
    """How one content differs from another; a changed row is given as it was and as it is."""

    added: tuple[dict[str, str], ...]
    changed: tuple[tuple[dict[str, str], dict[str, str]], ...]
    removed: tuple[dict[str, str], ...]
    columns_added: tuple[str, ...]
    columns_removed: tuple[str, ...]
    is_otherwise_different: bool = False  # the order of columns, or which is the key

    def __bool__(self) -> bool:
        return bool(
            self.added
            or self.changed
            or self.removed
            or self.columns_added
            or self.columns_removed
            or self.is_otherwise_different
        )


def differences(before: Content, after: Content) -> Differences:
    """The changes from one to the other. Rows are the same if their keys are."""
    old = {fold(row[before.key_column]): row for row in before.rows}
    new = {fold(row[after.key_column]): row for row in after.rows}
    shared = {name for name in before.columns if name in after.columns}

    def differs(key: str) -> bool:
        was, now = old[key], new[key]
        names = {*before.columns, *after.columns}
        return any((was.get(name) or "") != (now.get(name) or "") for name in names)

    columns_added = tuple(name for name in after.columns if name not in shared)
    columns_removed = tuple(name for name in before.columns if name not in shared)
    is_same = (before.columns, before.key_column) == (after.columns, after.key_column)
    return Differences(
        added=tuple(row for key, row in new.items() if key not in old),
        changed=tuple((old[key], row) for key, row in new.items() if key in old and differs(key)),
        removed=tuple(row for key, row in old.items() if key not in new),
        columns_added=columns_added,
        columns_removed=columns_removed,
        is_otherwise_different=not is_same and not columns_added and not columns_removed,
    )


# --- tables ---------------------------------------------------------------------------------------------------------


@transaction.atomic
def create(
    team: Team, *, name: str, description: str, columns: Sequence[str], by: User, rows: Iterable[dict[str, str]] = ()
) -> LookupTable:
    """A new table whose first column is the key. Raises LookupEditError if it cannot be created."""
    try:
        with transaction.atomic():
            table = LookupTable.objects.create(team=team, name=name, description=description, created_by=by)
    except IntegrityError:
        raise _name_is_taken(team, name) from None
    wanted = _checked(Content(tuple(columns), columns[0] if columns else "", tuple(rows)))
    _store(table, Content(), wanted, by=by, note="The first version.")
    columns_and_rows = {"Columns": ", ".join(wanted.columns), "Rows": f"{len(wanted.rows):,}"}
    record(Audited.TABLE_CREATED, team_id=team.pk, about=table, by=by, after=columns_and_rows)
    return table


def describe(table: LookupTable, *, name: str, description: str) -> None:
    """Change its name. Workflows refer to it by name, so the caller first checks that none does."""
    with _recorded(table):
        table.name, table.description = name, description
        try:
            with transaction.atomic():
                table.save(update_fields=["name", "description", "changed_at"])
        except IntegrityError:
            raise _name_is_taken(table.team, name) from None


def archive(table: LookupTable, *, is_archived: bool) -> None:
    """Archive it, or bring it back. Nothing in it is lost."""
    with _recorded(table):
        table.is_archived = is_archived
        table.save(update_fields=["is_archived", "changed_at"])


@contextmanager
def _recorded(table: LookupTable) -> Iterator[None]:
    """What is changed within about the table itself goes to the audit trail."""
    with transaction.atomic():
        before = _in_words(LookupTable.objects.get(pk=table.pk))
        yield
        record_difference(
            Audited.TABLE_CHANGED,
            team_id=table.team_id,
            about=table,
            by=origin.person(),
            before=before,
            after=_in_words(table),
        )


def _in_words(table: LookupTable) -> dict[str, str]:
    return {
        "Name": table.name,
        "Description": table.description,
        "State": "Archived" if table.is_archived else "In use",
    }


def _name_is_taken(team: Team, name: str) -> LookupEditError:
    is_archived = LookupTable.objects.for_team(team).filter(name__iexact=name, is_archived=True).exists()
    where = ", put away" if is_archived else ""
    return LookupEditError(f"There is already a lookup table called {name}{where}. Choose another name.")


# --- versions -------------------------------------------------------------------------------------------------------


def edit_rows(
    table: LookupTable,
    *,
    changed: Mapping[int, dict[str, str]],
    removed: Iterable[int],
    added: Sequence[dict[str, str]],
    by: User,
    note: str,
) -> LookupVersion | None:
    """Change and remove rows by id, and add new ones. None if nothing changes.

    Others may have saved meanwhile; this is an error only if they changed the same rows.
    """

    def edit(before: Content, locked: LookupTable) -> Content:
        gone = set(removed)
        touched = LookupRow.objects.filter(table=locked, pk__in={*changed, *gone})
        outdated = [
            row
            for row in touched
            if row.gone_in is not None
            and (row.pk in gone or _trimmed(changed[row.pk], before.columns) != spread(before.columns, row.cells))
        ]
        if outdated:
            names = ", ".join(sorted(str(row.cells.get(before.key_column) or row.key) for row in outdated[:5]))
            raise LookupEditError(
                f"Somebody else has changed {names} meanwhile. Nothing was saved; "
                "open the rows again to see how they are now."
            )
        rows = []
        for row in standing(locked, locked.version):
            if row.pk not in gone:
                cells = spread(before.columns, row.cells)
                rows.append({**cells, **_trimmed(changed[row.pk], before.columns)} if row.pk in changed else cells)
        return Content(before.columns, before.key_column, (*rows, *(_trimmed(row, before.columns) for row in added)))

    return _change(table, edit, by=by, note=note)


def edit_columns(
    table: LookupTable, *, columns: Sequence[tuple[str, str]], key_column: str, by: User, note: str
) -> LookupVersion | None:
    """Rename, order, add and remove columns: pairs of the old name (empty for a new one) and the new name."""

    def edit(before: Content, locked: LookupTable) -> Content:
        lost = [old for old, _ in columns if old and old not in before.columns]
        if lost:
            raise LookupEditError(f"Somebody else has changed the column {lost[0]} meanwhile. Nothing was saved.")
        rows = tuple({new: row.get(old, "") if old else "" for old, new in columns} for row in before.rows)
        return Content(tuple(new for _, new in columns), key_column, rows)

    return _change(table, edit, by=by, note=note)


def replace(table: LookupTable, wanted: Callable[[Content], Content], *, by: User, note: str) -> LookupVersion | None:
    """Store what `wanted` makes of the current content. None if nothing differs."""
    return _change(table, lambda before, locked: wanted(before), by=by, note=note)


def restore(table: LookupTable, number: int, *, by: User, note: str = "") -> LookupVersion | None:
    """Store an older version's content again, as a new version. None if the current one has the same."""
    full_note = f"Version {number} brought back." + (f" {note}" if note else "")
    return _change(table, lambda before, locked: content(locked, number), by=by, note=full_note)


def _change(
    table: LookupTable, edit: Callable[[Content, LookupTable], Content], *, by: User, note: str
) -> LookupVersion | None:
    with transaction.atomic():
        locked = LookupTable.objects.select_for_update().get(pk=table.pk)
        if locked.is_archived:
            raise LookupEditError(f"{locked.name} was put away. Bring it back first.")
        before = content(locked)
        version = _store(locked, before, _checked(edit(before, locked)), by=by, note=note)
    table.version = locked.version
    return version


def _store(table: LookupTable, before: Content, after: Content, *, by: User, note: str) -> LookupVersion | None:
    found = differences(before, after)
    if not found:
        return None
    number = table.version + 1
    standing_now = {row.key: row for row in standing(table, table.version)}
    wanted = {fold(row[after.key_column]): {k: v for k, v in row.items() if v} for row in after.rows}
    ended = [row.pk for key, row in standing_now.items() if key not in wanted or row.cells != wanted[key]]
    last = max((row.position for row in standing_now.values()), default=0)
    fresh = []
    for key, cells in wanted.items():
        row = standing_now.get(key)
        if row is None:
            last += 1
        if row is None or row.cells != cells:
            position = last if row is None else row.position
            fresh.append(LookupRow(table=table, key=key, cells=cells, position=position, added_in=number))
    for start in range(0, len(ended), 500):
        LookupRow.objects.filter(pk__in=ended[start : start + 500]).update(gone_in=number)
    LookupRow.objects.bulk_create(fresh, batch_size=500)
    table.version = number
    table.save(update_fields=["version", "changed_at"])
    if number > 1:
        # What is in the rows may name people, and nothing is ever deleted from the trail; the versions keep it.
        record(
            Audited.TABLE_CHANGED,
            team_id=table.team_id,
            about=table,
            by=by,
            reason=note.strip(),
            before={"Version": str(number - 1)},
            after={"Version": str(number), **_counted(found)},
        )
    return LookupVersion.objects.create(
        table=table,
        number=number,
        columns=list(after.columns),
        key_column=after.key_column,
        row_count=len(after.rows),
        added=len(found.added),
        changed=len(found.changed),
        removed=len(found.removed),
        note=note.strip(),
        saved_by=by,
    )


def _counted(found: Differences) -> dict[str, str]:
    """The differences in words, without what is in the rows."""
    words = {
        "Rows added": len(found.added),
        "Rows changed": len(found.changed),
        "Rows removed": len(found.removed),
        "Columns added": ", ".join(found.columns_added),
        "Columns removed": ", ".join(found.columns_removed),
    }
    return {label: str(value) for label, value in words.items() if value}


# --- checks ---------------------------------------------------------------------------------------------------------


def trimmed(text: str) -> str:
    """A cell as it is stored: on one line, without spaces around it."""
    return " ".join(text.split())


def _trimmed(row: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    return {name: trimmed(row.get(name, "")) for name in columns}


def row_problem(row: Mapping[str, str], key_column: str) -> str:
    """What prevents a row from being stored, as a sentence; empty if it can be."""
    key = fold(row.get(key_column, ""))
    if not key:
        return f"{key_column} is empty; every row needs it to be found by."
    if len(key) > KEY_LIMIT:
        return f"{key_column} is longer than {KEY_LIMIT} characters."
    for name, text in row.items():
        if len(text) > CELL_LIMIT:
            return f"{name} is longer than {CELL_LIMIT} characters."
        if not is_storable(text):
            return f"{name} holds a character that cannot be stored."
    return ""


def columns_problem(columns: Sequence[str], key_column: str) -> str:
    """The same for the columns."""
    if not columns:
        return "A lookup table needs at least one column: what its rows are found by."
    if len(columns) > COLUMNS_LIMIT:
        return f"A lookup table has at most {COLUMNS_LIMIT} columns; these are {len(columns)}."
    folded: set[str] = set()
    for name in columns:
        if not name:
            return "A column has no name."
        if len(name) > NAME_LIMIT or not is_storable(name):
            return f"A column's name has at most {NAME_LIMIT} ordinary characters: {name[:40]}…"
        if fold(name) in folded:
            return f"There are two columns called {name}."
        folded.add(fold(name))
    return "" if key_column in columns else "Choose which column the rows are found by."


def _checked(wanted: Content) -> Content:
    columns = tuple(trimmed(name) for name in wanted.columns)
    if problem := columns_problem(columns, trimmed(wanted.key_column)):
        raise LookupEditError(problem)
    if len(wanted.rows) > ROWS_LIMIT:
        raise LookupEditError(f"A lookup table has at most {ROWS_LIMIT:,} rows; these are {len(wanted.rows):,}.")
    seen: set[str] = set()
    rows = []
    for row in wanted.rows:
        cells = {new: trimmed(row.get(old, "")) for old, new in zip(wanted.columns, columns, strict=True)}
        key_column = trimmed(wanted.key_column)
        if problem := row_problem(cells, key_column):
            where = f"In the row {cells[key_column][:60]}: " if cells.get(key_column) else ""
            raise LookupEditError(f"{where}{problem}")
        key = fold(cells[key_column])
        if key in seen:
            raise LookupEditError(f"{key_column} {cells[key_column]} stands in two rows, but a row is found by it.")
        seen.add(key)
        rows.append(cells)
    return Content(columns, trimmed(wanted.key_column), tuple(rows))
