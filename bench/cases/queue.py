"""The queue's table is emptied again and again: no run is lost with its bell, and none is done twice.

Pins come in small portions. Every ten seconds of Pinxero's clock everything in the table is
deleted: bells that nobody has heard, bells that are being heard, and the signs of life that the supervisor asked for.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from bench.cases import Result, breaks
from bench.cases._pins import PinsCase, compared
from bench.meanwhile import Meanwhile
from bench.stage import Stage

EVERY_SECONDS = 10
_PORTION = 20
_CONTROL_SECONDS = 30.0


class Queue(PinsCase):
    """The queue only wakes workers; no run depends on its messages."""

    size = 500
    must_be_some = ("truncations", "messages_destroyed")
    controls = {"no_sweeper": "somebody looks for what is due, and rings for it"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return breaks("queue", options.control) if options.control else {}

    def break_on_purpose(self, control: str) -> None:
        from workflows.worker import supervisor

        supervisor.sweep = lambda: 0

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        pins: list[dict[str, Any]] = []
        with _Truncating(every=EVERY_SECONDS / stage.time_scale) as truncating:
            while len(pins) < options.size:
                pins += stage.add_pins(min(_PORTION, options.size - len(pins)))
                time.sleep(0.5)
            longest = _CONTROL_SECONDS if options.control else options.longest
            stage.wait_until_done(options.size, longest=longest)
        figures = {"truncations": truncating.times, "messages_destroyed": truncating.destroyed}
        return {**compared(stage, pins), **figures, "restarts": stage.restarts()}

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        left = result["lost"] + result["open_runs"]
        return f"{result['lost']} pins without an invoice, {result['open_runs']} runs left open" if left else ""


class _Truncating(Meanwhile):
    """Delete everything in the queue's table."""

    broken = "The queue could not be emptied, so nothing is proved."

    def __init__(self, *, every: float) -> None:
        super().__init__(every=every)
        self.times = self.destroyed = 0

    def once(self) -> None:
        from django_q.models import OrmQ

        self.destroyed += OrmQ.objects.all().delete()[0]
        self.times += 1


case = Queue()
