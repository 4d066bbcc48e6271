"""Showing lookup tables: the list, a table, its versions, and CSV exports."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.paginator import Page, Paginator
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods

from integrations.audit.exports import exported
from integrations.teams.access import Can, allow, may, team_of
from integrations.views.downloads import download
from pinxero.pages import page
from workflows.forms.page_forms import NoteForm
from workflows.lookup_tables import csv_files, editing
from workflows.lookup_tables.lookup import content, spread, standing
from workflows.lookup_tables.usage import users_of
from workflows.models import LookupRow, LookupTable, LookupVersion

ROWS_ON_A_PAGE = 25
_VERSIONS_ON_A_PAGE = 50
_DIFFERENCES_SHOWN = 100


@require_GET
@allow(Can.LOOK)
def lookup_tables(request: HttpRequest) -> HttpResponse:
    """The team's lookup tables; the archived ones only on request."""
    mine = LookupTable.objects.for_team(team_of(request))
    search = searched(request)
    is_archive = request.GET.get("archived") == "1"
    found = mine.filter(is_archived=is_archive)
    if search:
        found = found.filter(Q(name__icontains=search) | Q(description__icontains=search))
    shown = Paginator(found.order_by("name", "pk"), ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    latest = LookupVersion.objects.filter(table__in=[table.pk for table in shown]).select_related("saved_by")
    in_force = {(version.table_id, version.number): version for version in latest}
    context = {
        "shown": shown,
        "rows": [(table, in_force.get((table.pk, table.version))) for table in shown],
        "search": search,
        "is_archive": is_archive,
        "archived": mine.filter(is_archived=True).count(),
        "may_build": may(request, Can.BUILD),
    }
    return page(request, "lookups/list.html", context, title="Lookup tables")


@require_GET
@allow(Can.LOOK)
def lookup_table(request: HttpRequest, table_id: int) -> HttpResponse:
    """A table's content, what uses it, and what can be done with it."""
    table = table_or_404(request, table_id)
    version = version_or_404(table, table.version)
    context = {
        "table": table,
        "version": version,
        "users": users_of(table),
        "may_build": may(request, Can.BUILD),
        **rows_shown(request, table, version),
    }
    return page(request, "lookups/table.html", context, title=table.name)


@require_GET
@allow(Can.LOOK)
def export_lookup_table(request: HttpRequest, table_id: int) -> HttpResponse:
    """A version of the table as CSV, by default the current one."""
    table = table_or_404(request, table_id)
    wanted = request.GET.get("version") or str(table.version)
    number = int(wanted) if wanted.isdecimal() and len(wanted) < 11 else 0
    version_or_404(table, number)
    stem = f"{table.name}, version {number}"
    exported(table, team_id=table.team_id, by=request.user, form="CSV", chosen=[("Version", str(number))])
    return download(csv_files.write(content(table, number)), stem=stem, extension="csv", content_type="text/csv")


@require_GET
@allow(Can.LOOK)
def lookup_versions(request: HttpRequest, table_id: int) -> HttpResponse:
    """Every saved change: who, when, why, and how many rows changed."""
    table = table_or_404(request, table_id)
    versions = LookupVersion.objects.filter(table=table).select_related("saved_by").order_by("-number")
    shown = Paginator(versions, _VERSIONS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"table": table, "shown": shown, "may_build": may(request, Can.BUILD)}
    return page(request, "lookups/versions.html", context, title=f"Versions of {table.name}")


@require_GET
@allow(Can.LOOK)
def lookup_version(request: HttpRequest, table_id: int, number: int) -> HttpResponse:
    """What a version changed, and its content."""
    table = table_or_404(request, table_id)
    version = version_or_404(table, number)
    context = {
        "table": table,
        "version": version,
        "differences": shown_differences(editing.differences(content(table, number - 1), content(table, number))),
        "may_build": may(request, Can.BUILD),
        **rows_shown(request, table, version),
    }
    return page(request, "lookups/version.html", context, title=f"{table.name}, version {number}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def restore_lookup_version(request: HttpRequest, table_id: int, number: int) -> HttpResponse:
    """Show what restoring a version would change; then restore it."""
    table = table_or_404(request, table_id)
    version_or_404(table, number)
    form = NoteForm(request.POST or None)
    problem = ""
    if request.method == "POST" and form.is_valid():
        assert isinstance(request.user, User)
        try:
            made = editing.restore(table, number, by=request.user, note=form.cleaned_data["note"])
        except editing.LookupEditError as error:
            problem = error.message
        else:
            said = (
                f"Version {number} is brought back, as version {made.number}." if made else "It says the same already."
            )
            messages.success(request, said)
            return redirect("lookup_table", table.pk)
    changes = editing.differences(content(table), content(table, number))
    context = {
        "table": table,
        "number": number,
        "form": form,
        "problem": problem,
        "differences": shown_differences(changes),
    }
    return page(request, "lookups/restore.html", context, title=f"Bring back version {number} of {table.name}")


# --- what these pages and those of the editor share -------------------------------------------------------------------


def table_or_404(request: HttpRequest, table_id: int) -> LookupTable:
    """The team's table; for anybody else it does not exist."""
    found: LookupTable = get_object_or_404(LookupTable.objects.for_team(team_of(request)), pk=table_id)
    return found


def version_or_404(table: LookupTable, number: int) -> LookupVersion:
    """A version of the table."""
    if number > 2_000_000_000:
        raise Http404
    found: LookupVersion = get_object_or_404(
        LookupVersion.objects.select_related("saved_by"), table=table, number=number
    )
    return found


def searched(request: HttpRequest) -> str:
    """What was typed into the search."""
    return request.GET.get("q", "").strip()[:100].replace("\x00", "")


def rows_shown(request: HttpRequest, table: LookupTable, version: LookupVersion) -> dict[str, Any]:
    """The page of a version's rows that is asked for: as (row, its cells in order)."""
    search = searched(request)
    found = standing(table, version.number)
    if search:
        found = found.filter(pk__in=_matching(table, version, search))
    shown: Page[LookupRow] = Paginator(found, ROWS_ON_A_PAGE).get_page(request.GET.get("page"))
    cells = [(row, list(spread(version.columns, row.cells).values())) for row in shown]
    return {"shown": shown, "rows": cells, "search": search, "columns": version.columns}


def _matching(table: LookupTable, version: LookupVersion, search: str) -> list[int]:
    """Rows with the text in any cell, at most as many as SQLite takes in one query."""
    wanted = search.casefold()
    found = []
    for pk, cells in standing(table, version.number).values_list("pk", "cells"):
        if any(wanted in text.casefold() for text in cells.values()):
            found.append(pk)
        if len(found) == 900:
            break
    return found


def shown_differences(changes: editing.Differences) -> dict[str, Any]:
    """For the page: the first rows of each kind, and how many more there are."""

    def first(rows: tuple[Any, ...]) -> dict[str, Any]:
        return {"rows": rows[:_DIFFERENCES_SHOWN], "count": len(rows), "more": max(0, len(rows) - _DIFFERENCES_SHOWN)}

    changed = tuple(
        (
            next(iter(now.values()), ""),
            [(name, was.get(name) or "", now.get(name) or "") for name in {**was, **now}
             if (was.get(name) or "") != (now.get(name) or "")],
        )
        for was, now in changes.changed
    )  # fmt: skip
    return {
        "any": bool(changes),
        "added": first(changes.added),
        "changed": first(changed),
        "removed": first(changes.removed),
        "columns_added": changes.columns_added,
        "columns_removed": changes.columns_removed,
        "is_otherwise_different": changes.is_otherwise_different,
    }
