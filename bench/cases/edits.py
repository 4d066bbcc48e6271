"""A workflow is edited and published again and again while its runs are under way: each run keeps to its version.

Each run writes an invoice, waits a minute, and writes a quote; both say which text their step held and which version
the run is of. Every other edit also puts a step between them or takes it out. In the sandbox's books the two papers of
a pin must say the same, and the text must be that version's; no pin may be missed or taken twice by publishing.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from bench import books
from bench.building import add_step, add_write, new_workflow, switch_on
from bench.cases import Case, Result, breaks
from bench.cases._pins import count_runs
from bench.stage import BOARD, Stage

if TYPE_CHECKING:
    from workflows.models import Workflow

#: The number of pins between two edits.
_PINS_PER_EDIT = 10
#: A little longer than the trigger's minute, so that each portion gets another version (real seconds).
_PAUSE_SECONDS = 65.0
_CONTROL_SECONDS = 60.0
_MUST_BE_NONE = ("duplicates", "lost", "invented", "mixed", "not_pinned", "open_runs", "needs_review", "not_succeeded")


class Edits(Case):
    """Publishing changes the runs that begin after it, and no current ones."""

    size = 500
    controls = {"unpinned": "a run keeps the version with which it began"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return breaks("edits", options.control) if options.control else {}

    def break_on_purpose(self, control: str) -> None:
        from workflows.engine import lease
        from workflows.models import WorkflowVersion

        def newest(pk: int, workflow_id: int, plan_sha256: str) -> WorkflowVersion:
            found = WorkflowVersion.objects.filter(workflow=workflow_id).order_by("-number").first()
            assert found is not None
            return found

        lease._version = newest  # type: ignore[assignment]

    def build(self, stage: Stage) -> None:
        stage.control("POST", "boards", name=BOARD)
        workflow = new_workflow(stage, "Edited", "pinterest.new_pin")
        add_write(stage, workflow, "invoice", "xero.create_invoice", says=says(1), reference="{{ trigger.id }}")
        add_step(workflow, "delay", "wait", settings={"how": "for", "amount": "1", "unit": "minutes"})
        add_write(stage, workflow, "quote", "xero.create_quote", says=says(1), title="edit {{ trigger.id }}")
        switch_on(workflow)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import troubles
        from workflows.models import Workflow

        workflow = Workflow.objects.get()
        pins: list[dict[str, Any]] = []
        edits = 0
        while len(pins) < options.size:
            pins += stage.add_pins(min(_PINS_PER_EDIT, options.size - len(pins)))
            time.sleep(_PAUSE_SECONDS / stage.time_scale)
            edits += 1
            _edit(workflow, edits + 1)
        longest = _CONTROL_SECONDS if options.control else options.longest
        stage.wait_until_done(options.size, longest=longest)
        books.settle(stage)
        result = _compare(stage, [pin["id"] for pin in pins])
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        return {"runs": count_runs(), "edits": edits, **result, **books.leftovers(), **_figures()}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if not result["asked_for"] == result["runs"] == result["invoices"] == result["quotes"]:
            asked, runs, invoices, quotes = (result[name] for name in ("asked_for", "runs", "invoices", "quotes"))
            found.append(f"{asked} pins were asked for, {runs} runs, {invoices} invoices and {quotes} quotes made")
        if result["asked_for"] > _PINS_PER_EDIT:
            names = ("edits", "overtaken")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
            if result["versions_run"] < 2:
                found.append("all runs were of one version, so nothing was proved")
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['mixed']} runs of two versions" if result["mixed"] else ""


def says(number: int) -> str:
    """What the steps of a version write: the number in their text, and the number that the engine has."""
    return f"Text {number} of version {{{{ workflow.version }}}}"


def _edit(workflow: Workflow, number: int) -> None:
    """Change both texts, put a step between them or remove it, and publish; the new version has that number."""
    from workflows.models import Mapping as Row
    from workflows.publishing import publish

    Row.objects.filter(step__workflow=workflow, column="description").update(value=says(number))
    between = workflow.steps.filter(key="between").first()
    if between is not None:
        between.delete()
    else:
        between = add_step(workflow, "format", "between")
        Row.objects.create(step=between, input="day", value="{{ run.date }}")
        workflow.steps.filter(key="between").update(position=2)
    workflow.refresh_from_db()
    published = publish.publish(workflow, by=None, note=f"Edit {number}")
    assert published.number == number


def _compare(stage: Stage, pins: list[str]) -> Result:
    """Compare the documents of each pin with one another, and with the version that Pinxero gives for the run."""
    from workflows.models import Run

    invoices, quotes = books.invoices(stage), books.quotes(stage, "edit ")
    said: dict[str, set[str]] = defaultdict(set)
    for reference, paper in [(str(each["Reference"]), each) for each in invoices] + [
        (str(each["Title"]).removeprefix("edit "), each) for each in quotes
    ]:
        said[reference] |= {str(line["Description"]) for line in paper["LineItems"]}
    pinned = {run.event.data["id"]: run.version.number for run in Run.objects.select_related("event", "version")}
    one = books.compare(pins, Counter(str(each["Reference"]) for each in invoices))
    two = books.compare(pins, Counter(str(each["Title"]).removeprefix("edit ") for each in quotes))
    return {
        "invoices": len(invoices),
        "quotes": len(quotes),
        **{name: one[name] + two[name] for name in one},
        "mixed": sum(1 for texts in said.values() if len(texts) > 1),
        "not_pinned": sum(
            1 for pin, texts in said.items() if texts != {f"Text {pinned.get(pin)} of version {pinned.get(pin)}"}
        ),
        "versions_run": len(set(pinned.values())),
    }


def _figures() -> Result:
    """How many runs were open when a later version was published."""
    from workflows.models import Run, WorkflowVersion

    published = dict(WorkflowVersion.objects.values_list("number", "published_at"))
    overtaken = 0
    for run in Run.objects.select_related("version"):
        following = published.get(run.version.number + 1)
        ended = run.finished_at
        overtaken += following is not None and ended is not None and following < ended
    return {"overtaken": overtaken}


case = Edits()
