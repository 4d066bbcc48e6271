"""How many iterations a run may make, together with all the runs that it calls.

A loop within a loop multiplies, and so does a loop that calls a workflow with a loop. The iterations of a loop are
counted before its first one, for the whole family of runs, on the run at the top that no other run called.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F

from workflows.definitions.kinds import MOST_CALLS, MOST_ITERATIONS_OF_A_RUN
from workflows.models import Run

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext


def refusal(context: RunContext, count: int) -> str:
    """Reserve this many iterations for the run. Returns "", or a sentence where the family of runs has fewer left; then
    nothing is reserved."""
    if not count or not context.is_counted:
        return ""
    first = _first(context.run)
    fits = Run.objects.filter(pk=first, turns__lte=MOST_ITERATIONS_OF_A_RUN - count)
    if count <= MOST_ITERATIONS_OF_A_RUN and fits.update(turns=F("turns") + count):
        return ""
    made = Run.objects.filter(pk=first).values_list("turns", flat=True).first() or 0
    who = "This run" if first == context.run.pk else f"Run {first}, with the workflows that it called,"
    return (
        f"{who} has made {made:,} loop iterations and calls, and {count:,} more would exceed the "
        f"{MOST_ITERATIONS_OF_A_RUN:,} that one run may make. Nothing was done for any of these. Start from shorter "
        "lists, or in several runs."
    )


def _first(run: Run) -> int:
    """The id of the run at the top of the calls that led here."""
    found, above = run.pk, run.called_by_id
    for _ in range(MOST_CALLS + 1):
        if above is None:
            break
        found, above = above, Run.objects.filter(pk=above).values_list("called_by", flat=True).first()
    return found
