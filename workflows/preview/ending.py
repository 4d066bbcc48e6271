"""How a preview ends: as a run would, or before that, because of a limit or where a run would wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from workflows.engine.outcomes import FilteredError, ReviewError, StepFailedError, StoppedError
from workflows.engine.waits import WaitError
from workflows.models import Preview
from workflows.preview.limits import UnreachedError

Status = Preview.Status
_STOPS = {"failed": Status.FAILED, "filtered": Status.FILTERED}


@dataclass(frozen=True)
class Ending:
    """The state in which it ended, and why where that needs saying. `wait` is set where a run would wait there."""

    status: Preview.Status
    message: str = ""
    wait: WaitError | None = None


def ending_of(walk: Callable[[], None]) -> Ending:
    """Walk the steps, and say how that ended."""
    try:
        walk()
    except StoppedError as stopped:
        return Ending(_STOPS.get(stopped.status, Status.DONE), stopped.message)
    except FilteredError as filtered:
        return Ending(Status.FILTERED, filtered.sentence)
    except (StepFailedError, ReviewError) as failed:
        return Ending(Status.FAILED, failed.message)
    except UnreachedError as unreached:
        return Ending(Status.UNFINISHED, unreached.message, unreached.wait)
    return Ending(Status.DONE)
