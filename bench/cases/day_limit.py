"""The day's calls to Xero are used up twice: runs wait for the next day, go on by themselves, and none fails.

A day lasts twenty seconds here, in Pinxero's own count of it; everything else is as ever. Xero itself takes more calls
than Pinxero may make, so the ledger shows whether Pinxero keeps to its limit without being refused.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from bench.cases import Result, breaks
from bench.cases._pins import PinsCase, compared, count_runs
from bench.stage import Stage

#: How long a day lasts, in seconds of this machine, and for how many days there are enough pins.
DAY, DAYS = 20.0, 3
_SHORT_DAY = "short_day"


class DayLimit(PinsCase):
    """What does not fit into a day's calls waits for the next day."""

    size = 300
    must_be_some = ("waited", "days_waited_for")
    controls = {"no_count": "the day's calls are counted"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        unlimited = {"XERO_MINUTE_LIMIT": "0", "XERO_CONCURRENT_LIMIT": "0"}
        limit = {"XERO_DAY_LIMIT": str(day_limit(options.size))}
        # The short day is set in the same way as what is broken on purpose.
        return {**unlimited, **limit, **breaks("day-limit", options.control or _SHORT_DAY)}

    def break_on_purpose(self, control: str) -> None:
        from django.conf import settings

        from integrations.transport import call_budget
        from integrations.transport.call_budget import CallBudget, Limits

        call_budget.DAY_SECONDS = DAY * settings.TIME_SCALE  # type: ignore[assignment]
        if control == "no_count":
            usual = call_budget._roll_day

            def forget(budget: CallBudget, limits: Limits, now: datetime) -> None:
                usual(budget, limits, now)
                budget.day_used = 0

            call_budget._roll_day = forget

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import ledger

        stage.calm()
        pins = stage.add_pins(options.size)
        waited = _wait(stage, options)
        # Token requests go elsewhere; only calls of the API count.
        calls = [_moment(entry) for entry in ledger(stage) if entry["path"].startswith("/api.xro/")]
        days = per_day(calls)
        return {
            **compared(stage, pins),
            "waited": waited,
            "days_waited_for": len(days) - 1,
            "day_limit": day_limit(options.size),
            "most_in_a_day": max(days, default=0),
            "calls": len(calls),
        }

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        return super().shortcomings(result) + _above(result)

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return "; ".join(_above(result))


def day_limit(size: int) -> int:
    """A number of calls a day with which the pins need several days."""
    return size // DAYS + 1


def per_day(calls: Iterable[float]) -> list[int]:
    """How many calls each day had; a day begins with its first call. `calls` are seconds, in order."""
    counts: list[int] = []
    began = float("-inf")
    for at in sorted(calls):
        if at >= began + DAY:
            began = at
            counts.append(0)
        counts[-1] += 1
    return counts


def _above(result: Mapping[str, Any]) -> list[str]:
    most, limit = result["most_in_a_day"], result["day_limit"]
    return [f"{most} calls were made on a day for which {limit} are allowed"] if most > limit else []


def _wait(stage: Stage, options: argparse.Namespace) -> int:
    """Wait until all is done; returns the most runs that were waiting for calls at one time."""
    import time

    most = 0
    ends = time.monotonic() + options.longest
    while time.monotonic() < ends:
        most = max(most, count_runs(wait_reason="budget"))
        if count_runs() >= options.size and not count_runs(status__in=("queued", "running", "waiting")):
            break
        time.sleep(0.5)
    return most


def _moment(entry: Mapping[str, Any]) -> float:
    return datetime.fromisoformat(entry["time"]).timestamp()


case = DayLimit()
