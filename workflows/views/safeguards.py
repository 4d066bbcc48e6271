"""The page of a workflow's safeguards, and the page of notices."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.audit.actions import Audited
from integrations.audit.record import record_difference
from integrations.teams.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows.definitions.changes import revisions
from workflows.forms.safeguard_forms import SafeguardsForm
from workflows.models import Notice, Safeguards, Workflow, WorkflowPart
from workflows.notifications import notify, safeguards
from workflows.views.common import signed_in
from workflows.views.editor.form_page import WholePage
from workflows.worker import expected_runs

PER_PAGE = 50
_FIELDS = [
    "pause_after", "hold_above", "most_per_hour", "notify", "expected", "expected_at", "expected_zone",
    "expected_weekday", "expected_day", "expected_within",
]  # fmt: skip
_WHEN = ("expected", "expected_at", "expected_zone", "expected_weekday", "expected_day", "expected_within")


@require_http_methods(["GET", "POST"])
@allow(Can.LOOK)
def workflow_safeguards(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show how much the workflow may do by itself to everybody of the team; builders save it."""
    if request.method == "POST":
        return _save_safeguards(request, workflow_id)
    return _safeguards_page(request, workflow_id)


@allow(Can.BUILD)
def _save_safeguards(request: HttpRequest, workflow_id: int) -> HttpResponse:
    return _safeguards_page(request, workflow_id)


def _safeguards_page(request: HttpRequest, workflow_id: int) -> HttpResponse:
    mine = Workflow.objects.for_team(team_of(request)).select_related("published").defer("published__plan")
    workflow: Workflow = get_object_or_404(mine, pk=workflow_id)
    return SafeguardsPage(request, workflow).answer()


class SafeguardsPage(WholePage):
    """How much a workflow may do by itself, and who is told."""

    template = "workflows/safeguards.html"
    form: SafeguardsForm

    def __init__(self, request: HttpRequest, workflow: Workflow) -> None:
        super().__init__(request, workflow, revisions.part_of(workflow, WorkflowPart.Part.SAFEGUARDS))
        self.members = notify.possible_recipients(team_of(request))
        self.form = SafeguardsForm(self.posted, initial=self.stored_fields(), members=self.members)

    @property
    def title(self) -> str:
        """Whose safeguards they are."""
        return f"Safeguards of {self.workflow.name}"

    def stored_fields(self) -> dict[str, object]:
        """The safeguards as stored, or the defaults."""
        own = safeguards.of(self.workflow)
        people = list(own.people.all()) if own.pk else []
        return {**{name: getattr(own, name) for name in _FIELDS}, "people": people}

    def save(self, typed: None) -> HttpResponse:
        """Store them and go to the workflow."""
        given = self.form.cleaned_data
        own = safeguards.stored(self.workflow)
        before = [getattr(own, name) for name in _WHEN]
        with transaction.atomic():
            was = self._in_words(own)
            for name in _FIELDS:
                setattr(own, name, given[name])
            if [getattr(own, name) for name in _WHEN] != before:
                expected_runs.begin(own)
            own.save()
            own.people.set(given["people"])
            record_difference(
                Audited.SAFEGUARDS_CHANGED,
                team_id=self.workflow.team_id,
                about=self.workflow,
                by=signed_in(self.request),
                before=was,
                after=self._in_words(own),
            )
        messages.success(self.request, "The safeguards are saved. They apply from now on, to every version.")
        return redirect("workflow", self.workflow.pk)

    def _in_words(self, own: Safeguards) -> dict[str, str]:
        """The safeguards under the labels of the form; people by their number, as everywhere in the audit trail."""
        words = {}
        for name in _FIELDS:
            field, value = self.form.fields[name], getattr(own, name)
            choices = {str(key): str(label) for key, label in getattr(field, "choices", ())}
            words[str(field.label)] = choices.get(str(value), "" if value is None else str(value))
        people = own.people.order_by("pk").values_list("pk", flat=True)
        words[str(self.form.fields["people"].label)] = ", ".join(f"person {pk}" for pk in people)
        return words

    def context(self, typed: None) -> dict[str, Any]:
        """The fields in their groups, and when the next run is expected."""
        form = self.form
        return {
            "limits": [form[name] for name in SafeguardsForm.LIMITS],
            "expected": [form[name] for name in SafeguardsForm.EXPECTED],
            "next_time": expected_runs.next_time(safeguards.of(self.workflow)),
            "zones": sorted(available_timezones()),
            "may_build": may(self.request, Can.BUILD),
            "without_address": [each for each in self.members if not each.email],
        }


@require_GET
@allow(Can.LOOK)
def notice_list(request: HttpRequest) -> HttpResponse:
    """The team's notices: unread ones first, then the read ones, newest first."""
    team = team_of(request)
    number = request.GET.get("page", "1")
    start = (min(10_000, int(number)) - 1) * PER_PAGE if number.isdecimal() and len(number) < 6 and int(number) else 0
    mine = Notice.objects.for_team(team).select_related("workflow", "connection", "run", "read_by")
    unread = list(mine.filter(read_at__isnull=True)[:200]) if not start else []
    rows = list(mine.filter(read_at__isnull=False)[start : start + PER_PAGE + 1])
    context = {
        "unread": [(notice, notify.page_of(notice)) for notice in unread],
        "read": [(notice, notify.page_of(notice)) for notice in rows[:PER_PAGE]],
        "may_build": may(request, Can.BUILD),
        "previous_page": start // PER_PAGE if start else None,
        "next_page": start // PER_PAGE + 2 if len(rows) > PER_PAGE else None,
    }
    return page(request, "notices/list.html", context, title="Notices")


@require_POST
@allow(Can.BUILD)
def read_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Mark one notice as read."""
    found: Notice = get_object_or_404(Notice.objects.for_team(team_of(request)), pk=notice_id)
    assert isinstance(request.user, User)
    notify.mark_read([found], by=request.user)
    return redirect("notices")


@require_POST
@allow(Can.BUILD)
def read_all_notices(request: HttpRequest) -> HttpResponse:
    """Mark all notices as read that the page has shown, but none that came since."""
    assert isinstance(request.user, User)
    shown = request.POST.getlist("shown")
    pks = [int(each) for each in shown if each.isascii() and each.isdecimal() and len(each) < 19]
    done = notify.mark_read(Notice.objects.for_team(team_of(request)).filter(pk__in=pks), by=request.user)
    messages.success(request, f"{done} notice{'s' * (done != 1)} marked as read.")
    return redirect("notices")
