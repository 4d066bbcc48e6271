"""Telling a run that kills its workers from one that was hit by what kills workers.

A worker does one run at a time, so a run that makes its worker die (its data take all the memory, a library breaks)
leaves itself behind and nothing else. Where a machine dies, memory runs out for another reason or somebody deploys by
force, other runs are left behind in the same while. So each run that is found left behind is noted, and while several
others were, a run needs far more kills before it is parked: three in a row do hit one run by chance then (four of 1,000
in the proof, which kills a process each second).

What this cannot tell apart: three poisonous runs at once vouch for each other. They are parked too, but later.
"""

from __future__ import annotations

from integrations.clock import DatabaseNow, seconds
from workflows.models import Beat

#: Kills without a step recorded between them, after which a run is parked: where it alone was left behind, and where
#: others were too.
KILLS, KILLS_AMONG_OTHERS = 3, 10
#: How many others, within how long: five leases.
_OTHERS, _WINDOW_SECONDS = 3, 600
_PREFIX = "left behind:"


def is_poison(run_id: int, kills: int) -> bool:
    """Note that the run was left behind by its worker, for the `kills`th time, and judge whether the run did it."""
    name = f"{_PREFIX}{run_id}"
    if not Beat.objects.filter(name=name).update(at=DatabaseNow()):
        Beat.objects.bulk_create([Beat(name=name, at=DatabaseNow())], ignore_conflicts=True)
    if kills < KILLS or kills >= KILLS_AMONG_OTHERS:
        return kills >= KILLS
    since = DatabaseNow() - seconds(_WINDOW_SECONDS)
    others = Beat.objects.filter(name__startswith=_PREFIX, at__gte=since).exclude(name=name)
    return others.count() < _OTHERS


def said(kills: int) -> str:
    """What is said of a parked run."""
    return (
        f"The worker that executed this run died {kills} times without getting any further, so the run was parked. "
        "Look at the worker's log, then try again."
    )
