"""The page of a workflow's safeguards, and the page of notices."""

from __future__ import annotations

from zoneinfo import available_timezones

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from integrations.access import Can, allow, may, team_of
from pinxero.pages import page
from workflows import expecting, notices, safeguards
from workflows.models import Notice, Safeguards, Workflow
from workflows.safeguard_forms import SafeguardsForm

PER_PAGE = 50
_FIELDS = [
    "pause_after", "hold_above", "most_per_hour", "notify", "expected", "expected_at", "expected_zone",
    "expected_weekday", "expected_day", "expected_within",
]  # fmt: skip
_WHEN = ("expected", "expected_at", "expected_zone", "expected_weekday", "expected_day", "expected_within")


@require_http_methods(["GET", "POST"])
@allow(Can.BUILD)
def workflow_safeguards(request: HttpRequest, workflow_id: int) -> HttpResponse:
    """Show and save how far the workflow may go by itself."""
    mine = Workflow.objects.for_team(team_of(request)).select_related("published").defer("published__plan")
    workflow: Workflow = get_object_or_404(mine, pk=workflow_id)
    own = safeguards.of(workflow)
    initial = {name: getattr(own, name) for name in _FIELDS}
    initial["people"] = list(own.people.all()) if own.pk else []
    members = notices.possible_recipients(team_of(request))
    form = SafeguardsForm(request.POST or None, initial=initial, members=members)
    if request.method == "POST" and form.is_valid():
        with transaction.atomic():
            own = safeguards.stored(workflow)
            before = [getattr(own, name) for name in _WHEN]
            for name in _FIELDS:
                setattr(own, name, form.cleaned_data[name])
            if [getattr(own, name) for name in _WHEN] != before:
                expecting.begin(own)
            own.save()
            own.people.set(form.cleaned_data["people"])
        messages.success(request, "The safeguards are saved; they hold from now on, for every version.")
        return redirect("workflow", workflow.pk)
    context = {
        "workflow": workflow,
        "form": form,
        "limits": [form[name] for name in SafeguardsForm.LIMITS],
        "expected": [form[name] for name in SafeguardsForm.EXPECTED],
        "next_time": expecting.next_time(own),
        "zones": sorted(available_timezones()),
        "without_address": [each for each in members if not each.email],
        "defaults": Safeguards,
    }
    return page(request, "workflows/safeguards.html", context, title=f"Safeguards of {workflow.name}")


@require_GET
@allow(Can.LOOK)
def notice_list(request: HttpRequest) -> HttpResponse:
    """What people should know of: what nobody has read yet first, then what was read, newest first."""
    team = team_of(request)
    number = request.GET.get("page", "1")
    start = (min(10_000, int(number)) - 1) * PER_PAGE if number.isdecimal() and len(number) < 6 and int(number) else 0
    mine = Notice.objects.for_team(team).select_related("workflow", "connection", "run", "read_by")
    unread = list(mine.filter(read_at__isnull=True)[:200]) if not start else []
    rows = list(mine.filter(read_at__isnull=False)[start : start + PER_PAGE + 1])
    context = {
        "unread": [(notice, notices.page_of(notice)) for notice in unread],
        "read": [(notice, notices.page_of(notice)) for notice in rows[:PER_PAGE]],
        "may_build": may(request, Can.BUILD),
        "previous_page": start // PER_PAGE if start else None,
        "next_page": start // PER_PAGE + 2 if len(rows) > PER_PAGE else None,
    }
    return page(request, "notices/list.html", context, title="Notices")


@require_POST
@allow(Can.BUILD)
def read_notice(request: HttpRequest, notice_id: int) -> HttpResponse:
    """Take one from the unread ones."""
    found: Notice = get_object_or_404(Notice.objects.for_team(team_of(request)), pk=notice_id)
    assert isinstance(request.user, User)
    notices.mark_read([found], by=request.user)
    return redirect("notices")


@require_POST
@allow(Can.BUILD)
def read_all_notices(request: HttpRequest) -> HttpResponse:
    """Take all from the unread ones that the page has shown, and none that came since."""
    assert isinstance(request.user, User)
    shown = request.POST.getlist("shown")
    pks = [int(each) for each in shown if each.isascii() and each.isdecimal() and len(each) < 19]
    done = notices.mark_read(Notice.objects.for_team(team_of(request)).filter(pk__in=pks), by=request.user)
    messages.success(request, f"{done} notice{'s' * (done != 1)} marked as read.")
    return redirect("notices")
