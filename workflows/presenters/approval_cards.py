"""Requests for approval as their pages show them: the document, what differs from the last one, and who decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from integrations.framework.base import Operation
from integrations.framework.registry import operation_or_none
from integrations.schema import documents
from integrations.schema.documents import Document, Named
from integrations.schema.fields import Field, place_of
from workflows.approvals.quorum import stage_now, stages_of
from workflows.approvals.rule_words import Names, stage_words
from workflows.approvals.rules import Rule
from workflows.models import Approval, ApprovalRequest, Posting, StepRun
from workflows.presenters.labels import ChoiceLabels, choice_labels
from workflows.presenters.runs.documents import DocumentCard, document_card, kept_card
from workflows.presenters.runs.preview_presenter import FindingLine
from workflows.presenters.runs.run_presenter import SentRequest, sent_request

_TONES = {"open": "warn", "granted": "ok", "refused": "bad", "expired": "bad", "void": "muted"}


@dataclass(frozen=True)
class Difference:
    """A part of a document that is not as it was in the one before; "" where it has none."""

    label: str
    before: str
    now: str


@dataclass(frozen=True)
class StageLine:
    """Whose approvals are asked for, what was decided, and whether it is decided on now."""

    words: str
    approvals: Sequence[Approval]
    is_now: bool


@dataclass
class ApprovalCard:
    """A request for its page."""

    request: ApprovalRequest
    tone: str
    operation: Operation | None = None
    document: DocumentCard | None = None
    exact: SentRequest | None = None
    stages: list[StageLine] = field(default_factory=list)
    findings: list[FindingLine] = field(default_factory=list)
    #: The last document that the workflow wrote by this step's operation in this organisation, and what differs.
    last: Posting | None = None
    differences: list[Difference] = field(default_factory=list)


def tone_of(request: ApprovalRequest) -> str:
    """The colour of its state."""
    return _TONES.get(request.status, "muted")


def approval_card(request: ApprovalRequest) -> ApprovalCard:
    """Everything that somebody needs to decide on it."""
    step_run = StepRun.objects.filter(pk=request.step_run_id or 0).select_related("connection").first()
    card = ApprovalCard(request, tone_of(request), stages=_stages(request))
    if step_run is not None:
        card.operation = operation_or_none(step_run.operation)
        # The step holds the bytes of its latest request; of one that has changed since they are not these.
        if step_run.request_sha256 == request.request_sha256:
            card.exact = sent_request(step_run, card.operation)
    fields = card.operation.Inputs.fields() if card.operation is not None else ()
    card.findings = [_finding(each, fields) for each in request.findings]
    labels = choice_labels([request.connection])
    if request.document:
        document = documents.from_dict(request.document)
        _name_contact(request, document, labels)
        card.document = kept_card(document, card.operation, request.connection_id, labels)
    if card.document is not None and step_run is not None:
        card.last = _last(request, step_run.operation)
    if card.last is not None:
        before = StepRun.objects.filter(pk=card.last.step_run_id).select_related("connection").first()
        shown = document_card(before, card.operation, labels) if before is not None else None
        if shown is not None and card.document is not None:
            card.differences = differences(shown, card.document)
        else:
            card.last = None
    return card


def _name_contact(request: ApprovalRequest, document: Document, labels: ChoiceLabels) -> None:
    """Show the contact by name where it is known by now: from what was written since, or when it was asked."""
    whom = document.whom
    if not isinstance(whom, Named) or whom.choices is None:
        return
    known = labels.setdefault((request.connection_id or 0, whom.choices.key), {})
    if whom.code not in known:
        written = Posting.objects.filter(connection=request.connection_id, contact_id=whom.code).exclude(contact="")
        name = written.order_by("-written_at").values_list("contact", flat=True).first() or request.contact
        known[whom.code] = name or whom.code


def differences(before: DocumentCard, now: DocumentCard) -> list[Difference]:
    """What is different between two documents, part by part."""
    old, new = _parts(before), _parts(now)
    labels = [*new, *(label for label in old if label not in new)]
    return [
        Difference(label, old.get(label, ""), new.get(label, ""))
        for label in labels
        if old.get(label, "") != new.get(label, "")
    ]


def _parts(card: DocumentCard) -> dict[str, str]:
    found = dict(card.facts)
    if card.currency:
        found["Currency"] = card.currency
    for line in card.lines:
        said = [
            line.what,
            *line.details,
            f"{line.quantity} × {line.unit_amount}" if line.unit_amount else line.quantity,
        ]
        said += [line.account, line.tax_rate, line.amount]
        found[f"Line {line.number}"] = ", ".join(each for each in said if each)
    for total in card.sums:
        found[total.label] = total.ours
    return found


def _finding(stored: Mapping[str, Any], fields: Sequence[Field]) -> FindingLine:
    path = str(stored.get("input", ""))
    is_stop, place = stored.get("level") == "stops", place_of(fields, path) if path else ""
    return FindingLine(is_stop, place, str(stored.get("message", "")), str(stored.get("advice", "")))


def _last(request: ApprovalRequest, operation: str) -> Posting | None:
    written = Posting.objects.filter(
        workflow=request.workflow_id, connection=request.connection_id, written_at__lt=request.asked_at
    )
    return written.filter(operation=operation).order_by("-written_at", "-step_run_id").first()


def _stages(request: ApprovalRequest) -> list[StageLine]:
    stages = stages_of(request)
    names = Names([Rule(stages=tuple(stages))], request.team_id or 0)
    given = list(request.approvals.all())
    now = stage_now(request) if request.status == ApprovalRequest.Status.OPEN else None
    return [
        StageLine(stage_words(stage, names), [each for each in given if each.stage == place], place == now)
        for place, stage in enumerate(stages)
    ]
