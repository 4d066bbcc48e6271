"""What the cases with a proxy share: one workflow and one run for each trial, and its outcome."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from bench.cases import Case, Result, breaks
from bench.fault_proxy import RECEIVER, FaultProxy, Trial
from bench.stage import Stage

if TYPE_CHECKING:
    from bench.writes import Setting

#: The outcomes of a trial, and how a table shows them. Those in capitals are always wrong.
ONCE, REVIEW, DOUBLED, LOST, FAILED, OPEN = "once", "needs_review", "doubled", "lost", "failed", "open"
ADOPTED, OVERWRITTEN, REFUSED = "adopted", "overwritten", "refused"
SIGNS = {ONCE: "1", REVIEW: "?", REFUSED: "refused"}
SIGNS |= {wrong: wrong.upper() for wrong in (DOUBLED, LOST, ADOPTED, OVERWRITTEN, FAILED, OPEN)}
_WRONG = (DOUBLED, LOST, ADOPTED, OVERWRITTEN, FAILED, OPEN)
_USUAL = "as_it_is"


@dataclass(frozen=True)
class Outcome:
    """The outcome of one trial. `words` are Pinxero's own, if it said anything."""

    row: str
    column: str
    verdict: str
    words: str = ""
    was_played: bool = True


class TrialsCase(Case):
    """Real writes through the proxy, each disturbed once."""

    noun = "trials"
    proxy: FaultProxy

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        self.proxy = FaultProxy()
        self.proxy.scale = options.time_scale
        open_to = dict.fromkeys(("HTTP_REQUEST_HOSTS", "OUTSIDE_PRIVATE_HOSTS", "FILE_LINK_HOSTS"), self.proxy.url)
        unlimited = {"XERO_MINUTE_LIMIT": "0", "XERO_CONCURRENT_LIMIT": "0"}
        switched_off = {"PINXERO_SAFETIES_OFF": options.control} if options.control.startswith("no_look") else {}
        # Faults are more frequent here than in reality and must not stop the calls; the case outage tests that.
        return {**open_to, **unlimited, **breaks(options.case, options.control or _USUAL), **switched_off}

    def break_on_purpose(self, control: str) -> None:
        from integrations.transport import call_budget

        call_budget.DOWN_AFTER = sys.maxsize
        if control == "no_key":
            _forget_keys()

    def stand_between(self, stage: Stage) -> None:
        """Send all calls of the providers' APIs through the proxy."""
        import os

        from django.conf import settings

        self.proxy.upstream = stage.url
        for name, value in {"XERO_API_BASE": self.proxy.url, "PINTEREST_API_BASE": f"{self.proxy.url}/v5"}.items():
            os.environ[name] = value
            setattr(settings, name, value)
        stage.control("POST", "faults", concurrent_limit=1000, minute_limit=1_000_000)

    def play_all(
        self,
        stage: Stage,
        trials: Mapping[str, tuple[str, Setting]],
        *,
        longest: float,
        firsts: Mapping[str, Callable[[], None]] = MappingProxyType({}),
    ) -> None:
        """Start one run for each trial, right after what has to be done first, and wait until all have ended."""
        from workflows.triggers import starting

        made = {label: one_step(stage, label, operation, each.inputs) for label, (operation, each) in trials.items()}
        for label, workflow in made.items():
            if label in firsts:
                firsts[label]()
            starting.start(workflow, operation="start.manual", key=label, data={})
        stage.wait_until_done(len(trials), longest=longest)

    def receiver(self, label: str) -> str:
        """An address at which the proxy itself accepts what is sent."""
        return f"{self.proxy.url}{RECEIVER}{label}"

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in (*_WRONG, "not_played", "troubles") if result[name]]
        if not result[ONCE]:
            found.append("nothing was written, so nothing was proved")
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        names = (DOUBLED, LOST, ADOPTED, OVERWRITTEN)
        return ", ".join(f"{result[name]} {name}" for name in names if result[name])


def one_step(stage: Stage, label: str, operation: str, inputs: Mapping[str, Any]) -> Any:
    """A workflow with one step that is started by hand."""
    from integrations.framework import registry
    from workflows.models import Mapping as Row
    from workflows.models import Safeguards, Step, Workflow
    from workflows.publishing import activation, publish

    connector = registry.action(operation).connector
    workflow = Workflow.objects.create(team=stage.team, name=label, trigger_operation="start.manual")
    Safeguards.objects.create(workflow=workflow, hold_above=0, most_per_hour=0, pause_after=0)
    step = Step.objects.create(
        workflow=workflow,
        key="write",
        name=label,
        kind="action",
        position=1,
        operation=operation,
        connection=stage.connections[connector.key] if connector.needs_connection else None,
        max_attempts=20,
    )
    for name, value in inputs.items():
        if not isinstance(value, list):
            Row.objects.create(step=step, input=name, value=str(value))
            continue
        for number, row in enumerate(value):
            for column, cell in row.items():
                Row.objects.create(step=step, input=name, row=number, column=column, value=cell)
    publish.publish(workflow, by=None, note="Proof")
    activation.activate(workflow, by=None)
    return workflow


def verdict(status: str, count: int) -> str:
    """The outcome of a write that is `count` times in the books, given what Pinxero says about its run."""
    if count > 1:
        return DOUBLED
    if status == "needs_review":
        return REVIEW
    if status == "succeeded":
        return ONCE if count else LOST
    if status in {"failed", "crashed", "cancelled"}:
        return LOST if count else FAILED
    return OPEN


def runs() -> dict[str, Any]:
    """The run of each trial, by label."""
    from workflows.models import Run

    found = Run.objects.select_related("workflow").prefetch_related("step_runs")
    return {run.workflow.name: run for run in found}


def story(run: Any) -> str:
    """What Pinxero says about a run, to find out why it failed."""
    tries = [f"{line['what']} {line['outcome']}" for step in run.step_runs.all() for line in step.attempts]
    return f"{run.status}: {run.error} [{', '.join(tries)}]"


def counted(outcomes: Iterable[Outcome], trials: Iterable[Trial]) -> Result:
    """The figures for the line of JSON."""
    found = list(outcomes)
    count = Counter(each.verdict for each in found)
    return {
        "trials": len(found),
        **{name: count[name] for name in SIGNS},
        "not_played": sum(1 for each in found if not each.was_played),
        "troubles": sum(1 for each in trials if each.trouble),
    }


def table(outcomes: Iterable[Outcome], columns: Iterable[str]) -> str:
    """Rows of operations and columns of faults, in Markdown."""
    cells: dict[str, dict[str, str]] = {}
    for each in outcomes:
        cells.setdefault(each.row, {})[each.column] = SIGNS[each.verdict]
    columns = list(columns)
    lines = [f"| operation | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    lines += [f"| {row} | " + " | ".join(of.get(column, "") for column in columns) + " |" for row, of in cells.items()]
    return "\n".join(lines)


def _forget_keys() -> None:
    """Send without a key what should have one."""
    from integrations.connectors.xero.client import XeroClient

    usual = XeroClient.write

    def write(self: Any, request: Any, *, idempotency_key: str = "", had_401: bool = False) -> Any:
        return usual(self, request, had_401=had_401)

    XeroClient.write = write  # type: ignore[method-assign]
