"""`make prove CASE=...`: puts one promise to the test with real processes, and fails unless it holds.

Real processes throughout: the sandbox, `manage.py worker` with its cluster, SQLite or (with DATABASE_URL) PostgreSQL.
The cases are in `bench/cases`, which says how to add one; without `CASE=` it is `kills`. `--control` breaks one thing
on purpose, and then the proof must fail, or it proves nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from bench import cases  # noqa: E402
from bench.cases import Case  # noqa: E402
from bench.stage import Stage, environment  # noqa: E402


def main() -> int:
    """Prove, print one line of JSON, and say by the exit code whether it holds."""
    case, options = read_options(sys.argv[1:])
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pinxero-prove-") as folder:
        variables = environment(Path(folder), time_scale=options.time_scale) | case.environment(options)
        os.environ.update(variables)
        import django

        django.setup()
        with Stage(Path(folder), time_scale=options.time_scale, build=case.build, quiet=not options.verbose) as stage:
            result = {"case": options.case, "asked_for": options.size} | case.play(stage, options)
            result |= {
                "seconds": round(time.monotonic() - started, 1),
                "seed": options.seed,
                "database": stage.vendor,
                "control": options.control or None,
            }
    print(json.dumps(result))
    return verdict(case, result, options.control)


def verdict(case: Case, result: Mapping[str, Any], control: str) -> int:
    """The exit code: 0 if the promise holds, or if a control is caught."""
    if control:
        told = case.caught(result, control)
        if told:
            print(f"The control {control} was caught: {told}.", file=sys.stderr)
            return 0
        print(f"The control {control} was not caught: the proof cannot tell {case.controls[control]}.", file=sys.stderr)
        return 1
    found = case.shortcomings(result)
    if found:
        print(f"Not proved: {'; '.join(found)}.", file=sys.stderr)
    return 1 if found else 0


def read_options(words: Sequence[str]) -> tuple[Case, argparse.Namespace]:
    """The case and its options. Exits with a sentence if an option makes no sense."""
    first = argparse.ArgumentParser(add_help=False)
    first.add_argument("--case", choices=cases.names(), default="kills", help="What to prove (default kills).")
    known, _ = first.parse_known_args(words)
    case = cases.get(known.case)
    told = f"{__doc__}\n{known.case}: {sys.modules[type(case).__module__].__doc__}"
    parser = argparse.ArgumentParser(
        description=told, parents=[first], formatter_class=argparse.RawDescriptionHelpFormatter
    )
    help_size = f"How many {case.noun} (default {case.size})."
    parser.add_argument("--size", "--runs", type=_positive, default=case.size, metavar="N", help=help_size)
    parser.add_argument("--seed", type=int, default=1, help="Seed of everything that is left to chance.")
    help_controls = "; ".join(f"{name}: {what}" for name, what in case.controls.items())
    parser.add_argument(
        "--control", choices=sorted(case.controls), default="", help=f"Break one thing on purpose. {help_controls}."
    )
    parser.add_argument("--time-scale", type=float, default=case.time_scale)
    parser.add_argument("--longest", type=float, default=case.longest, help="Give up after so many seconds.")
    parser.add_argument("--verbose", action="store_true", help="Show what the processes print.")
    case.add_arguments(parser)
    return case, parser.parse_args(words)


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too few; it takes 1 or more")
    return number


if __name__ == "__main__":
    sys.exit(main())
