"""What `make bench` measures: each module here yields rows of its one table.

A module has `measure(bench)`, which yields `Row`s. A figure is a median with the smallest and the largest of its
repetitions, next to a floor from the same run if there is one: what the same work costs without Pinxero. Machines
differ, ratios less so.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, in which unit, and every repetition of it and of its floor."""

    name: str
    unit: str
    values: Sequence[float]
    floor: Sequence[float] = field(default_factory=list)
    aim: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        """The median of the repetitions."""
        return statistics.median(self.values)

    @property
    def ratio(self) -> float | None:
        """How many times the floor; for a rate, how many times slower."""
        if not self.floor:
            return None
        ratio = self.median / statistics.median(self.floor)
        return 1 / ratio if self.unit == "/s" else ratio

    def cells(self) -> list[str]:
        """The line as texts: name, median, smallest to largest, floor, ratio, aim, note."""
        spread = f"{_short(min(self.values))} to {_short(max(self.values))}" if len(self.values) > 1 else ""
        floor = _short(statistics.median(self.floor)) if self.floor else ""
        ratio = f"{self.ratio:.1f}" if self.ratio is not None else ""
        return [self.name, f"{_short(self.median)} {self.unit}", spread, floor, ratio, self.aim, self.note]


def _short(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.2f}"
