"""What a policy looks at: of a write before it is sent, and of a posting, to try a policy on what was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db.models import Min
from django.utils import timezone

from integrations.schema.documents import Document, Named
from workflows.approvals.rules import WriteFacts
from workflows.definitions.mapping_context import zone_of
from workflows.definitions.plans import is_undoing
from workflows.engine.writes.gates import Intent
from workflows.models import Posting


def of_intent(intent: Intent) -> WriteFacts:
    """Of a write before it is sent."""
    document = intent.document
    connection = intent.connection
    has_amount, currency = False, ""
    if document is not None:
        has_amount = bool(document.lines or document.totals or document.currency)
        currency = document.currency or str((connection.details if connection else {}).get("currency") or "")
    today = timezone.now().astimezone(zone_of(connection)).date()
    day = document.dates[0][1] if document is not None and document.dates else None
    return WriteFacts(
        workflow=intent.run.workflow_id,
        operation=intent.action.full_key,
        effect=intent.action.effect.value,
        connection=connection.pk if connection else None,
        has_amount=has_amount,
        amount=document.totals.total if document is not None and document.totals else None,
        currency=currency,
        new_contact=document is not None and _is_new(document, intent),
        days_backdated=(today - day).days if day else 0,
        is_undo=intent.run.is_undo,
    )


def _is_new(document: Document, intent: Intent) -> bool:
    """Whether nothing was written for this contact before, in this organisation and by this team."""
    whom = document.whom
    if not whom or not (isinstance(whom, str) or whom.code):
        return False
    known = Posting.objects.filter(team=intent.run.team_id, connection=intent.connection)
    return not (known.filter(contact_id=whom.code) if isinstance(whom, Named) else known.filter(contact=whom)).exists()


def of_posting(posting: Posting) -> WriteFacts:
    """Of what was written: as the policy would have met it on that day."""
    return of_postings([posting])[0]


def of_postings(postings: Sequence[Posting]) -> list[WriteFacts]:
    """Of several postings of one team, in two queries for all."""
    first = _first_written(postings)
    return [_of_posting(each, is_new=first.get(_contact(each)) == each.written_at) for each in postings]


def _of_posting(posting: Posting, *, is_new: bool) -> WriteFacts:
    written_on = posting.written_at.astimezone(zone_of(posting.connection)).date()
    return WriteFacts(
        workflow=posting.workflow_id,
        operation=posting.operation,
        effect=posting.effect,
        connection=posting.connection_id,
        has_amount=posting.amount is not None or bool(posting.currency),
        amount=posting.amount,
        currency=posting.currency,
        new_contact=is_new,
        days_backdated=(written_on - posting.day).days,
        is_undo=is_undoing(posting.operation),
    )


def _contact(posting: Posting) -> tuple[int | None, str, str]:
    """Whom it was for: by the id where there is one, else by name, within the organisation."""
    return posting.connection_id, posting.contact_id, "" if posting.contact_id else posting.contact


def _first_written(postings: Sequence[Posting]) -> dict[tuple[int | None, str, str], datetime]:
    """When something was first written for each of their contacts."""
    if not postings:
        return {}
    team = Posting.objects.filter(team=postings[0].team_id)
    ids = {each.contact_id for each in postings} - {""}
    names = {each.contact for each in postings if not each.contact_id} - {""}
    by_id = team.filter(contact_id__in=ids).values_list("connection", "contact_id")
    by_name = team.filter(contact__in=names).values_list("connection", "contact")
    return {
        **{(at, pk, ""): first for at, pk, first in by_id.annotate(first=Min("written_at")).order_by()},
        **{(at, "", name): first for at, name, first in by_name.annotate(first=Min("written_at")).order_by()},
    }
