"""The approvals of a run's writes in an evidence pack: what was asked of whom, and who decided what, with its seal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Prefetch, QuerySet

from workflows.approvals.quorum import stages_of
from workflows.approvals.rules import Stage
from workflows.approvals.seals import is_sealed
from workflows.evidence.paper import Paper, exactly
from workflows.evidence.run_files import moment
from workflows.models import Approval, ApprovalExclusion, ApprovalRequest, Run, WriteHold
from workflows.presenters.presentation import person

_MOST = 50


def requests_of(run: Run) -> QuerySet[ApprovalRequest]:
    """The requests, the first one first, with everything that is read of them here."""
    given = Approval.objects.select_related("by", "on_behalf_of").order_by("pk")
    excluded = ApprovalExclusion.objects.select_related("user").order_by("pk")
    found = ApprovalRequest.objects.filter(run=run).select_related("step_run").order_by("pk")
    return found.prefetch_related(Prefetch("approvals", given), Prefetch("exclusions", excluded))


def holds_of(run: Run) -> QuerySet[WriteHold]:
    """The writes that were held back, the first one first."""
    return WriteHold.objects.filter(step_run__run=run).select_related("step_run", "released_by").order_by("pk")


def approvals(run: Run) -> dict[str, Any]:
    """What `approvals.json` says: the requests with their decisions, and what was held back."""
    return {
        "requests": list(_requests(run)),
        "held_back": [
            {
                "step": each.step_run.step,
                "iteration": each.step_run.iteration,
                "why": each.message,
                "fingerprint": each.fingerprint,
                "held_at": moment(each.held_at),
                "released_at": moment(each.released_at),
                "released_by": person(each.released_by) if each.released_by else None,
            }
            for each in holds_of(run)
        ],
    }


def _requests(run: Run) -> Iterator[dict[str, Any]]:
    requests = list(requests_of(run))
    named = _named(requests)
    for each in requests:
        row = each.step_run
        yield {
            "step": row.step if row else None,
            "iteration": row.iteration if row else None,
            "kind": each.kind,
            "what": str(each),
            "organisation": each.organisation,
            "contact": each.contact,
            "total": each.amount,
            "currency": each.currency,
            "message": each.message,
            "policy": each.policy_number,
            "rule": each.rule,
            "needed": each.needed,
            "stages": [_stage(stage, named) for stage in stages_of(each)],
            "sha256_of_method_path_query_and_body": each.request_sha256,
            "fingerprint": each.fingerprint,
            "status": each.status,
            "asked_at": moment(each.asked_at),
            "expires_at": moment(each.expires_at),
            "decided_at": moment(each.decided_at),
            "may_not_decide": [{"who": person(one.user), "why": _why(one)} for one in each.exclusions.all()],
            "decisions": [_decision(one) for one in each.approvals.all()],
        }


def _decision(approval: Approval) -> dict[str, Any]:
    return {
        "by": person(approval.by),
        "in_place_of": person(approval.on_behalf_of) if approval.on_behalf_of_id else None,
        "decision": approval.decision,
        "how": str(approval.get_method_display()),
        "stage": approval.stage + 1,
        "reason": approval.reason,
        "fingerprint": approval.fingerprint,
        "at": moment(approval.at),
        "seal_holds": is_sealed(approval),
    }


def _named(requests: list[ApprovalRequest]) -> dict[int, str]:
    wanted = {pk for each in requests for stage in stages_of(each) for pk in stage.people}
    return {user.pk: person(user) for user in User.objects.filter(pk__in=wanted)} if wanted else {}


def _stage(stage: Stage, named: dict[int, str]) -> dict[str, Any]:
    return {"count": stage.count, "role": stage.role, "people": [named.get(pk, f"account {pk}") for pk in stage.people]}


def _why(exclusion: ApprovalExclusion) -> str:
    return ApprovalExclusion.WHY.get(exclusion.why, exclusion.why)


def draw_approvals(paper: Paper, run: Run) -> None:
    """Draw who was asked and who decided, and what was held back."""
    requests, holds = list(requests_of(run)[: _MOST + 1]), list(holds_of(run)[: _MOST + 1])
    if requests:
        paper.heading("Approvals", 3)
    for each in requests[:_MOST]:
        paper.text_line(f"{each}: {each.get_status_display()}", is_bold=True)
        ends = {ApprovalRequest.Status.OPEN: f"Counts as refused after {exactly(each.expires_at)}."}
        asked = f"Asked {exactly(each.asked_at)} for {each.needed} {'approval' if each.needed == 1 else 'approvals'}."
        paper.text_line(f"{asked} {ends.get(ApprovalRequest.Status(each.status), '')}".strip())
        if each.rule:
            paper.text_line(f"Rule: {each.rule}")
        rows = [_row(one) for one in each.approvals.all()]
        if rows:
            paper.table(["When", "Who", "What", "Why"], rows, (22, 26, 20, 32))
        paper.text_line(f"Bound to SHA-256 {each.fingerprint}", is_small=True)
    if holds:
        paper.heading("Held back", 3)
        rows = [[exactly(one.held_at), one.message, _released(one)] for one in holds[:_MOST]]
        paper.table(["When", "Why", "Let go"], rows, (22, 48, 30))
    if len(requests) > _MOST or len(holds) > _MOST:
        paper.text_line("More of them are in approvals.json.", is_small=True)


def _row(approval: Approval) -> list[str]:
    whose = f"\nfor {person(approval.on_behalf_of)}" if approval.on_behalf_of_id else ""
    what = f"{approval.get_decision_display()}, stage {approval.stage + 1}\n{approval.get_method_display()}"
    unsealed = "" if is_sealed(approval) else "\nITS SEAL DOES NOT HOLD: this was not decided in Pinxero."
    return [exactly(approval.at), f"{person(approval.by)}{whose}", f"{what}{unsealed}", approval.reason]


def _released(hold: WriteHold) -> str:
    return f"{exactly(hold.released_at)}, {person(hold.released_by)}" if hold.released_at else "Not let go"
