"""Template tags and filters shared by all pages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.utils import timezone
from django.utils.formats import date_format

from integrations.framework.registry import UnknownOperationError, connector
from integrations.models import Connection
from workflows.models import Notice, Run, StepRun, Workflow
from workflows.presenters.posting_tables import amount_text
from workflows.presenters.presentation import LabelledValue, person, when
from workflows.presenters.runs import preview_presenter

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
def tone(status: str | Run) -> str:
    """The colour of a status, or of how a run stands: ok, warn, bad, info or muted."""
    if isinstance(status, Run):
        return "warn" if status.has_errors else tone(status.status)
    return _TONES.get(status, "muted")


@register.filter
def notice_tone(kind: str) -> str:
    """The colour of a notice's kind: "bad" if something stopped, "warn" if it waits for a person."""
    waits = {Notice.Kind.HELD, Notice.Kind.LOOP, Notice.Kind.REVIEW, Notice.Kind.EXPECTED, Notice.Kind.PAUSED}
    waits |= {Notice.Kind.BOOKS}
    return "warn" if kind in waits else "bad"


@register.filter
def icon(status: str) -> str:
    """The symbol of a status."""
    return _ICONS[tone(status)]


register.filter(person)
register.filter("preview_tone", preview_presenter.tone)
register.filter("preview_icon", preview_presenter.icon)


@register.simple_tag
def zone() -> str:
    """The time zone of the times shown, for people: Europe/London, UTC."""
    return timezone.get_current_timezone_name().replace("_", " ")


@register.filter
def exactly(moment: datetime | str | None) -> str:
    """A time to the second, for audits."""
    if isinstance(moment, str):
        try:
            moment = datetime.fromisoformat(moment)
        except ValueError:
            return str(moment)
    return "" if moment is None else date_format(timezone.localtime(moment), "j M Y, H:i:s T")


@register.filter
def took(started: datetime | None, finished: datetime | None) -> str:
    """How long it took; empty while unknown."""
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
    """The URL if it is http or https, else nothing: text from providers is not trusted."""
    if not address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return address if parts.scheme in ("http", "https") and parts.netloc else ""


@register.filter
def provider_name(key: str) -> str:
    """The provider's name."""
    try:
        return connector(key).name
    except UnknownOperationError:
        return key.title()


@register.filter
def replay_words(run: Run) -> str:
    """Says of a run that it is a replay."""
    return "" if not run.replay else "replay" if run.replay == 1 else f"replay {run.replay}"


@register.filter
def filled(facts: Iterable[LabelledValue]) -> list[LabelledValue]:
    """Those that have a value."""
    return [fact for fact in facts if not fact.is_empty]


@register.filter
def empty(facts: Iterable[LabelledValue]) -> list[LabelledValue]:
    """Those without a value."""
    return [fact for fact in facts if fact.is_empty]


register.filter(when)
register.filter("money", amount_text)
