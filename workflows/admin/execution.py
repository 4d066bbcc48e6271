"""What the machine wrote, for looking up."""

from __future__ import annotations

from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html

from integrations.admin.read_only import ReadOnlyAdmin, TeamReadOnlyAdmin
from integrations.core.exact_json import dumps
from workflows.models import Beat, Decision, Event, Release, Run, StepRun, TriggerState


@admin.register(Run)
class RunAdmin(TeamReadOnlyAdmin):
    """Runs; what can be done about one is on its own page."""

    list_display = ["id", "title", "status", "workflow", "result", "created_at", "page"]
    list_filter = ["status"]
    search_fields = ["title", "result"]
    list_select_related = ["workflow"]
    fields = [
        "workflow", "version", "event", "replay", "connection", "status", "wait_reason", "wake_at", "title", "result",
        "error", "claims", "created_at", "started_at", "finished_at", "page",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Page")
    def page(self, run: Run) -> str:
        """Its own page."""
        return format_html('<a href="{}">Open</a>', reverse("run", args=[run.pk]))


@admin.register(StepRun)
class StepRunAdmin(TeamReadOnlyAdmin):
    """Steps of runs; request and answer are on the run's page, where secrets are masked."""

    team_path = "run__team"
    list_display = ["id", "name", "run", "operation", "state", "finished_at", "page"]
    list_filter = ["state"]
    search_fields = ["marker", "idempotency_key", "provider_id"]
    list_select_related = ["run"]
    fields = [
        "run", "step", "name", "operation", "connection", "state", "marker", "idempotency_key", "request_sha256",
        "provider_id", "error", "tries", "first_sent_at", "last_sent_at", "started_at", "finished_at", "page",
    ]  # fmt: skip
    readonly_fields = fields

    @admin.display(description="Page")
    def page(self, step_run: StepRun) -> str:
        """The page of its run."""
        return format_html('<a href="{}">Open</a>', reverse("run", args=[step_run.run_id]))


@admin.register(Event)
class EventAdmin(TeamReadOnlyAdmin):
    """Items that were accepted."""

    list_display = ["id", "operation", "key", "connection", "accepted_at"]
    search_fields = ["key"]
    list_select_related = ["connection"]
    fields = ["team", "operation", "connection", "key", "accepted_at", "data_text"]
    readonly_fields = fields

    @admin.display(description="Data")
    def data_text(self, event: Event) -> str:
        """The data as they are stored."""
        return dumps(event.data)


@admin.register(TriggerState)
class TriggerStateAdmin(TeamReadOnlyAdmin):
    """Polls, and how the last look went."""

    list_display = ["operation", "connection", "status", "last_polled_at", "next_due_at", "failures"]
    list_select_related = ["connection"]
    fields = [
        "team", "operation", "connection", "status", "last_polled_at", "next_due_at", "last_found", "failures",
        "last_error",
    ]  # fmt: skip
    readonly_fields = fields


@admin.register(Decision)
class DecisionAdmin(TeamReadOnlyAdmin):
    """What people decided about runs."""

    team_path = "run__team"
    list_display = ["run", "what", "by", "at", "reason"]
    list_filter = ["what"]
    list_select_related = ["run", "by"]
    fields = ["run", "step", "what", "by", "at", "reason"]
    readonly_fields = fields


@admin.register(Release)
class ReleaseAdmin(TeamReadOnlyAdmin):
    """What was there already and was to start runs, by "start from" a day."""

    team_path = "workflow__team"
    list_display = ["workflow", "since", "status", "counted", "released", "asked_by", "asked_at"]
    list_filter = ["status"]
    search_fields = ["workflow__name"]
    list_select_related = ["workflow", "asked_by"]
    fields = [
        "workflow", "trigger_state", "since", "status", "counted", "is_capped", "released", "asked_by", "asked_at",
        "finished_at",
    ]  # fmt: skip
    readonly_fields = fields


@admin.register(Beat)
class BeatAdmin(ReadOnlyAdmin):
    """Signs of life of the worker."""

    list_display = ["name", "at"]
    fields = ["name", "at"]
    readonly_fields = fields
