"""How long it takes to verify a chain of the audit trail, read from the database entry by entry."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from bench.bench_stage import BenchStage
from bench.measures import Row

_CHAIN = 900_000
_PORTION = 2_000
_AIM_SECONDS = 60


def measure(stage: BenchStage) -> Iterator[Row]:
    """A million entries with what a decision about a run says; next to the same hashes alone."""
    from integrations.audit.verify import verify

    count = stage.size(1_000_000, 20_000)
    _fill(count)
    took, floors = [], []
    for _ in range(3):
        began = time.perf_counter()
        result = verify(_CHAIN)
        took.append(time.perf_counter() - began)
        assert (result.count, result.wrong) == (count, None), result
        began = time.perf_counter()
        for number in range(count):
            hashlib.sha256(b"%400d" % number).hexdigest()
        floors.append(time.perf_counter() - began)
    yield Row(f"audit trail: verify {count:,} entries", "s", took, floors, aim=f"< {_AIM_SECONDS} s")


def _fill(count: int) -> None:
    from integrations.audit.chain import Content, entry_hash
    from integrations.models import AuditEntry, AuditHead

    previous, began = "", datetime(2026, 1, 1, tzinfo=UTC)
    for first in range(1, count + 1, _PORTION):
        entries = []
        for number in range(first, min(first + _PORTION, count + 1)):
            content = Content(
                _CHAIN, number, began + timedelta(seconds=number), 7, "builder", "", "run.retry", "run", str(number),
                f"Run {number} of Pins to invoices", "The price is right now", {"Run": "Failed", "Step": "invoice"}, {},
                previous,
            )  # fmt: skip
            previous = entry_hash(content)
            entries.append(AuditEntry(**content._asdict(), hash=previous))
        AuditEntry.objects.bulk_create(entries)
    AuditHead.objects.create(chain=_CHAIN, number=count, hash=previous)
