"""What runs wrote is taken back while processes are killed and the providers misbehave: each once, and nothing else.

Each pin becomes an invoice and a quote. Then somebody else changes every tenth invoice, and all but a few of the runs
are taken back. What nobody changed must be gone, by one write each; what was changed, and what nobody asked for, must
stand as it was; and Pinxero must say of each document what the books say.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench import books
from bench.building import add_write, new_workflow, switch_on
from bench.cases import Case, Result
from bench.cases._pins import count_ended, wait_for
from bench.cases.kills import SLOW
from bench.stage import BOARD, Stage

#: Most of them commit without an answer: then only the record itself tells whether it was taken back.
_FAULTS = {"p500": 0.02, "p429": 0.05, "p_commit_then_silence": 0.15, "p_slow_commit": 0.02, **SLOW}
_CHANGED_EVERY, _LEFT_EVERY = 10, 7
_LEFT_IN_PEACE = 4
#: With fewer runs, kills and random faults may come too late.
_ENOUGH = 40
_MUST_BE_NONE = ("doubled", "lost", "trampled", "invented", "misreported", "open_runs", "needs_review", "not_succeeded")
_GONE = {"DELETED", "VOIDED"}


class UndoCase(Case):
    """What is to be taken back is taken back once, whatever is killed, and nobody's later work with it."""

    size = 80
    noun = "runs"
    controls = {"overwrites": "what somebody changed since it was written is not taken back"}

    def break_on_purpose(self, control: str) -> None:
        from workflows.books.undo import looking

        looking.changes = lambda found: ()

    def build(self, stage: Stage) -> None:
        stage.control("POST", "boards", name=BOARD)
        workflow = new_workflow(stage, "Orders", "pinterest.new_pin")
        said = "{{ trigger.title }}"
        add_write(stage, workflow, "invoice", "xero.create_invoice", says=said, reference=said)
        add_write(stage, workflow, "quote", "xero.create_quote", says=said, title=said)
        switch_on(workflow)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.nemesis import Nemesis
        from bench.witness import ledger

        stage.control("POST", "pins", board=BOARD, count=options.size, title="Order {n}", description="Chairs")
        stage.wait_until_done(options.size, longest=options.longest)
        changed = _change_some(stage)
        mark = max((int(row["seq"]) for row in ledger(stage)), default=0)
        stage.faults(seed=options.seed, **_FAULTS)
        left_out = options.size // _LEFT_EVERY
        runs = options.size + options.size - left_out
        with Nemesis(stage, seed=options.seed, whole_after=options.size + left_out) as nemesis:
            asked, left = _ask(stage)
            # A run that is killed three times while no others are is parked, so the last few are spared.
            wait_for("few open runs", lambda: count_ended() >= runs - _LEFT_IN_PEACE, longest=options.longest)
        stage.calm()
        stage.wait_until_done(runs, longest=options.longest)
        books.settle(stage)
        result = _compare(stage, asked, left, changed, mark)
        return result | {"kills": nemesis.kills, "whole_kills": nemesis.whole_kills, "restarts": stage.restarts()}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if result["taken_back"] + result["left_alone"] != result["documents"]:
            found.append("not every document is taken back or left alone")
        if result["asked_for"] >= _ENOUGH:
            names = ("taken_back", "left_alone", "bystanders", "faults", "kills", "whole_kills")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['trampled']} changed documents taken back" if result["trampled"] else ""


def _change_some(stage: Stage) -> set[str]:
    """Somebody gives every tenth invoice another reference; returns their ids."""
    from workflows.models import Posting

    ids = Posting.objects.filter(operation="xero.create_invoice").order_by("pk").values_list("provider_id", flat=True)
    changed = set(list(ids)[::_CHANGED_EVERY])
    for key in sorted(changed):
        stage.control("POST", "change", what="invoice", id=key, Reference="Somebody else's")
    return changed


def _ask(stage: Stage) -> tuple[set[str], set[str]]:
    """Take back what the runs wrote, but for a few. Returns the ids of what is asked for, and of what is not."""
    from django.contrib.auth.models import User

    from workflows.models import Posting, Run
    from workflows.runs import undoing

    person = User.objects.create_user("finance")
    asked: set[str] = set()
    left: set[str] = set()
    for number, run in enumerate(list(Run.objects.order_by("pk"))):
        postings = list(Posting.objects.filter(run=run))
        if number % _LEFT_EVERY == _LEFT_EVERY - 1:
            left |= {each.provider_id for each in postings}
            continue
        undoing.take_back(run, {each.pk: "" for each in postings}, by=person, reason="Proof")
        asked |= {each.provider_id for each in postings}
    return asked, left


def _compare(stage: Stage, asked: set[str], left: set[str], changed: set[str], mark: int) -> Result:
    from bench.witness import ledger, records, troubles
    from workflows.models import Posting, Undo

    states = {each["InvoiceID"]: each["Status"] for each in records(stage, "Invoices")}
    states |= {each["QuoteID"]: each["Status"] for each in records(stage, "Quotes")}
    gone = {key for key in asked | left if states.get(key, "DELETED") in _GONE}
    sent = [row for row in ledger(stage) if int(row["seq"]) > mark and row["method"] in ("PUT", "POST", "DELETE")]
    sent = [row for row in sent if row["path"].endswith(("/Invoices", "/Quotes"))]
    writes = Counter(key for row in sent if row["committed"] for key in row["object_ids"] if key in states)
    wanted = asked - changed
    done = set(Undo.objects.filter(state="done").values_list("posting__provider_id", flat=True))
    own = Counter(Posting.objects.filter(operation__endswith=":undo").values_list("provider_id", flat=True))
    for trouble in troubles():
        print(trouble, file=sys.stderr)
    return {
        "documents": len(asked),
        "taken_back": len(gone & wanted),
        "left_alone": len((changed & asked) - gone),
        "bystanders": len(left - gone),
        "doubled": sum(count - 1 for count in writes.values() if count > 1),
        "lost": len(wanted - gone),
        "trampled": len(changed & gone),
        "invented": len(left & gone),
        "misreported": len(done ^ gone) + len(set(own) ^ gone) + sum(count - 1 for count in own.values()),
        "faults": sum(1 for row in sent if row["fault"]),
        **books.leftovers(),
    }


case = UndoCase()
