"""A backtest: a preview over the items of past days, done by a worker in portions.

How it is claimed and continued stands in `engine/portions.py`. Where the provider allows no more calls now, it waits
and says so; half of a day's calls are never used by backtests.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, F
from django.utils import timezone

from integrations.core.clock import DatabaseNow
from integrations.core.errors import Hold, IntegrationError, ReconnectError, TemporaryError
from integrations.framework.checks import Facts
from integrations.framework.registry import UnknownOperationError
from integrations.models import Connection
from integrations.transport.call_budget import Purpose
from workflows.engine import portions
from workflows.engine.portions import LostError, Portions
from workflows.engine.waits import WaitError
from workflows.models import Backtest, BacktestDocument, BacktestItem, Run, Workflow, WorkflowVersion
from workflows.preview import backtest_items, backtest_totals, service
from workflows.preview.backtest_outcome import Judged, Outcome, judge
from workflows.preview.limits import Limits
from workflows.preview.predictions.last_outputs import LastOutputs
from workflows.publishing.publish import fingerprint
from workflows.runtime import heartbeats
from workflows.runtime.broker import wake_for_backtests

logger = logging.getLogger(__name__)

Status = Backtest.Status
#: The days that can be chosen.
DAYS = (7, 30, 90)
KEPT_DAYS = 7
_LIMITS = Limits(seconds=15.0, purpose=Purpose.BACKTEST)
#: An item that was begun this often and never ended, or that failed to be read this often, is passed over.
_MOST_TRIES = 3
_MOST_FAILURES = 5

_portions = Portions(Backtest, "workflow", "version", wake=wake_for_backtests)


class NotBegunError(Exception):
    """The backtest cannot begin; `message` says why."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class _WaitsError(Exception):
    """It goes on later: in `pause` real seconds."""

    def __init__(self, message: str, pause: float | None) -> None:
        super().__init__(message)
        self.message, self.pause = message, pause


def begin(
    workflow: Workflow, plan: Mapping[str, Any], *, days: int, by: User, version: WorkflowVersion | None = None
) -> Backtest:
    """Begin one over the items of the last days. If one of the workflow is under way, it is that. `version` is given
    where the plan is a version's. Raises NotBegunError."""
    if days not in DAYS:
        raise NotBegunError("Choose 7, 30 or 90 days.")
    connection = _trigger_connection(workflow.team_id, plan)
    if plan["trigger"].get("connection") is not None and connection is None:
        raise NotBegunError("The trigger's connection no longer exists. Choose another one in the trigger.")
    today = timezone.now().astimezone(backtest_items.zone_of(connection)).date()
    try:
        with transaction.atomic():
            made: Backtest = Backtest.objects.create(
                team_id=workflow.team_id,
                workflow=workflow,
                version=version,
                by=by,
                plan=dict(plan),
                plan_sha256=fingerprint(dict(plan)),
                days=days,
                since=today - timedelta(days=days),
            )
            wake_for_backtests()
    except IntegrityError:
        # A second press of the button, or a colleague, was a moment faster.
        return Backtest.objects.get(workflow=workflow, status__in=Backtest.UNDER_WAY)
    return made


def _trigger_connection(team_id: int, plan: Mapping[str, Any]) -> Connection | None:
    pk = plan["trigger"].get("connection")
    found = Connection.objects.select_related("grant").filter(team=team_id, pk=pk or 0)
    return found.first()


def stop(backtest: Backtest) -> bool:
    """Stop it before its next item; what is there stays. False where it has ended already."""
    return _portions.stop(backtest)


def forget_old() -> int:
    """Remove the backtests that have been kept long enough; returns how many."""
    return _portions.forget(KEPT_DAYS)


def outcomes(backtest: Backtest) -> dict[str, int]:
    """How many items came out how."""
    counted = backtest.items.order_by().values("outcome").annotate(many=Count("pk"))
    return {row["outcome"]: row["many"] for row in counted}


def groups(backtest: Backtest) -> list[dict[str, Any]]:
    """The reasons why items would not have run, each with its outcome and number, the most frequent first."""
    others = backtest.items.exclude(outcome__in=(Outcome.PENDING, Outcome.RAN))
    counted = [{**row} for row in others.order_by().values("outcome", "group").annotate(many=Count("pk"))]
    return sorted(counted, key=lambda row: (-row["many"], row["outcome"], row["group"]))


# --- the worker -------------------------------------------------------------------------------------------------------


def work() -> int:
    """Continue the backtests that are due for a while; returns how many portions of them were done."""
    return _portions.work(_continue)


def _continue(backtest: Backtest, ends: float) -> None:
    """Read items or walk with some of them, then give the lease back. Raises only if the database is lost."""
    try:
        if backtest.status == Status.READING:
            _read(backtest, ends)
        else:
            _walk_some(backtest, ends)
    except LostError:
        return
    except _WaitsError as waits:
        _portions.wait(backtest, waits.message, waits.pause)
    except ReconnectError as error:
        _portions.give_up(backtest, f"{error.message} Reconnect it, then begin another backtest.")
    except TemporaryError as error:
        _portions.wait(backtest, error.message, error.retry_after)
    except (IntegrationError, UnknownOperationError) as error:
        _portions.give_up(backtest, str(error))
    except Exception:
        logger.exception("Backtest %s crashed.", backtest.pk)
        _portions.give_up(backtest, "Pinxero itself failed in this backtest; nothing was written. The log tells why.")
    _portions.give_back(backtest)


def _read(backtest: Backtest, ends: float) -> None:
    connection = _trigger_connection(backtest.team_id, backtest.plan)

    def store(rows: Sequence[BacktestItem], resume: str, is_cut: bool) -> None:
        heartbeats.note_progress()
        with transaction.atomic():
            changes = {"resume": resume, "found": F("found") + len(rows), "failures": 0, "message": ""}
            _portions.record(backtest, **changes, **({"is_cut": True} if is_cut else {}))
            BacktestItem.objects.bulk_create(rows)

    def keep() -> None:
        heartbeats.note_progress()
        _portions.record(backtest)

    if backtest_items.read(backtest, connection, store, keep=keep, ends=ends):
        _portions.record(backtest, status=Status.WALKING, resume="")


def _walk_some(backtest: Backtest, ends: float) -> None:
    facts, last = dict[int, Facts](), LastOutputs()
    while time.monotonic() < ends:
        heartbeats.note_progress()
        item = backtest.items.filter(outcome=Outcome.PENDING).order_by("number").first()
        if item is None:
            _portions.record(backtest, status=Status.DONE, finished_at=DatabaseNow(), message="")
            return
        _store(backtest, item, _outcome_of(backtest, item, facts, last))
        if portions.gives_way():
            return


def _outcome_of(backtest: Backtest, item: BacktestItem, facts: dict[int, Facts], last: LastOutputs) -> Judged:
    """Walk with the item; `facts` is what checks have read for items before, and now for this one, `last` what its
    writes gave in runs. Raises _WaitsError where the provider allows no call now."""
    if item.tries >= _MOST_TRIES:
        return Judged(Outcome.UNFINISHED, "It could not be previewed.", "Its preview was begun and never ended.")
    BacktestItem.objects.filter(pk=item.pk).update(tries=F("tries") + 1)
    _portions.record(backtest)
    try:
        walked = service.walk(backtest.workflow, backtest.plan, item.data, limits=_LIMITS, known=facts, last=last)
    except Exception:
        logger.exception("Backtest %s failed with item %s.", backtest.pk, item.number)
        said = "Pinxero itself failed with this item; nothing was written. The log tells why."
        return Judged(Outcome.UNFINISHED, said, said)
    facts.update(walked.facts)
    later = _later(backtest, walked)
    if later is not None:
        # It was no fault of the item, so this does not count as a try.
        BacktestItem.objects.filter(pk=item.pk).update(tries=F("tries") - 1)
        raise later
    return judge(walked, item)


def _later(backtest: Backtest, walked: service.Walked) -> Exception | None:
    """Why this item is to be gone through later: a step or a check could not read. None if that is not so."""
    wait = walked.ending.wait
    if wait is not None and not _is_hopeless(backtest, wait):
        return _waits(wait)
    hindrances = (each.hindrance for each in walked.facts.values())
    error = next((each for each in hindrances if each is not None and each.hold is Hold.BUDGET), None)
    return None if error is None else _WaitsError(error.message, error.retry_after)


def _is_hopeless(backtest: Backtest, wait: WaitError) -> bool:
    """Whether trying again has failed often enough, so that the item is passed over."""
    return wait.reason == Run.WaitReason.RETRY and backtest.failures >= _MOST_FAILURES


def _waits(wait: WaitError) -> Exception:
    if wait.reason == Run.WaitReason.CONNECTION:
        return ReconnectError(wait.message)
    return _WaitsError(wait.message, wait.pause)


def _store(backtest: Backtest, item: BacktestItem, judged: Judged) -> None:
    """Store what came of the item, once."""
    backtest.totals = backtest_totals.added(backtest.totals, judged.readable)
    with transaction.atomic():
        _portions.record(backtest, done=F("done") + 1, totals=backtest.totals, failures=0, message="")
        BacktestItem.objects.filter(pk=item.pk).update(
            outcome=judged.outcome,
            group=judged.group,
            message=judged.message,
            documents_count=len(judged.documents),
        )
        BacktestDocument.objects.bulk_create(judged.documents)
    backtest.failures = 0
