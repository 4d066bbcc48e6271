"""Postings as rows of the page of documents and of its files, and what they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from integrations.core.numbers import with_places
from integrations.core.workbooks import Cell
from workflows.books import of_runs
from workflows.definitions import plans
from workflows.models import Posting, Run, Undo, WorkflowVersion
from workflows.runs import undoing

_CENTS = Decimal("0.01")
#: The columns of the files, and how wide they are in a workbook, in letters.
COLUMNS = {
    "Written": 19, "Date": 10, "Kind": 20, "What happened": 13, "Number": 14, "Contact": 26, "Reference": 20,
    "Organisation": 22, "Currency": 8, "Subtotal": 12, "Tax": 10, "Total": 12, "State": 16, "Description": 34,
    "Workflow": 26, "Version": 7, "Run": 8, "Iteration": 9, "How it is known": 26, "ID at the provider": 36,
    "Address at the provider": 40, "Address of the run": 40,
}  # fmt: skip


@dataclass(frozen=True)
class PostingRow:
    """A posting for the list. `url` is the page of its run, or of its iteration."""

    posting: Posting
    url: str
    amount: str
    #: The undo that has taken it back, or does so now.
    undo: Undo | None = None

    @property
    def is_undo(self) -> bool:
        """Whether it is itself the undo of another one."""
        return plans.is_undoing(self.posting.operation)

    @property
    def title(self) -> str:
        """The number; what has none is told by its description."""
        return self.posting.number or self.posting.described or self.posting.noun


def posting_rows(found: Iterable[Posting]) -> list[PostingRow]:
    """The postings with the addresses of their iterations, in one query for all."""
    postings = list(found)
    looped = {posting.version_id for posting in postings if posting.iteration}
    plan_of = dict(WorkflowVersion.objects.filter(pk__in=looped).values_list("pk", "plan")) if looped else {}
    return [
        PostingRow(each, address_of(each, plan_of.get(each.version_id)), amount_text(each.amount)) for each in postings
    ]


def with_undos(rows: Sequence[PostingRow]) -> list[PostingRow]:
    """The rows with what has become of them since, in one query for all."""
    undos = undoing.last_undos(row.posting for row in rows)
    return [replace(row, undo=undos.get(row.posting.pk)) for row in rows]


@dataclass(frozen=True)
class RunDocuments:
    """What a run has written, for its row in the list of runs."""

    rows: list[PostingRow]
    has_more: bool


def documents_of(runs: Iterable[Run]) -> dict[int, RunDocuments]:
    """The first documents of each run, by its id; a run without any is left out."""
    written = of_runs.written_by(runs)
    rows = {row.posting.pk: row for row in posting_rows(each for its in written.values() for each in its.postings)}
    return {
        run: RunDocuments([rows[posting.pk] for posting in its.postings], its.has_more) for run, its in written.items()
    }


def address_of(posting: Any, plan: Any) -> str:
    """The page on which a posting's step (or a step run) stands: that of its iteration, else that of its run."""
    loops = plans.loops_around(plan, posting.step) if plan and posting.iteration else []
    depth = len(posting.iteration.split("."))
    if len(loops) < depth or not posting.iteration:
        return reverse("run", args=[posting.run_id])
    return reverse("run_turn", args=[posting.run_id, loops[depth - 1], posting.iteration])


def amount_text(amount: Decimal | None) -> str:
    """An amount with two places, or with as many as it has; empty if it is not known."""
    return "" if amount is None else with_places(amount, 2)


def _plain(amount: Decimal) -> Decimal:
    """Without the zeros of its column, but with two places."""
    cents = amount.quantize(_CENTS)
    return cents if cents == amount else amount.normalize()


def total_rows(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """Totals with their amounts as people read them."""
    return [{**row, **{name: amount_text(row[name]) for name in names}} for row in rows]


def file_rows(found: QuerySet[Posting], root: str) -> Iterator[list[Cell]]:
    """The postings as rows of a file, read in parts. `root` is the address of this installation, without a slash."""
    rows = found.select_related("workflow", "version").defer("version__plan")
    for each in rows.iterator(chunk_size=500):
        amounts = [None if amount is None else _plain(amount) for amount in (each.sub_total, each.tax, each.amount)]
        yield [
            timezone.localtime(each.written_at).strftime("%Y-%m-%d %H:%M:%S"), each.day.isoformat(), each.noun,
            each.get_effect_display(), each.number, each.contact, each.reference, each.organisation, each.currency,
            *amounts, each.status, each.described, each.workflow.name, each.version.number, each.run_id,
            each.iteration, each.get_origin_display(), each.provider_id, each.link,
            f"{root}{reverse('run', args=[each.run_id])}",
        ]  # fmt: skip
