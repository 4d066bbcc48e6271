"""The form of a trigger that needs no provider: when the clock starts it, what it asks for, its own address."""

from __future__ import annotations

from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.formats import date_format
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow
from integrations.base import Door, Start
from integrations.encryption import UndecryptableError
from integrations.errors import InvalidInputError
from pinxero.pages import page
from workflows import calendar, editing, hooks, inputs, schedules
from workflows.forms import PlainForm
from workflows.models import InboundHook, Workflow
from workflows.views.common import loader, workflow_or_404

#: Inputs whose value decides which others are asked for.
_DECIDE = {"how", "month_day"}
_ALWAYS_NEEDED = {"every", "days", "day", "before", "at", "cron", "timezone"}


def start_form(request: HttpRequest, workflow: Workflow, trigger: Start) -> HttpResponse:
    """Show and save it. What the other choices leave out is neither asked nor kept."""
    is_stored = trigger.full_key == workflow.trigger_operation
    posted = request.POST if request.method == "POST" else None
    errors: dict[str, str] = {}
    if posted is not None:
        sources = inputs.read(trigger.Inputs, posted)
        _fill(trigger, sources)
        is_draft = inputs.change_rows(trigger.Inputs, sources, posted) or "_reload" in posted
        if not is_draft:
            sources = {name: value for name, value in sources.items() if name in trigger.asked(sources)}
            errors = _problems(trigger, sources)
            if not errors:
                editing.set_trigger(
                    workflow,
                    operation=trigger.full_key,
                    connection=None,
                    inputs=inputs.constants(trigger.Inputs, sources),
                    interval_minutes=workflow.interval_minutes,
                )
                if Door.ADDRESS in trigger.doors:
                    hooks.hook_of(workflow)
                messages.success(request, "The trigger is saved.")
                return redirect("workflow", workflow.pk)
    elif is_stored and workflow.trigger_inputs:
        sources = inputs.shown_constants(trigger.Inputs, workflow.trigger_inputs)
    else:
        sources = inputs.defaults(trigger.Inputs)
    if Door.CLOCK in trigger.doors and not sources.get("timezone"):
        sources["timezone"] = schedules.default_zone(workflow)
    context = {
        "workflow": workflow,
        "operation": trigger,
        "is_stored": is_stored,
        "controls": _controls(trigger, sources, errors, posted),
        "next_times": next_times(workflow, trigger, sources),
        "is_clock": Door.CLOCK in trigger.doors,
        "hook": hooks.hook_of(workflow) if is_stored and Door.ADDRESS in trigger.doors else None,
        "address": address_of(workflow) if is_stored and Door.ADDRESS in trigger.doors else "",
        "takes_calls": Door.ADDRESS in trigger.doors,
        "has_errors": bool(errors),
    }
    return page(request, "workflows/start_settings.html", context, title=f"Trigger of {workflow.name}")


def _problems(trigger: Start, sources: editing.Sources) -> dict[str, str]:
    """What keeps it from being saved, with what is wrong only of several inputs together."""
    found = inputs.problems(trigger.Inputs, sources, takes_tokens=False)
    try:
        trigger.Inputs.clean(inputs.constants(trigger.Inputs, sources))
    except InvalidInputError as error:
        return {**error.problems, **found}
    return found


def _fill(trigger: Start, sources: editing.Sources) -> None:
    """Give what has been asked for only just now its usual value."""
    usual = inputs.defaults(trigger.Inputs)
    for name in _DECIDE & usual.keys():
        sources[name] = sources.get(name) or usual[name]
    for name in trigger.asked(sources) & usual.keys():
        if not sources.get(name) and not isinstance(sources.get(name), list):
            sources[name] = usual[name]


def _controls(trigger: Start, sources: editing.Sources, errors: dict[str, str], posted: Any) -> list[inputs.Control]:
    made = inputs.controls(trigger.Inputs, sources, errors, load=loader(None), takes_tokens=False, post=posted)
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
    """The zones that are places, and UTC; the others are old names and abbreviations."""
    outdated = ("Etc/", "SystemV/", "US/", "posix/", "right/")
    places = {name for name in available_timezones() if "/" in name and not name.startswith(outdated)}
    return ("UTC", *sorted(places))


def next_times(workflow: Workflow, trigger: Start, sources: Any) -> list[str]:
    """The next five times in words, with the zone; none where the clock does not start it or the rule is unfinished."""
    if Door.CLOCK not in trigger.doors:
        return []
    given = {name: value for name, value in sources.items() if value not in (None, "", [])}
    if _problems(trigger, {name: value for name, value in sources.items() if value is not None}):
        return []
    try:
        return [in_words(each) for each in schedules.next_times(workflow, given)]
    except (ValueError, OverflowError):
        return []


def in_words(moment: datetime) -> str:
    """A moment in its own zone: "Monday 30 November 2026, 09:00 (NZDT)"."""
    # date_format would turn an aware time into the page's own zone.
    said = date_format(moment.replace(tzinfo=None), "l j F Y, H:i")
    return f"{said} ({moment.tzname()})"


def starts_when(workflow: Workflow) -> str:
    """The published schedule in words, to go on from "It starts"; empty where the clock does not start it."""
    schedule = getattr(workflow, "schedule", None)
    return calendar.describe(schedule.rule, zone=settings.TIME_ZONE) if schedule is not None else ""


def address_of(workflow: Workflow) -> str:
    """The whole secret address, for those who may build with it; empty where no key opens it any more."""
    try:
        return f"{settings.BASE_URL}/hooks/in/{hooks.hook_of(workflow).token}/"
    except UndecryptableError:
        return ""


# --- the secret address -----------------------------------------------------------------------------------------------


class SignatureForm(PlainForm):
    """Whether calls have to be signed, and how."""

    signature = forms.ChoiceField(
        label="Signature", choices=[("", "Not wanted"), *InboundHook.Signature.choices[1:]], required=False
    )
    header = forms.RegexField(
        r"^[A-Za-z0-9-]{1,100}$",
        label="Header",
        required=False,
        initial="X-Signature",
        help_text="The name of the header that carries it; sha256= before the signature is taken too.",
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


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def hook_signature(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Whether calls of the workflow's address have to be signed. It counts at once."""
    workflow = workflow_or_404(request, workflow_id)
    hook = hooks.hook_of(workflow)
    initial = {"signature": hook.signature, "header": hook.header or "X-Signature"}
    form = SignatureForm(request.POST or None, initial=initial, has_secret=_has_secret(hook))
    if request.method == "POST" and form.is_valid():
        hooks.set_signature(hook, **form.cleaned_data)
        messages.success(request, "Saved. It counts from the next call on.")
        return redirect("workflow_trigger", workflow.pk)
    context = {"workflow": workflow, "form": form, "hook": hook}
    return page(request, "workflows/hook_signature.html", context, title="Signature of calls")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def rotate_hook(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Give the workflow another address, after saying what that means."""
    workflow = workflow_or_404(request, workflow_id)
    if request.method == "POST":
        hooks.rotate(hooks.hook_of(workflow))
        messages.success(request, "It has a new address. The old one is not answered any more.")
        return redirect("workflow_trigger", workflow.pk)
    context = {
        "workflow": workflow,
        "heading": f"Give {workflow.name} a new address?",
        "explanation": (
            "The present address stops working at once: whoever still calls it is told that there is no such address, "
            "and nothing is started. Give the new one to every program that calls it."
        ),
        "submit": "Make a new address",
        "is_dangerous": True,
    }
    return page(request, "workflows/confirm.html", context, title="New address")
