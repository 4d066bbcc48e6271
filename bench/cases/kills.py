"""Pins become invoices while processes are killed and the providers misbehave; each exactly once.

A nemesis kills one random process below the worker each second, and all of them once. The witness is the sandbox: what
its books and its ledger hold is compared with the pins that were put in; Pinxero's own rows are only asked whether
anything was left open. `--rough` shows that with all safeties on the rougher provider of the control no_lookup is
survived.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from typing import Any

from bench.cases import Case, Result
from bench.stage import Stage

#: A slow commit takes 20 to 40 s (scaled): about half of them come after our time-out of 30 s, and we do not see them.
SLOW = {"slow_commit_seconds": 20}
FAULTS = {"p500": 0.05, "p429": 0.05, "p_commit_then_silence": 0.05, "p_slow_commit": 0.02, **SLOW}
#: The lookup matters if both attempts at a write got no answer, which is rare; four times the faults cause it often.
ROUGH = {"p500": 0.2, "p429": 0.05, "p_commit_then_silence": 0.2, "p_slow_commit": 0.05, **SLOW}
#: With fewer runs the nemesis may come too late; with this many a proof without kills or faults proves nothing.
_ENOUGH_RUNS = 100
_LEFT_IN_PEACE = 4
_MUST_BE_NONE = ("duplicates", "lost", "wrong_body", "open_runs", "needs_review", "not_succeeded")


class Kills(Case):
    """Nothing is lost and nothing done twice, whatever is killed."""

    size = 300
    noun = "pins"
    #: Time-outs cannot go below a second on a busy machine, and leases must stay well above them: no faster than this.
    time_scale = 15.0
    controls = {
        "no_lookup": "what became of a write is not looked up before it is sent again",
        "no_intent": "a write is not written down before it is sent",
    }

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument(
            "--rough", action="store_true", help="Four times the faults, as the control no_lookup has them."
        )

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return {"PINXERO_SAFETIES_OFF": options.control}

    def build(self, stage: Stage) -> None:
        stage.pin_to_invoice()

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.cases._pins import count_ended, wait_for
        from bench.nemesis import Nemesis
        from bench.witness import compare, troubles

        is_rough = options.rough or options.control == "no_lookup"
        stage.faults(seed=options.seed, **(ROUGH if is_rough else FAULTS))
        pins = stage.add_pins(options.size)
        with Nemesis(stage, seed=options.seed, whole_after=options.size // 2) as nemesis:
            # A run that is killed three times while no others are is parked, so the last few are spared.
            wait_for("few open runs", lambda: count_ended() >= options.size - _LEFT_IN_PEACE, longest=options.longest)
        stage.wait_until_done(options.size, longest=options.longest)
        result = compare(stage, pins)
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        return result | {"kills": nemesis.kills, "whole_kills": nemesis.whole_kills, "restarts": stage.restarts()}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if not result["asked_for"] == result["runs"] == result["invoices"]:
            found.append(
                f"{result['asked_for']} pins were asked for, {result['runs']} put in, {result['invoices']} written"
            )
        if result["writes_committed"] != result["invoices"]:
            committed, invoices = result["writes_committed"], result["invoices"]
            found.append(f"the ledger tells of {committed} invoices, the books of {invoices}")
        if result["asked_for"] >= _ENOUGH_RUNS:
            names = ("faults", "kills", "whole_kills")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['duplicates']} duplicates" if result["duplicates"] else ""


case = Kills()
