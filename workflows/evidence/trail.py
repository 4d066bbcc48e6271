"""The entries of the audit trail that a pack holds: about its runs, and about their workflows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Q, QuerySet

from integrations.audit.chain import Content, canonical
from integrations.audit.entry_rows import EntryRow, entry_rows
from integrations.models import AuditEntry
from workflows.models import ApprovalRequest, Decision, Run

_PORTION = 200


def about_run(run: Run) -> QuerySet[AuditEntry]:
    """The entries about the run, its requests for approval, and the decisions on many runs that it was part of."""
    requests = ApprovalRequest.objects.filter(run=run).values_list("pk", flat=True)
    batches = Decision.objects.filter(run=run, batch__isnull=False).values_list("batch_id", flat=True)
    about = Q(object_type="run", object_id=str(run.pk))
    if ids := {str(pk) for pk in batches}:
        about |= Q(object_type="batch", object_id__in=ids)
    if asked := {str(pk) for pk in requests}:
        about |= Q(object_type="approvalrequest", object_id__in=asked)
    return AuditEntry.objects.filter(about, chain=run.team_id).order_by("number")


def about_workflow(chain: int, workflow: int) -> QuerySet[AuditEntry]:
    """The entries about the workflow."""
    found = AuditEntry.objects.filter(chain=chain, object_type="workflow", object_id=str(workflow))
    return found.order_by("number")


def last_rows(found: QuerySet[AuditEntry], most: int) -> tuple[list[EntryRow], bool]:
    """The last entries for people, the oldest first, and whether there are more before them."""
    last = list(found.order_by("-number")[: most + 1])
    return entry_rows(last[:most][::-1]), len(last) > most


def entries(found: QuerySet[AuditEntry]) -> Iterator[dict[str, Any]]:
    """The entries with exactly what is hashed of each, its hash, and in words what it names by number."""
    rows = found.iterator(chunk_size=_PORTION)
    while portion := list(islice(rows, _PORTION)):
        for row in entry_rows(portion):
            entry = row.entry
            content = Content(*(getattr(entry, name) for name in Content._fields))
            yield {
                "number": entry.number,
                "hash": entry.hash,
                "what": row.what,
                "who": row.who,
                "address": row.address,
                "content": json.loads(canonical(content)),
            }
