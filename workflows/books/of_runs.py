"""The documents of runs: for the list of runs, the page of a run, and the iterations of its loops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import OuterRef, Subquery

from workflows.models import Posting, Run

#: Of one run, this many documents stand in the list of runs.
SHOWN = 3


@dataclass
class Written:
    """What one run has written: its first documents, and whether there are more of them."""

    postings: list[Posting] = field(default_factory=list)
    has_more: bool = False


def written_by(runs: Iterable[Run]) -> dict[int, Written]:
    """The first documents of each run, by its id; a run without any is left out.

    In two queries that cost the same whether a run has written three documents or ten thousand: each place is a step
    in the index.
    """
    ids = [run.pk for run in runs]
    if not ids:
        return {}
    of_run = Posting.objects.filter(run=OuterRef("pk")).order_by("step_run_id").values("pk")
    places = {f"at_{at}": Subquery(of_run[at : at + 1]) for at in range(SHOWN + 1)}
    keys: dict[int, list[int]] = {}
    for pk, *found in Run.objects.filter(pk__in=ids).order_by().values_list("pk", *places.values()):
        keys[pk] = [key for key in found if key is not None]
    postings = Posting.objects.select_related("workflow").in_bulk([key for its in keys.values() for key in its[:SHOWN]])
    return {
        pk: Written([postings[key] for key in its[:SHOWN] if key in postings], len(its) > SHOWN)
        for pk, its in keys.items()
        if its
    }


def by_iteration(run: Run, iterations: Sequence[str]) -> dict[str, list[Posting]]:
    """What was written in these iterations of a run's loops, not counting loops inside them."""
    found: dict[str, list[Posting]] = {}
    if iterations:
        for posting in Posting.objects.filter(run=run, iteration__in=iterations).order_by("step_run_id"):
            found.setdefault(posting.iteration, []).append(posting)
    return found
