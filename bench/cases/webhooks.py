"""Notices at 50 at a time, repeated, out of order and some of them forged: each takes effect once, and none forged.

A real web server takes them from the sandbox, which signs them, waits 5 s for each answer as Xero does, and sends
again what was not taken. Three workflows listen, to contacts, invoices and credit notes; each makes a quote of what is
new, and quotes ring no bell. Their interval is longer than the proof: what takes effect was rung for. The witness
compares the quotes in the sandbox's books with what was made there.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

from bench.cases import Case, Result, breaks
from bench.stage import Stage

KEY = "prover-webhook-key"
AT_ONCE = 50
#: Xero gives up after this long, and disables a webhook that is late too often.
PATIENCE_MS = 5000
_FAULTS = {"p_webhook_duplicate": 0.1, "p_webhook_forged": 0.02, "webhook_shuffle": True}
_KINDS = {
    "contact": ("Contacts", "ContactID", "xero.new_contact"),
    "invoice": ("Invoices", "InvoiceID", "xero.new_invoice"),
    "credit_note": ("CreditNotes", "CreditNoteID", "xero.new_credit_note"),
}
_BURST = 100
#: This many deliveries wait at the sender while the next are made: enough for 50 at a time, out of order.
_WAITING = 400
#: With fewer, a fault may not occur by chance.
_ENOUGH = 300
_MUST_BE_NONE = ("lost", "twice", "invented", "forged_accepted", "with_cookies", "with_bodies", "not_taken")
_MUST_BE_NONE += ("open_runs", "not_succeeded")


class Webhooks(Case):
    """Every webhook event takes effect, however it arrives."""

    size = 10_000
    noun = "deliveries"
    #: The sender's time-out is not scaled, so nothing is scaled here.
    time_scale = 1.0
    longest = 3600
    controls = {
        "no_signature": "whether a notice was signed with a key of ours",
        "no_bell": "whether a notice makes anybody look",
        "no_memory": "what has been seen before",
    }

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        unlimited = {"XERO_MINUTE_LIMIT": "0", "XERO_CONCURRENT_LIMIT": "0"}
        broken = breaks("webhooks", options.control) if options.control else {}
        return {"XERO_WEBHOOK_KEYS": KEY, **unlimited, **broken}

    def break_on_purpose(self, control: str) -> None:
        if control == "no_signature":
            from integrations.framework.webhook import Webhook

            usual_check = Webhook.signed_by

            def believe(self: Webhook, body: bytes, signature: str) -> str | None:
                # Accepting everything would fail the intent to receive, which reports no events.
                is_intent = b'"events": []' in body
                return usual_check(self, body, signature) if is_intent else self.keys()[0]

            Webhook.signed_by = believe  # type: ignore[method-assign]
        elif control == "no_bell":
            from integrations.connections import webhook_intake

            webhook_intake.LISTENERS.clear()
        elif control == "no_memory":
            from workflows.triggers import intake

            usual, marks = intake.stored_key, iter(range(sys.maxsize))
            intake.stored_key = lambda key: usual(f"{key} {time.time_ns()} {next(marks)}")  # type: ignore[assignment]

    def build(self, stage: Stage) -> None:
        from workflows.models import Mapping as Row
        from workflows.models import Step, Workflow
        from workflows.publishing import activation, publish

        stage.calm()
        for what, (_, id_name, operation) in _KINDS.items():
            workflow = Workflow.objects.create(
                team=stage.team,
                name=f"New {what} to quote",
                trigger_operation=operation,
                trigger_connection=stage.connections["xero"],
                interval_minutes=15,
            )
            write = Step.objects.create(
                workflow=workflow,
                key="quote",
                name="Create quote",
                kind="action",
                position=1,
                operation="xero.create_quote",
                connection=stage.connections["xero"],
            )
            told = {"contact_id": stage.contact_id, "title": f"{what} {{{{ trigger.{id_name} }}}}"}
            for name, value in told.items():
                Row.objects.create(step=write, input=name, value=value)
            for column, value in _LINE.items():
                Row.objects.create(step=write, input="lines", row=0, column=column, value=value)
            publish.publish(workflow, by=None, note="Proof")
            activation.activate(workflow, by=None)

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import troubles

        before = _made(stage)
        looks_before = _looks(stage)
        url = f"{stage.start_web()}/hooks/xero/"
        shaken = stage.control("POST", "webhook", url=url, key=KEY, at_once=AT_ONCE, per_delivery=1)
        if shaken["state"] != "OK":
            raise SystemExit(f"The intent to receive failed: {shaken}")
        stage.faults(seed=options.seed, **_FAULTS)
        longest = min(options.longest, 60) if options.control else options.longest
        ends = time.monotonic() + longest
        _send(stage, options.size, ends=ends)
        sent = stage.control("GET", "webhook")
        stage.wait_until_done(options.size, longest=ends - time.monotonic())
        looks = _looks(stage) - looks_before
        result = _compare(stage, _made(stage) - before)
        for trouble in troubles():
            print(trouble, file=sys.stderr)
        return result | _figures(sent) | _heard() | {"calls_to_look": looks}

    def shortcomings(self, result: Mapping[str, Any]) -> list[str]:
        found = [f"{name} is {result[name]}" for name in _MUST_BE_NONE if result[name]]
        if not result["asked_for"] == result["made"] == result["quotes"]:
            asked, made, quotes = (result[name] for name in ("asked_for", "made", "quotes"))
            found.append(f"{asked} notices were asked for, {made} things made and told of, {quotes} quotes written")
        if result["slowest_ms"] >= PATIENCE_MS:
            found.append(f"the slowest answer took {result['slowest_ms']} ms, and Xero waits for {PATIENCE_MS}")
        if result["asked_for"] >= _ENOUGH:
            names = ("duplicates", "forged", "out_of_order")
            found += [f"{name} is 0, so nothing was proved" for name in names if not result[name]]
        return found

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        shown = {
            "no_signature": (result["forged_accepted"], "forged notices were believed"),
            "no_bell": (result["lost"], "changes took no effect"),
            "no_memory": (result["twice"] + result["invented"], "effects too many"),
        }
        count, what = shown[control]
        return f"{count} {what}" if count else ""


def _send(stage: Stage, count: int, *, ends: float) -> None:
    """Make records until this many were reported, and wait until all events are accepted."""
    left, kinds = count, list(_KINDS)
    shown = time.monotonic()
    while time.monotonic() < ends:
        state = stage.control("GET", "webhook")
        if left and state["pending"] < _WAITING:
            kinds.append(kinds.pop(0))
            burst = min(left, _BURST)
            stage.control("POST", "webhook/burst", what=kinds[-1], n=burst)
            left -= burst
        elif not left and not state["pending"]:
            return
        else:
            time.sleep(0.2)
        if time.monotonic() - shown > 10:
            shown = time.monotonic()
            print(f"  {count - left} made, {state['pending']} to be told of", file=sys.stderr, flush=True)


def _compare(stage: Stage, made: set[tuple[str, str]]) -> Result:
    """Compare what was made with the resulting quotes."""
    from bench.witness import records
    from workflows.models import Run

    quotes = Counter(quote.get("Title", "") for quote in records(stage, "Quotes") if _is_ours(quote))
    expected = {f"{what} {made_id}" for what, made_id in made}
    return {
        "made": len(made),
        "quotes": quotes.total(),
        "lost": len(expected - set(quotes)),
        "twice": sum(count - 1 for count in quotes.values()),
        "invented": len(set(quotes) - expected),
        "open_runs": Run.objects.filter(status__in=Run.OPEN).count(),
        "not_succeeded": Run.objects.exclude(status=Run.Status.SUCCEEDED).count(),
    }


def _is_ours(quote: Mapping[str, Any]) -> bool:
    return str(quote.get("Title", "")).partition(" ")[0] in _KINDS


def _made(stage: Stage) -> set[tuple[str, str]]:
    """Everything in the books that the workflows listen to, by kind and id."""
    from bench.witness import records

    found: set[tuple[str, str]] = set()
    for what, (plural, id_name, _) in _KINDS.items():
        query = {"where": 'Type=="ACCREC"'} if what == "invoice" else {}
        found |= {(what, record[id_name]) for record in records(stage, plural, **query)}
    return found


def _looks(stage: Stage) -> int:
    """How many polling calls were made so far: they must not grow with the webhook events."""
    from bench.witness import ledger

    places = tuple(f"/{plural}" for plural, _, _ in _KINDS.values())
    return sum(1 for entry in ledger(stage) if entry["method"] == "GET" and entry["path"].endswith(places))


def _figures(sent: Mapping[str, Any]) -> Result:
    """The sender's figures."""
    names = ("deliveries", "duplicates", "forged", "forged_accepted", "with_cookies", "with_bodies", "statuses")
    times = ("p50_ms", "p95_ms", "slowest_ms")
    counted = {name: sent[name] for name in names} | {name: float(sent[name]) for name in times}
    return {"not_taken": sent["pending"], **counted}


def _heard() -> Result:
    """How many webhook events were stored, and how often one arrived before an older one."""
    from integrations.models import HookNotice

    told = list(HookNotice.objects.order_by("pk").values_list("told_at", flat=True))
    return {"notices": len(told), "out_of_order": sum(1 for one, two in itertools.pairwise(told) if two < one)}


_LINE = {
    "description": "Noticed",
    "quantity": "1",
    "unit_amount": "10",
    "account_code": "200",
    "tax_type": "OUTPUT2",
}

case = Webhooks()
