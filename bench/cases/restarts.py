"""PostgreSQL is restarted every 5 to 40 seconds in the midst of writes: nothing is lost, and nothing done twice.

The proof makes a cluster of its own in a temporary folder, whatever DATABASE_URL says, and needs PostgreSQL's server
programs for it. Every other restart is a crash. Half of the writes are slow, so that each restart comes upon some that
were sent and not yet recorded.
"""

from __future__ import annotations

import argparse
import random
import time
from collections.abc import Mapping
from typing import Any

from bench.cases import Result
from bench.cases._pins import PinsCase, compared
from bench.cluster import Cluster
from bench.stage import Stage

#: Seconds of this machine between two restarts.
SHORTEST, LONGEST = 5.0, 40.0
#: The number of pins between two restarts, and the least number of restarts.
_PINS_PER_RESTART, _LEAST_RESTARTS = 50, 3
_SLOW = {"p_slow_commit": 0.5, "slow_commit_seconds": 10, "concurrent_limit": 1000}


class Restarts(PinsCase):
    """A database that stops and starts again loses nothing."""

    size = 500
    longest = 3600
    must_be_some = ("server_restarts", "crashes")
    controls = {"no_intent": "a write is not written down before it is sent"}

    def __init__(self) -> None:
        self.cluster: Cluster | None = None

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--pause", type=float, default=LONGEST, help="The longest time between two restarts, in seconds."
        )

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        self.cluster = Cluster()
        self.cluster.start()
        return {"PINXERO_SAFETIES_OFF": options.control, "DATABASE_URL": self.cluster.url}

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        assert self.cluster is not None
        dice = random.Random(options.seed)
        stage.faults(seed=options.seed, **_SLOW)
        pins: list[dict[str, Any]] = []
        restarts = max(_LEAST_RESTARTS, options.size // _PINS_PER_RESTART)
        portion = -(-options.size // restarts)
        for number in range(restarts):
            if len(pins) < options.size:
                pins += stage.add_pins(min(portion, options.size - len(pins)))
            time.sleep(dice.uniform(SHORTEST, max(SHORTEST, options.pause)))
            self.cluster.restart(mode="fast" if number % 2 else "immediate")
        stage.wait_until_done(options.size, longest=options.longest)
        counts = {"server_restarts": restarts, "crashes": (restarts + 1) // 2, "worker_restarts": stage.restarts()}
        return {**compared(stage, pins), **counts}

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['duplicates']} duplicates" if result["duplicates"] else ""


case = Restarts()
