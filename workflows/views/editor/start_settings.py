"""The form of a trigger that needs no provider: its schedule, the values it asks for, or its own address."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_http_methods

from integrations.core.encryption import UndecryptableError
from integrations.core.errors import InvalidInputError
from integrations.framework.base import Door, Start
from integrations.teams.access import Can, allow
from integrations.teams.recent_sign_in import recently_signed_in
from pinxero.pages import page
from workflows.definitions import editing, recurrence
from workflows.definitions.changes import revisions
from workflows.forms import schema_form
from workflows.forms.page_forms import PlainForm
from workflows.models import InboundHook, Workflow, WorkflowPart
from workflows.presenters.editor.conflicts import Conflict
from workflows.presenters.editor.sample_card import sample_card
from workflows.presenters.labels import in_words
from workflows.triggers import inbound_webhooks, schedules
from workflows.views.common import loader, signed_in, workflow_or_404
from workflows.views.editor.form_page import SchemaPage, WholePage, seen_number
from workflows.views.editor.step_order import after_trigger

#: Inputs whose value decides which other inputs are shown.
_DECIDE = {"how", "month_day"}
_ALWAYS_NEEDED = {"every", "days", "day", "before", "at", "cron", "timezone"}


class StartPage(SchemaPage):
    """Show and save it. Inputs that the chosen options do not need are neither shown nor kept."""

    template = "workflows/start_settings.html"
    takes_tokens = False

    def __init__(self, request: HttpRequest, workflow: Workflow, trigger: Start) -> None:
        super().__init__(request, workflow, workflow)
        self.trigger = trigger
        self.schema = trigger.Inputs
        self.is_stored = trigger.full_key == workflow.trigger_operation
        self.form = PlainForm(self.posted)

    @property
    def title(self) -> str:
        """Whose trigger it is."""
        return f"Trigger of {self.workflow.name}"

    def stored(self) -> editing.Sources:
        """The workflow's inputs if it has this trigger, else the trigger's defaults."""
        if self.is_stored and self.workflow.trigger_inputs:
            return schema_form.shown_constants(self.schema, self.workflow.trigger_inputs)
        return schema_form.defaults(self.schema)

    def read(self, posted: QueryDict) -> editing.Sources:
        """What was typed, with defaults for inputs that are newly shown."""
        sources = super().read(posted)
        _fill(self.trigger, sources)
        return sources

    def settled(self, typed: editing.Sources) -> editing.Sources:
        """Only the inputs that are shown."""
        asked = self.trigger.asked(typed)
        return {name: value for name, value in typed.items() if name in asked}

    def problems(self, typed: editing.Sources) -> dict[str, str]:
        """The problems that the schema finds, also with several inputs together."""
        return _problems(self.trigger, typed)

    def save(self, typed: editing.Sources) -> HttpResponse:
        """Store it, with an address if it is started by calls, and go on to what should happen."""
        editing.set_trigger(
            self.workflow,
            operation=self.trigger.full_key,
            connection=None,
            inputs=schema_form.constants(self.schema, typed),
            interval_minutes=self.workflow.interval_minutes,
        )
        if Door.ADDRESS in self.trigger.doors:
            inbound_webhooks.hook_of(self.workflow)
        messages.success(self.request, "The trigger is saved.")
        return after_trigger(self.workflow)

    def context(self, typed: editing.Sources) -> dict[str, Any]:
        """The inputs, the next times, the address."""
        workflow, trigger = self.workflow, self.trigger
        if Door.CLOCK in trigger.doors and not typed.get("timezone"):
            typed["timezone"] = schedules.default_zone(workflow)
        has_address = self.is_stored and Door.ADDRESS in trigger.doors
        return {
            "operation": trigger,
            "is_stored": self.is_stored,
            "card": sample_card(workflow) if self.is_stored else None,
            "controls": _controls(trigger, typed, self.errors, self.posted),
            "next_times": next_times(workflow, trigger, typed),
            "is_clock": Door.CLOCK in trigger.doors,
            "hook": inbound_webhooks.hook_of(workflow) if has_address else None,
            "address": address_of(workflow) if has_address else "",
            "takes_columns": Door.FILE in trigger.doors,
            "takes_calls": Door.ADDRESS in trigger.doors,
        }


def _problems(trigger: Start, sources: editing.Sources) -> dict[str, str]:
    """What keeps it from being saved, including problems of several inputs together."""
    found = schema_form.problems(trigger.Inputs, sources, takes_tokens=False)
    try:
        trigger.Inputs.clean(schema_form.constants(trigger.Inputs, sources))
    except InvalidInputError as error:
        return {**error.problems, **found}
    return found


def _fill(trigger: Start, sources: editing.Sources) -> None:
    """Give inputs that are newly shown their defaults."""
    usual = schema_form.defaults(trigger.Inputs)
    for name in _DECIDE & usual.keys():
        sources[name] = sources.get(name) or usual[name]
    for name in trigger.asked(sources) & usual.keys():
        if not sources.get(name) and not isinstance(sources.get(name), list):
            sources[name] = usual[name]


def _controls(
    trigger: Start, sources: editing.Sources, errors: dict[str, str], posted: Any
) -> list[schema_form.Control]:
    made = schema_form.controls(trigger.Inputs, sources, errors, load=loader(None), takes_tokens=False, post=posted)
    asked = trigger.asked(sources)
    shown = [each for each in made if each.path in asked]
    for control in shown:
        control.reloads = control.reloads or control.path in _DECIDE
        control.is_required = control.is_required or (Door.CLOCK in trigger.doors and control.path in _ALWAYS_NEEDED)
        if control.path in _DECIDE | {"missed"}:
            control.empty_label = ""
        if control.path == "timezone":
            control.widget, control.options = "choice", _zones(control.value)
    return shown


def _zones(value: str) -> list[tuple[str, str]]:
    known = [(name, name.replace("_", " ")) for name in _known_zones()]
    return known if not value or value in _known_zones() else [(value, value), *known]


@lru_cache(maxsize=1)
def _known_zones() -> tuple[str, ...]:
    """Time zones named after places, and UTC; the rest are old names and abbreviations."""
    outdated = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    places = {name for name in available_timezones() if "/" in name and not name.startswith(outdated)}
    return ("UTC", *sorted(places))


def next_times(workflow: Workflow, trigger: Start, sources: Any) -> list[str]:
    """The next five times in words, with the zone; empty unless it is a complete schedule."""
    if Door.CLOCK not in trigger.doors:
        return []
    given = {name: value for name, value in sources.items() if value not in (None, "", [])}
    if _problems(trigger, {name: value for name, value in sources.items() if value is not None}):
        return []
    try:
        return [in_words(each) for each in schedules.next_times(workflow, given)]
    except (ValueError, OverflowError):
        return []


def starts_when(workflow: Workflow) -> str:
    """The published schedule in words, to continue "It starts"; empty if there is none."""
    schedule = getattr(workflow, "schedule", None)
    return recurrence.describe(schedule.rule, zone=settings.TIME_ZONE) if schedule is not None else ""


def address_of(workflow: Workflow) -> str:
    """The whole secret address, for builders; empty if it can no longer be decrypted."""
    try:
        return f"{settings.BASE_URL}/hooks/in/{inbound_webhooks.hook_of(workflow).token}/"
    except UndecryptableError:
        return ""


# --- the secret address -----------------------------------------------------------------------------------------------


class SignatureForm(PlainForm):
    """Whether calls have to be signed, and how."""

    signature = forms.ChoiceField(
        label="Signature", choices=[("", "Not required"), *InboundHook.Signature.choices[1:]], required=False
    )
    header = forms.RegexField(
        r"^[A-Za-z0-9-]{1,100}$",
        label="Header",
        required=False,
        initial="X-Signature",
        help_text="The name of the header that carries it; sha256= before the signature is taken too.",
        error_messages={"invalid": "A header's name has letters, digits and hyphens only."},
    )
    time_header = forms.RegexField(
        r"^[A-Za-z0-9-]{1,100}$",
        label="Header with the time",
        required=False,
        help_text=(
            "Left empty, no time is signed. Else, as X-Timestamp: the caller sends the time in seconds since 1970 "
            "there, and signs it, a full stop and the body. "
            f"Calls older than {inbound_webhooks.SIGNED_SECONDS // 60} minutes are refused."
        ),
        error_messages={"invalid": "A header's name has letters, digits and hyphens only."},
    )
    secret = forms.CharField(
        label="Secret",
        required=False,
        max_length=500,
        help_text="What both sides sign with. It is not shown again; empty keeps the one there is.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, has_secret: bool, **kwargs: Any) -> None:
        self.has_secret = has_secret
        super().__init__(*args, **kwargs)

    def clean(self) -> dict[str, Any]:
        """A signature needs a header and a secret."""
        data: dict[str, Any] = super().clean() or {}
        if data.get("signature"):
            if not data.get("header") and "header" not in self.errors:
                self.add_error("header", "Say which header carries the signature.")
            if not data.get("secret") and not self.has_secret:
                self.add_error("secret", "Give the secret that calls are signed with.")
        return data


def _has_secret(hook: InboundHook) -> bool:
    try:
        return bool(hook.secret)
    except UndecryptableError:
        return False


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def hook_signature(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Whether calls to the workflow's address must be signed. It applies at once."""
    return SignaturePage(request, workflow_or_404(request, workflow_id)).answer()


class SignaturePage(WholePage):
    """Whether calls have to be signed, and how."""

    template = "workflows/hook_signature.html"
    title = "Signature of calls"

    def __init__(self, request: HttpRequest, workflow: Workflow) -> None:
        super().__init__(request, workflow, revisions.part_of(workflow, WorkflowPart.Part.ADDRESS))
        self.hook = inbound_webhooks.hook_of(workflow)
        self.form = SignatureForm(self.posted, initial=self.stored_fields(), has_secret=_has_secret(self.hook))

    def stored_fields(self) -> dict[str, object]:
        """The signature and the headers; the secret is never shown."""
        hook = self.hook
        header = hook.header or "X-Signature"
        return {"signature": hook.signature, "header": header, "time_header": hook.time_header}

    def save(self, typed: None) -> HttpResponse:
        """Store it and go back to the trigger."""
        inbound_webhooks.set_signature(self.hook, **self.form.cleaned_data)
        messages.success(self.request, "Saved. It applies from the next call on.")
        return redirect("workflow_trigger", self.workflow.pk)


@recently_signed_in
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def rotate_hook(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Explain what a new address means, then create it."""
    workflow = workflow_or_404(request, workflow_id)
    part = revisions.part_of(workflow, WorkflowPart.Part.ADDRESS)
    if "_theirs" in request.POST:
        return redirect("workflow_trigger", workflow.pk)
    conflict = None
    if request.method == "POST":
        try:
            with revisions.saving(part, seen=seen_number(request, part), by=signed_in(request)):
                inbound_webhooks.rotate(inbound_webhooks.hook_of(workflow))
        except revisions.SavedMeanwhileError as error:
            rows = [("Address and signature", "as the trigger’s page shows them", "another new address")]
            conflict = Conflict(error.by, error.at, part.revision, rows, is_typed=False, mine="Make a new one anyway")
    if request.method == "POST" and conflict is None:
        messages.success(request, "It has a new address. The old one no longer works.")
        return redirect("workflow_trigger", workflow.pk)
    context = {
        "workflow": workflow,
        "heading": f"Give {workflow.name} a new address?",
        "explanation": (
            "The present address stops working at once: calls to it are refused as unknown, "
            "and nothing is started. Give the new one to every program that calls it."
        ),
        "revision": part.revision,
        "conflict": conflict,
        "submit": "Make a new address",
        "is_dangerous": True,
    }
    return page(request, "workflows/confirm.html", context, title="New address")
