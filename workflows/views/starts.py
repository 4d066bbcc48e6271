"""Starting a workflow oneself: with a form, with something that has been there, or for each row of a file."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_http_methods

from integrations.access import Can, allow
from integrations.base import Door, Start
from integrations.errors import InvalidInputError
from integrations.fields import Field
from pinxero.pages import page
from workflows import byhand, inputs, starting, uploads
from workflows.models import Upload, Workflow
from workflows.tokens import example_of, words
from workflows.uploads import Checked
from workflows.views.common import loader, workflow_or_404

_ROWS_SHOWN = 10
_BAD_SHOWN = 20


@dataclass(frozen=True)
class _Asked:
    """The declared values, as the form's controls want them."""

    declared: tuple[Field, ...]

    def fields(self) -> tuple[Field, ...]:
        """The values in order."""
        return self.declared

    def clean(self, values: Any, /) -> Any:
        """Typed, or InvalidInputError."""
        return starting.cleaned(self.declared, values)


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def start_workflow(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Ask for what the published version needs, and start it once, however often the button is pressed."""
    workflow = workflow_or_404(request, workflow_id)
    if workflow.published is None:
        messages.error(request, "Publish the workflow first; a run needs a published version.")
        return redirect("workflow", workflow.pk)
    trigger = starting.trigger_of(workflow.published)
    asks = isinstance(trigger, Start) and not trigger.is_open and Door.CLOCK not in trigger.doors
    return _form(request, workflow) if asks else _once(request, workflow)


def _form(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    asked = _Asked(starting.fields_of(workflow))
    posted = request.POST if request.method == "POST" else None
    errors: dict[str, str] = {}
    problem = ""
    sources = inputs.read(asked, posted) if posted is not None else inputs.defaults(asked)
    if posted is not None:
        try:
            run = byhand.start_form(workflow, values=sources, nonce=posted.get("nonce", ""), by=_person(request))
        except InvalidInputError as error:
            errors = dict(error.problems)
        except starting.NotStartedError as error:
            problem = error.message
        else:
            return _to_run(request, workflow, run)
    context = {
        "workflow": workflow,
        "controls": inputs.controls(asked, sources, errors, load=loader(None), takes_tokens=False, post=posted),
        "problem": problem,
        "has_errors": bool(errors),
        "nonce": _nonce(posted),
        "writes": byhand.writes(workflow),
        "takes_files": _takes_files(workflow),
        "is_active": workflow.status == Workflow.Status.ACTIVE,
    }
    return page(request, "workflows/start_form.html", context, title=f"Start {workflow.name}")


def _once(request: HttpRequest, workflow: Workflow) -> HttpResponse:
    offers = byhand.offers(workflow)
    posted = request.POST if request.method == "POST" else None
    problem = ""
    if posted is not None:
        try:
            run = byhand.start_with(
                workflow, offer=posted.get("with", ""), nonce=posted.get("nonce", ""), by=_person(request)
            )
        except starting.NotStartedError as error:
            problem = error.message
        else:
            return _to_run(request, workflow, run)
    chosen = (posted.get("with") if posted is not None else None) or (offers[0].key if offers else "")
    context = {
        "workflow": workflow,
        "offers": [(offer, _glance(offer.data)) for offer in offers],
        "chosen": chosen,
        "problem": problem,
        "nonce": _nonce(posted),
        "writes": byhand.writes(workflow),
    }
    return page(request, "workflows/start_once.html", context, title=f"Run {workflow.name} once")


def _glance(data: dict[str, Any]) -> str:
    """The first values, to know it by; of a group what is in it."""
    shown = [
        pair for name, value in data.items() for pair in (value.items() if isinstance(value, dict) else [(name, value)])
    ]
    return ", ".join(f"{words(str(name))}: {example_of(value)}" for name, value in shown[:4])


def _to_run(request: HttpRequest, workflow: Workflow, run: Any) -> HttpResponse:
    if run is None:
        messages.error(request, "This start was made before, and its run is kept no more.")
        return redirect("workflow", workflow.pk)
    messages.success(request, f"Run {run.pk} is started.")
    return redirect("run", run.pk)


# --- a file -----------------------------------------------------------------------------------------------------------


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def upload_file(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Take a CSV file; nothing is started before its rows have been looked at."""
    workflow = workflow_or_404(request, workflow_id)
    problem = ""
    if request.method == "POST":
        given = request.FILES.get("file")
        try:
            if given is None:
                raise uploads.UnreadableFileError("Choose a file.")
            if (given.size or 0) > uploads.LONGEST_FILE:
                raise uploads.UnreadableFileError("The file is larger than 5 MB. Split it.")
            made = uploads.upload(workflow, name=given.name or "", content=given.read(), by=_person(request))
        except (uploads.UnreadableFileError, starting.NotStartedError) as error:
            problem = error.message
        else:
            return redirect("start_rows", workflow.pk, made.pk)
    context = {
        "workflow": workflow,
        "fields": starting.fields_of(workflow),
        "problem": problem or _no_file(workflow),
        "takes_files": _takes_files(workflow),
        "uploads": workflow.uploads.filter(status=Upload.Status.STARTED).select_related("uploaded_by")[:10],
    }
    return page(request, "workflows/upload.html", context, title=f"Rows for {workflow.name}")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def start_rows(request: HttpRequest, workflow_id: int, upload_id: int) -> HttpResponse:
    """Show what the file's rows would start, and start them: bad rows and large numbers are asked about."""
    workflow = workflow_or_404(request, workflow_id)
    table = get_object_or_404(workflow.uploads.select_related("workflow__published"), pk=upload_id)
    if table.status == Upload.Status.STARTED:
        messages.info(request, _done(table))
        return redirect("upload_file", workflow.pk)
    fields = starting.fields_of(workflow)
    posted = request.POST if request.method == "POST" else None
    reading = uploads.guess(table, fields) if posted is None else uploads.reading_of(posted.dict(), table, fields)
    checked = uploads.check(table, fields, reading)
    repeats_too = posted is not None and posted.get("repeats_too") == "yes"
    count = len(checked.to_start(repeats_too=repeats_too))
    problems: dict[str, str] = {}
    if posted is not None and "_reload" not in posted:
        problems = _questions(checked, posted.dict(), repeats_too)
        if not problems:
            try:
                count = uploads.start(table, reading, by=_person(request), repeats_too=repeats_too)
            except starting.NotStartedError as error:
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
        "numbers": uploads.NUMBERS,
        "dates": uploads.DATES,
        "checked": checked,
        "count": count,
        "repeats_too": repeats_too,
        "first": _first(checked, fields),
        "bad": [(number, list(said.values())) for number, said in list(checked.bad.items())[:_BAD_SHOWN]],
        "more_bad": max(0, len(checked.bad) - _BAD_SHOWN),
        "before": uploads.started_before(table),
        "asks": count > uploads.ASKS_ABOVE,
        "problems": problems,
        "writes": byhand.writes(workflow),
    }
    return page(request, "workflows/start_rows.html", context, title=f"Rows of {table.name}")


def _questions(checked: Checked, posted: dict[str, str], repeats_too: bool) -> dict[str, str]:
    """What still has to be said yes to."""
    found: dict[str, str] = {}
    count = len(checked.to_start(repeats_too=repeats_too))
    if not checked.good:
        return {"start": "No row can be started as it is. Mend the file or choose other columns."}
    if not count:
        return {"start": "Nothing was started: every row of this file has been started before."}
    if checked.bad and posted.get("leave_out") != str(len(checked.bad)):
        found["leave_out"] = "Say whether the rows that cannot be started are to be left out."
    if count > uploads.ASKS_ABOVE and posted.get("confirmed") != str(count):
        found["confirmed"] = f"Confirm that {count:,} runs are to be started."
    return found


def _first(checked: Checked, fields: tuple[Field, ...]) -> list[tuple[int, list[str], bool]]:
    shown = list(checked.good.items())[:_ROWS_SHOWN]
    return [
        (number, [example_of(data[f.name]) for f in fields], number in checked.started_before | checked.repeats)
        for number, data in shown
    ]


def _done(table: Upload) -> str:
    return f"{table.name} has been started: {table.started} run{'' if table.started == 1 else 's'}."


def _said(count: int) -> str:
    if not count:
        return "Nothing was started: every row of this file has been started before."
    return f"{count:,} run{' is' if count == 1 else 's are'} started."


def _takes_files(workflow: Workflow) -> bool:
    found = starting.start_of(workflow)
    return found is not None and Door.FILE in found.doors


def _no_file(workflow: Workflow) -> str:
    try:
        starting.opens(workflow, Door.FILE)
    except starting.NotStartedError as error:
        return error.message
    return ""


def _nonce(posted: Any) -> str:
    """The same while a form is shown again, so that pressing twice starts once."""
    return (posted.get("nonce", "") if posted is not None else "") or uuid.uuid4().hex


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
