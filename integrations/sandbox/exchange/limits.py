"""Call limits, counted in memory: fixed windows that begin with a subject's first call."""

import contextlib
import math
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from integrations.sandbox.exchange import clock

MINUTE, DAY = 60.0, 86400.0


@dataclass
class _Window:
    began: float = 0.0
    count: int = 0


@dataclass(frozen=True)
class Allowance:
    """The result for a call: what is left, or which limit refuses it and for how many seconds."""

    left: int
    wait: int = 0
    is_refused: bool = False


_lock = threading.Lock()
_windows: dict[tuple[str, str], _Window] = defaultdict(_Window)
_in_flight: dict[str, int] = defaultdict(int)


def forget() -> None:
    with _lock:
        _windows.clear()


def take(subject: str, window: str, seconds: float, limit: int) -> Allowance:
    """Count one call of `subject` in the named window, or refuse it without counting."""
    length = clock.scaled(seconds)
    moment = time.monotonic()
    with _lock:
        state = _windows[subject, window]
        if state.count == 0 or moment - state.began >= length:
            state.began, state.count = moment, 0
        if state.count >= limit:
            began = state.began if state.count else moment
            wait = max(1, math.ceil(began + length - moment))
            return Allowance(left=0, wait=wait, is_refused=True)
        state.count += 1
        return Allowance(left=limit - state.count)


@contextlib.contextmanager
def at_once(subject: str, limit: int) -> Iterator[bool]:
    """Use one of `limit` slots while a call is handled; yields whether one was free."""
    with _lock:
        has_place = _in_flight[subject] < limit
        if has_place:
            _in_flight[subject] += 1
    try:
        yield has_place
    finally:
        if has_place:
            with _lock:
                _in_flight[subject] -= 1
