"""10,000 items are found by polling alone, of contacts edited within the second they were made in, and told of late.

Two workflows look at Xero's contacts. One makes a quote of each new contact; edits of it are nothing new. The other
makes a quote of each contact as it stands after a change; of edits that follow each other within a second it may miss
all but the last. A tenth of the contacts comes late: with a time of change ninety seconds before that of contacts that
were read already. The witness compares the quotes in the sandbox's books with the contacts that were made there.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bench import books
from bench.building import add_write, new_workflow, switch_on
from bench.cases import Case, Result, breaks
from bench.stage import Stage

#: Contacts come in about fifty portions with this minimum and maximum; the last of each come late.
_LEAST_PORTION, _MOST_PORTION, _PORTIONS = 20, 200, 50
#: The parts of a portion that are edited in the second in which they are made, that are edited twice within a second
#: after they were read, and that come late.
_EDITED, _EDITED_LATER, _LATE = 0.3, 0.1, 0.1
#: How long before the others a late one was changed, by Xero's clock; the triggers read two minutes back.
LATE_SECONDS = 90
_CONTROL_SECONDS = 90.0
_MUST_BE_NONE = ("lost", "twice", "invented", "last_edits_missed", "open_runs", "needs_review", "not_succeeded")


class Polled(Case):
    """Whether an item is new is decided by its identity, not by its time."""

    #: Each is an item of both workflows.
    size = 5_000
    noun = "contacts"
    longest = 3600
    controls = {"no_overlap": "a poll looks back before the newest change it knows"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        broken = breaks("polled", options.control) if options.control else {}
        return {"XERO_MINUTE_LIMIT": "0", "XERO_CONCURRENT_LIMIT": "0", **broken}

    def break_on_purpose(self, control: str) -> None:
        from datetime import timedelta

        from integrations.connectors.xero.triggers import watched_lists

        watched_lists._OVERLAP = timedelta(0)

    def build(self, stage: Stage) -> None:
        stage.calm()
        for what, operation in (("new", "xero.new_contact"), ("changed", "xero.new_or_updated_contact")):
            workflow = new_workflow(stage, f"A {what} contact to quote", operation, provider="xero")
            title = f"{what} {{{{ trigger.ContactID }}}}"
            says = "{{ trigger.EmailAddress | default('none') }}"
            add_write(stage, workflow, "quote", "xero.create_quote", says=says, title=title)
            switch_on(workflow)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import troubles
        from workflows.models import Run

        made = _make(stage, options.size, seed=options.seed)
        longest = _CONTROL_SECONDS if options.control else options.longest
        ends = time.monotonic() + longest
        wanted = {f"new {contact}" for contact in made.last_email}
        wanted |= {f"changed {contact}" for contact in made.last_email}
        while time.monotonic() < ends:
            stage.wait_until_done(len(wanted), longest=ends - time.monotonic())
            # After three polls without anything new, nothing more will come.
            before = Run.objects.count()
            time.sleep(3 * 60 / stage.time_scale)
            if Run.objects.count() == before and not Run.objects.filter(status__in=Run.OPEN).exists():
                break
        books.settle(stage)
        result = compare(made, books.quotes(stage, "new "), books.quotes(stage, "changed "))
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        counts = {"contacts": len(made.last_email), "edits": made.edits, "late": made.late}
        return {**counts, **result, **books.leftovers(), "looks": _looks(stage)}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if not result["asked_for"] == result["contacts"] == result["quotes_of_new"]:
            asked, contacts, quotes = (result[name] for name in ("asked_for", "contacts", "quotes_of_new"))
            found.append(f"{asked} contacts were asked for, {contacts} made, {quotes} quotes of new ones written")
        if result["asked_for"] >= _LEAST_PORTION:
            names = ("edits", "late")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['lost']} contacts were passed over" if result["lost"] else ""


@dataclass
class Made:
    """What was made in Xero: every contact with its final e-mail address."""

    last_email: dict[str, str] = field(default_factory=dict)
    edits: int = 0
    late: int = 0


def _make(stage: Stage, count: int, *, seed: int) -> Made:
    """Make contacts, and edit some of them at once, some once and some twice."""
    dice = random.Random(seed)
    made = Made()
    usual = min(_MOST_PORTION, max(_LEAST_PORTION, count // _PORTIONS))
    shown = time.monotonic()
    while len(made.last_email) < count:
        portion = min(usual, count - len(made.last_email))
        edited = set(dice.sample(range(portion), int(portion * _EDITED)))
        late = int(portion * _LATE)
        for place in range(portion):
            if place == portion - late:
                # The others must be read first: the next poll must still see what has an earlier time.
                time.sleep(60 / stage.time_scale)
                for contact in dice.sample(list(made.last_email)[-place:], int(portion * _EDITED_LATER)):
                    _edit(stage, made, contact, times=2)
                stage.faults(clock_offset_seconds=-LATE_SECONDS)
            _make_one(stage, made, edits=dice.choice((1, 2)) if place in edited else 0)
        stage.faults(clock_offset_seconds=0)
        made.late += late
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"  {len(made.last_email)} contacts made", file=sys.stderr, flush=True)
    return made


def _make_one(stage: Stage, made: Made, *, edits: int) -> None:
    number = len(made.last_email) + 1
    email = f"c{number}@shop.example"
    told = stage.control("POST", "make", what="contact", name=f"Contact {number}", email=email)
    made.last_email[told["id"]] = email
    _edit(stage, made, told["id"], times=edits)


def _edit(stage: Stage, made: Made, contact: str, *, times: int) -> None:
    for _ in range(times):
        made.edits += 1
        made.last_email[contact] = f"edit{made.edits}@shop.example"
        stage.control("POST", "change", what="contact", id=contact, EmailAddress=made.last_email[contact])


def compare(made: Made, of_new: list[dict[str, Any]], of_changed: list[dict[str, Any]]) -> Result:
    """Compare what was made with the resulting quotes."""
    new = Counter(str(each["Title"]).removeprefix("new ") for each in of_new)
    changes: dict[str, Counter[str]] = defaultdict(Counter)
    for each in of_changed:
        said = str(each["LineItems"][0]["Description"])
        changes[str(each["Title"]).removeprefix("changed ")][said] += 1
    unchanged = [contact for contact in made.last_email if contact not in changes]
    return {
        "quotes_of_new": new.total(),
        "quotes_of_changes": sum(its.total() for its in changes.values()),
        "lost": len(set(made.last_email) - set(new)) + len(unchanged),
        "twice": sum(count - 1 for its in (new, *changes.values()) for count in its.values()),
        "invented": len((set(new) | set(changes)) - set(made.last_email)),
        "last_edits_missed": sum(
            1 for contact, email in made.last_email.items() if contact in changes and email not in changes[contact]
        ),
    }


def _looks(stage: Stage) -> int:
    from bench.witness import ledger

    return sum(1 for each in ledger(stage) if each["method"] == "GET" and each["path"].endswith("/Contacts"))


case = Polled()
