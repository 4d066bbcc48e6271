"""Branches choose and loops write, turn by turn, while processes are killed and the providers misbehave.

Half of the pins are orders: a branch takes them to a loop that makes an invoice of each item. The others are offers:
the branch's other path loops over them, a filter ends every fifth turn, and the rest become quotes. What each pin asks
for is worked out here, and compared with the invoices and quotes in the sandbox's books.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench import books
from bench.building import add_step, add_write, new_workflow, switch_on
from bench.cases import Case, Result
from bench.cases._pins import count_ended, wait_for
from bench.cases.kills import FAULTS
from bench.stage import BOARD, Stage

#: The items of each pin; every fifth one of an offer is skipped.
ITEMS = 10
_PASSED_OVER = 5
_LEFT_OUT = "-left-out"
#: Calls that Pinxero believes it may make at once; Xero itself accepts five, and refuses the rest.
_AT_ONCE = 20
_LEFT_IN_PEACE = 4
#: With fewer iterations, kills and random faults may come too late.
_ENOUGH = 150
_MUST_BE_NONE = ("duplicates", "lost", "invented", "wrong_outputs", "open_runs", "needs_review", "not_succeeded")


class BranchesAndLoops(Case):
    """Each iteration of each loop writes once, and only what its path says."""

    size = 3000
    noun = "turns of loops"
    longest = 3600
    controls = {"no_intent": "a write is not written down before it is sent"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        # A killed worker's slots for calls at once are only freed when they expire; one is killed every second.
        return {"PINXERO_SAFETIES_OFF": options.control, "XERO_CONCURRENT_LIMIT": str(_AT_ONCE)}

    def build(self, stage: Stage) -> None:
        stage.control("POST", "boards", name=BOARD)
        workflow = new_workflow(stage, "Orders and offers", "pinterest.new_pin")
        branch = add_step(workflow, "branch", "which")
        order = add_step(
            workflow, "path", "order", parent=branch, conditions=[("{{ trigger.title }}", "starts_with", "Order")]
        )
        offer = add_step(workflow, "path", "offer", parent=branch)
        items = {"items": "{{ trigger.description | split }}", "limit": ITEMS, "on_item_error": "stop"}
        loop = add_step(workflow, "loop", "each_ordered", parent=order, settings=items)
        said = "{{ item }}"
        add_write(stage, workflow, "invoice", "xero.create_invoice", parent=loop, says=said, reference=said)
        loop = add_step(workflow, "loop", "each_offered", parent=offer, settings=items)
        is_meant = ("{{ item }}", "not_contains", _LEFT_OUT)
        add_step(workflow, "filter", "is_meant", parent=loop, conditions=[is_meant])
        add_write(stage, workflow, "quote", "xero.create_quote", parent=loop, says=said, title=said)
        switch_on(workflow)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.nemesis import Nemesis
        from bench.witness import troubles

        stage.faults(seed=options.seed, **FAULTS)
        counts = split_up(options.size)
        for what, of_it in counts.items():
            for number_of_items, pins in of_it.items():
                _pin(stage, what, pins, number_of_items)
        pins = sum(sum(of_it.values()) for of_it in counts.values())
        with Nemesis(stage, seed=options.seed, whole_after=pins // 2) as nemesis:
            _wait_for_the_last(pins, longest=options.longest)
        stage.calm()
        stage.wait_until_done(pins, longest=options.longest)
        books.settle(stage)
        result = _compare(stage, counts)
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        killed = {"kills": nemesis.kills, "whole_kills": nemesis.whole_kills, "restarts": stage.restarts()}
        return {"pins": pins, **result, **books.leftovers(), **books.writes(stage), **killed}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if result["asked_for"] != result["turns"]:
            found.append(f"{result['asked_for']} turns were asked for, {result['turns']} were put in")
        written = result["invoices"] + result["quotes"]
        if result["writes_committed"] != written:
            found.append(f"the ledger tells of {result['writes_committed']} papers, the books of {written}")
        if result["asked_for"] >= _ENOUGH:
            names = ("invoices", "quotes", "passed_over", "faults", "kills", "whole_kills")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['duplicates']} duplicates" if result["duplicates"] else ""


def _wait_for_the_last(pins: int, *, longest: float) -> None:
    """Wait until only a few runs are open. Those are spared: a run that is killed three times while no others are is
    parked, since it may be the one that kills its workers; and a lookup reads thousands of quotes here, page by page,
    so that hardly any succeeds with all of the faults."""
    wait_for("only a few runs open", lambda: count_ended() >= pins - _LEFT_IN_PEACE, longest=longest)


Counts = dict[str, dict[int, int]]


def split_up(turns: int) -> Counts:
    """How many orders and offers have how many items, for this number of iterations."""
    full, rest = divmod(turns, ITEMS)
    counts: Counts = {"order": {ITEMS: full - full // 2}, "offer": {ITEMS: full // 2}}
    if rest:
        counts["order"][rest] = 1
    return {what: {items: pins for items, pins in of_it.items() if pins} for what, of_it in counts.items()}


def label(what: str, number: int | str, item: int, of: int) -> str:
    """The name of one item of a pin; short, since a description has at most 800 characters."""
    ending = _LEFT_OUT if what == "offer" and item % _PASSED_OVER == 0 else ""
    return f"{what}-{of}-{number}-{item}{ending}"


def labels(what: str, of_it: Mapping[int, int]) -> list[str]:
    """Every item of all orders, or of all offers."""
    return [
        label(what, number, item, of)
        for of, pins in of_it.items()
        for number in range(1, pins + 1)
        for item in range(1, of + 1)
    ]


def _pin(stage: Stage, what: str, pins: int, items: int) -> None:
    description = ",".join(label(what, "{n}", item, items) for item in range(1, items + 1))
    title = f"{what.capitalize()} of {items}, number {{n}}"
    stage.control("POST", "pins", board=BOARD, count=pins, title=title, description=description)


def _compare(stage: Stage, counts: Counts) -> Result:
    invoices = Counter(str(each["Reference"]) for each in books.invoices(stage))
    quotes = Counter(str(each["Title"]) for each in books.quotes(stage, "offer-"))
    ordered, offered = labels("order", counts["order"]), labels("offer", counts["offer"])
    wanted = [each for each in offered if not each.endswith(_LEFT_OUT)]
    both = [books.compare(ordered, invoices), books.compare(wanted, quotes)]
    return {
        "turns": len(ordered) + len(offered),
        "invoices": invoices.total(),
        "quotes": quotes.total(),
        "passed_over": len(offered) - len(wanted),
        **{name: sum(each[name] for each in both) for name in both[0]},
        "wrong_outputs": _wrong_outputs(),
    }


def _wrong_outputs() -> int:
    """How many loops have an output that differs from the results of their iterations."""
    from workflows.models import StepRun

    wrong = 0
    for loop in StepRun.objects.filter(kind="loop").select_related("run__event"):
        items = loop.run.event.data["description"].split(",")
        left_out = sum(1 for item in items if item.endswith(_LEFT_OUT))
        told = {"count": len(items), "done": len(items) - left_out, "failed": 0, "skipped": left_out}
        output = loop.output or {}
        wrong += {name: output.get(name) for name in told} != told or len(output["items"]) != len(items)
    return wrong


case = BranchesAndLoops()
