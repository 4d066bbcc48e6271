"""Writes wait for approval while processes are killed and the providers misbehave: none is sent without, none is lost.

Each pin becomes an invoice that needs an approver, and a quote that needs nobody. A person approves most of them,
refuses every fifth, and cancels every seventh; of some that are approved, what came in is changed before they are sent,
so that they must be asked about anew and are refused then. All the while somebody tries to mark waiting writes as sent
in the database. In the end the sandbox's books must hold exactly what was approved, once, and as it was approved.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench import books
from bench.building import add_write, new_workflow, switch_on
from bench.cases import Case, Result
from bench.cases._pins import count_ended, wait_for
from bench.cases.kills import SLOW
from bench.meanwhile import Meanwhile
from bench.stage import BOARD, Stage

_FAULTS = {"p500": 0.02, "p429": 0.03, "p_commit_then_silence": 0.1, **SLOW}
_REFUSED_EVERY, _CANCELLED_EVERY, _CHANGED_EVERY = 5, 7, 6
_LEFT_IN_PEACE = 4
#: With fewer runs, kills may come too late.
_ENOUGH = 40
_MUST_BE_NONE = ("unapproved", "doubled", "lost", "otherwise", "forced", "open_runs", "needs_review")


class ApprovalsCase(Case):
    """What needs approval is sent with it, once and as it was approved, or not at all."""

    size = 100
    noun = "pins"
    controls = {"no_gate": "what nobody has approved is not written"}

    def break_on_purpose(self, control: str) -> None:
        from workflows.engine.writes import gates

        gates.GATES.clear()

    def build(self, stage: Stage) -> None:
        from django.contrib.auth.models import User

        from integrations.models import Membership, Role
        from workflows.approvals.rules import Rule, Then, When, to_json
        from workflows.approvals.rules import Stage as ApprovalStage
        from workflows.models import PolicyVersion

        stage.control("POST", "boards", name=BOARD)
        workflow = new_workflow(stage, "Orders", "pinterest.new_pin")
        said = "{{ trigger.title }}"
        add_write(stage, workflow, "quote", "xero.create_quote", says=said, title=said)
        add_write(stage, workflow, "invoice", "xero.create_invoice", says="{{ trigger.description }}", reference=said)
        switch_on(workflow)
        approver = User.objects.create_user("approver", "approver@finance.example")
        Membership.objects.create(team=stage.team, user=approver, role=Role.APPROVER)
        rule = Rule(
            when=When(operations=("xero.create_invoice",)),
            then=Then.APPROVAL,
            stages=(ApprovalStage(1, Role.APPROVER),),
        )
        PolicyVersion.objects.create(team=stage.team, number=1, rules=to_json([rule]), status="in_force")

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.nemesis import Nemesis

        stage.faults(seed=options.seed, **_FAULTS)
        stage.control("POST", "pins", board=BOARD, count=options.size, title="Order {n}", description="Chairs")
        with Deciding(every=0.2) as deciding:
            with Nemesis(stage, seed=options.seed, whole_after=options.size // 2) as nemesis:
                # A run that is killed three times while no others are is parked, so the last few are spared.
                enough = options.size - _LEFT_IN_PEACE
                wait_for("few open runs", lambda: count_ended() >= enough, longest=options.longest)
            stage.calm()
            stage.wait_until_done(options.size, longest=options.longest)
        books.settle(stage)
        result = _compare(stage) | {"forced": deciding.forced, "tried": deciding.tried}
        return result | {"kills": nemesis.kills, "whole_kills": nemesis.whole_kills, "restarts": stage.restarts()}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if result["quotes"] != result["asked_for"]:
            found.append(f"{result['quotes']} quotes are written, which need nobody, of {result['asked_for']}")
        if result["asked_for"] >= _ENOUGH:
            names = ("approved", "refused", "cancelled", "void", "tried", "faults", "kills", "whole_kills")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['unapproved']} invoices without an approval" if result["unapproved"] else ""


class Deciding(Meanwhile):
    """The people: who approves, refuses and cancels, who changes what was approved, and who goes past all of them."""

    broken = "The people broke down, so nothing is proved."

    def __init__(self, *, every: float) -> None:
        super().__init__(every=every)
        #: Writes that somebody tried to mark as sent, and those that the database let through.
        self.tried = self.forced = 0

    def once(self) -> None:
        from django.db import OperationalError

        from workflows.models import ApprovalRequest
        from workflows.publishing.activation import NotAllowedNowError

        waiting = ApprovalRequest.objects.filter(status="open").select_related("run__event", "connection")
        for request in list(waiting.order_by("pk")[:10]):
            try:
                self._force(request)
                self._decide(request)
            except (NotAllowedNowError, OperationalError):
                continue  # it has ended meanwhile, or SQLite was busy: the next look decides

    def _decide(self, request: Any) -> None:
        from django.contrib.auth.models import User

        from workflows.approvals import deciding
        from workflows.models import ApprovalRequest, Event
        from workflows.runs import decisions

        approver = User.objects.get(username="approver")
        number = int(re.findall(r"\d+", request.run.title)[-1])
        was_changed = ApprovalRequest.objects.filter(run=request.run_id, status="void").exists()
        if was_changed or number % _REFUSED_EVERY == 0:
            deciding.refuse(request, by=approver, shown=request.fingerprint, reason="Proof")
        elif number % _CANCELLED_EVERY == 0:
            decisions.cancel(request.run, by=approver, reason="Proof")
        elif number % _CHANGED_EVERY == 0:
            # Changed first, so that no worker sends it before: the approval is of what was shown.
            event = request.run.event
            Event.objects.filter(pk=event.pk).update(data={**event.data, "description": "Tables"})
            deciding.approve(request, by=approver, shown=request.fingerprint)
        else:
            deciding.approve(request, by=approver, shown=request.fingerprint)

    def _force(self, request: Any) -> None:
        from django.db import DatabaseError, transaction

        from workflows.models import StepRun

        self.tried += 1
        try:
            with transaction.atomic():
                self.forced += StepRun.objects.filter(pk=request.step_run_id, state="pending").update(state="sent")
        except DatabaseError:
            return


def _compare(stage: Stage) -> Result:
    """The sandbox's books against the approvals; Pinxero's rows say only who approved what."""
    from bench.witness import ledger, records
    from workflows.approvals.quorum import is_complete
    from workflows.models import ApprovalRequest, Run, StepRun

    invoices = records(stage, "Invoices", createdByMyApp="true", unitdp="4")
    written = Counter(str(each["Reference"]) for each in invoices)
    steps = {step.run.title: step for step in StepRun.objects.filter(step="invoice").select_related("run")}
    granted = {
        request.run.title: request
        for request in ApprovalRequest.objects.filter(status="granted").select_related("run")
        if request.run is not None and is_complete(request)
    }
    sent = [row for row in ledger(stage) if row["method"] in ("PUT", "POST") and row["path"].endswith("/Invoices")]
    return {
        "approved": len(granted),
        "written": len(written),
        "refused": ApprovalRequest.objects.filter(status="refused").count(),
        "void": ApprovalRequest.objects.filter(status="void").count(),
        "cancelled": Run.objects.filter(status="cancelled").count(),
        "unapproved": len(written.keys() - granted.keys()),
        "doubled": sum(count - 1 for count in written.values()),
        "lost": len(granted.keys() - written.keys()),
        "otherwise": sum(
            1
            for title in granted.keys() & written.keys()
            if steps[title].request_sha256 != granted[title].request_sha256
        )
        + sum(1 for each in invoices if each["LineItems"][0]["Description"] != "Chairs"),
        "quotes": len(records(stage, "Quotes")),
        "faults": sum(1 for row in sent if row["fault"]),
        **{name: count for name, count in books.leftovers().items() if name != "not_succeeded"},
    }


case = ApprovalsCase()
