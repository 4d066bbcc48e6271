"""`make prove`: pins become invoices while processes are killed and the providers misbehave; each exactly once.

Real processes throughout: the sandbox, `manage.py worker` with its cluster, SQLite or (with DATABASE_URL) PostgreSQL.
A nemesis kills one random process below the worker each second, and all of them once. The witness is the sandbox: what
its books and its ledger hold is compared with the pins that were put in; Pinxero's own rows are only asked whether
anything was left open. `--control` switches one safety off, and then the proof must fail, or it proves nothing;
`--rough` shows that with all safeties on the rougher provider of the control no_lookup is survived.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from bench.stage import Stage, environment  # noqa: E402

#: Waits are this much shorter than in production, in the worker and in the sandbox alike. Not more: time-outs cannot go
#: below a second on a busy machine, and leases must stay well above them.
TIME_SCALE = 15.0
#: A slow commit takes 20 to 40 s (scaled): about half of them come after our time-out of 30 s, unseen by us.
SLOW = {"slow_commit_seconds": 20}
FAULTS = {"p500": 0.05, "p429": 0.05, "p_commit_then_silence": 0.05, "p_slow_commit": 0.02, **SLOW}
#: The lookup matters where a write was lost sight of twice, which is rare; four times the faults show it in few runs.
ROUGH = {"p500": 0.2, "p429": 0.05, "p_commit_then_silence": 0.2, "p_slow_commit": 0.05, **SLOW}
CONTROLS = {"no_lookup", "no_intent"}


def main() -> int:
    """Prove, print one line of JSON, and say by the exit code whether it holds."""
    options = _options()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pinxero-prove-") as folder:
        os.environ.update(environment(Path(folder), time_scale=options.time_scale, control=options.control))
        import django

        django.setup()
        from bench.nemesis import Nemesis
        from bench.witness import compare, troubles

        with Stage(Path(folder), time_scale=options.time_scale, quiet=not options.verbose) as stage:
            is_rough = options.rough or options.control == "no_lookup"
            stage.faults(seed=options.seed, **(ROUGH if is_rough else FAULTS))
            pins = stage.add_pins(options.runs)
            with Nemesis(stage, seed=options.seed, whole_after=options.runs // 2) as nemesis:
                stage.wait_until_done(options.runs, longest=options.longest)
            result = compare(stage, pins)
            for trouble in troubles():
                print(trouble, file=sys.stderr)
            result |= {
                "asked_for": options.runs,
                "kills": nemesis.kills,
                "whole_kills": nemesis.whole_kills,
                "restarts": stage.restarts(),
                "seconds": round(time.monotonic() - started, 1),
                "seed": options.seed,
                "database": stage.vendor,
                "control": options.control or None,
            }
    print(json.dumps(result))
    return _verdict(result, options.control)


#: Below so many runs the nemesis may come too late; from there on a proof without kills or faults proves nothing.
_ENOUGH_RUNS = 100
_MUST_BE_NONE = ("duplicates", "lost", "wrong_body", "open_runs", "needs_review", "not_succeeded")


def shortcomings(result: Mapping[str, Any]) -> list[str]:
    """Everything that keeps the result from being a proof: what went wrong, and what was not put to the test."""
    found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
    if not result["asked_for"] == result["runs"] == result["invoices"]:
        found.append(
            f"{result['asked_for']} pins were asked for, {result['runs']} put in, {result['invoices']} written"
        )
    if result["writes_committed"] != result["invoices"]:
        found.append(f"the ledger tells of {result['writes_committed']} invoices, the books of {result['invoices']}")
    if result["asked_for"] >= _ENOUGH_RUNS:
        found += [
            f"{name} is 0, so nothing was proved" for name in ("faults", "kills", "whole_kills") if not result[name]
        ]
    return found


def _verdict(result: Mapping[str, Any], control: str) -> int:
    if control:
        if result["duplicates"]:
            print(f"The control {control} was caught: {result['duplicates']} duplicates.", file=sys.stderr)
            return 0
        print(f"The control {control} was not caught: the proof cannot tell the safety's absence.", file=sys.stderr)
        return 1
    found = shortcomings(result)
    if found:
        print(f"Not proved: {'; '.join(found)}.", file=sys.stderr)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=300, help="How many pins (default 300).")
    parser.add_argument("--seed", type=int, default=1, help="Seed of the faults and of the kills.")
    parser.add_argument("--control", choices=sorted(CONTROLS), default="", help="Switch one safety off.")
    parser.add_argument(
        "--rough", action="store_true", help="Four times the faults, as the control no_lookup has them."
    )
    parser.add_argument("--time-scale", type=float, default=TIME_SCALE)
    parser.add_argument("--longest", type=float, default=1200, help="Give up after so many seconds.")
    parser.add_argument("--verbose", action="store_true", help="Show what the worker prints.")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
