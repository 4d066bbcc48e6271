"""Small words and looks that every page shares."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils import timezone
from django.utils.formats import date_format

from integrations.models import Connection
from integrations.registry import UnknownOperationError, connector
from workflows.models import Notice, Run, StepRun, Workflow
from workflows.readable import Fact

register = template.Library()

_TONES: dict[str, str] = {
    Run.Status.QUEUED: "info",
    Run.Status.RUNNING: "info",
    Run.Status.WAITING: "warn",
    Run.Status.SUCCEEDED: "ok",
    Run.Status.FAILED: "bad",
    Run.Status.FILTERED: "muted",
    Run.Status.NEEDS_REVIEW: "warn",
    Run.Status.CRASHED: "bad",
    Run.Status.CANCELLED: "muted",
    StepRun.State.PENDING: "muted",
    StepRun.State.SENT: "info",
    StepRun.State.UNCERTAIN: "warn",
    StepRun.State.SKIPPED: "muted",
    Workflow.Status.DRAFT: "muted",
    Workflow.Status.ACTIVE: "ok",
    Workflow.Status.PAUSED: "warn",
    Connection.Status.CONNECTED: "ok",
    Connection.Status.NEEDS_RECONNECT: "bad",
    Connection.Status.DISCONNECTED: "muted",
}
_ICONS = {
    "ok": "check",
    "bad": "close",
    "warn": "priority_high",
    "info": "more_horiz",
    "muted": "remove",
}


@register.filter
def tone(status: str) -> str:
    """The colour of a status: ok, warn, bad, info or muted."""
    return _TONES.get(status, "muted")


@register.filter
def notice_tone(kind: str) -> str:
    """The colour of a notice's kind: what stopped is bad, what waits for somebody a warning."""
    waits = {Notice.Kind.HELD, Notice.Kind.LOOP, Notice.Kind.REVIEW, Notice.Kind.EXPECTED, Notice.Kind.PAUSED}
    return "warn" if kind in waits else "bad"


@register.filter
def icon(status: str) -> str:
    """The symbol of a status."""
    return _ICONS[tone(status)]


@register.filter
def when(moment: datetime | None) -> str:
    """A moment as people say it: today with its time, else with its day."""
    if moment is None:
        return ""
    local, now = timezone.localtime(moment), timezone.localtime()
    if local.date() == now.date():
        return f"today, {date_format(local, 'H:i')}"
    if local.date() == (now - timedelta(days=1)).date():
        return f"yesterday, {date_format(local, 'H:i')}"
    return date_format(local, "j M, H:i" if local.year == now.year else "j M Y, H:i")


@register.filter
def exactly(moment: datetime | str | None) -> str:
    """A moment to the second, for the audit."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return str(moment)
    return "" if moment is None else date_format(timezone.localtime(moment), "j M Y, H:i:s T")


@register.filter
def took(started: datetime | None, finished: datetime | None) -> str:
    """How long it was under way; empty while it is not known."""
    if started is None or finished is None:
        return ""
    return duration((finished - started).total_seconds())


@register.filter
def milliseconds(value: Any) -> str:
    """A duration that is stored in milliseconds."""
    return duration(float(value) / 1000) if isinstance(value, int | float) else ""


def duration(seconds: float) -> str:
    """A duration in the one or two units that matter."""
    if seconds < 1:
        return f"{max(0, round(seconds * 1000))} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours < 48 else f"{hours // 24} days"


@register.filter
def web_link(address: str | None) -> str:
    """The address where it is one that may be clicked (http or https), else nothing. Provider text is not trusted."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


@register.filter
def provider_name(key: str) -> str:
    """How a provider calls itself."""
    try:
        return connector(key).name
    except UnknownOperationError:
        return key.title()


@register.filter
def replay_words(run: Run) -> str:
    """Says of a run that it is a replay."""
    return "" if not run.replay else "replay" if run.replay == 1 else f"replay {run.replay}"


@register.filter
def filled(facts: Iterable[Fact]) -> list[Fact]:
    """Those that have a value."""
    return [fact for fact in facts if not fact.is_empty]


@register.filter
def empty(facts: Iterable[Fact]) -> list[Fact]:
    """Those without a value."""
    return [fact for fact in facts if fact.is_empty]
