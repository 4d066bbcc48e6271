"""A workflow as a file, a file as a draft, and a version back as the draft."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.text import slugify
from django.views.decorators.http import require_GET, require_http_methods

from integrations.audit.exports import exported
from integrations.audit.word_changes import changes
from integrations.core.body_limits import WITH_FILE, takes
from integrations.core.exact_json import dumps
from integrations.core.sameness import folded
from integrations.framework.choices import choices_for
from integrations.models import Connection, Team
from integrations.teams.access import Can, allow, team_of
from integrations.views.downloads import download
from pinxero.pages import page
from workflows.definitions import compiler, export_import, restoring
from workflows.definitions.changes import revisions
from workflows.definitions.description import describe
from workflows.forms.page_forms import PlainForm
from workflows.models import Workflow
from workflows.publishing import publish
from workflows.views.common import any_workflow_or_404, signed_in, workflow_or_404
from workflows.views.editor.form_page import confirmed

#: Larger files are not exports.
_MOST_BYTES = 4 * export_import.LONGEST_FILE
#: At most this many picked values are asked for; the rest is kept as in the file.
_MOST_PICKS = 60
_KEEP, _EMPTY = "keep", "empty"


@require_GET
@allow(Can.LOOK)
def export(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """The workflow as a JSON file: the draft, or with `?version=` that version."""
    workflow = any_workflow_or_404(request, workflow_id)
    number = request.GET.get("version", "")
    plan, suffix = None, ""
    if number:
        known = number if number.isascii() and number.isdecimal() and len(number) < 9 else "0"
        plan = get_object_or_404(workflow.versions, number=int(known)).plan
        suffix = f"-version-{known}"
    which = [("Version", number or "the draft")]
    exported(workflow, team_id=workflow.team_id, by=request.user, form="Workflow file", chosen=which)
    stem = f"{slugify(workflow.name)[:60] or f'workflow-{workflow.pk}'}{suffix}"
    return download(export_import.export(workflow, plan), stem=stem, extension="json", content_type="application/json")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def restore(request: HttpRequest, workflow_id: int, number: int) -> HttpResponse:
    """Show how the draft would change; then change it. Nothing is published."""
    workflow = workflow_or_404(request, workflow_id)
    version = get_object_or_404(workflow.versions, number=number)
    rows = revisions.rows_of(workflow)
    conflict = confirmed(request, workflow, rows, mine=f"as in version {number}", anyway="Restore it anyway")
    if request.method == "POST" and "_theirs" in request.POST:
        return redirect("workflow", workflow.pk)
    if request.method == "POST" and conflict is None:
        try:
            with revisions.saving(workflow, seen=workflow.revision, by=signed_in(request)):
                restoring.restore(workflow, version, by=signed_in(request))
        except revisions.SavedMeanwhileError:
            # In this very moment: ask once more.
            return redirect(request.get_full_path())
        messages.success(
            request, f"The draft is now the same as version {version.number}. Publish it to put it in force."
        )
        return redirect("workflow", workflow.pk)
    draft = compiler.compile_plan(workflow)
    before = describe(draft)
    context = {
        "workflow": workflow,
        "version": version,
        "revision": revisions.state_of(rows),
        "conflict": conflict,
        "changes": changes(before, describe(version.plan)),
        "is_same": dumps(draft) == dumps(version.plan),
        "loses_draft": workflow.published is not None and publish.has_unpublished_changes(workflow),
    }
    return page(request, "workflows/restore.html", context, title=f"Restore version {version.number}")


class FileForm(PlainForm):
    """An exported file, or its text."""

    file = forms.FileField(label="File", required=False, help_text="A .json file that was exported from Pinxero.")
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        max_length=export_import.LONGEST_FILE,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "false"}),
    )

    def clean(self) -> dict[str, Any]:
        """The text of the file, under `text`."""
        told = super().clean() or {}
        file = told.get("file")
        if file is not None:
            if file.size > _MOST_BYTES:
                raise forms.ValidationError("The file is too large to be an exported workflow.")
            try:
                told["text"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                raise forms.ValidationError("The file is not UTF-8 text, so it is not an exported workflow.") from None
        if not told.get("text"):
            raise forms.ValidationError("Choose a file, or paste its text.")
        return told


@dataclass(frozen=True)
class Asked:
    """Something that the file refers to by name, with what it can be here."""

    name: str
    label: str
    help: str
    options: list[tuple[str, str]]
    chosen: str
    problem: str = ""
    #: The connection whose list this is.
    of: str = ""


@takes(WITH_FILE)
@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def import_file(request: HttpRequest) -> HttpResponse:
    """Read a file, ask for its connections and picked values, create a draft from it."""
    form = FileForm(request.POST, request.FILES) if request.method == "POST" else FileForm()
    if request.method != "POST" or not form.is_valid():
        return page(request, "workflows/import.html", {"form": form}, title="Import a workflow")
    try:
        file = export_import.read(form.cleaned_data["text"])
    except export_import.ImportFileError as error:
        form.add_error(None, error.message)
        return page(request, "workflows/import.html", {"form": form}, title="Import a workflow")
    team = team_of(request)
    name = request.POST.get("name", export_import.free_name(team, file.name)).strip()[:120]
    connections, connection_questions = _connections(request, team, file)
    workflows, workflow_questions = _workflows(request, team, file)
    values, value_questions = _values(request, file, connections)
    problem = ""
    if request.POST.get("do") == "import":
        if not name:
            problem = "Give the workflow a name."
        else:
            assert isinstance(request.user, User)
            answers = export_import.Answers(connections, workflows, values)
            try:
                workflow = export_import.make(file, answers, team=team, name=name, by=request.user)
            except export_import.ImportFileError as error:
                problem = error.message
            else:
                messages.success(request, f"{workflow.name} was created as a draft. Check it, then publish it.")
                return redirect("workflow", workflow.pk)
    context = {
        "file": file,
        "text": form.cleaned_data["text"],
        "name": name,
        "problem": problem,
        "connections": connection_questions,
        "workflows": workflow_questions,
        "values": value_questions,
        "step_count": sum(1 for _ in export_import.plans.each_step(file.plan)),
    }
    return page(request, "workflows/import_map.html", context, title="Import a workflow")


def _connections(
    request: HttpRequest, team: Team, file: export_import.Portable
) -> tuple[dict[str, Connection | None], list[Asked]]:
    found_here = Connection.objects.for_team(team).exclude(status=Connection.Status.DISCONNECTED)
    mine = list(found_here.select_related("grant").order_by("provider", "name"))
    chosen: dict[str, Connection | None] = {}
    asked = []
    for key, told in file.connections.items():
        fitting = [each for each in mine if each.provider == told["provider"]]
        same = next((each for each in fitting if each.name == told["name"]), None)
        posted = request.POST.get(f"connection.{key}")
        if posted is None:
            found = same or (fitting[0] if len(fitting) == 1 else None)
        else:
            found = next((each for each in fitting if str(each.pk) == posted), None)
        chosen[key] = found
        options = [("", "Choose later"), *((str(each.pk), each.name) for each in fitting)]
        help_text = "" if fitting else f"No {told['provider'].title()} account is connected here yet."
        asked.append(Asked(f"connection.{key}", told["name"], help_text, options, str(found.pk) if found else ""))
    return chosen, asked


def _workflows(
    request: HttpRequest, team: Team, file: export_import.Portable
) -> tuple[dict[str, Workflow | None], list[Asked]]:
    mine = list(Workflow.objects.for_team(team).only("name").order_by("name")) if file.workflows else []
    chosen: dict[str, Workflow | None] = {}
    asked = []
    for key, told in file.workflows.items():
        posted = request.POST.get(f"workflow.{key}")
        found = next(
            (each for each in mine if (each.name == told["name"] if posted is None else str(each.pk) == posted)), None
        )
        chosen[key] = found
        options = [("", "Choose later"), *((str(each.pk), each.name) for each in mine)]
        asked.append(Asked(f"workflow.{key}", told["name"], "", options, str(found.pk) if found else ""))
    return chosen, asked


def _values(
    request: HttpRequest, file: export_import.Portable, connections: dict[str, Connection | None]
) -> tuple[dict[str, str], list[Asked]]:
    """The value to use here for each picked one: the same id, one of the same name, or the person's choice."""
    values: dict[str, str] = {}
    asked = []
    for number, pick in enumerate(file.picks()[:_MOST_PICKS]):
        connection = connections.get(pick.connection)
        found = choices_for(connection, pick.declared, {}) if connection is not None else None
        options = list(found.choices) if found else []
        by_value = {value: value for value, _ in options}
        by_label = {folded(label): value for value, label in options}
        told = file.connections.get(pick.connection, {}).get("name", "")
        guess = by_value.get(pick.value) or by_label.get(folded(pick.label)) or _EMPTY
        if guess == _EMPTY and (connection is None or connection.name == told):
            # Nothing to pick from yet; or the same organisation, where a value not in the list may still be right.
            guess = _KEEP
        name = f"value.{number}"
        # Another connection has other values, so a choice made for the previous one is ignored.
        is_same = request.POST.get(f"for.{number}") == (str(connection.pk) if connection else "")
        posted = request.POST.get(name) if is_same else None
        chosen = posted if posted in {*by_value, _KEEP, _EMPTY} else guess
        if chosen != _KEEP:
            values[pick.key] = "" if chosen == _EMPTY else chosen
        asked.append(
            Asked(
                name,
                f"{pick.declared.label}: {pick.label}",
                f"As it was called in {told}." if told else "",
                [(_EMPTY, "Leave it empty"), (_KEEP, f"Keep the value of the file ({pick.value[:60]})"), *options],
                chosen,
                found.problem if found else "",
                str(connection.pk) if connection else "",
            )
        )
    return values, asked
