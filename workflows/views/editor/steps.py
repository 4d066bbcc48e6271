"""Adding a step and changing one: the chooser of kinds, and the form of an action, made from its Schema."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from integrations.framework.base import Action
from integrations.framework.registry import actions, operation_or_none
from integrations.models import Connection
from integrations.teams.access import Can, allow, team_of
from workflows.definitions import editing, kinds
from workflows.definitions.changes import deleting
from workflows.definitions.checks import confirmation
from workflows.definitions.kinds.base import Form
from workflows.definitions.nearest_connection import nearest_connection
from workflows.definitions.tree import Place
from workflows.forms import schema_form
from workflows.forms.control_values import show_values
from workflows.forms.page_forms import StepForm
from workflows.language.references import TokenGroup
from workflows.language.table_rows import EACH
from workflows.models import Step, Workflow
from workflows.presenters.editor import record_offers
from workflows.presenters.editor.available_values import AvailableValues
from workflows.presenters.editor.sample_card import output_card
from workflows.presenters.editor.sample_totals import SampleTotals, sample_totals, table_with_totals
from workflows.presenters.labels import place_query
from workflows.views.common import connections_by_provider, offers, workflow_or_404
from workflows.views.editor import conditions, step_settings
from workflows.views.editor.connection_choice import ConnectionChoice
from workflows.views.editor.form_page import FormPage, SchemaPage, StepView
from workflows.views.editor.panel import editor_page
from workflows.views.editor.record_finding import RecordFinding
from workflows.views.editor.step_order import asked_place, back_to, place_text, step_or_404

_USUAL = 8


_KINDS_TITLE = "Decide, repeat, work out, wait"


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def new_step(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Choose a kind of step or an action, then fill in its form. `?parent=` and `?before=` say where to add it."""
    workflow = workflow_or_404(request, workflow_id)
    place = asked_place(request, workflow)
    kind = request.GET.get("kind", "")
    if kind in kinds.KINDS and kinds.of(kind).form is not Form.OPERATION:
        # A path is added by its branch; asked for here, it is a filter.
        return _kind_page(request, workflow, None, kind if kinds.of(kind).purpose else Step.Kind.FILTER, place).answer()
    action = operation_or_none(request.GET.get("operation", ""))
    if isinstance(action, Action):
        return ActionPage(request, workflow, None, action, place).answer()
    connections = connections_by_provider(team_of(request))
    context = {
        "workflow": workflow,
        "groups": offers(actions(), connections),
        "kinds": [(_KINDS_TITLE, [each for each in kinds.KINDS.values() if each.purpose])],
        "carried": place_query(place),
        "where": place_text(place),
    }
    return editor_page(request, workflow, "workflows/choose_action.html", context, title="Add a step")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def step(request: HttpRequest, workflow_id: int, step_id: int) -> HttpResponse:
    """Show and save a step of the workflow."""
    workflow = workflow_or_404(request, workflow_id)
    kept = deleting.kept_step(workflow, step_id) if request.method == "POST" else None
    if kept is not None and "_mine" in request.POST:
        try:
            deleting.put_back(workflow)
        except editing.EditError as error:
            messages.error(request, error.message)
        else:
            kept = None
    if kept is not None:
        # Whoever still has its form open is told, and what they typed is not lost.
        shown = _page_of(request, workflow, None, kept.step, kept.place)
    else:
        workflow, found = step_or_404(request, workflow_id, step_id)
        shown = _page_of(request, workflow, found, found, Place(found.parent))
    if shown is None:
        messages.error(request, "Its action is not available here any more. Delete the step or add another.")
        return redirect("workflow", workflow.pk)
    shown.kept = kept.step if kept is not None else None
    return shown.answer()


def _page_of(
    request: HttpRequest, workflow: Workflow, step: Step | None, known: Step, place: Place
) -> FormPage[Any] | None:
    """The form of a step, known by its row or by what was kept of it; None if its action is not there any more."""
    if kinds.of(known.kind).form is not Form.OPERATION:
        return _kind_page(request, workflow, step, known.kind, place)
    action = operation_or_none(known.operation)
    return ActionPage(request, workflow, step, action, place) if isinstance(action, Action) else None


def _kind_page(request: HttpRequest, workflow: Workflow, step: Step | None, kind: str, place: Place) -> FormPage[Any]:
    form = kinds.of(kind).form
    if form is Form.CONDITIONS:
        return conditions.ConditionsPage(request, workflow, step, kind, place)
    if form is Form.BRANCH:
        return step_settings.BranchPage(request, workflow, step, place)
    return step_settings.SettingsPage(request, workflow, step, kind, place)


class ActionPage(SchemaPage):
    """The form of an action: its connection and inputs, its name, what happens when it fails."""

    template = "workflows/step.html"
    takes_tokens = True

    def __init__(
        self, request: HttpRequest, workflow: Workflow, step: Step | None, action: Action, place: Place
    ) -> None:
        super().__init__(request, workflow, step)
        self.step, self.action, self.place = step, action, place
        self.schema = action.Inputs
        self.form = StepForm(self.posted, initial=_initial(step, action))
        self.view = StepView(workflow, step, place)
        self.connection = ConnectionChoice(request, action, self._connection_so_far())
        self.finding = RecordFinding(action, self.connection.chosen, self.posted, self.view.here.groups)

    def _connection_so_far(self) -> Connection | None:
        """The step's, or for a new one that of the steps around it."""
        if self.step is not None:
            return self.step.connection
        return nearest_connection(self.workflow, self.view.steps, self.place, self.action.connector.key)

    def answer(self) -> HttpResponse:
        """As every form; but a post that asks what the rows come to is answered with that alone."""
        if self.posted is None or "_totals" not in self.posted:
            return super().answer()
        told = {"totals": self._totals(self.read(self.posted)), "is_invented": self.view.is_invented}
        return render(self.request, "workflows/_totals.html", told)

    @property
    def lists(self) -> list[tuple[str, str]]:
        """The lists among the available values."""
        return self.view.here.lists

    @property
    def chosen_connection(self) -> Connection | None:
        """The connection it works with, if any."""
        return self.connection.chosen

    @property
    def groups(self) -> list[TokenGroup]:
        """The values that can be used in the step."""
        return self.view.here.groups

    @property
    def title(self) -> str:
        """The step's name, or the action's for a new step."""
        return self.step.name if self.step else self.action.name

    def stored(self) -> editing.Sources:
        """The step's mappings, or the action's defaults."""
        return editing.sources_of(list(self.step.mappings.all())) if self.step else schema_form.defaults(self.schema)

    def stored_problems(self, typed: editing.Sources) -> dict[str, str]:
        """What keeps the step from being published."""
        return self.view.problems()

    def read(self, posted: QueryDict) -> editing.Sources:
        """What was typed, with what a record is to be found by."""
        typed = super().read(posted)
        self.finding.read(typed)
        return typed

    def problems(self, typed: editing.Sources) -> dict[str, str]:
        """The problems that the schema finds, a target that must be confirmed, a record that cannot be found, and those
        of the connection."""
        self.connection.compare(self.schema, typed)
        confirmed = confirmation.problems(self.action, typed, self.connection.chosen)
        return {**confirmed, **super().problems(typed), **self.finding.problems(typed), **self.connection.problems}

    @transaction.atomic
    def save(self, typed: editing.Sources) -> HttpResponse:
        """Store the step, with one before it for each record to be found, and go to it on the workflow's page."""
        place = Place(self.step.parent, self.step) if self.step is not None else self.place
        self.finding.add_steps(self.workflow, typed, place, by=self.by)
        if self.step is not None:
            # Another step may stand before it now.
            self.step.refresh_from_db(fields=["position"])
        given = self.form.cleaned_data
        draft = editing.StepDraft(
            name=given["name"],
            operation=self.action.full_key,
            connection=self.connection.chosen,
            sources=typed,
            on_error=given["on_error"],
            max_attempts=given["max_attempts"],
        )
        saved = editing.save_step(self.workflow, self.step, draft, place=self.place, by=self.by)
        messages.success(self.request, f"{saved.name} is saved.")
        return back_to(saved)

    def context(self, typed: editing.Sources) -> dict[str, Any]:
        """The inputs, with the less common ones folded away, and the available values."""
        here = self.view.here
        self.connection.compare(self.schema, typed)
        givers = record_offers.givers(here.groups, self.workflow, self.view.steps, here.data)
        controls = schema_form.controls(
            self.schema,
            typed,
            self.errors,
            load=self.connection.load,
            takes_tokens=True,
            post=self.posted,
            lists=here.lists,
            offers=self.finding.offers(givers),
        )
        self.connection.name_foreign_values(controls)
        show_values(controls, here)
        usual, more = _folded(controls)
        totals = self._totals(typed)
        _put_amounts(controls, totals)
        return {
            **self.view.context(_row_items(here, typed)),
            **self.connection.context(self.errors),
            "output": output_card(self.step) if self.step else None,
            "controls": usual,
            "more_controls": more,
            "is_more_open": self._is_more_open(more),
            "stray_errors": self.stray_errors([*(control.path for control in controls), "connection"]),
            "offers_each": True,
            "totals": totals,
            "is_invented": self.view.is_invented,
            "totals_path": table.name if (table := table_with_totals(self.action)) else "",
        }

    def _totals(self, typed: editing.Sources) -> SampleTotals | None:
        return sample_totals(self.action, typed, self.connection.chosen, self.view.here.data)

    def _is_more_open(self, more: list[schema_form.Control]) -> bool:
        """Whether one of the less common inputs was filled in, or a button in it was pressed."""
        defaults = schema_form.defaults(self.schema)
        posted = self.posted or QueryDict()
        pressed = (posted.get("_refresh", "") or posted.get("_remove_row", "")).split(".")[0]
        return any(each.is_touched(defaults.get(each.path)) or each.path == pressed for each in more)


def _put_amounts(controls: list[schema_form.Control], totals: SampleTotals | None) -> None:
    """Put what each row comes to beside it."""
    if totals is None:
        return
    for control in controls:
        if control.path == totals.path:
            for row, amount in zip(control.rows, totals.amounts, strict=False):
                row.amount = amount


def _row_items(here: AvailableValues, sources: editing.Sources) -> list[TokenGroup]:
    """The values of the lists that rows are repeated over, each list once."""
    rows = [row for value in sources.values() if isinstance(value, list) for row in value]
    lists = dict.fromkeys(row[EACH] for row in rows if row.get(EACH, "").strip())
    return [group for group in map(here.items_of, lists) if group is not None]


def _folded(controls: list[schema_form.Control]) -> tuple[list[schema_form.Control], list[schema_form.Control]]:
    """The inputs always shown, and the less common ones: optional inputs after the first eight."""
    rest = controls[_USUAL:]
    needed = [each for each in rest if each.is_required]
    return controls[:_USUAL] + needed, [each for each in rest if not each.is_required]


def _initial(step: Step | None, action: Action) -> dict[str, object]:
    if step is None:
        return {"name": action.name}
    return {"name": step.name, "on_error": step.on_error, "max_attempts": step.max_attempts}
