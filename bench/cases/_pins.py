"""What cases share in which pins become invoices, whatever happens meanwhile."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, ClassVar

from bench.cases import Case, Result
from bench.stage import Stage

MUST_BE_NONE = ("duplicates", "lost", "wrong_body", "open_runs", "needs_review", "not_succeeded")


class PinsCase(Case):
    """Each pin becomes one invoice; `must_be_some` names the figures that may not be zero, or nothing was tested."""

    noun = "pins"
    must_be_some: ClassVar[tuple[str, ...]] = ()
    #: With fewer pins, the faults may miss all of them by chance.
    enough: ClassVar[int] = 1

    def build(self, stage: Stage) -> None:
        stage.pin_to_invoice()

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in MUST_BE_NONE if result[name]]
        if not result["asked_for"] == result["runs"] == result["invoices"]:
            asked, put_in, written = (result[name] for name in ("asked_for", "runs", "invoices"))
            found.append(f"{asked} pins were asked for, {put_in} put in, {written} written")
        if result["writes_committed"] != result["invoices"]:
            committed, written = result["writes_committed"], result["invoices"]
            found.append(f"the ledger tells of {committed} invoices, the books of {written}")
        if result["asked_for"] >= self.enough:
            found += [f"{name} is 0, so nothing was proved" for name in self.must_be_some if not result[name]]
        return found


def compared(stage: Stage, pins: list[dict[str, Any]]) -> Result:
    """What the witness counts; what Pinxero says about runs that did not succeed is printed to the terminal."""
    from bench.witness import compare, troubles

    result = compare(stage, pins)
    for trouble in troubles():
        print(trouble, file=sys.stderr)
    return result


def wait_for(what: str, holds: Any, *, longest: float = 120) -> None:
    """Wait until `holds()` is true. Raises SystemExit if it never is: then the case could not be played."""
    import time

    from django.db import DatabaseError, connection

    ends = time.monotonic() + longest
    while time.monotonic() < ends:
        try:
            if holds():
                return
        except DatabaseError:
            connection.close()
        time.sleep(0.1)
    raise SystemExit(f"The proof could not be played: after {longest:g} s still not {what}.")


def count_runs(**wanted: Any) -> int:
    """How many runs have these values, by Pinxero's own rows."""
    from workflows.models import Run

    return Run.objects.filter(**wanted).count()


def count_ended() -> int:
    """How many runs have ended."""
    from workflows.models import Run

    return Run.objects.exclude(status__in=Run.OPEN).count()
