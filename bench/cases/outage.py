"""Xero is down for half an hour: no run fails, hardly a call is made, and all goes on when it is back.

Every call to Xero is answered by a gateway's 503 for 30 minutes of Pinxero's clock. The ledger tells how often it was
called meanwhile: once it counts as down, no more than once a minute. After that nobody presses anything.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bench.cases import Result, breaks
from bench.cases._pins import PinsCase, compared, count_ended, count_runs, wait_for
from bench.stage import Stage

MINUTES = 30
#: Calls already sent when Xero began to count as down arrive at most this much later (seconds of this machine).
_ON_THE_WIRE = 1.0


class Outage(PinsCase):
    """A provider that is down gets hardly any calls, and its runs wait."""

    size = 300
    #: Half an hour lasts one minute.
    time_scale = 30.0
    must_be_some = ("waited", "refused", "probes")
    controls = {"no_breaker": "calls are held back while the provider is down"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return breaks("outage", options.control) if options.control else {}

    def break_on_purpose(self, control: str) -> None:
        from integrations.transport import call_budget

        call_budget.DOWN_AFTER = sys.maxsize

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        early = options.size // 2
        pins = stage.add_pins(early) if early else []
        wait_for("a few runs done", lambda: count_ended() >= early // 2)
        stage.faults(p_html_503=1.0, only_provider="xero")
        began = time.time()
        pins += _more_pins(stage, options.size - early)
        wait_for("a run waiting", lambda: count_runs(status="waiting") > 0)
        down_since = _down_since(stage, longest=10 if options.control else 60)
        time.sleep(max(0.0, began + MINUTES * 60 / stage.time_scale - time.time()))
        waited = count_runs(status="waiting")
        stage.faults(p_html_503=0.0, only_provider="")
        ended = time.time()
        stage.wait_until_done(options.size, longest=options.longest)
        calls = _calls_of_xero(stage)
        held = (down_since or began) + _ON_THE_WIRE
        answered = [at for at, status in calls if at > ended and status < 400]
        return {
            **compared(stage, pins),
            "waited": waited,
            "refused": sum(1 for at, _ in calls if began <= at <= ended),
            "probes": sum(1 for at, _ in calls if held <= at <= ended),
            "minutes_down": round((ended - held) * stage.time_scale / 60, 1),
            "minutes_to_recover": round((min(answered) - ended) * stage.time_scale / 60, 1) if answered else None,
        }

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = super().shortcomings(result)
        if result["probes"] > result["minutes_down"] + 1:
            found.append(f"{result['probes']} calls were made in {result['minutes_down']} minutes of being down")
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        is_above = result["probes"] > result["minutes_down"] + 1
        return f"{result['probes']} calls in {result['minutes_down']} minutes of being down" if is_above else ""


def _more_pins(stage: Stage, count: int) -> list[dict[str, Any]]:
    return stage.add_pins(count) if count else []


def _down_since(stage: Stage, *, longest: float) -> float | None:
    """When Xero began to count as down, in seconds since 1970; None if it never did."""
    from integrations.models import CallBudget

    ends = time.monotonic() + longest
    while time.monotonic() < ends:
        budget = CallBudget.objects.filter(connection=stage.connections["xero"]).first()
        if budget is not None and budget.down_since is not None:
            return float(budget.down_since.timestamp())
        time.sleep(0.1)
    return None


def _calls_of_xero(stage: Stage) -> list[tuple[float, int]]:
    """When Pinxero called Xero, and the answers. The proof's own requests come later."""
    from bench.witness import ledger

    entries = [entry for entry in ledger(stage) if entry["path"].startswith("/api.xro/")]
    return [(datetime.fromisoformat(entry["time"]).timestamp(), int(entry["status"])) for entry in entries]


case = Outage()
