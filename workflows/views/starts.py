"""Starting a workflow by hand: with a form, with an earlier event, or for each row of a file."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from integrations.core.body_limits import WITH_FILE, takes
from integrations.core.errors import InvalidInputError
from integrations.framework.base import Door, Start
from integrations.schema.fields import Field, Kind
from integrations.teams.access import Can, allow
from pinxero.pages import page
from workflows.definitions import start_values
from workflows.files import column_reading
from workflows.forms import schema_form
from workflows.language.references import example_of, words
from workflows.models import Upload, Workflow
from workflows.triggers import csv_start, manual_start, schedules
from workflows.triggers.csv_start import Checked
from workflows.views.common import loader, workflow_or_404

_ROWS_SHOWN = 10
_BAD_SHOWN = 20
_UNANSWERED = {"start": "Nothing was started: first choose how to read the values that can be read in two ways."}


@dataclass(frozen=True)
class _Asked:
    """The declared values, in the shape that the form's controls need."""

    declared: tuple[Field, ...]

    def fields(self) -> tuple[Field, ...]:
        """The values in order."""
        return self.declared

    def clean(self, values: Any, /) -> Any:
        """Typed, or InvalidInputError."""
        return start_values.cleaned(self.declared, values)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def start_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Ask for what the published version needs, and start it once, however often the button is pressed."""
    workflow = workflow_or_404(request, workflow_id)
    if workflow.published is None:
        messages.error(request, "Publish the workflow first; a run needs a published version.")
        return redirect("workflow", workflow.pk)
    trigger = start_values.trigger_of_version(workflow.published)
    asks = isinstance(trigger, Start) and not trigger.is_open and Door.CLOCK not in trigger.doors
    return _form(request, workflow) if asks else _once(request, workflow)


def _form(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    asked = _Asked(start_values.fields_of(workflow))
    posted = request.POST if request.method == "POST" else None
    errors: dict[str, str] = {}
    problem = ""
    sources = schema_form.read(asked, posted) if posted is not None else schema_form.defaults(asked)
    if posted is not None:
        try:
            run = manual_start.start_form(workflow, values=sources, nonce=posted.get("nonce", ""), by=_person(request))
        except InvalidInputError as error:
            errors = dict(error.problems)
        except start_values.NotStartedError as error:
            problem = error.message
        else:
            return _to_run(request, workflow, run)
    context = {
        "workflow": workflow,
        "controls": schema_form.controls(asked, sources, errors, load=loader(None), takes_tokens=False, post=posted),
        "problem": problem,
        "has_errors": bool(errors),
        "nonce": _nonce(posted),
        "writes": manual_start.writes(workflow),
        "takes_files": _takes_files(workflow),
        "is_active": workflow.status == Workflow.Status.ACTIVE,
    }
    return page(request, "workflows/start_form.html", context, title=f"Start {workflow.name}")


def _once(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    offers = manual_start.offers(workflow)
    posted = request.POST if request.method == "POST" else None
    problem = ""
    if posted is not None:
        try:
            run = manual_start.start_with(
                workflow, offer=posted.get("with", ""), nonce=posted.get("nonce", ""), by=_person(request)
            )
        except start_values.NotStartedError as error:
            problem = error.message
        else:
            return _to_run(request, workflow, run)
    chosen = (posted.get("with") if posted is not None else None) or (offers[0].key if offers else "")
    context = {
        "workflow": workflow,
        "offers": [(offer, _preview(offer.data)) for offer in offers],
        "chosen": chosen,
        "problem": problem,
        "nonce": _nonce(posted),
        "writes": manual_start.writes(workflow),
    }
    return page(request, "workflows/start_once.html", context, title=f"Run {workflow.name} once")


def _preview(data: dict[str, Any]) -> str:
    """The first few values, to recognise it by; of a group, the values inside."""
    shown = [
        pair for name, value in data.items() for pair in (value.items() if isinstance(value, dict) else [(name, value)])
    ]
    return ", ".join(f"{words(str(name))}: {example_of(value)}" for name, value in shown[:4])


def _to_run(request: HttpRequest, workflow: Workflow, run: Any) -> HttpResponse:
    if run is None:
        messages.error(request, "This was already started, and its run is no longer kept.")
        return redirect("workflow", workflow.pk)
    messages.success(request, f"Run {run.pk} was started.")
    return redirect("run", run.pk)


# --- a file -----------------------------------------------------------------------------------------------------------


@takes(WITH_FILE)
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def upload_file(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Take a CSV file; nothing starts before its rows have been shown."""
    workflow = workflow_or_404(request, workflow_id)
    problem = ""
    if request.method == "POST":
        given = request.FILES.get("file")
        try:
            if given is None:
                raise csv_start.UnreadableFileError("Choose a file.")
            if (given.size or 0) > csv_start.LONGEST_FILE:
                raise csv_start.UnreadableFileError("The file is larger than 5 MB. Split it.")
            made = csv_start.upload(workflow, name=given.name or "", content=given.read(), by=_person(request))
        except (csv_start.UnreadableFileError, start_values.NotStartedError) as error:
            problem = error.message
        else:
            return redirect("start_rows", workflow.pk, made.pk)
    context = {
        "workflow": workflow,
        "fields": start_values.fields_of(workflow),
        "problem": problem or _no_file(workflow),
        "takes_files": _takes_files(workflow),
        "uploads": workflow.uploads.filter(status=Upload.Status.STARTED).select_related("uploaded_by")[:10],
    }
    return page(request, "workflows/upload.html", context, title=f"Rows for {workflow.name}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def start_rows(request: HttpRequest, workflow_id: int, upload_id: int) -> HttpResponse:
    """Show the runs that the file's rows would start, then start them. Bad rows and large numbers need confirmation."""
    workflow = workflow_or_404(request, workflow_id)
    table = get_object_or_404(workflow.uploads.select_related("workflow__published"), pk=upload_id)
    if table.status == Upload.Status.STARTED:
        messages.info(request, _done(table))
        return redirect("upload_file", workflow.pk)
    fields = start_values.fields_of(workflow)
    posted = request.POST if request.method == "POST" else None
    zone = schedules.default_zone(workflow)
    if posted is None:
        reading = column_reading.guess(table, fields, zone=zone)
    else:
        reading = column_reading.reading_of(posted.dict(), table, fields, zone=zone)
    doubts = column_reading.doubts(table, fields, reading)
    checked = csv_start.check(table, fields, reading)
    repeats_too = posted is not None and posted.get("repeats_too") == "yes"
    count = len(checked.to_start(repeats_too=repeats_too))
    problems: dict[str, str] = {}
    if posted is not None and "_reload" not in posted:
        problems = _questions(checked, posted.dict(), repeats_too) if not doubts else _UNANSWERED
        if not problems:
            try:
                count = csv_start.start(table, reading, by=_person(request), repeats_too=repeats_too)
            except start_values.NotStartedError as error:
                problems["start"] = error.message
            else:
                messages.success(request, _said(count))
                return redirect("workflow", workflow.pk)
    context = {
        "workflow": workflow,
        "upload": table,
        "fields": [(f, reading.columns.get(f.name)) for f in fields],
        "columns": list(enumerate(table.columns)),
        "reading": reading,
        "doubts": doubts,
        "numbers": column_reading.NUMBERS,
        "dates": column_reading.DATES,
        "checked": checked,
        "count": count,
        "repeats_too": repeats_too,
        "first": _first(checked, table, fields, reading),
        "bad": [(number, list(said.values())) for number, said in list(checked.bad.items())[:_BAD_SHOWN]],
        "more_bad": max(0, len(checked.bad) - _BAD_SHOWN),
        "before": csv_start.started_before(table),
        "asks": count > csv_start.ASKS_ABOVE,
        "problems": problems,
        "writes": manual_start.writes(workflow),
    }
    return page(request, "workflows/start_rows.html", context, title=f"Rows of {table.name}")


def _questions(checked: Checked, posted: dict[str, str], repeats_too: bool) -> dict[str, str]:
    """What still needs confirmation."""
    found: dict[str, str] = {}
    count = len(checked.to_start(repeats_too=repeats_too))
    if not checked.good:
        return {"start": "No row can be started as it is. Correct the file or choose other columns."}
    if not count:
        return {"start": "Nothing was started: every row of this file has been started before."}
    if checked.bad and posted.get("leave_out") != str(len(checked.bad)):
        found["leave_out"] = "Say whether the rows that cannot be started are to be left out."
    if count > csv_start.ASKS_ABOVE and posted.get("confirmed") != str(count):
        found["confirmed"] = f"Confirm that {count:,} runs are to be started."
    return found


def _first(
    checked: Checked, table: Upload, fields: tuple[Field, ...], reading: column_reading.Reading
) -> list[tuple[int, list[tuple[str, str, bool]], bool]]:
    """Each row with its values: as used by the run, as written in the file if different, and whether it is a number."""
    shown = list(checked.good.items())[:_ROWS_SHOWN]
    known = checked.started_before | checked.repeats
    return [
        (
            number,
            [
                _cell(f, data[f.name], column_reading.cell(table.rows[number - 1], reading.columns.get(f.name)))
                for f in fields
            ],
            number in known,
        )
        for number, data in shown
    ]


def _cell(f: Field, value: Any, written: str) -> tuple[str, str, bool]:
    if f.kind is Kind.NUMBER and isinstance(value, Decimal | int):
        said = column_reading.amount_in_words(Decimal(value))
        return said, written if written != said else "", True
    said = example_of(value)
    return said, written if f.kind is Kind.DATE and written != said else "", False


def _done(table: Upload) -> str:
    return f"{table.name} has been started: {table.started} run{'' if table.started == 1 else 's'}."


def _said(count: int) -> str:
    if not count:
        return "Nothing was started: every row of this file has been started before."
    return f"{count:,} run{' is' if count == 1 else 's are'} started."


def _takes_files(workflow: Workflow) -> bool:
    found = start_values.start_of(workflow)
    return found is not None and Door.FILE in found.doors


def _no_file(workflow: Workflow) -> str:
    try:
        start_values.opens(workflow, Door.FILE)
    except start_values.NotStartedError as error:
        return error.message
    return ""


def _nonce(posted: Any) -> str:
    """The same nonce while a form is shown again, so that pressing the button twice starts one run."""
    return (posted.get("nonce", "") if posted is not None else "") or uuid.uuid4().hex


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
