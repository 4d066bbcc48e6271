"""Which records at a provider this step has written: what is recorded before a write is sent, and how it is used later.

Where the provider keeps no marker, all that looks like the write and is there before it is recorded, and never adopted;
nor is what another step run holds, or may have written too. A record that the write changes is recorded as it was read,
so that a person's change between the send and the look-up is not overwritten.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Q

from integrations.framework import registry
from integrations.framework.base import Action, Effect
from integrations.framework.recovery import Proof
from integrations.framework.registry import UnknownOperationError
from integrations.transport.http import ApiClient
from workflows.models import Run, StepRun

Hit = dict[str, Any]
#: Where a step's outcome holds the keys of what was there before the write, and the record as it was read.
_THERE, _SEEN = "there", "seen"
State = StepRun.State


def noted(action: Action, api: ApiClient, inputs: Any, marker: str, seen: Mapping[str, Any]) -> dict[str, Any]:
    """The part of the outcome that is stored with the first intent. Reads where only likeness can prove the write."""
    found: dict[str, Any] = {_SEEN: dict(seen)} if seen else {}
    if action.proof(inputs) is Proof.LIKENESS:
        found[_THERE] = sorted(action.there(api, inputs, marker))
    return found


def kept(step_run: StepRun) -> dict[str, Any]:
    """What was recorded with the first intent, to be kept in a new outcome; {} before the first intent."""
    return {name: value for name, value in (step_run.outcome or {}).items() if name in (_THERE, _SEEN)}


def dropped(step_run: StepRun) -> dict[str, Any] | None:
    """The outcome without it."""
    return {name: value for name, value in (step_run.outcome or {}).items() if name not in (_THERE, _SEEN)} or None


def changed(step_run: StepRun, now: Mapping[str, Any]) -> str:
    """The message to a person if the record is no longer as it was read before the first send; else empty."""
    was = (step_run.outcome or {}).get(_SEEN)
    if was is None or was == dict(now):
        return ""
    names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
    facts = "; ".join(f"{name} was {_shown(was.get(name))} and is {_shown(now.get(name))}" for name in names)
    return (
        "It was sent, no clear answer came, and since then the record has changed: it is neither as it was before nor "
        f"as this step wants it ({facts}). Nothing is sent over what somebody may have done there. Look at the "
        "provider yourself, then say whether it was written."
    )


def _shown(value: Any) -> str:
    return "empty" if value in (None, "", [], {}) else str(value)[:120]


def own(step_run: StepRun, action: Action, inputs: Any, hits: list[Hit]) -> list[Hit]:
    """The hits that can be this step's write."""
    if action.proof(inputs) is not Proof.LIKENESS:
        return hits
    there = set((step_run.outcome or {}).get(_THERE) or ())
    fresh = [hit for hit in hits if action.hit_key(hit) not in there]
    held = _held(step_run, action, fresh, finished_at__gte=step_run.first_sent_at)
    return [hit for hit in fresh if action.identify(hit) not in held]


def unexplained(step_run: StepRun, action: Action, strays: list[Hit]) -> list[Hit]:
    """The strays that were not there before and that no other step run has written."""
    others = _held(step_run, action, strays) | set((step_run.outcome or {}).get(_THERE) or ())
    return [stray for stray in strays if action.identify(stray) not in others]


def is_noted(step_run: StepRun) -> bool:
    """Whether it is known what was there before. False for a write that an earlier version of Pinxero sent."""
    return _THERE in (step_run.outcome or {})


def has_rival(step_run: StepRun, key: str) -> bool:
    """Whether another run sent exactly the same without a clear answer, and may have written this hit. Not if the hit
    was there before that run sent anything."""
    nobody_knows = Q(state__in=[State.SENT, State.UNCERTAIN, State.NEEDS_REVIEW]) | Q(
        state=State.PENDING, first_sent_at__isnull=False
    )
    same = StepRun.objects.filter(
        nobody_knows,
        run__status__in=[*Run.OPEN, Run.Status.NEEDS_REVIEW],
        connection=step_run.connection_id,
        operation=step_run.operation,
        request_sha256=step_run.request_sha256,
    )
    outcomes = same.exclude(pk=step_run.pk).values_list("outcome", flat=True)
    return any(key not in ((outcome or {}).get(_THERE) or ()) for outcome in outcomes)


def _held(step_run: StepRun, action: Action, hits: Iterable[Hit], **matching: Any) -> set[str]:
    """The ids among the hits that another step run has written."""
    ids = {action.identify(hit) for hit in hits} - {""}
    rows = StepRun.objects.filter(
        connection=step_run.connection_id, provider_id__in=ids, request__isnull=False, **matching
    )
    return {
        provider_id
        for provider_id, operation in rows.exclude(pk=step_run.pk).values_list("provider_id", "operation")
        if operation == step_run.operation or _creates(operation)
    }


def _creates(operation: str) -> bool:
    try:
        return registry.action(operation).effect is Effect.CREATES
    except UnknownOperationError:
        return True
