"""The witness: compares the sandbox's books with the pins that were made."""

from __future__ import annotations

import json
import time
from collections import Counter
from decimal import Decimal
from typing import Any

from bench.stage import TENANT, Stage


def compare(stage: Stage, pins: list[dict[str, Any]]) -> dict[str, Any]:
    """How many invoices exist, how many are duplicate, missing or wrong, and what Pinxero left open."""
    from integrations.core.clock import scaled
    from workflows.engine.waits import SETTLE
    from workflows.models import Run

    stage.calm()
    # A slow write may still be in progress: one that is late counts as well.
    time.sleep(scaled(SETTLE))
    invoices = records(stage, "Invoices", createdByMyApp="true", unitdp=4)
    expected = {pin["id"]: pin for pin in pins}
    counted = Counter(invoice["Reference"] for invoice in invoices)
    wrong = [invoice for invoice in invoices if not _is_right(stage, invoice, expected.get(invoice["Reference"]))]
    return {
        "runs": len(pins),
        "invoices": len(invoices),
        "duplicates": sum(count - 1 for count in counted.values()),
        "lost": sum(1 for pin in expected if pin not in counted),
        "wrong_body": len(wrong),
        "open_runs": Run.objects.filter(status__in=Run.OPEN).count(),
        "needs_review": Run.objects.filter(status=Run.Status.NEEDS_REVIEW).count(),
        "not_succeeded": Run.objects.exclude(status=Run.Status.SUCCEEDED).count(),
        **_written(stage),
    }


def troubles() -> list[str]:
    """What Pinxero says about the runs that did not succeed, to find out why."""
    from workflows.models import Run

    unhappy = Run.objects.exclude(status=Run.Status.SUCCEEDED).prefetch_related("step_runs")[:20]
    return [
        f"run {run.pk}: {run.status} {run.wait_reason} claims {run.claims} kills {run.kills}: {run.error} "
        + "; ".join(
            f"{step.step} {step.state} " + ", ".join(f"{line['what']} {line['outcome']}" for line in step.attempts)
            for step in run.step_runs.all()
        )
        for run in unhappy
    ]


def records(stage: Stage, plural: str, **query: Any) -> list[dict[str, Any]]:
    """Every record of a kind ("Invoices") in full, requested as any client would."""
    found: list[dict[str, Any]] = []
    page = 1
    while True:
        rows = record_list(stage, plural, **{**query, "page": page, "pageSize": 500})
        found += rows
        if not rows:
            return found
        page += 1


def record_list(stage: Stage, path: str, plural: str = "", **query: Any) -> list[dict[str, Any]]:
    """The records of one answer, of a kind or below a record ("Invoices/<id>/History")."""
    plural = plural or path
    return list(_ask(stage, f"api.xro/2.0/{path}", query)[plural])


def projects(stage: Stage) -> list[dict[str, Any]]:
    """Every project."""
    found: list[dict[str, Any]] = []
    while True:
        items = _ask(stage, "projects.xro/2.0/Projects", {"page": len(found) // 500 + 1, "pageSize": 500})["items"]
        found += items
        if len(items) < 500:
            return found


def _ask(stage: Stage, path: str, query: dict[str, Any]) -> Any:
    """The answer of Xero's API, requested as any client would."""
    answer = stage.session.get(f"{stage.url}/{path}", params=query, headers=headers(stage), timeout=120)
    answer.raise_for_status()
    return json.loads(answer.text, parse_float=Decimal)


def headers(stage: Stage) -> dict[str, str]:
    """The headers that a client of Xero sends with each call, from a new consent each time."""
    token = stage.control("POST", "tokens", provider="xero")["access_token"]
    return {"Authorization": f"Bearer {token}", "xero-tenant-id": TENANT, "Accept": "application/json"}


def _is_right(stage: Stage, invoice: dict[str, Any], pin: dict[str, Any] | None) -> bool:
    """Whether the invoice has what its pin asks for, computed here and not by Pinxero."""
    if pin is None or len(invoice["LineItems"]) != 1:
        return False
    line = invoice["LineItems"][0]
    price = Decimal(pin["title"].rsplit(" ", 1)[1])
    net = 2 * price
    tax = (net * Decimal("0.15")).quantize(Decimal("0.01"))
    return (
        invoice["Type"] == "ACCREC"
        and invoice["Status"] == "DRAFT"
        and invoice["Contact"]["ContactID"] == stage.contact_id
        and line["Description"] == pin["title"]
        and Decimal(line["UnitAmount"]) == price
        and line["AccountCode"] == "200"
        and Decimal(invoice["Total"]) == net + tax
    )


def ledger(stage: Stage) -> list[dict[str, Any]]:
    """Every request that the sandbox received, in order."""
    entries: list[dict[str, Any]] = []
    after = 0
    while True:
        answer = stage.session.get(
            f"{stage.url}/_sandbox/ledger", params={"after": after, "limit": 5000}, timeout=120
        ).json()
        if not answer["entries"]:
            return entries
        entries += answer["entries"]
        after = answer["next"]


def _written(stage: Stage) -> dict[str, int]:
    """The writes in the ledger."""
    entries = ledger(stage)
    writes = [entry for entry in entries if entry["method"] == "PUT" and entry["path"].endswith("/Invoices")]
    return {
        "writes_sent": len(writes),
        "writes_committed": sum(1 for entry in writes if entry["committed"]),
        "faults": sum(1 for entry in writes if entry["fault"]),
    }
