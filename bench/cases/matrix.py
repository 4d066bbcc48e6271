"""Every action that writes, times everything that can happen to a write on the wire: what becomes of each.

A proxy between Pinxero and the sandbox spoils the first write of each trial: it never arrives ("lost"), or it does and
the answer is spoiled ("done"). What the books hold is then compared with what Pinxero says of the run. A table on the
terminal tells of each pair: `1` is once, `?` is that a person is asked. Nothing may be doubled, lost, or failed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from bench.cases import Result
from bench.cases._trials import ONCE, Outcome, TrialsCase, counted, runs, story, table, verdict
from bench.fault_proxy import FAULTS, Trial
from bench.stage import Stage

if TYPE_CHECKING:
    from bench.writes import Books, Setting

#: What happens to the attempts at a write, by its name in the table. After an error in answer to the repetition its
#: key no longer helps: then the write is looked up.
COLUMNS: dict[str, tuple[str, ...]] = {
    **{name: (name,) for name in FAULTS},
    "lost: twice": ("lost: reset", "lost: 500"),
    "done: then 500": ("done: reset", "lost: 500"),
}
#: It has no lookup and is sent to any host, so nothing is made for it. Any answer of such a host is the outcome, even
#: a page or a refusal: an answer from a gateway could not be distinguished from the host's.
SEND = "web.http_send"
_NO_FAULTS_OF_A_HOST = {"lost: 401", "done: 401", "done: 429", "lost: 200 page"}


class Matrix(TrialsCase):
    """Nothing is written twice and nothing lost, whatever happens to a write."""

    size = 1000
    noun = "trials at most, spread over all pairs"
    time_scale = 15.0
    controls = {
        "no_lookup": "what became of a write is looked up before it is sent again",
        "no_key": "repetitions carry the key of the first",
    }

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--only", default="", help="Operations with this in their names, as quote.")

    def build(self, stage: Stage) -> None:
        self.stand_between(stage)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench import books
        from bench.writes import Books, Maker

        pairs = chosen(writes(), list(COLUMNS), options.size, only=options.only)
        maker = Maker(stage, self.proxy.url)
        settings: dict[str, tuple[str, Setting]] = {}
        columns: dict[str, str] = {}
        for number, (operation, fault) in enumerate(pairs):
            label = f"PXT{number:04d}"
            setting = self._settle(maker, operation, label)
            settings[label], columns[label] = (operation, setting), fault
            self.proxy.add(Trial(label, COLUMNS[fault]), *setting.ids)
        self.play_all(stage, settings, longest=options.longest)
        books.settle(stage)
        outcomes = self._outcomes(Books(stage), settings, columns)
        shown = table(outcomes, COLUMNS)
        print(shown, file=sys.stderr)
        for each in outcomes:
            if each.words:
                print(f"{each.row} / {each.column}: {each.verdict}: {each.words}", file=sys.stderr)
        return {
            "operations": len({operation for operation, _ in pairs}),
            **counted(outcomes, self.proxy.trials.values()),
        }

    def _settle(self, maker: Any, operation: str, label: str) -> Setting:
        from bench.writes import WRITES, Setting

        if operation == SEND:
            return Setting(label, {"url": self.receiver(label), "body_kind": "text", "text": label})
        return WRITES[operation].settle(maker, label)

    def _outcomes(
        self, books: Books, settings: Mapping[str, tuple[str, Setting]], columns: Mapping[str, str]
    ) -> list[Outcome]:
        from bench.writes import WRITES

        found, outcomes = runs(), []
        for label, (operation, setting) in settings.items():
            trial = self.proxy.trials[label]
            count = trial.received if operation == SEND else WRITES[operation].count(books, setting)
            became, was_played = verdict(found[label].status, count), trial.sendings > 0
            outcome = Outcome(f"`{operation}`", columns[label], became, was_played=was_played)
            is_plain = outcome.verdict in {ONCE, "needs_review"}
            outcomes.append(outcome if is_plain else replace(outcome, words=f"{count} times; {story(found[label])}"))
        return outcomes


def writes() -> list[str]:
    """Every action that writes, in the registry's order. Raises SystemExit if one is missing from `WRITES`."""
    from bench.writes import WRITES
    from integrations.framework import registry
    from integrations.framework.base import Effect

    found = [each.full_key for each in registry.actions() if each.effect is not Effect.READS]
    missing = sorted(set(found) - set(WRITES) - {SEND} - NOT_TRIED)
    if missing:
        raise SystemExit(f"Add a line to WRITES in bench/writes.py for {', '.join(missing)}.")
    return [each for each in found if each not in NOT_TRIED]


#: Uses SMTP and not HTTP: its own tests use a mail server that disconnects at every command.
NOT_TRIED = {"mail.send_email"}


def chosen(rows: list[str], columns: list[str], size: int, *, only: str = "") -> list[tuple[str, str]]:
    """At most `size` pairs, spread evenly: each round takes every row once, with the columns shifted by one."""
    rows = [row for row in rows if only in row]
    diagonal = [
        (row, columns[(shift + number) % len(columns)])
        for shift in range(len(columns))
        for number, row in enumerate(rows)
    ]
    diagonal = [pair for pair in diagonal if pair[0] != SEND or pair[1] not in _NO_FAULTS_OF_A_HOST]
    taken = set(diagonal[:size])
    return [(row, column) for row in rows for column in columns if (row, column) in taken]


case = Matrix()
