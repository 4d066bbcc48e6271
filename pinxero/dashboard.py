"""The dashboard: what ran, what needs a person, and whether everything it depends on works."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Case, Count, IntegerField, Min, Value, When
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from integrations.framework.registry import UnknownOperationError, connector, connectors
from integrations.models import Connection, Team
from integrations.teams.access import Can, may, membership
from integrations.transport import call_budget
from workflows.approvals import inbox
from workflows.models import ApprovalRequest, Run, TriggerState, Workflow
from workflows.notifications import notify
from workflows.runtime import heartbeats
from workflows.worker import retention

DAYS = 14
_MOST_UNREAD = 99
_ERRORS = "errors"
#: The kinds of outcome: key, label, statuses. Those that succeeded with errors are counted apart.
_GROUPS = (
    ("ok", "Succeeded", (Run.Status.SUCCEEDED,)),
    (_ERRORS, "Succeeded with errors", ()),
    ("muted", "Filtered or cancelled", (Run.Status.FILTERED, Run.Status.CANCELLED)),
    ("info", "Under way", Run.OPEN),
    ("warn", "Needs a person", (Run.Status.NEEDS_REVIEW,)),
    ("bad", "Failed", (Run.Status.FAILED, Run.Status.CRASHED)),
)
#: What several runs wait for, where the words for one run do not fit.
_OF_SEVERAL = {
    Run.WaitReason.UNCERTAIN: "to find out whether their writes happened",
    Run.WaitReason.DELAY: "for their time to come",
    Run.WaitReason.CALL: "for the workflows that they called",
    Run.WaitReason.HOLD: "for a person to release them",
}
_LISTED = ("status", "wait_reason", "title", "result", "error", "created_at", "waiting_since", "workflow__name")


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the admin's index shows of the person's team."""
    mine = membership(request)
    if mine is None:
        return {**context, "px_team": None}
    team, now = mine.team, timezone.now()
    connections = list(Connection.objects.for_team(team).select_related("budget").order_by("provider", "name"))
    workflows = list(Workflow.objects.for_team(team).only("name", "status", "pause_reason", "has_paused_itself"))
    days = _days(team, now)
    needs = _needs_attention(team)
    latest = list(Run.objects.for_team(team).select_related("workflow").only(*_LISTED).order_by("-pk")[:8])
    health = [_health(connection, now) for connection in connections if connection.status != "disconnected"]
    steps = _first_steps(connections, workflows, bool(latest))
    return {
        **context,
        "px_team": team,
        "may_build": may(request, Can.BUILD),
        "days": days,
        "legend": [(tone, label) for tone, label, _ in _GROUPS],
        "total": sum(day.total for day in days),
        "succeeded": sum(day.counts["ok"] + day.counts[_ERRORS] for day in days),
        "with_errors": sum(day.counts[_ERRORS] for day in days),
        "active": sum(workflow.status == Workflow.Status.ACTIVE for workflow in workflows),
        "workflow_count": len(workflows),
        "needs": needs,
        "paused_themselves": [
            each for each in workflows if each.status == Workflow.Status.PAUSED and each.has_paused_itself
        ],
        "since": days[0].day,
        "to_reconnect": [each for each in connections if each.status == Connection.Status.NEEDS_RECONNECT],
        "waiting": _waiting(team),
        "approvals": _approvals(request, team),
        "unread": notify.unread(team, _MOST_UNREAD + 1),
        "most_unread": _MOST_UNREAD,
        "failing_triggers": list(
            TriggerState.objects.for_team(team)
            .filter(failures__gt=0, listeners__status=Workflow.Status.ACTIVE)
            .select_related("connection")
            .distinct()[:10]
        ),
        "health": health,
        "latest": latest,
        "worker": worker_standing(now),
        "database_size": retention.database_size(),
        "first_steps": [] if all(step.is_done for step in steps) else steps,
    }


def _approvals(request: HttpRequest, team: Team) -> dict[str, Any] | None:
    """How many writes wait for approval, how many of them for this person, and since when; None where none does."""
    if not isinstance(request.user, User) or not ApprovalRequest.objects.filter(team=team.pk, status="open").exists():
        return None
    waiting = inbox.waiting(team, request.user)
    mine = [each.request for each in waiting if each.is_mine]
    return {
        "many": len(waiting),
        "since": min(each.request.asked_at for each in waiting),
        "mine": len(mine),
        "mine_since": min((each.asked_at for each in mine), default=None),
    }


@dataclass(frozen=True)
class DayOfRuns:
    """The runs that began on one day, by kind of outcome; heights are in percent of the busiest day."""

    day: date
    counts: dict[str, int]
    bars: list[tuple[str, float, float]]

    @property
    def total(self) -> int:
        """All runs of the day."""
        return sum(self.counts.values())

    @property
    def summary(self) -> str:
        """The day in words, for people who cannot see the bar."""
        parts = [f"{self.counts[tone]} {label.lower()}" for tone, label, _ in _GROUPS if self.counts[tone]]
        return f"{self.day:%-d %B}: " + (", ".join(parts) if parts else "no runs")


def _days(team: Team, now: datetime) -> list[DayOfRuns]:
    today = timezone.localdate(now)
    first = today - timedelta(days=DAYS - 1)
    begins = [timezone.make_aware(datetime.combine(first + timedelta(days=day), time())) for day in range(DAYS)]
    # The database gets the start of each day; it would otherwise compute the day of every single run.
    later = [When(created_at__gte=begin, then=Value(day)) for day, begin in enumerate(begins)]
    runs = (
        Run.objects.for_team(team)
        .filter(created_at__gte=begins[0])
        .annotate(day=Case(*reversed(later), output_field=IntegerField()))
        .order_by()
    )
    rows = runs.values("day", "status").annotate(many=Count("*"))
    tones = {str(status): tone for tone, _, statuses in _GROUPS for status in statuses}
    counted: dict[date, Counter[str]] = {}
    for row in rows:
        counted.setdefault(first + timedelta(days=row["day"]), Counter())[tones[row["status"]]] += row["many"]
    # Asked apart: the index that counts the others holds no errors, and an index of their own holds these.
    for row in runs.filter(status=Run.Status.SUCCEEDED, error__gt="").values("day").annotate(many=Count("*")):
        counted.setdefault(first + timedelta(days=row["day"]), Counter()).update(
            {_ERRORS: row["many"], "ok": -row["many"]}
        )
    busiest = max((sum(counts.values()) for counts in counted.values()), default=0)
    days = []
    for number in range(DAYS):
        day = first + timedelta(days=number)
        counts = counted.get(day, Counter())
        days.append(DayOfRuns(day, {tone: counts[tone] for tone, _, _ in _GROUPS}, _bars(counts, busiest)))
    return days


def _bars(counts: Counter[str], busiest: int) -> list[tuple[str, float, float]]:
    """Stacked from the bottom: (tone, top, height), in percent."""
    bars, ground = [], 100.0
    for tone, _, _ in _GROUPS:
        if counts[tone]:
            height = round(100 * counts[tone] / busiest, 2)
            ground -= height
            bars.append((tone, max(0.0, round(ground, 2)), height))
    return bars


@dataclass(frozen=True)
class Waiting:
    """The runs that wait for one reason: the reason in words, how many, and since when the first one waits."""

    reason: str
    words: str
    many: int
    since: datetime | None


def _waiting(team: Team) -> list[Waiting]:
    """The waiting runs by what they wait for; those that need a person first."""
    rows = (
        Run.objects.for_team(team)
        .filter(status=Run.Status.WAITING)
        .values("wait_reason")
        .annotate(many=Count("pk"), since=Min("waiting_since"))
        .order_by()
    )
    for_person = (Run.WaitReason.HOLD, Run.WaitReason.CONNECTION, Run.WaitReason.FREEZE)
    found = [
        Waiting(row["wait_reason"], _wait_words(row["wait_reason"], row["many"]), row["many"], row["since"])
        for row in rows
        if row["wait_reason"] in Run.WaitReason.values
    ]
    return sorted(found, key=lambda each: (each.reason not in for_person, -each.many))


def _wait_words(reason: str, many: int) -> str:
    """As in "wait for their time to come"."""
    if many == 1:
        return f"waits {Run.WaitReason(reason).label}"
    return f"wait {_OF_SEVERAL.get(Run.WaitReason(reason), Run.WaitReason(reason).label)}"


def _needs_attention(team: Team) -> list[Run]:
    """Runs that a person has to see to, newest first: a few of them."""
    mine = Run.objects.for_team(team).select_related("workflow").only(*_LISTED, "waits_for__name")
    stuck = list(mine.needing_attention().order_by("-pk")[:6])
    held = mine.select_related("workflow", "waits_for").filter(
        status=Run.Status.WAITING, wait_reason=Run.WaitReason.CONNECTION
    )
    return stuck + list(held.order_by("-pk")[:4])


@dataclass(frozen=True)
class Health:
    """A connection with its budget."""

    connection: Connection
    budget: call_budget.BudgetStatus | None


def _health(connection: Connection, now: datetime) -> Health:
    try:
        client = connector(connection.provider).client_class(connection)
        return Health(connection, call_budget.budget_status(getattr(connection, "budget", None), client.limits(), now))
    except (UnknownOperationError, AttributeError):
        return Health(connection, None)


@dataclass(frozen=True)
class Worker:
    """Whether a worker is alive."""

    is_alive: bool
    seen_at: datetime | None


def worker_standing(now: datetime) -> Worker:
    """Alive if any worker, on any host, ran a task recently; its supervisor monitors the rest."""
    seen_at = heartbeats.newest_worker_heartbeat()
    is_alive = seen_at is not None and now - seen_at < timedelta(seconds=settings.STALE_SECONDS)
    return Worker(is_alive, seen_at)


@dataclass(frozen=True)
class FirstStep:
    """One thing to do when a team starts."""

    label: str
    help: str
    is_done: bool
    url: str = ""
    action: str = ""


def _first_steps(connections: list[Connection], workflows: list[Workflow], has_run: bool) -> list[FirstStep]:
    # A connection that needs reconnecting is not a first step: it is listed under "Needs attention".
    known = {connection.provider for connection in connections}
    to_connect = [
        FirstStep(
            f"Connect {each.name}",
            f"Sign in at {each.name} and allow Pinxero to work with your {each.account_noun}.",
            each.key in known,
            _path("connections"),
            "Go to connections",
        )
        for each in connectors()
        if each.needs_connection
    ]
    statuses = {workflow.status for workflow in workflows}
    return [
        *to_connect,
        FirstStep(
            "Create a workflow",
            "Start from a recipe, or choose yourself what starts it and what happens then.",
            bool(workflows),
            reverse("recipes"),
            "See recipes",
        ),
        FirstStep(
            "Publish it and switch it on",
            "From then on it checks for new items by itself.",
            Workflow.Status.ACTIVE in statuses or Workflow.Status.PAUSED in statuses,
            reverse("workflows"),
            "See workflows",
        ),
        FirstStep(
            "See the first run",
            "Every run keeps what came in, what was sent, and what was answered.",
            has_run,
            reverse("runs"),
            "See runs",
        ),
    ]


def _path(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""
