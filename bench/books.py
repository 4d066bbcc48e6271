"""The contents of the sandbox's books, by the texts that a proof's workflows write into them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Any

from bench.stage import Stage
from bench.witness import ledger, records


def settle(stage: Stage) -> None:
    """End all faults, and wait for writes that reach the books late: those count as well."""
    from integrations.core.clock import scaled
    from workflows.engine.waits import SETTLE

    stage.calm()
    time.sleep(scaled(SETTLE))


def invoices(stage: Stage) -> list[dict[str, Any]]:
    """Every invoice made through the API."""
    return records(stage, "Invoices", createdByMyApp="true", unitdp="4")


def quotes(stage: Stage, prefix: str) -> list[dict[str, Any]]:
    """Every quote whose title has this prefix."""
    return [each for each in records(stage, "Quotes") if str(each.get("Title", "")).startswith(prefix)]


def compare(expected: Collection[str], found: Counter[str]) -> dict[str, int]:
    """How many labels were found too often, not at all, or without being expected."""
    wanted = set(expected)
    return {
        "duplicates": sum(count - 1 for label, count in found.items() if label in wanted),
        "lost": len(wanted - set(found)),
        "invented": sum(count for label, count in found.items() if label not in wanted),
    }


def leftovers() -> dict[str, int]:
    """Runs that Pinxero left open, for review or without success, by its own rows."""
    from workflows.models import Run

    return {
        "open_runs": Run.objects.filter(status__in=Run.OPEN).count(),
        "needs_review": Run.objects.filter(status=Run.Status.NEEDS_REVIEW).count(),
        "not_succeeded": Run.objects.exclude(status=Run.Status.SUCCEEDED).count(),
    }


def writes(stage: Stage) -> dict[str, int]:
    """The writes of invoices and quotes in the ledger."""
    plurals = ("/Invoices", "/Quotes")
    sent = [each for each in ledger(stage) if each["method"] in ("PUT", "POST") and each["path"].endswith(plurals)]
    return {
        "writes_sent": len(sent),
        "writes_committed": sum(1 for each in sent if each["committed"]),
        "faults": sum(1 for each in sent if each["fault"]),
    }
