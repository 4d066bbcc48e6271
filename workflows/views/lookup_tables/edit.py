"""Lookup tables as they are edited: a new one, rows, columns, name and purpose, a file. Each saves one version."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from integrations.core.body_limits import WITH_FILE, takes
from integrations.teams.access import Can, allow, team_of
from pinxero.pages import page
from workflows.files import spreadsheets
from workflows.forms.lookup_forms import LookupTableForm, NewLookupTableForm
from workflows.forms.page_forms import NoteForm
from workflows.lookup_tables import csv_files, editing
from workflows.lookup_tables.editing import COLUMNS_LIMIT, LookupEditError
from workflows.lookup_tables.lookup import content
from workflows.lookup_tables.usage import users_of
from workflows.views.lookup_tables.tables import rows_shown, shown_differences, table_or_404, version_or_404

_NEW_ROWS_AT_ONCE = 20


@takes(WITH_FILE)
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def new_lookup_table(request: HttpRequest) -> HttpResponse:
    """Name it and its columns, or let a file name them."""
    form = NewLookupTableForm(request.POST or None, request.FILES or None)
    problems: tuple[csv_files.Problem, ...] = ()
    if request.method == "POST" and form.is_valid():
        columns, note = form.columns, ""
        rows: tuple[dict[str, str], ...] = ()
        if form.cleaned_data["file"]:
            parsed = csv_files.read_file(form.cleaned_data["file"].read())
            columns, rows, problems, note = list(parsed.columns), parsed.rows, parsed.problems, parsed.note
        if not problems:
            try:
                table = editing.create(
                    team_of(request),
                    name=form.cleaned_data["name"],
                    description=form.cleaned_data["description"],
                    columns=columns,
                    rows=rows,
                    by=_person(request),
                )
            except LookupEditError as error:
                form.add_error(None, error.message)
            else:
                said = f"{table.name} is there, with {len(rows):,} row{'' if len(rows) == 1 else 's'}. {note}"
                messages.success(request, said.strip())
                return redirect("lookup_table" if rows else "edit_lookup_rows", table.pk)
    return page(request, "lookups/new.html", {"form": form, "problems": problems}, title="New lookup table")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def edit_lookup_rows(request: HttpRequest, table_id: int) -> HttpResponse:
    """The rows of one page as fields, with room for new ones."""
    table = table_or_404(request, table_id)
    version = version_or_404(table, table.version)
    posted = request.POST if request.method == "POST" else None
    form = NoteForm(posted)
    problem = ""
    new = [_cells(posted, f"new.{each}", version.columns) for each in _numbers(posted, "new")] if posted else [{}]
    is_adding = posted is not None and "_add_row" in posted
    if posted is not None and not is_adding and form.is_valid():
        try:
            made = editing.edit_rows(
                table,
                changed={row: _cells(posted, f"cell.{row}", version.columns) for row in _numbers(posted, "row")},
                removed=_numbers(posted, "remove"),
                added=[row for row in new if any(text.strip() for text in row.values())],
                by=_person(request),
                note=form.cleaned_data["note"],
            )
        except LookupEditError as error:
            problem = error.message
        else:
            messages.success(request, f"Saved as version {made.number}." if made else "Nothing has changed.")
            return redirect(f"{reverse('lookup_table', args=[table.pk])}{_query(request)}")
    if is_adding and len(new) < _NEW_ROWS_AT_ONCE:
        new.append({})
    shown = rows_shown(request, table, version)
    rows = [_row_as_typed(row.pk, cells, posted, version.columns) for row, cells in shown["rows"]]
    context = {
        **shown,
        "table": table,
        "version": version,
        "form": form,
        "problem": problem,
        "rows": rows,
        "new": [[row.get(name, "") for name in version.columns] for row in new],
        "may_add": len(new) < _NEW_ROWS_AT_ONCE,
    }
    return page(request, "lookups/rows.html", context, title=f"Rows of {table.name}")


def _row_as_typed(pk: int, cells: list[str], posted: QueryDict | None, columns: list[str]) -> dict[str, Any]:
    if posted is None or f"cell.{pk}.0" not in posted:
        return {"pk": pk, "cells": cells, "is_removed": False}
    typed = list(_cells(posted, f"cell.{pk}", columns).values())
    return {"pk": pk, "cells": typed, "is_removed": str(pk) in posted.getlist("remove")}


def _cells(posted: QueryDict, prefix: str, columns: list[str]) -> dict[str, str]:
    return {name: posted.get(f"{prefix}.{n}", "") for n, name in enumerate(columns)}


def _numbers(posted: QueryDict, name: str) -> list[int]:
    return [int(each) for each in posted.getlist(name)[:100] if each.isdecimal() and len(each) < 19]


def _query(request: HttpRequest) -> str:
    kept = QueryDict(mutable=True)
    for name in ("q", "page"):
        if request.GET.get(name):
            kept[name] = request.GET[name]
    return f"?{kept.urlencode()}" if kept else ""


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def edit_lookup_columns(request: HttpRequest, table_id: int) -> HttpResponse:
    """The names and order of columns, which one is the key, and room for new ones."""
    table = table_or_404(request, table_id)
    version = version_or_404(table, table.version)
    posted = request.POST if request.method == "POST" else None
    form = NoteForm(posted)
    problem = ""
    rows = [
        {"old": name, "name": name, "is_key": name == version.key_column, "is_removed": False}
        for name in version.columns
    ]
    if posted is not None:
        rows = _columns_as_typed(posted)
        kept = [row for row in rows if not row["is_removed"] and (row["old"] or row["name"])]
        key = next((row["name"] for row in kept if row["is_key"]), "")
        if form.is_valid():
            try:
                made = editing.edit_columns(
                    table,
                    columns=[(row["old"], row["name"]) for row in kept],
                    key_column=key,
                    by=_person(request),
                    note=form.cleaned_data["note"],
                )
            except LookupEditError as error:
                problem = error.message
            else:
                messages.success(request, f"Saved as version {made.number}." if made else "Nothing has changed.")
                return redirect("lookup_table", table.pk)
    blanks = max(0, min(2, COLUMNS_LIMIT - len(version.columns)) - sum(not row["old"] for row in rows))
    rows += [{"old": "", "name": "", "is_key": False, "is_removed": False} for _ in range(blanks)]
    context = {"table": table, "version": version, "form": form, "problem": problem, "rows": rows}
    return page(request, "lookups/columns.html", context, title=f"Columns of {table.name}")


def _columns_as_typed(posted: QueryDict) -> list[dict[str, Any]]:
    return [
        {
            "old": posted.get(f"old.{n}", ""),
            "name": editing.trimmed(posted.get(f"name.{n}", "")),
            "is_key": posted.get("key") == str(n),
            "is_removed": str(n) in posted.getlist("remove"),
        }
        for n in sorted(set(_numbers(posted, "column")))[: 2 * COLUMNS_LIMIT]
    ]


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def lookup_table_settings(request: HttpRequest, table_id: int) -> HttpResponse:
    """Name and purpose. Workflows refer to a table by name, so a used one keeps its name."""
    table = table_or_404(request, table_id)
    users = users_of(table)
    initial = {"name": table.name, "description": table.description}
    form = LookupTableForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        name = form.cleaned_data["name"]
        if users and name != table.name:
            named = ", ".join(workflow.name for workflow in users[:5])
            form.add_error("name", f"The name is used in {named}. Choose another table there first, or keep the name.")
        else:
            try:
                editing.describe(table, name=name, description=form.cleaned_data["description"])
            except LookupEditError as error:
                form.add_error("name", error.message)
            else:
                messages.success(request, "Saved.")
                return redirect("lookup_table", table.pk)
    context = {"table": table, "form": form, "users": users}
    return page(request, "lookups/settings.html", context, title=f"Settings of {table.name}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def archive_lookup_table(request: HttpRequest, table_id: int) -> HttpResponse:
    """Archive or restore it. A table that workflows use cannot be archived."""
    table = table_or_404(request, table_id)
    users = [] if table.is_archived else users_of(table)
    if request.method == "POST" and not users:
        editing.archive(table, is_archived=not table.is_archived)
        messages.success(request, f"{table.name} is {'put away' if table.is_archived else 'back'}.")
        return redirect("lookup_tables")
    return page(request, "lookups/archive.html", {"table": table, "users": users}, title=f"Put away {table.name}")


@takes(WITH_FILE)
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def import_lookup_table(request: HttpRequest, table_id: int) -> HttpResponse:
    """Choose a file or paste text, see the changes, then apply them."""
    table = table_or_404(request, table_id)
    version = version_or_404(table, table.version)
    posted = request.POST if request.method == "POST" else None
    text, note, problem = _text(request) if posted is not None else ("", "", "")
    how = csv_files.replaced if posted is not None and posted.get("how") == "replace" else csv_files.merged
    form = NoteForm(posted if posted is not None and "_save" in posted else None)
    parsed, changes = None, None
    if text and not problem:
        parsed = csv_files.read(text, key_column=version.key_column)
    if parsed is not None and not parsed.problems:
        found = parsed
        try:
            if form.is_valid():
                made = editing.replace(
                    table, lambda before: how(before, found), by=_person(request), note=form.cleaned_data["note"]
                )
                messages.success(request, f"Saved as version {made.number}." if made else "Nothing has changed.")
                return redirect("lookup_table", table.pk)
            before = content(table)
            changes = shown_differences(editing.differences(before, how(before, parsed)))
        except LookupEditError as error:
            problem = error.message
    context = {
        "table": table,
        "version": version,
        "form": form,
        "text": text,
        "how": "replace" if how is csv_files.replaced else "merge",
        "note": note,
        "problem": problem,
        "parsed": parsed,
        "differences": changes,
    }
    return page(request, "lookups/import.html", context, title=f"CSV into {table.name}")


def _text(request: HttpRequest) -> tuple[str, str, str]:
    """The chosen or pasted text, how it was read, and its problems."""
    chosen = request.FILES.get("file")
    if chosen is None:
        pasted = request.POST.get("text", "")
        problem = "" if pasted.strip() else "Choose a file, or paste rows from a spreadsheet."
        return pasted, "", problem if len(pasted) <= csv_files.SIZE_LIMIT else _TOO_LARGE
    if chosen.size is None or chosen.size > csv_files.SIZE_LIMIT:
        return "", "", _TOO_LARGE
    raw = chosen.read()
    text, note = spreadsheets.decode(raw)
    return text, note, spreadsheets.other_kind(raw)


_TOO_LARGE = f"The file is larger than {csv_files.SIZE_LIMIT // 1000} kB. Split it, and take in one part after another."


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
