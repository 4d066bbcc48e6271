"""The PDF of a pack: what it is about, what the documents come to, a section for each run, versions, activity.

It is bounded, whatever the pack holds: what has no room in it is counted, and stands in the JSON.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.formats import date_format

from integrations.models import Team
from workflows.books import totals
from workflows.definitions.description import describe
from workflows.evidence import trail
from workflows.evidence.paper import Paper, exactly
from workflows.evidence.run_section import draw_entries, draw_run
from workflows.models import Posting, Run, Workflow, WorkflowVersion
from workflows.presenters import posting_tables
from workflows.presenters.presentation import person

#: How much of what a PDF holds.
MOST_RUNS = 50
_MOST_DOCUMENTS, _MOST_VERSIONS, _MOST_ENTRIES = 500, 20, 30
_TOTALS = ["sub_total", "tax", "amount"]


@dataclass(frozen=True)
class Made:
    """A pack: what it is called, whose it is, who made it when, and the filter it was made with, in words."""

    title: str
    team: Team
    by: str
    at: datetime
    chosen: list[tuple[str, str]] = field(default_factory=list)


class Summary:
    """The PDF while the pack is made: begun with what all runs have written, then given run after run."""

    def __init__(self, made: Made, found: QuerySet[Posting], run_count: int) -> None:
        footer = f"Evidence pack · {made.title} · {made.team.name} · {exactly(made.at)}"
        self._made, self._paper, self._run_count = made, Paper(footer, made.at), run_count
        self._shown = 0
        self._versions: dict[int, tuple[int, int]] = {}
        self._first_page(found)

    def _first_page(self, found: QuerySet[Posting]) -> None:
        paper, made = self._paper, self._made
        paper.text_line("Evidence pack", is_small=True)
        paper.heading(made.title, 1)
        zone = timezone.get_current_timezone_name().replace("_", " ")
        count = found.count()
        paper.facts(
            [
                ("Team", made.team.name),
                ("Made by", made.by),
                ("Made", f"{exactly(made.at)}; all times here are in {zone}"),
                ("Pinxero", settings.BASE_URL),
                *made.chosen,
                ("Runs", f"{self._run_count:,}"),
                ("Documents", f"{count:,}"),
            ]
        )
        paper.ln(2)
        paper.text_line(
            "The folders beside this file hold the same as JSON, with the exact bytes that were sent and answered. "
            "read-me.txt says how all of it can be checked without Pinxero."
        )
        self._totals(found)
        self._documents(found, count)
        paper.missing_note()

    def _totals(self, found: QuerySet[Posting]) -> None:
        kinds = posting_tables.total_rows(totals.by_kind(found), _TOTALS)
        if not kinds:
            return
        self._paper.heading("What the documents come to")
        self._paper.table(
            ["Kind", "Organisation", "Currency", "Documents", "Subtotal", "Tax", "Total"],
            [
                [
                    row["noun"],
                    row["organisation"],
                    row["currency"],
                    f"{row['count']:,}",
                    *(row[each] for each in _TOTALS),
                ]
                for row in kinds
            ],
            (22, 22, 9, 11, 12, 11, 13),
            range(3, 7),
        )
        accounts = posting_tables.total_rows(totals.by_account(found), ["net", "tax"])
        if accounts:
            self._paper.heading("By account and tax rate, without tax", 3)
            self._paper.table(
                ["Account", "Tax rate", "Kind", "Organisation", "Currency", "Lines", "Net", "Tax"],
                [
                    [
                        row["account"] or "No account", row["tax_rate"], row["noun"], row["organisation"],
                        row["currency"], f"{row['count']:,}", row["net"], row["tax"],
                    ]
                    for row in accounts[:_MOST_DOCUMENTS]
                ],
                (14, 20, 15, 17, 9, 6, 10, 9),
                range(5, 8),
            )  # fmt: skip

    def _documents(self, found: QuerySet[Posting], count: int) -> None:
        if not count:
            return
        self._paper.heading("Documents")
        rows = found.order_by("run_id", "step_run_id")[:_MOST_DOCUMENTS]
        self._paper.table(
            ["Document", "Date", "Contact", "Organisation", "State", "Run", "Amount"],
            [
                [
                    f"{each.number or each.described}\n{each.noun}" if each.number or each.described else each.noun,
                    date_format(each.day, "j M Y"),
                    each.contact,
                    each.organisation,
                    each.status or str(each.get_effect_display()),
                    f"{each.run_id}, iteration {each.iteration}" if each.iteration else str(each.run_id),
                    f"{posting_tables.amount_text(each.amount)} {each.currency}".strip(),
                ]
                for each in rows
            ],
            (22, 12, 18, 18, 12, 9, 15),
            [6],
        )
        if count > _MOST_DOCUMENTS:
            self._paper.text_line(
                f"The first {_MOST_DOCUMENTS:,} of {count:,} documents; documents.csv has all.", is_small=True
            )

    def add(self, run: Run) -> None:
        """The section of a run; of more runs than there is room for, only their versions are remembered."""
        self._versions.setdefault(run.version_id, (run.workflow_id, run.pk))
        if self._shown < MOST_RUNS:
            self._shown += 1
            draw_run(self._paper, run)

    def finish(self) -> bytes:
        """The PDF, after what each version did and who changed the workflows."""
        if self._run_count > self._shown:
            self._paper.heading("More runs")
            self._paper.text_line(
                f"The first {self._shown:,} of {self._run_count:,} runs stand above; each of the others has its folder."
            )
        for version in list(self._versions)[:_MOST_VERSIONS]:
            self._version(WorkflowVersion.objects.select_related("workflow", "published_by").get(pk=version))
        if len(self._versions) > _MOST_VERSIONS:
            self._paper.text_line(f"{len(self._versions) - _MOST_VERSIONS:,} more versions are in the runs' folders.")
        workflows = dict.fromkeys(workflow for workflow, _ in self._versions.values())
        for workflow in list(workflows)[:_MOST_VERSIONS]:
            self._workflow(Workflow.objects.get(pk=workflow))
        return bytes(self._paper.output())

    def _version(self, version: WorkflowVersion) -> None:
        self._paper.heading(f"{version.workflow.name}, version {version.number}, in words")
        by = f"Published by {person(version.published_by)}, {exactly(version.published_at)}."
        self._paper.text_line(f"{by} {version.note}".strip(), is_small=True)
        draw_description(self._paper, version)
        self._paper.text_line(f"SHA-256 of the version: {version.plan_sha256}", is_small=True)
        self._paper.missing_note()

    def _workflow(self, workflow: Workflow) -> None:
        rows, has_more = trail.last_rows(trail.about_workflow(self._made.team.pk, workflow.pk), _MOST_ENTRIES)
        if rows:
            self._paper.heading(f"Activity about {workflow.name}")
            draw_entries(self._paper, rows, has_more)
            self._paper.missing_note()


def words_of(version: WorkflowVersion) -> str:
    """What the version does, as it was said when it was published."""
    return version.summary or describe(version.plan)


def draw_description(paper: Paper, version: WorkflowVersion) -> None:
    """What the version does, a sentence on each line, those of inner steps indented."""
    for line in words_of(version).splitlines():
        text = line.lstrip(" ")
        paper.text_line(text, indent=min(len(line) - len(text), 20) * 2)
