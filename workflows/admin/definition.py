"""What people wrote, for looking up."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from integrations.admin.read_only import TeamReadOnlyAdmin
from integrations.core.exact_json import dumps
from workflows.models import Workflow, WorkflowVersion


@admin.register(Workflow)
class WorkflowAdmin(TeamReadOnlyAdmin):
    """Workflows; they are edited on their own page."""

    list_display = ["name", "team", "status", "trigger_operation", "changed_at", "page"]
    list_filter = ["status"]
    search_fields = ["name", "description"]
    list_select_related = ["team"]
    fields = [
        "name", "team", "description", "status", "pause_reason", "trigger_operation", "trigger_connection", "published",
        "created_by", "created_at", "changed_at", "page",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Page")
    def page(self, workflow: Workflow) -> str:
        """Its own page."""
        return format_html('<a href="{}">Open</a>', reverse("workflow", args=[workflow.pk]))


@admin.register(WorkflowVersion)
class WorkflowVersionAdmin(TeamReadOnlyAdmin):
    """Versions as they were published."""

    team_path = "workflow__team"
    list_display = ["workflow", "number", "published_at", "published_by", "note", "page"]
    search_fields = ["workflow__name", "note"]
    list_select_related = ["workflow", "published_by"]
    fields = [
        "workflow",
        "number",
        "summary",
        "note",
        "published_by",
        "published_at",
        "plan_sha256",
        "plan_text",
        "page",
    ]
    readonly_fields = fields

    @admin.display(description="Plan")
    def plan_text(self, version: WorkflowVersion) -> str:
        """The plan as it is stored."""
        return dumps(version.plan)

    @admin.display(description="Page")
    def page(self, version: WorkflowVersion) -> str:
        """Its own page."""
        address = reverse("workflow_version", args=[version.workflow_id, version.number])
        return format_html('<a href="{}">Open</a>', address)
