"""An evidence pack: one ZIP about a run, or about the runs behind the documents that a filter finds.

It is sent while it is made, file by file and run by run, so that five hundred runs take no more memory than one. Two
entries of the audit trail record it: one before anything is sent, and one with the SHA-256 of the manifest, which names
all other files by theirs, before the manifest is sent. So a pack can be matched with the trail, and one whose download
broke off is in it too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.utils import timezone

from integrations.audit import origin
from integrations.audit.exports import exported
from integrations.audit.record import About
from integrations.core.workbooks import csv_parts
from integrations.models import Team
from workflows.books import search
from workflows.books.search import Filter
from workflows.evidence import approvals_of_run, run_files, trail
from workflows.evidence.archive import Archive, json_bytes, json_list
from workflows.evidence.summary import Made, Summary, words_of
from workflows.models import Posting, Run
from workflows.presenters import posting_tables
from workflows.presenters.presentation import person

#: The pack of a period holds no more runs than these.
MOST_RUNS = 500
FORM, FORM_COMPLETE = "Evidence pack", "Evidence pack, complete"
MANIFEST_HASH = "SHA-256 of manifest.json"
_CHECK = Path(__file__).with_name("check.py")
_READ_ME = """\
EVIDENCE PACK
{title}

Team:     {team}
Made by:  {by}
Made at:  {at}
From:     {root}
{chosen}
What is in it

summary.pdf          for reading: what was written and what it comes to, each run with its steps, documents,
                     approvals and decisions, the versions of the workflows in words, and the audit trail
documents.csv        the documents, a row each
run-N/               what is known of run N:
  run.json           the run, what came in, its workflow and version
  steps.json         each step with its inputs and what it gave
  document.json      what was written: each document with its amounts, and by account and tax rate
  approvals.json     who was asked to allow its writes, who may not, who decided what, and what was held back
  decisions.json     what people decided about it
  version.txt        what the version of the workflow did, in words
  audit.json         the entries of the audit trail about it, with their numbers and hashes
  calls/             each call: NNNNN-call.json says what it was, the files beside it are the exact bytes that were
                     sent and answered. Headers that hold secrets are masked.
workflow-N/          the entries of the audit trail about workflow N
manifest.json        the SHA-256 and the size of every file
check.py             checks all of it

Amounts are exact decimal numbers. Times in the JSON are in UTC. Each run is here as a whole, with all that it wrote.
{trimmed}
How to check it

Unpack it into a folder of its own, and run there, with Python 3.8 or newer:

    python3 check.py

It needs nothing else, neither Pinxero nor the internet, and names every file that differs, is missing, or was added.
It also prints the SHA-256 of manifest.json. Pinxero's audit trail has an entry with the same value from when this pack
was made ("{form}"): find it on the page Activity, under Exports.
"""


@dataclass(frozen=True)
class Pack:
    """A pack that is still to be made. `found` are its documents, `runs` the ids of its runs."""

    made: Made
    user: User
    about: About
    found: QuerySet[Posting]
    runs: Sequence[int]
    #: The filter as the audit trail keeps it.
    recorded: list[tuple[str, str]] = field(default_factory=list)

    def begin(self) -> Iterator[bytes]:
        """Record that it is exported, and give the ZIP in parts."""
        self._record(FORM, [])
        return self._parts(origin.Origin(origin.address(), lambda: self.user))

    def _record(self, form: str, more: list[tuple[str, str]]) -> None:
        chosen = [*self.recorded, *more]
        exported(self.about, team_id=self.made.team.pk, by=self.user, form=form, chosen=chosen)

    def _parts(self, asked_from: origin.Origin) -> Iterator[bytes]:
        archive, left_out = Archive(self.made.at), []
        summary = Summary(self.made, self.found, len(self.runs))
        yield from archive.add("read-me.txt", [self._read_me().encode()])
        yield from archive.add("check.py", [_CHECK.read_bytes()])
        rows = posting_tables.file_rows(search.ordered(self.found, "written_at"), settings.BASE_URL)
        yield from archive.add("documents.csv", csv_parts(chain([list(posting_tables.COLUMNS)], rows)))
        workflows: dict[int, None] = {}
        for pk in self.runs:
            run = _loaded(self.made.team).filter(pk=pk).first()
            if run is None:
                # Deleted since, because its retention period was over.
                left_out.append(pk)
                continue
            workflows[run.workflow_id] = None
            yield from _folder(archive, run)
            summary.add(run)
        for workflow in workflows:
            entries = trail.entries(trail.about_workflow(self.made.team.pk, workflow))
            yield from archive.add(f"workflow-{workflow}/audit.json", json_list(entries))
        yield from archive.add("summary.pdf", [summary.finish()])
        manifest = archive.manifest(self._head(left_out))
        with origin.coming_from(asked_from):
            self._record(FORM_COMPLETE, [(MANIFEST_HASH, hashlib.sha256(manifest).hexdigest())])
        yield from archive.close(manifest)

    def _head(self, left_out: list[int]) -> dict[str, object]:
        return {
            "format": 1,
            "what": self.made.title,
            "team": self.made.team.name,
            "made_by": self.made.by,
            "made_at": run_files.moment(self.made.at),
            "made_with": settings.BASE_URL,
            "filter": dict(self.made.chosen),
            "runs": list(self.runs),
            "runs_deleted_meanwhile": left_out,
        }

    def _read_me(self) -> str:
        trimmed = Run.objects.filter(pk__in=self.runs, trimmed_at__isnull=False).count()
        runs = "of the run" if len(self.runs) == 1 else f"of {trimmed:,} of the {len(self.runs):,} runs"
        removed = f"\nNo longer kept: what came in and the provider's answers {runs}. Their run.json says since when.\n"
        return _READ_ME.format(
            title=self.made.title,
            team=self.made.team.name,
            by=self.made.by,
            at=run_files.moment(self.made.at),
            root=settings.BASE_URL,
            chosen="".join(f"{label}: {value}\n" for label, value in self.made.chosen),
            trimmed=removed if trimmed else "",
            form=FORM_COMPLETE,
        )


def of_run(run: Run, *, by: User) -> Pack:
    """The pack of one run. It comes with its workflow."""
    title = f"Run {run.pk}: {run.title}" if run.title else f"Run {run.pk}"
    made = Made(title, run.team, person(by), timezone.now())
    about = About("run", run.pk, f"Run {run.pk} of {run.workflow.name}")
    return Pack(made, by, about, Posting.objects.filter(run=run).order_by(), [run.pk])


def of_documents(chosen: Filter, team: Team, *, by: User) -> Pack | None:
    """The pack of the runs that wrote what the filter finds; None if they are too many."""
    found = chosen.find(team)
    runs = list(found.values_list("run_id", flat=True).distinct().order_by("run_id")[: MOST_RUNS + 1])
    if len(runs) > MOST_RUNS:
        return None
    words = chosen.words(team)
    made = Made("Documents", team, person(by), timezone.now(), words)
    return Pack(made, by, About("documents", "", "Documents"), found, runs, chosen.recorded_words(team))


def _loaded(team: Team) -> QuerySet[Run]:
    return Run.objects.for_team(team).select_related(
        "workflow", "version__published_by", "event__connection", "event__by", "connection", "waits_for"
    )


def _folder(archive: Archive, run: Run) -> Iterator[bytes]:
    folder = f"run-{run.pk}"
    yield from archive.add(f"{folder}/run.json", [json_bytes(run_files.run_facts(run))])
    yield from archive.add(f"{folder}/steps.json", json_list(run_files.steps(run)))
    yield from archive.add(f"{folder}/document.json", json_list(run_files.documents(run)))
    yield from archive.add(f"{folder}/decisions.json", json_list(run_files.decisions(run)))
    yield from archive.add(f"{folder}/approvals.json", [json_bytes(approvals_of_run.approvals(run))])
    yield from archive.add(f"{folder}/version.txt", [f"{words_of(run.version)}\n".encode("utf-8", "replace")])
    yield from archive.add(f"{folder}/audit.json", json_list(trail.entries(trail.about_run(run))))
    for name, content in run_files.calls(run):
        yield from archive.add(f"{folder}/calls/{name}", [content])
