"""How strict a team is with itself. Being stricter holds at once; being less strict needs a second person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.models import Team
from workflows.approvals.excluded import same_person
from workflows.approvals.policy import may_decide
from workflows.models import ControlsChange, Notice, TeamControls
from workflows.notifications.notify import Matter, notify
from workflows.publishing.activation import NotAllowedNowError

Status = ControlsChange.Status
_LABELS = {
    "second_person_publishes": "A second person publishes",
    "builders_release": "Who built a workflow lets its held runs go",
    "approval_days": "Days until a request counts as refused",
}


def of_team(team: Team) -> TeamControls:
    """Those in force; the defaults where nobody has changed any."""
    return TeamControls.objects.filter(team=team).first() or TeamControls(team=team)


def proposed(team: Team) -> ControlsChange | None:
    """The change that waits for a second person."""
    return ControlsChange.objects.filter(team=team, status=Status.OPEN).select_related("asked_by").first()


def in_words(values: Mapping[str, Any]) -> dict[str, str]:
    """Values by what they are called, as "yes", "no" or the number."""
    return {
        label: ("yes" if values[name] else "no") if isinstance(values[name], bool) else str(values[name])
        for name, label in _LABELS.items()
        if name in values
    }


def change(team: Team, values: Mapping[str, Any], *, by: User, reason: str) -> ControlsChange | None:
    """Set what is stricter at once, and propose what is less strict; returns the proposal if there is one.

    Raises NotAllowedNowError.
    """
    if not reason.strip():
        raise NotAllowedNowError("Say why; it is kept in the record of activity.")
    with transaction.atomic():
        Team.objects.select_for_update().get(pk=team.pk)
        now = of_team(team)
        different = {name: values[name] for name in _LABELS if values[name] != getattr(now, name)}
        looser = {name: value for name, value in different.items() if _is_looser(name, value, getattr(now, name))}
        _set(team, {name: value for name, value in different.items() if name not in looser}, by=by, reason=reason)
        if not looser:
            return None
        if (other := proposed(team)) is not None:
            raise NotAllowedNowError(
                f"A change that {_name(other.asked_by)} has proposed waits for a decision already. Decide on it first."
            )
        asked = ControlsChange.objects.create(team=team, values=looser, note=reason.strip(), asked_by=by)
        notify(
            Matter(
                team.pk,
                Notice.Kind.POLICY,
                title="Looser controls wait for a second person",
                text=f"{by.get_username()}: {asked.note}",
            )
        )
        _record(Audited.CONTROLS_PROPOSED, team, looser, by=by, reason=reason)
    return asked


def obstacle(asked: ControlsChange, user: User) -> str:
    """Why the person may not decide on it; "" where they may."""
    if asked.asked_by is not None and same_person(asked.asked_by, user):
        return "You have proposed this change yourself; a second person has to decide on it."
    return "" if may_decide(asked.team_id, user) else "An administrator or an approver of the team decides on it."


def decide(asked: ControlsChange, *, by: User, agrees: bool, reason: str = "") -> None:
    """A second person's decision; a refusal needs a reason. Raises NotAllowedNowError."""
    if not agrees and not reason.strip():
        raise NotAllowedNowError("Say why it is refused.")
    with transaction.atomic():
        locked = _open(asked)
        if why_not := obstacle(locked, by):
            raise NotAllowedNowError(why_not)
        _end(locked, Status.DONE if agrees else Status.REFUSED, by=by, reason=reason)
        if agrees:
            _set(locked.team, locked.values, by=by, reason=reason or locked.note)
        else:
            _record(Audited.CONTROLS_REFUSED, locked.team, locked.values, by=by, reason=reason)


def withdraw(asked: ControlsChange, *, by: User) -> None:
    """Take one's own proposal back. Raises NotAllowedNowError."""
    with transaction.atomic():
        locked = _open(asked)
        if locked.asked_by_id != by.pk:
            raise NotAllowedNowError("Only whoever has proposed it can withdraw it.")
        _end(locked, Status.WITHDRAWN, by=by, reason="")
        _record(Audited.CONTROLS_REFUSED, locked.team, locked.values, by=by, reason="Withdrawn by its author.")


def break_glass(asked: ControlsChange, *, by: User, reason: str) -> None:
    """Loosen them without a second person: superusers only, with a reason, and everybody hears of it.

    Raises NotAllowedNowError.
    """
    if not by.is_superuser or not by.is_active:
        raise NotAllowedNowError("Only a superuser of this installation can do this.")
    if not reason.strip():
        raise NotAllowedNowError("Say why there is no time for a second person.")
    with transaction.atomic():
        locked = _open(asked)
        locked.is_break_glass = True
        _end(locked, Status.DONE, by=by, reason=reason)
        _write(locked.team, locked.values)
        notify(
            Matter(
                locked.team_id,
                Notice.Kind.BREAK_GLASS,
                title="Controls were loosened without a second person",
                text=f"{by.get_username()}: {reason}",
            )
        )
        _record(Audited.CONTROLS_BREAK_GLASS, locked.team, locked.values, by=by, reason=reason)


def _is_looser(name: str, value: Any, now: Any) -> bool:
    if name == "second_person_publishes":
        return not value
    return bool(value) if name == "builders_release" else value > now


def _set(team: Team, values: Mapping[str, Any], *, by: User, reason: str) -> None:
    if not values:
        return
    before = in_words({name: getattr(of_team(team), name) for name in values})
    _write(team, values)
    _record(Audited.CONTROLS_CHANGED, team, values, by=by, reason=reason, before=before)


def _write(team: Team, values: Mapping[str, Any]) -> None:
    controls = of_team(team)
    for name, value in values.items():
        setattr(controls, name, value)
    controls.save()


def _open(asked: ControlsChange) -> ControlsChange:
    Team.objects.select_for_update().get(pk=asked.team_id)
    locked = ControlsChange.objects.select_related("team", "asked_by").get(pk=asked.pk)
    if not locked.is_open:
        raise NotAllowedNowError(f"This is decided already: {locked.get_status_display().lower()}.")
    return locked


def _end(asked: ControlsChange, status: ControlsChange.Status, *, by: User, reason: str) -> None:
    asked.status, asked.decided_by, asked.decided_at, asked.reason = status, by, timezone.now(), reason.strip()
    asked.save(update_fields=["status", "decided_by", "decided_at", "reason", "is_break_glass"])


def _record(
    action: Audited,
    team: Team,
    values: Mapping[str, Any],
    *,
    by: User,
    reason: str,
    before: Mapping[str, str] | None = None,
) -> None:
    about = About("controls", team.pk, "Controls")
    record(action, team_id=team.pk, about=about, by=by, reason=reason, before=before or {}, after=in_words(values))


def _name(user: User | None) -> str:
    return user.get_username() if user is not None else "somebody"
