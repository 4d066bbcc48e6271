"""What a policy looks at: of a write before it is sent, and of a posting, to try a policy on what was written."""

from __future__ import annotations

from django.utils import timezone

from integrations.schema.documents import Document, Named
from workflows.approvals.rules import WriteFacts
from workflows.definitions.mapping_context import zone_of
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
    earlier = Posting.objects.filter(
        team=posting.team_id, connection=posting.connection_id, written_at__lt=posting.written_at
    )
    is_new = False
    if posting.contact_id or posting.contact:
        same = {"contact_id": posting.contact_id} if posting.contact_id else {"contact": posting.contact}
        is_new = not earlier.filter(**same).exists()
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
    )
