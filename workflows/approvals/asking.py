"""The gate: what the team's policy says about a write, asked at every send with its exact bytes.

An approval is of sha256(request bytes + organisation + version). If any of them is different when the write is built
again, the request is void and people are asked anew. The worker counts only approvals whose seals hold; and apart from
all of this code the database refuses to mark a step as sent while a request for it is not granted.

A refusal fails the step, and so does a request that nobody decided on in time. Trying the step again asks anew: what
was refused once needs an approval even if the policy has changed since.
"""

from __future__ import annotations

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone

from integrations.audit.actions import Audited
from integrations.audit.record import About, record
from integrations.core.errors import CallPreventedError
from integrations.core.exact_json import storable_text
from integrations.framework import checks
from integrations.framework.checks import Facts
from integrations.models import ChoiceCache, Connection
from integrations.schema import documents
from integrations.schema.documents import Named, Text
from workflows.approvals import facts, policy
from workflows.approvals.excluded import involved
from workflows.approvals.quorum import is_complete
from workflows.approvals.rule_words import Names, sentence
from workflows.approvals.rules import Rule, Stage, Then, first_fitting
from workflows.engine import step_support
from workflows.engine.kinds.approval import Answer
from workflows.engine.writes import gates, uncertain
from workflows.engine.writes.gates import Intent
from workflows.models import (
    ApprovalExclusion,
    ApprovalRequest,
    Notice,
    PolicyVersion,
    Posting,
    Run,
    StepRun,
    TeamControls,
)
from workflows.notifications.notify import Matter, notify

if TYPE_CHECKING:
    from workflows.engine.run_context import RunContext

logger = logging.getLogger(__name__)

Status = ApprovalRequest.Status
#: What the step's attempts call this gate.
_WHAT = "approval"
_POLICY_HOLD = "policy"
#: How long a run trusts the policy that it has read, as it does the state of a connection.
_CURRENT_SECONDS = 2.0


def gate(intent: Intent) -> None:
    """Let the write pass, or raise what stops it. Registered in `gates.GATES`."""
    known = list(ApprovalRequest.objects.filter(step_run=intent.step_run).order_by("pk")) if intent.step_run.pk else []
    for request in known:
        if request.fingerprint != intent.fingerprint and request.status in (Status.OPEN, Status.GRANTED):
            _make_void(request)
    same = [each for each in known if each.fingerprint == intent.fingerprint]
    if any(each.status == Status.GRANTED and is_complete(each) for each in same):
        return
    for request in same:
        if request.status == Status.GRANTED:
            _make_void(request)  # by approvals that nobody gave through the application
        if request.status == Status.OPEN:
            raise _still_waits(intent) if request.expires_at > timezone.now() else _expired(intent, request)
    ended = [each for each in known if each.status in (Status.REFUSED, Status.EXPIRED)]
    if len(ended) > _answered(intent.step_run):
        raise _refused(intent, ended[-1])
    _judge(intent, ended[-1] if ended else None)


def _judge(intent: Intent, refused: ApprovalRequest | None) -> None:
    """What the policy asks for; at least what was asked for when the write was refused before."""
    version = _policy(intent)
    found = first_fitting(policy.rules_of(version), facts.of_intent(intent)) if version is not None else None
    rule = found[1] if found else None
    if version is None or rule is None or rule.then is Then.NOTHING:
        if refused is not None:
            raise _ask(intent, refused.stages, refused.needed, refused.rule, refused.policy_number)
        return
    words = sentence(rule, Names([rule], intent.run.team_id))
    if rule.then is Then.APPROVAL:
        stages = [stage.to_dict() for stage in rule.stages]
        raise _ask(intent, stages, rule.needed, words, version.number, message=rule.message)
    where = f"Rule {found[0] if found else 0} of the team’s policy"
    why = f" {rule.message}" if rule.message else ""
    if rule.then is Then.HOLD:
        gates.hold(intent, _POLICY_HOLD, f"{where} holds this write until a person lets it go.{why}")
        return
    raise _stopped(intent, _refusal(version, rule, where, why))


def _policy(intent: Intent) -> PolicyVersion | None:
    """The policy in force, read again in a run that goes on once what is known of it is two seconds old."""
    now = time.monotonic()
    known: tuple[float, PolicyVersion | None] | None = getattr(intent.run, "known_policy", None)
    if known is None or now - known[0] > _CURRENT_SECONDS:
        known = (now, policy.in_force(intent.run.team_id))
        intent.run.known_policy = known  # type: ignore[attr-defined]
    return known[1]


def _refusal(version: PolicyVersion, rule: Rule, where: str, why: str) -> str:
    named = f" (“{rule.name}”)" if rule.name else ""
    return f"{where}{named} refuses this write; nothing was sent.{why} Policy {version.number} says so."


def _ask(
    intent: Intent, stages: list[dict[str, Any]], needed: int, rule: str, number: int | None, *, message: str = ""
) -> Exception:
    """Store the request, and give the wait for it."""
    document = intent.document
    connection = intent.connection
    title = document.what if document is not None and document.what else intent.action.name
    whom = _whom(document.whom, connection) if document is not None else ""
    findings = _findings(intent)
    # The step run, the request and who may not decide on it are stored together.
    with transaction.atomic():
        stopped = gates.wait(
            intent,
            Run.WaitReason.APPROVAL,
            f"It waits for {needed} {'approval' if needed == 1 else 'approvals'}. {message}".strip(),
            what=_WHAT,
        )
        _store(
            intent.run,
            intent.step_run,
            connection=connection,
            policy_number=number,
            rule=rule,
            stages=stages,
            needed=needed,
            request_sha256=intent.request.sha256,
            fingerprint=intent.fingerprint,
            title=storable_text(title)[:300],
            organisation=connection.name[:200] if connection else intent.action.connector.name,
            contact=storable_text(whom)[:200],
            amount=document.totals.total if document is not None and document.totals else None,
            currency=(document.currency if document is not None else "")[:10],
            document=documents.to_dict(document) if document is not None else None,
            findings=findings,
            message=message,
        )
    return stopped


def _store(run: Run, step_run: StepRun, **columns: Any) -> None:
    """A new request, with who may not decide on it; those who may are told, and it is recorded."""
    controls = TeamControls.objects.filter(team=run.team_id).first() or TeamControls()
    request = ApprovalRequest.objects.create(
        team_id=run.team_id,
        run=run,
        step_run=step_run,
        workflow_id=run.workflow_id,
        version_id=run.version_id,
        expires_at=timezone.now() + timedelta(days=controls.approval_days),
        **columns,
    )
    excluded = involved(run).items()
    ApprovalExclusion.objects.bulk_create(
        [ApprovalExclusion(request=request, user_id=pk, why=why) for pk, why in excluded]
    )
    notify(
        Matter(
            run.team_id,
            Notice.Kind.APPROVAL,
            title=f"{run.workflow.name} waits for approval",
            text=f"{request.title}{f' for {request.contact}' if request.contact else ''}: {request.rule}",
            workflow=run.workflow,
            run=run,
        )
    )
    record(
        Audited.APPROVAL_ASKED,
        team_id=run.team_id,
        about=_about(request),
        by=None,
        after={"Rule": request.rule, "Document": request.title, "SHA-256": request.fingerprint},
    )


def answer(context: RunContext, step: Mapping[str, Any], step_run: StepRun, message: str) -> Answer | None:
    """What people have decided on the question of an approval step; asks them where nobody has yet.

    Registered in `approval.QUESTIONS`. Trying a refused step again asks anew.
    """
    stages = [Stage(step["people"], step["who"]).to_dict()]
    told = json.dumps([message, stages, context.run.version_id]).encode()
    digest = hashlib.sha256(told).hexdigest()
    known = list(ApprovalRequest.objects.filter(step_run=step_run).order_by("pk"))
    last = known[-1] if known else None
    if last is not None and last.status == Status.OPEN and last.expires_at <= timezone.now():
        expire(last)
    if last is not None and last.status == Status.GRANTED and is_complete(last):
        return Answer(True, _names(last), _reasons(last), "")
    ended = [each for each in known if each.status in (Status.REFUSED, Status.EXPIRED)]
    if ended and len(ended) > _answered(step_run):
        said = _refusal_of(ended[-1])
        step_support.attempt(step_run, _WHAT, "refused", message=f"{said} (request {ended[-1].pk})")
        return Answer(False, _names(ended[-1]), _reasons(ended[-1]), said)
    if last is None or last.status != Status.OPEN:
        with transaction.atomic():
            step_support.attempt(step_run, _WHAT, "not now", message="People are asked.")
            _store(
                context.run,
                step_run,
                kind=ApprovalRequest.Kind.QUESTION,
                rule=f"“{step_run.name}” asks in the workflow.",
                stages=stages,
                needed=step["people"],
                request_sha256=digest,
                fingerprint=digest,
                title=storable_text(step_run.name)[:300],
                organisation=context.run.workflow.name[:200],
                message=storable_text(message),
            )
    return None


def _names(request: ApprovalRequest) -> str:
    given = request.approvals.select_related("by").order_by("pk")
    return ", ".join(each.by.get_username() for each in given if each.by is not None)


def _reasons(request: ApprovalRequest) -> str:
    return " ".join(each.reason for each in request.approvals.order_by("pk") if each.reason)


def _whom(whom: Text, connection: Connection | None) -> str:
    """The name that is known for the contact here; else what the document says."""
    if not isinstance(whom, Named) or whom.choices is None or connection is None:
        return documents.shown(whom)
    for row in ChoiceCache.objects.filter(connection=connection, key=whom.choices.key).order_by("-fetched_at"):
        name = next((str(label) for value, label in row.choices if str(value) == whom.code), "")
        if name:
            return name
    written = Posting.objects.filter(connection=connection, contact_id=whom.code).exclude(contact="")
    return written.order_by("-written_at").values_list("contact", flat=True).first() or documents.shown(whom)


def _findings(intent: Intent) -> list[dict[str, str]]:
    """What the checks say about the write, for those who decide on it. Where nothing can be asked now, that is said."""
    try:
        found = checks.findings_of(intent.action, Facts(intent.api), intent.inputs)
    except CallPreventedError as error:
        return [{"level": "warns", "input": "", "message": f"It was not checked: {error}", "advice": "", "code": ""}]
    return [each.to_dict() for each in found]


def _about(request: ApprovalRequest) -> About:
    return About("approvalrequest", request.pk, str(request))


def _still_waits(intent: Intent) -> Exception:
    message = "It still waits for approval."
    return gates.wait(intent, Run.WaitReason.APPROVAL, message, what=_WHAT)


def _make_void(request: ApprovalRequest) -> None:
    with transaction.atomic():
        request.status, request.decided_at = Status.VOID, timezone.now()
        request.save(update_fields=["status", "decided_at"])
        reason = "What was to be written has changed since it was asked."
        record(Audited.APPROVAL_VOID, team_id=request.team_id, about=_about(request), by=None, reason=reason)


def _expired(intent: Intent, request: ApprovalRequest) -> Exception:
    expire(request)
    if request.status == Status.GRANTED:
        return _still_waits(intent)  # somebody decided at this moment: the next look finds it
    return _refused(intent, request)


def expire(request: ApprovalRequest) -> None:
    """End a request that nobody has decided on in time, unless somebody decides at this moment."""
    with transaction.atomic():
        open_still = ApprovalRequest.objects.filter(pk=request.pk, status=Status.OPEN)
        if open_still.update(status=Status.EXPIRED, decided_at=timezone.now()):
            record(Audited.APPROVAL_EXPIRED, team_id=request.team_id, about=_about(request), by=None)
    request.refresh_from_db()


def _refused(intent: Intent, request: ApprovalRequest) -> Exception:
    return _stopped(intent, _refusal_of(request), request)


def _refusal_of(request: ApprovalRequest) -> str:
    if request.status == Status.EXPIRED:
        return "Nobody decided on it in time, so it counts as refused; nothing was sent."
    decision = request.approvals.filter(decision="refuse").select_related("by").order_by("-pk").first()
    who = decision.by.get_username() if decision is not None and decision.by is not None else "Somebody"
    why = f": {decision.reason}" if decision is not None and decision.reason else "."
    return f"{who} refused it{why}"


def _stopped(intent: Intent, message: str, request: ApprovalRequest | None = None) -> Exception:
    """A failed step; where it may have been written already, a person looks at it instead."""
    if request is not None:
        told = f"{message} (request {request.pk})"
        step_support.attempt(intent.step_run, _WHAT, "refused", message=told)
    if intent.is_repeat:
        return uncertain.review(
            intent.context,
            intent.step_run,
            f"It was sent, no clear answer came, and it may not be sent again: {message} Look at the provider "
            "yourself, then say whether it was written.",
        )
    return step_support.fail(intent.context, intent.step_run, message)


def _answered(step_run: StepRun) -> int:
    """How many refusals this step has failed for already."""
    return sum(line["what"] == _WHAT and line["outcome"] == "refused" for line in step_run.attempts)
