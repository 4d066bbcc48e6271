"""Workflows and runs as the API shows them: named fields only, never a request, a header or a secret."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from integrations.framework.base import Door
from integrations.schema.fields import Field
from workflows.definitions import start_values
from workflows.models import Run, StepRun, Workflow


class WorkflowSerializer(serializers.ModelSerializer[Workflow]):
    """A workflow: what it is called, whether it is on, and what it asks for when the API starts it."""

    version = serializers.SerializerMethodField()
    trigger = serializers.SerializerMethodField()
    can_be_started = serializers.SerializerMethodField()
    values = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField()

    class Meta:
        model = Workflow
        fields = ("id", "name", "description", "status", "version", "trigger", "can_be_started", "values", "url")
        read_only_fields = fields

    def get_version(self, workflow: Workflow) -> int | None:
        """The number of the published version."""
        return workflow.published.number if workflow.published else None

    def get_trigger(self, workflow: Workflow) -> str:
        """The key of what starts it."""
        plan = workflow.published.plan if workflow.published else {"trigger": {"operation": ""}}
        return str(plan["trigger"]["operation"])

    def get_can_be_started(self, workflow: Workflow) -> bool:
        """Whether the API may start it now."""
        found = start_values.start_of(workflow)
        return found is not None and Door.API in found.doors and workflow.status == Workflow.Status.ACTIVE

    def get_values(self, workflow: Workflow) -> list[dict[str, Any]]:
        """What it asks for."""
        found = start_values.start_of(workflow)
        if found is None or Door.API not in found.doors:
            return []
        return [_field(each) for each in start_values.fields_of(workflow)]

    def get_url(self, workflow: Workflow) -> str:
        """Its page for people."""
        return f"{settings.BASE_URL}{reverse('workflow', args=[workflow.pk])}"


class RunSerializer(serializers.ModelSerializer[Run]):
    """A run in a list."""

    workflow = serializers.IntegerField(source="workflow_id", read_only=True)
    version = serializers.IntegerField(source="version.number", read_only=True)
    url = serializers.SerializerMethodField()

    class Meta:
        model = Run
        fields: tuple[str, ...] = (
            "id", "workflow", "version", "status", "wait_reason", "title", "result", "error", "created_at",
            "started_at", "finished_at", "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_url(self, run: Run) -> str:
        """Its page for people."""
        return f"{settings.BASE_URL}{reverse('run', args=[run.pk])}"


class StepRunSerializer(serializers.ModelSerializer[StepRun]):
    """One step of a run: its result, never what was sent."""

    output = serializers.JSONField(read_only=True)

    class Meta:
        model = StepRun
        fields = (
            "step", "iteration", "kind", "name", "operation", "state", "output", "provider_id", "link", "error",
            "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields


class RunDetailSerializer(RunSerializer):
    """A run with what started it and its steps."""

    data = serializers.JSONField(source="event.data", read_only=True)  # type: ignore[assignment]
    steps = StepRunSerializer(source="step_runs", many=True, read_only=True)

    class Meta(RunSerializer.Meta):
        fields = (*RunSerializer.Meta.fields, "data", "steps")
        read_only_fields = fields


def _field(f: Field) -> dict[str, Any]:
    shown: dict[str, Any] = {"name": f.name, "label": f.label, "holds": f.kind.value, "required": f.is_required}
    return shown | ({"choices": [value for value, _ in f.fixed_choices]} if f.fixed_choices else {})
