"""How much work one value may take: counted in steps, and bounded by the clock.

Steps are counted because they are the same on every machine: what is refused is always refused, and already in the
editor. The clock covers what steps cannot foresee, such as items that are slow to compare or a slow disk.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from workflows.language.values import MappingContext, MappingLimitError

STEP_LIMIT = 20_000
#: A function that iterates over a list or a text takes one more step per this many items or characters.
ITEMS_PER_STEP, CHARACTERS_PER_STEP = 10, 1_000
#: How long one value, or one tree of conditions, may take to work out.
EVALUATION_SECONDS = 3.0
#: How long all values of one step may take together; well below a lease.
STEP_SECONDS = 20.0

_LOOKS_AT_CLOCK_EVERY = 64


@dataclass
class Work:
    """What one evaluation has done so far. Raises MappingLimitError when it becomes too much."""

    deadline: float
    steps: int = field(default=0)

    @classmethod
    def begin(cls, context: MappingContext) -> "Work":
        """Work that begins now, within the time left for the step of `context`."""
        deadline = time.monotonic() + EVALUATION_SECONDS
        return cls(deadline if context.deadline is None else min(deadline, context.deadline))

    def step(self, count: int = 1) -> None:
        before, self.steps = self.steps, self.steps + count
        if self.steps > STEP_LIMIT:
            raise MappingLimitError(
                f"The expression takes more than {STEP_LIMIT:,} steps: its lists are too long for what it does with "
                "them."
            )
        if before // _LOOKS_AT_CLOCK_EVERY != self.steps // _LOOKS_AT_CLOCK_EVERY:
            self.check_time()

    def charge(self, *values: Any) -> None:
        """Count a function's work on these values, before it is done."""
        self.step(1 + sum(_size(value) for value in values))
        self.check_time()

    def check_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise MappingLimitError(
                f"This takes too long to work out: more than {EVALUATION_SECONDS:g} seconds for one value, or "
                f"{STEP_SECONDS:g} for all values of the step. Use shorter lists, or fewer functions."
            )

    def watched(self, items: list[Any]) -> list[Any]:
        """The same list; iterating over it stops with an error when the time is over."""
        return _Watched(items, self) if len(items) > _LOOKS_AT_CLOCK_EVERY else items


def _size(value: Any) -> int:
    if isinstance(value, str):
        return len(value) // CHARACTERS_PER_STEP
    return len(value) // ITEMS_PER_STEP if isinstance(value, list | tuple | dict) else 0


class _Watched(list[Any]):
    def __init__(self, items: list[Any], work: Work) -> None:
        super().__init__(items)
        self._work = work

    def __iter__(self) -> Iterator[Any]:
        for number, item in enumerate(super().__iter__()):
            if number % _LOOKS_AT_CLOCK_EVERY == 0:
                self._work.check_time()
            yield item
