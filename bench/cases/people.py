"""A second actor comes between a write and its lookup: somebody else edits, voids, restores, or writes the same.

The proxy loses a write or its answer, lets the other act at once, and only then lets Pinxero find out. What the other
has done must stand, Pinxero's write must be in the books once or be asked about, and nobody else's object may be taken
for it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.cases import Result
from bench.cases._trials import (
    ADOPTED,
    DOUBLED,
    FAILED,
    ONCE,
    OVERWRITTEN,
    REFUSED,
    REVIEW,
    Outcome,
    TrialsCase,
    counted,
    runs,
    story,
    table,
    verdict,
)
from bench.fault_proxy import Trial
from bench.stage import Stage

if TYPE_CHECKING:
    from bench.scenes import Others, Scene
    from bench.writes import Books


class People(TrialsCase):
    """What others do meanwhile is neither mistaken for Pinxero's nor undone."""

    size = 100
    noun = "scenes at most"
    time_scale = 15.0
    controls = {
        "no_lookup": "what became of a write is looked up before it is sent again",
        "adopts": "what was there before is never taken for ours",
        "overwrites": "what somebody changed meanwhile is not written over",
    }

    def break_on_purpose(self, control: str) -> None:
        super().break_on_purpose(control)
        if control in {"adopts", "overwrites"}:
            from workflows.engine.writes import belonging

            if control == "adopts":
                belonging.own = lambda step_run, action, inputs, hits: hits
            else:
                belonging.changed = lambda step_run, now: ""

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--only", default="", help="Operations with this in their names, as quote.")

    def build(self, stage: Stage) -> None:
        self.stand_between(stage)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench import books, edits_of_others, twins
        from bench.scenes import Others
        from bench.writes import Books, Maker

        scenes = [each for each in [*twins.SCENES, *edits_of_others.SCENES] if options.only in each.operation]
        step = max(1, len(scenes) // options.size)
        maker = Maker(stage, self.proxy.url)
        played: dict[str, tuple[Scene, Others]] = {}
        for number, scene in enumerate(scenes[::step][: options.size]):
            label = f"PXT{number:04d}"
            others = Others(stage, maker, scene.settle(maker, label))
            played[label] = (scene, others)
            self.proxy.add(Trial(label, scene.faults, partial(scene.act, others)), *others.setting.ids)
        settings = {label: (scene.operation, others.setting) for label, (scene, others) in played.items()}
        firsts = {label: partial(scene.before, others) for label, (scene, others) in played.items() if scene.before}
        self.play_all(stage, settings, longest=options.longest, firsts=firsts)
        books.settle(stage)
        outcomes = self._outcomes(Books(stage), played)
        print(table(outcomes, sorted({each.column for each in outcomes})), file=sys.stderr)
        return counted(outcomes, self.proxy.trials.values())

    def _outcomes(self, books: Books, played: Mapping[str, tuple[Scene, Others]]) -> list[Outcome]:
        found, outcomes = runs(), []
        for label, (scene, others) in played.items():
            trial, run = self.proxy.trials[label], found[label]
            became = judged(scene, books, others, run)
            arrived = "answer lost" if scene.faults[0].startswith("done") else "write lost"
            if became not in {ONCE, REVIEW, REFUSED} or trial.trouble:
                print(
                    f"{scene.operation}: {scene.name} ({arrived}): {became}: {story(run)} {trial.trouble}",
                    file=sys.stderr,
                )
            row = f"`{scene.operation}` {scene.name}"
            outcomes.append(Outcome(row, arrived, became, was_played=trial.sendings > 0))
        return outcomes


def judged(scene: Scene, books: Books, others: Others, run: Any) -> str:
    """The outcome of a scene."""
    found = scene.found(books, others)
    ours = [each for each in found if each not in others.made]
    told = {step.provider_id for step in run.step_runs.all()}
    return judgement(
        run.status,
        ours=len(ours),
        theirs=len(found) - len(ours),
        is_kept=scene.is_kept(books, others),
        names_theirs=bool(told & others.made),
        may_find=scene.may_find,
        is_one=scene.is_one,
    )


def judgement(
    status: str, *, ours: int, theirs: int, is_kept: bool, names_theirs: bool, may_find: bool, is_one: bool
) -> str:
    """The outcome of a write, from what is in the books and what Pinxero says about it."""
    if not is_kept:
        return OVERWRITTEN
    if status == "succeeded" and not may_find and (names_theirs or (theirs and not ours)):
        return ADOPTED
    if is_one and ours and theirs:
        return DOUBLED
    became = verdict(status, ours + (theirs if may_find and status == "succeeded" and not ours else 0))
    # The provider refuses a second one: nothing was written, and the run says so.
    return REFUSED if became == FAILED else became


case = People()
