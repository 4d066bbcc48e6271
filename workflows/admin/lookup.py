"""Lookup tables, for looking up what was in force when."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from integrations.admin.read_only import TeamReadOnlyAdmin
from integrations.core.exact_json import dumps
from workflows.models import LookupRow, LookupTable, LookupVersion


@admin.register(LookupTable)
class LookupTableAdmin(TeamReadOnlyAdmin):
    """Lookup tables; they are edited on their own pages."""

    list_display = ["name", "team", "version", "is_archived", "changed_at", "page"]
    list_filter = ["is_archived"]
    search_fields = ["name", "description"]
    list_select_related = ["team"]
    fields = ["name", "team", "description", "version", "is_archived", "created_by", "created_at", "changed_at", "page"]
    readonly_fields = fields

    @admin.display(description="Page")
    def page(self, table: LookupTable) -> str:
        """Its own page."""
        return format_html('<a href="{}">Open</a>', reverse("lookup_table", args=[table.pk]))


@admin.register(LookupVersion)
class LookupVersionAdmin(TeamReadOnlyAdmin):
    """Saved changes of lookup tables."""

    team_path = "table__team"
    list_display = ["table", "number", "saved_at", "saved_by", "row_count", "note", "page"]
    search_fields = ["table__name", "note"]
    list_select_related = ["table", "saved_by"]
    fields = [
        "table", "number", "columns_text", "key_column", "row_count", "added", "changed", "removed", "note", "saved_by",
        "saved_at", "page",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Columns")
    def columns_text(self, version: LookupVersion) -> str:
        """The columns in order."""
        return ", ".join(version.columns)

    @admin.display(description="Page")
    def page(self, version: LookupVersion) -> str:
        """Its own page."""
        address = reverse("lookup_version", args=[version.table_id, version.number])
        return format_html('<a href="{}">Open</a>', address)


@admin.register(LookupRow)
class LookupRowAdmin(TeamReadOnlyAdmin):
    """Rows of lookup tables, each with the versions in which it stood."""

    team_path = "table__team"
    list_display = ["key", "table", "added_in", "gone_in"]
    search_fields = ["key"]
    list_select_related = ["table"]
    fields = ["table", "key", "cells_text", "added_in", "gone_in"]
    readonly_fields = fields

    @admin.display(description="Cells")
    def cells_text(self, row: LookupRow) -> str:
        """The cells as they are stored."""
        return dumps(row.cells)
