"""Every write that can be taken back, through a run against the sandbox: what is sent, and what stops it."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.framework import freezing, registry
from integrations.framework.base import Action, Effect
from integrations.sandbox.data.organisations import ORGANISATIONS
from integrations.sandbox.exchange.fault_dial import WRITES as WRITES_BY
from tests.integrations.connectors.xero.writing import written as write_directly
from tests.integrations.framework.test_registry import name_of
from tests.provider import DEMO
from tests.walk.recipes import has_provider
from tests.walk.stage import Stage, step_of
from tests.walk.test_actions import begin
from workflows.models import Posting, Run, Undo
from workflows.runs import decisions, undoing

WRITES = [each for each in registry.actions() if each.effect is not Effect.READS and has_provider(each)]
UNDONE = [each for each in WRITES if not each.no_undo]
#: What cannot be read back to see whether it is as it was written.
UNREAD = {"xero.allocate_credit_note"}


def written(stage: Stage, action: Action, **inputs: Any) -> tuple[Run, Posting]:
    """A run that has written what the action's example says."""
    run = stage.settle(begin(stage, action, **inputs))
    assert run.status == "succeeded", run.error
    return run, Posting.objects.get(run=run)


def take_back(stage: Stage, run: Run, **accepted: str) -> Run:
    """The run that takes back what a person sees on the page, ended."""
    postings = list(undoing.written(run))
    looked = undoing.look(postings)
    assert looked.trouble == {}
    assert all(each.request is not None for each in looked.prospects.values()), looked
    digests = {each.pk: looked.prospects[each.pk].digest for each in postings}
    made = undoing.take_back(run, digests, by=stage.cast.builder, reason="It was wrong")
    return stage.settle(made)


@pytest.mark.parametrize("action", UNDONE, ids=name_of)
def test_what_was_written_is_taken_back_once_and_then_there_is_nothing_left(action: Action, stage: Stage) -> None:
    run, posting = written(stage, action)
    looked = undoing.look([undoing.written(run).get()])
    assert bool(looked.prospects[posting.pk].changed) == (action.full_key in UNREAD)
    request = looked.prospects[posting.pk].request
    mark = stage.mark()
    undo = take_back(stage, run)
    assert (undo.status, undo.error) == ("succeeded", "")
    step = step_of(undo)
    assert [line["outcome"] for line in step.attempts] == ["done"]
    assert request is not None
    assert step.request == request.to_dict()
    assert len(stage.written(mark)) == 1
    own = Posting.objects.get(run=undo)
    assert (own.effect, own.noun.startswith("Undo of "), own.amount) == ("deletes", True, posting.amount)
    assert own.provider_id == posting.provider_id
    assert Undo.objects.get(posting=posting).state == "done"
    looked = undoing.look([undoing.written(run).get()])
    assert looked.prospects[posting.pk].nothing_left


def test_every_write_says_what_its_undo_does_or_why_there_is_none() -> None:
    for action in registry.actions():
        if action.effect is not Effect.READS:
            assert bool(action.undo_words) != bool(action.no_undo), action.full_key
            assert (action.undo_words or action.no_undo).endswith("."), action.full_key


@pytest.mark.parametrize("fault", ["reset_before", "reset_after", "500", "429", "commit_then_silence"])
@pytest.mark.parametrize("key", ["xero.create_invoice", "pinterest.create_pin", "xero.add_lines_to_invoice"])
def test_an_undo_without_a_clear_answer_is_settled_by_how_the_record_is(stage: Stage, key: str, fault: str) -> None:
    action = registry.action(key)
    run, posting = written(stage, action)
    mark = stage.mark()
    stage.sandbox.faults(next=[fault], methods=WRITES_BY, only_provider=action.connector.key)
    undo = take_back(stage, run)
    assert (undo.status, undo.error) == ("succeeded", "")
    assert len(stage.written(mark)) == 1
    assert Posting.objects.get(run=undo).provider_id == posting.provider_id
    assert Undo.objects.get().is_done


@pytest.mark.parametrize("accepts", [False, True], ids=["not accepted", "accepted"])
def test_a_document_changed_since_is_left_alone_unless_the_person_has_seen_how(stage: Stage, accepts: bool) -> None:
    action = registry.action("xero.create_invoice")
    run, posting = written(stage, action)
    stage.sandbox.change("invoice", posting.provider_id, Reference="Mine")
    (prospect,) = undoing.look(undoing.written(run)).prospects.values()
    assert [each.partition(" was ")[0] for each in prospect.changed] == ["Reference"]
    mark = stage.mark()
    accepted = {posting.pk: prospect.digest if accepts else ""}
    undo = stage.settle(undoing.take_back(run, accepted, by=stage.cast.builder, reason="Wrong"))
    step = step_of(undo)
    if accepts:
        assert (undo.status, undo.error, len(stage.written(mark))) == ("succeeded", "", 1)
        return
    assert (undo.status, step.state, stage.written(mark)) == ("succeeded", "failed", [])
    assert undo.has_errors
    assert "so nothing was sent. Reference was" in step.error
    assert Undo.objects.get().state == "asked"


def test_what_somebody_changes_between_the_page_and_the_send_is_left_alone(stage: Stage) -> None:
    run, posting = written(stage, registry.action("xero.create_invoice"))
    undo = undoing.take_back(run, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.sandbox.change("invoice", posting.provider_id, Status="AUTHORISED")
    mark = stage.mark()
    stage.settle(undo)
    assert (undo.has_errors, stage.written(mark)) == (True, [])
    assert "State was" in step_of(undo).error
    again = take_back(stage, run)
    assert (again.status, again.error, len(stage.written(mark))) == ("succeeded", "", 1)
    assert [each.state for each in Undo.objects.order_by("pk")] == ["dropped", "done"]
    decisions.retry(undo, by=stage.cast.builder)
    stage.settle(undo)
    assert "Somebody has asked again" in step_of(undo).error


def test_what_is_gone_already_is_done_with_a_sentence_and_nothing_is_sent(stage: Stage) -> None:
    run, posting = written(stage, registry.action("xero.create_invoice"))
    undo = undoing.take_back(run, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong")
    stage.sandbox.change("invoice", posting.provider_id, Status="DELETED")
    mark = stage.mark()
    stage.settle(undo)
    assert (undo.status, undo.error, stage.written(mark)) == ("succeeded", "", [])
    assert undo.result.startswith("Nothing to take back: ")
    assert undo.result.endswith(" is deleted already.")
    assert (Undo.objects.get().is_done, Posting.objects.filter(run=undo).exists()) == (True, False)


def test_what_the_provider_does_not_take_back_any_more_says_why(stage: Stage) -> None:
    run, posting = written(stage, registry.action("xero.create_invoice"), status="AUTHORISED", due_date="2026-12-22")
    bank = next(each["AccountID"] for each in ORGANISATIONS[DEMO].accounts() if each["Code"] == "090")
    pay = registry.action("xero.create_payment")
    write_directly(stage.api(pay), pay, invoice_id=posting.provider_id, account_id=bank, amount="10")
    (prospect,) = undoing.look(undoing.written(run)).prospects.values()
    assert prospect.request is None
    assert "is paid or credited, in whole or in part, so it cannot be voided" in prospect.refusal
    mark = stage.mark()
    undo = stage.settle(undoing.take_back(run, {posting.pk: prospect.digest}, by=stage.cast.builder, reason="Wrong"))
    assert "so it cannot be voided" in step_of(undo).error
    assert stage.written(mark) == []


@pytest.mark.parametrize("action", [each for each in WRITES if each.no_undo], ids=name_of)
def test_what_has_no_undo_says_why_and_nothing_is_sent(action: Action, stage: Stage) -> None:
    run, posting = written(stage, action)
    looked = undoing.look(undoing.written(run))
    assert (looked.prospects, looked.trouble) == ({}, {posting.pk: action.no_undo})
    mark = stage.mark()
    undo = stage.settle(undoing.take_back(run, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong"))
    assert (step_of(undo).error, stage.written(mark)) == (action.no_undo, [])


def test_a_frozen_organisation_keeps_the_undo_waiting(stage: Stage) -> None:
    run, posting = written(stage, registry.action("xero.create_invoice"))
    freezing.freeze(stage.connections["xero"], by=stage.cast.builder, reason="Year end")
    undo = stage.settle(undoing.take_back(run, {posting.pk: ""}, by=stage.cast.builder, reason="Wrong"))
    assert (undo.status, undo.wait_reason) == ("waiting", "freeze")
