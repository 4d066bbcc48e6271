"""The form of conditions: of a filter, or of a branch's path. Comparisons in groups, groups in groups."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.teams.access import Can, allow
from workflows.definitions import editing, ordering
from workflows.definitions.changes import deleting
from workflows.definitions.tree import Place
from workflows.forms import condition_form
from workflows.forms.condition_form import Group, Row
from workflows.forms.page_forms import StepNameForm
from workflows.models import Step, Workflow
from workflows.presenters.editor.condition_trials import Trials
from workflows.views.common import steps_of, workflow_or_404
from workflows.views.editor.form_page import FormPage, StepView
from workflows.views.editor.step_order import back_to


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_filter(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save the filter that the workflow begins with. Saving it without any comparison removes it."""
    workflow = workflow_or_404(request, workflow_id)
    first = next((step for step in steps_of(workflow) if step.parent_id is None), None)
    step = first if first is not None and first.kind == Step.Kind.FILTER else None
    return FirstFilterPage(request, workflow, step, Step.Kind.FILTER, Place(None, first)).answer()


class ConditionsPage(FormPage[Group]):
    """The conditions of a filter or a path, known to be the workflow's, or of a new filter at a place."""

    template = "workflows/filter.html"

    def __init__(self, request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, place: Place) -> None:
        super().__init__(request, workflow, step)
        self.view = StepView(workflow, step, place)
        self.step, self.kind, self.place = step, kind, place
        self.is_filter = kind == Step.Kind.FILTER
        self.name = step.name if step else "Filter"
        typed = None if self.posted is None else {"name": self.posted.get("name", self.name)}
        self.form = StepNameForm(typed, initial={"name": self.name})
        self.parts: dict[str, Row | Group] = {}

    def answer(self) -> HttpResponse:
        """As every form; but a post that asks what the conditions say with the sample is answered with that alone."""
        if self.posted is None or "_trial" not in self.posted:
            return super().answer()
        group = self.read(self.posted)
        for number, part in self.parts.items():
            part.number = int(number)
        self._try(group)
        return render(self.request, "workflows/_trials.html", {"group": group, "parts": list(self.parts.values())})

    def _try(self, group: Group) -> None:
        """Say of each part what it is with the sample, and take the type of what nobody has chosen from its value."""
        trials = Trials(self.view.here)
        for row in group.rows():
            row.settle(trials)
        group.settle()

    @property
    def title(self) -> str:
        """Whose filter, or which path's conditions."""
        return f"Filter of {self.workflow.name}" if self.is_filter else f"Conditions of {self.name}"

    def readable(self, typed: Group) -> dict[str, str]:
        """The condition as a sentence."""
        return {"Conditions": condition_form.sentence(typed) or "none"}

    def stored(self) -> Group:
        """The step's conditions."""
        return condition_form.stored_group(self.step)

    def read(self, posted: QueryDict) -> Group:
        """The conditions as they were typed."""
        group, self.parts = condition_form.read(posted)
        return group

    def is_draft(self, typed: Group, posted: QueryDict) -> bool:
        """Whether a button for a condition or a group was pressed."""
        return condition_form.change(typed, self.parts, posted)

    def settled(self, typed: Group) -> Group:
        """Without blank rows and groups."""
        return typed.pruned()

    def problems(self, typed: Group) -> dict[str, str]:
        """Problems of the whole condition under ""; those of a comparison are also put on its row."""
        problem = condition_form.check(typed) or _refusal(self.step, self.kind, typed)
        condition_form.set_numbers(typed)
        found = {f"{side}.{row.number}": said for row in typed.rows() for side, said in row.errors.items()}
        return {"": problem, **found} if problem else found

    def save(self, typed: Group) -> HttpResponse:
        """Store the conditions and go back to the workflow. A filter without any is removed."""
        if not typed.items and self.is_filter:
            if self.step is not None:
                deleting.delete_step(self.step, by=self.by)
            messages.success(self.request, "The filter was removed: everything goes on.")
            return redirect("workflow", self.workflow.pk)
        tree = condition_form.stored_tree(typed) if typed.items else None
        name = self.form.cleaned_data["name"]
        saved = editing.save_conditions(
            self.workflow, self.step, tree, name=name, place=self.place, kind=self.kind, by=self.by
        )
        messages.success(self.request, "The filter is saved." if self.is_filter else f"{saved.name} is saved.")
        return back_to(saved)

    def refuse(self, message: str) -> None:
        """Show the message above the conditions."""
        self.errors[""] = message

    def context(self, typed: Group) -> dict[str, Any]:
        """The conditions, their sentence, and the values that can be used."""
        if not typed.items and self.is_filter:
            typed.items.append(Row())
        condition_form.set_numbers(typed)
        self._try(typed)
        return {
            **self.view.context(),
            "is_path": self.kind == Step.Kind.PATH,
            "is_in_loop": _is_in_loop(self.step.parent if self.step else self.place.parent),
            "group": typed,
            "group_choices": condition_form.GROUPS,
            "sentence": condition_form.sentence(typed.pruned()),
            "problem": self.errors.get("", ""),
            "parts": [],
        }


class FirstFilterPage(ConditionsPage):
    """The filter that the workflow begins with, of which there is one."""

    def taken(self) -> Step | None:
        """The filter that somebody else has added while this one was filled in."""
        Workflow.objects.select_for_update().get(pk=self.workflow.pk)
        first = self.workflow.steps.filter(parent=None).order_by("position", "pk").first()
        if first is None or first.kind != Step.Kind.FILTER:
            return None
        self.step = first
        return first


def _refusal(step: Step | None, kind: str, group: Group) -> str:
    """Why a path may not be saved as it is."""
    if kind != Step.Kind.PATH or group.items or step is None or ordering.siblings_of(step)[-1].pk == step.pk:
        return ""
    return "Add a condition: only the last path can be the one for everything else."


def _is_in_loop(parent: Step | None) -> bool:
    """Whether a filter there ends an iteration of a loop, not the run."""
    while parent is not None:
        if parent.kind == Step.Kind.LOOP:
            return True
        parent = parent.parent
    return False
