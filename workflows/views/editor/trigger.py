"""The form of a workflow's trigger: which one, on which connection, with which inputs, how often."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from integrations.framework.base import Start, Trigger
from integrations.framework.registry import operation_or_none, triggers
from integrations.models import Connection
from integrations.teams.access import Can, allow, team_of
from workflows.definitions import editing
from workflows.forms import schema_form
from workflows.forms.page_forms import TriggerForm
from workflows.models import Workflow
from workflows.presenters.editor.sample_card import sample_card
from workflows.presenters.polling_status import polling_status
from workflows.triggers import wake_on_webhook
from workflows.views.common import connections_by_provider, offers, workflow_or_404
from workflows.views.editor.connection_choice import ConnectionChoice
from workflows.views.editor.form_page import SchemaPage
from workflows.views.editor.panel import editor_page
from workflows.views.editor.start_settings import StartPage
from workflows.views.editor.step_order import after_trigger


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def trigger(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save the trigger. `?trigger=` shows the form of another one; nothing changes until it is saved."""
    workflow = workflow_or_404(request, workflow_id)
    wanted = operation_or_none(request.GET.get("trigger", "") or workflow.trigger_operation)
    chosen = wanted if isinstance(wanted, Trigger) else None
    if chosen is None or request.GET.get("change") == "1":
        groups = offers(triggers(), connections_by_provider(team_of(request)))
        context = {"workflow": workflow, "groups": groups}
        return editor_page(request, workflow, "workflows/choose_trigger.html", context, title="Choose a trigger")
    if isinstance(chosen, Start):
        return StartPage(request, workflow, chosen).answer()
    return TriggerPage(request, workflow, chosen).answer()


class TriggerPage(SchemaPage):
    """The form of a trigger that polls a provider."""

    template = "workflows/trigger.html"
    takes_tokens = False

    def __init__(self, request: HttpRequest, workflow: Workflow, trigger: Trigger) -> None:
        super().__init__(request, workflow, workflow)
        self.trigger = trigger
        self.schema = trigger.Inputs
        self.is_stored = trigger.full_key == workflow.trigger_operation
        self.form = TriggerForm(self.posted, initial={"interval_minutes": workflow.interval_minutes})
        self.connection = ConnectionChoice(request, trigger, workflow.trigger_connection if self.is_stored else None)

    @property
    def chosen_connection(self) -> Connection | None:
        """The connection it works with, if any."""
        return self.connection.chosen

    @property
    def title(self) -> str:
        """Whose trigger it is."""
        return f"Trigger of {self.workflow.name}"

    def stored(self) -> editing.Sources:
        """The workflow's inputs if it has this trigger, else the trigger's defaults."""
        if self.is_stored and self.workflow.trigger_inputs:
            return schema_form.shown_constants(self.schema, self.workflow.trigger_inputs)
        return schema_form.defaults(self.schema)

    def problems(self, typed: editing.Sources) -> dict[str, str]:
        """The problems that the schema finds, and those of the connection."""
        self.connection.compare(self.schema, typed)
        return {**super().problems(typed), **self.connection.problems}

    def save(self, typed: editing.Sources) -> HttpResponse:
        """Store it, and go on to what should happen."""
        editing.set_trigger(
            self.workflow,
            operation=self.trigger.full_key,
            connection=self.connection.chosen,
            inputs=schema_form.constants(self.schema, typed),
            interval_minutes=self.form.cleaned_data["interval_minutes"],
        )
        messages.success(self.request, "The trigger is saved.")
        return after_trigger(self.workflow)

    def context(self, typed: editing.Sources) -> dict[str, Any]:
        """The inputs, and what the interval means."""
        self.connection.compare(self.schema, typed)
        controls = schema_form.controls(
            self.schema, typed, self.errors, load=self.connection.load, takes_tokens=False, post=self.posted
        )
        self.connection.name_foreign_values(controls)
        return {
            **self.connection.context(self.errors),
            "is_stored": self.is_stored,
            "card": sample_card(self.workflow) if self.is_stored else None,
            "controls": controls,
            "notice": _notice(self.trigger),
            "slowed": polling_status(self.workflow).slowed if self.is_stored else "",
        }


def _notice(trigger: Trigger) -> str:
    """What the interval means if the provider can report changes by webhook."""
    name = trigger.connector.name
    if wake_on_webhook.is_instant(trigger.full_key):
        return f"{name} reports this at once; the checks in between only catch what a notification missed."
    return f"{name} can report this at once, but no notification has arrived here yet: until then the interval counts."
