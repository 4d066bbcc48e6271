"""The forms of steps without an operation: branch, loop, delay, format, lookup, call, stop."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect

from integrations.schema.fields import Kind as FieldKind
from workflows.definitions import editing, kinds
from workflows.definitions.tree import Place
from workflows.forms import kind_forms, schema_form
from workflows.forms.control_values import show_values
from workflows.forms.page_forms import BranchForm, KindStepForm
from workflows.language.references import TokenGroup
from workflows.models import Step, Workflow
from workflows.views.common import loader
from workflows.views.editor.form_page import PlainPage, SchemaPage, StepView
from workflows.views.editor.step_order import back_to


class SettingsPage(SchemaPage):
    """A step whose form is made from its kind's settings."""

    template = "workflows/kind.html"
    takes_tokens = True
    schema: kind_forms.KindForm

    def __init__(self, request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, place: Place) -> None:
        super().__init__(request, workflow, step)
        self.step, self.kind, self.place = step, kind, place
        self.known = kinds.of(kind)
        self.view = StepView(workflow, step, place)
        self.options = self.known.options(workflow, self.view.here.lists)
        self.form = KindStepForm(self.posted, initial=_initial(step, self.known.label), can_fail=self.known.can_fail)

    @property
    def groups(self) -> list[TokenGroup]:
        """The values that can be used in the step."""
        return self.view.here.groups

    def readable_stored(self) -> dict[str, str]:
        """The stored settings, which may be others than those of the form."""
        shown = self.schema
        try:
            return super().readable_stored()
        finally:
            self.schema = shown

    @property
    def title(self) -> str:
        """The step's name, or the kind's for a new step."""
        return self.step.name if self.step else self.known.label

    def stored(self) -> editing.Sources:
        """The step's settings and rows, or the kind's defaults."""
        how = self.request.GET.get("how", "")
        sources = kind_forms.stored(self.step) if self.step else kind_forms.defaults(self.kind, how=how)
        self.schema = kind_forms.form_of(self.kind, sources, self.options)
        return sources

    def stored_problems(self, typed: editing.Sources) -> dict[str, str]:
        """What keeps the step from being published."""
        return _in_table(self.kind, typed, self.view.problems())

    def read(self, posted: QueryDict) -> editing.Sources:
        """What was typed into the inputs that the chosen settings need."""
        self.schema = kind_forms.form_of(self.kind, _chosen(self.kind, posted), self.options)
        return super().read(posted)

    def is_draft(self, typed: editing.Sources, posted: QueryDict) -> bool:
        """Whether the post only asks for the form again; then with a row for each value that the kind suggests."""
        if schema_form.change_rows(self.schema, typed, posted):
            return True
        if "_reload" in posted:
            _ask_for_values(self.workflow, self.known, typed)
        return "_reload" in posted

    def problems(self, typed: editing.Sources) -> dict[str, str]:
        """The problems of the settings, one by one and together."""
        found = schema_form.problems(self.schema, typed, takes_tokens=True, fixed=self.schema.fixed)
        return {**kind_forms.problems(self.kind, typed), **found}

    def save(self, typed: editing.Sources) -> HttpResponse:
        """Store the step and go back to it on the workflow's page."""
        settings, rows = kind_forms.split(self.kind, typed)
        saved = editing.save_kind(
            self.workflow,
            self.step,
            kind=self.kind,
            name=self.form.cleaned_data["name"],
            settings=settings,
            sources=rows,
            on_error=self.form.cleaned_data.get("on_error", Step.OnError.STOP),
            place=self.place,
            by=self.by,
        )
        messages.success(self.request, f"{saved.name} is saved.")
        return back_to(saved)

    def context(self, typed: editing.Sources) -> dict[str, Any]:
        """The settings, and the values that can be used."""
        here = self.view.here
        controls = schema_form.controls(
            self.schema,
            typed,
            self.errors,
            load=loader(None),
            takes_tokens=True,
            post=self.posted,
            fixed=self.schema.fixed,
            lists=here.lists,
        )
        _refine(controls, self.known)
        show_values(controls, here)
        return {
            **self.view.context(),
            "kind": self.known,
            "controls": controls,
            "stray_errors": self.stray_errors(control.path for control in controls),
            "asks_anew": any(control.reloads for control in controls),
            "lacks": self.known.lacks(self.options),
        }


class BranchPage(PlainPage):
    """A branch: how many paths a new one has, and its name."""

    template = "workflows/branch.html"

    def __init__(self, request: HttpRequest, workflow: Workflow, step: Step | None, place: Place) -> None:
        super().__init__(request, workflow, step)
        self.step, self.place = step, place
        self.form = BranchForm(self.posted, initial={"name": self.title}, is_new=step is None and not self.is_gone)

    @property
    def title(self) -> str:
        """The branch's name, or what a new one is."""
        return self.step.name if self.step else "Branch"

    def save(self, typed: None) -> HttpResponse:
        """Rename it and go back to it; of a new one, go to its first path."""
        if self.step is not None:
            saved = editing.rename_step(self.step, self.form.cleaned_data["name"])
            messages.success(self.request, f"{saved.name} is saved.")
            return back_to(saved)
        saved = editing.add_branch(self.workflow, **self.form.cleaned_data, place=self.place, by=self.by)
        first = saved.children.order_by("position")[0]
        messages.success(self.request, f"{saved.name} is there. Say now when its first path is taken.")
        return redirect("step", self.workflow.pk, first.pk)

    def context(self, typed: None) -> dict[str, Any]:
        """The branch, if there is one."""
        return {"step": self.step, "kind": kinds.of(Step.Kind.BRANCH)}


def _chosen(kind: str, posted: QueryDict) -> editing.Sources:
    """The settings that decide which other inputs are shown."""
    return {each.name: posted.get(schema_form.PREFIX + each.name, "") for each in kinds.of(kind).settings}


def _ask_for_values(workflow: Workflow, kind: kinds.StepKind, sources: editing.Sources) -> None:
    """Add a row for each value that the kind suggests, unless somebody has started to fill in rows."""
    if kind.named is None:
        return
    rows = sources.get(kind.named.name)
    if isinstance(rows, list) and any(any(row.values()) for row in rows):
        return
    names = kind.suggested_values(workflow, sources)
    if names:
        sources[kind.named.name] = [{kind_forms.NAME_COLUMN: name, kind_forms.VALUE_COLUMN: ""} for name in names]


def _refine(controls: list[schema_form.Control], known: kinds.StepKind) -> None:
    """Add what the general form does not know: which controls reload on a change, and how they look."""
    whole = {each.name for each in known.settings if each.kind is FieldKind.INTEGER and not known.workflow_setting}
    for control in controls:
        control.reloads = control.path in known.deciding
        if control.path in known.widgets or control.path in whole:
            control.widget = known.widgets.get(control.path, "whole")
        for cell in (row.cells[-1] for row in control.rows):
            cell.lines = 1


def _in_table(kind: str, sources: editing.Sources, errors: dict[str, str]) -> dict[str, str]:
    """Problems of named values, keyed by their rows."""
    named = kinds.of(kind).named
    if named is None:
        return errors
    table = named.name
    rows = sources.get(table)
    places = {
        row[kind_forms.NAME_COLUMN]: f"{table}.{index}.{kind_forms.VALUE_COLUMN}"
        for index, row in enumerate(rows if isinstance(rows, list) else [])
    }
    return {places.get(path, path): said for path, said in errors.items()}


def _initial(step: Step | None, label: str) -> dict[str, object]:
    return {"name": label} if step is None else {"name": step.name, "on_error": step.on_error}
