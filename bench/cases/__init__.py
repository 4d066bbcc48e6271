"""The cases of `make prove CASE=...`: each tests one promise, with real processes and an outside witness.

To add one, write a file `bench/cases/<name>.py` with a subclass of `Case` and, at its end, `case = <YourClass>()`. It
is found by its file name (an underscore in it is a hyphen in `CASE=`) and needs no registration.

1. `build(stage)` makes the rows: the team and its connections exist, workflows do not. `stage.pin_to_invoice()` makes
   the usual one. It runs before the worker starts; the stage then waits for the baselines of what it switched on.
2. `play(stage, options)` causes the trouble and returns what the witness counted, as a flat dictionary for the one
   line of JSON. Ask the sandbox's books and ledger first, and Pinxero's own rows only for what was left open.
3. `shortcomings(result)` names everything that keeps the result from being a proof: what went wrong, and what was not
   tested at all. It is pure, so test it.
4. `controls` names what can be broken on purpose. `break_on_purpose(control)` breaks it within Pinxero's processes by
   replacing a function, or `environment(options)` does if a setting can. `caught(result, control)` says briefly how
   the result shows it; a control that is not caught fails, because then the proof proves nothing.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from bench.stage import Stage

Result = dict[str, Any]


class Case:
    """One promise and its test. `options` are the command's: `size`, `seed`, `control`, `longest`."""

    #: Its size unless `N=` says otherwise, in the unit that `noun` names.
    size: ClassVar[int] = 300
    noun: ClassVar[str] = "runs"
    #: What can be broken on purpose: name and description.
    controls: ClassVar[Mapping[str, str]] = {}
    #: Waits are this many times shorter than in production, in Pinxero and in the sandbox.
    time_scale: ClassVar[float] = 15.0
    #: Give up after this many seconds.
    longest: ClassVar[float] = 1200

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Options of this case only."""

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        """Environment variables of Pinxero's processes in this case."""
        return breaks(options.case, options.control) if options.control else {}

    def break_on_purpose(self, control: str) -> None:
        """Break what the control names; called in each of Pinxero's processes once its applications are loaded."""
        raise NotImplementedError

    def build(self, stage: Stage) -> None:
        """Make the workflows and switch them on."""
        raise NotImplementedError

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        """Test the promise; returns what the witness counted."""
        raise NotImplementedError

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        """Everything that keeps the result from being a proof."""
        raise NotImplementedError

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        """How the result shows that the control had an effect, as "4 duplicates"; empty if it does not."""
        return "; ".join(self.shortcomings(result))


def breaks(case: str, control: str) -> dict[str, str]:
    """The environment variables with which Pinxero's processes let the case break something."""
    return {"DJANGO_SETTINGS_MODULE": "bench.breaking", "PINXERO_PROVE_BREAKS": f"{case}:{control}"}


def names() -> list[str]:
    """The possible values of `CASE=`."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(each.name.replace("_", "-") for each in found if not each.name.startswith("_"))


def get(name: str) -> Case:
    """The case of that name. Raises ImportError if there is no such file."""
    case: Case = importlib.import_module(f"bench.cases.{name.replace('-', '_')}").case
    return case
