"""Distinguishing a run that kills its workers from one whose worker died for another reason.

A worker does one run at a time, so a run that kills its worker (its data take all the memory, a library breaks) leaves
only itself behind. When a machine dies, memory runs out for another reason or somebody kills processes while deploying,
other runs are left behind at about the same time. So each run that is found left behind is recorded, and while several
others were, a run needs far more kills before it is parked: three in a row then do hit one run by chance (four of 1,000
in the proof, which kills a process each second).

The limit of this: three poisonous runs at the same time protect each other. They are parked too, but later.
"""

from __future__ import annotations

from integrations.core.clock import DatabaseNow, seconds
from workflows.models import Beat

#: A run is parked after this many kills with no step recorded in between: if it alone was left behind, and if others
#: were too.
KILLS, KILLS_AMONG_OTHERS = 3, 10
#: How many others, within how long: five leases.
_OTHERS, _WINDOW_SECONDS = 3, 600
_PREFIX = "left behind:"


def is_poison(run_id: int, kills: int) -> bool:
    """Record that the run was left behind for the `kills`th time, and decide whether the run itself is the cause."""
    name = f"{_PREFIX}{run_id}"
    if not Beat.objects.filter(name=name).update(at=DatabaseNow()):
        Beat.objects.bulk_create([Beat(name=name, at=DatabaseNow())], ignore_conflicts=True)
    if kills < KILLS or kills >= KILLS_AMONG_OTHERS:
        return kills >= KILLS
    since = DatabaseNow() - seconds(_WINDOW_SECONDS)
    others = Beat.objects.filter(name__startswith=_PREFIX, at__gte=since).exclude(name=name)
    return others.count() < _OTHERS


def explanation(kills: int) -> str:
    """The message of a parked run."""
    return (
        f"The worker that executed this run died {kills} times without getting any further, so the run was parked. "
        "Look at the worker's log, then try again."
    )
