"""Deleting a board through a workflow: what is asked before, kept before, and handed out afterwards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import DatabaseError
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from integrations.framework import registry
from integrations.models import ChoiceCache
from integrations.transport.http import Request
from tests.walk.stage import Stage, step_of
from workflows.definitions import editing, validation
from workflows.definitions.checks import confirmation
from workflows.engine.writes import backups
from workflows.models import Backup, Run, StepRun, Workflow
from workflows.publishing import publish
from workflows.runs import decisions

DELETE = registry.action("pinterest.delete_board")
VOID = registry.action("xero.void_or_delete_invoice")
CREATE = registry.action("pinterest.create_board")


def board_id(stage: Stage, name: str = "Office styling") -> str:
    return next(str(each["id"]) for each in stage.sandbox.state()["boards"] if each["name"] == name)


def begin(stage: Stage) -> Run:
    inputs = {"board_id": board_id(stage), "confirmation": "Office styling"}
    return stage.start(DELETE, DELETE.Inputs.clean(inputs))


def is_there(stage: Stage) -> bool:
    return "Office styling" in {each["name"] for each in stage.sandbox.state()["boards"]}


# --- kept before it is sent -------------------------------------------------------------------------------------------


def test_what_the_board_held_is_kept_and_can_be_downloaded_by_the_team(stage: Stage, client: Client) -> None:
    run = stage.settle(begin(stage))
    step = step_of(run)
    assert (run.status, run.result) == ("succeeded", "Board Office styling, deleted with its 2 pins")
    assert step.output["name"] == "Office styling"
    backup = Backup.objects.get()
    assert backup.step_run == step
    address = reverse("backup", args=[run.pk, step.pk])
    page = stage.page(run)
    assert address in page
    assert "Board Office styling with 2 pins" in page
    for person in (stage.cast.builder, stage.cast.approver, stage.cast.auditor):
        client.force_login(person)
        answer = client.get(address)
        assert answer["Content-Disposition"] == f'attachment; filename="backup-run-{run.pk}-step-{step.pk}.json"'
        kept = json.loads(answer.content)
        assert (kept["board"]["name"], len(kept["pins"])) == ("Office styling", 2)
        assert len(answer.content) == backup.size
    client.force_login(stage.cast.outsider)
    assert client.get(address).status_code == 404


def test_it_is_kept_before_the_wire_and_kept_anew_before_it_is_sent_again(stage: Stage) -> None:
    run = begin(stage)
    stage.sandbox.faults(next=["500"], methods=["DELETE"], only_provider="pinterest")
    stage.advance(run)
    assert (run.wait_reason, step_of(run).state) == ("uncertain", "uncertain")
    assert Backup.objects.get().title == "Board Office styling with 2 pins"
    assert is_there(stage)
    stage.settle(run)
    assert run.status == "needs_review"
    stage.sandbox.add_pins("Office styling", count=3)
    decisions.send_again(run, by=stage.cast.builder, reason="It is still there.")
    stage.settle(run)
    assert (run.status, is_there(stage)) == ("succeeded", False)
    assert Backup.objects.get().title == "Board Office styling with 5 pins"
    assert run.result == "Board Office styling, deleted with its 5 pins"


def test_a_deletion_whose_answer_was_lost_is_found_done_and_told_with_its_name(stage: Stage) -> None:
    run = begin(stage)
    stage.sandbox.faults(next=["reset_after"], methods=["DELETE"], only_provider="pinterest")
    stage.settle(run)
    assert (run.status, run.result) == ("succeeded", "Board Office styling, deleted with its 2 pins")
    assert [line["what"] for line in step_of(run).attempts] == ["send", "look up"]


@pytest.mark.parametrize("given", ["", "297-by-hand"])
def test_a_deletion_that_a_person_has_seen_gives_what_it_would_have_given(stage: Stage, given: str) -> None:
    run = begin(stage)
    identity = board_id(stage)
    stage.sandbox.faults(next=["500"], methods=["DELETE"], only_provider="pinterest")
    stage.settle(run)
    assert run.status == "needs_review"
    decisions.mark_done(run, by=stage.cast.builder, reason="I deleted it myself.", provider_id=given)
    stage.settle(run)
    step = step_of(run)
    assert (run.status, run.result) == ("succeeded", "Board Office styling, deleted with its 2 pins")
    assert set(step.output) == set(DELETE.sample)
    assert (step.output["id"], step.output["name"], step.output["pin_count"]) == (identity, "Office styling", 2)
    assert step.output["is_deleted"] is True
    assert step.provider_id == (given or identity)
    assert "Board Office styling, deleted with its 2 pins" in stage.page(run)


def begin_void(stage: Stage) -> tuple[Run, str]:
    """A run that waits for a person, its invoice being as it was: the write was lost and could not be looked up."""
    invoice = stage.sandbox.make("invoice", status="AUTHORISED", amount="40")
    run = stage.start(VOID, VOID.Inputs.clean({"invoice_id": invoice["id"]}))
    stage.sandbox.faults(next=["500"], methods=["POST"], only_provider="xero")
    stage.advance(run)
    assert run.wait_reason == "uncertain"
    Run.objects.filter(pk=run.pk).update(status=Run.Status.NEEDS_REVIEW, wait_reason="", wake_at=None)
    StepRun.objects.filter(run=run, kind="action").update(state=StepRun.State.NEEDS_REVIEW)
    run.refresh_from_db()
    return run, str(invoice["id"])


def test_a_voided_invoice_that_a_person_has_seen_is_read_from_xero(stage: Stage) -> None:
    run, invoice = begin_void(stage)
    body = {"Invoices": [{"InvoiceID": invoice, "Status": "VOIDED"}]}
    stage.api(VOID).write(Request.of_json("POST", "/Invoices", body))
    decisions.mark_done(run, by=stage.cast.builder, reason="I voided it myself.")
    step = step_of(run)
    assert (step.output["InvoiceID"], step.output["Status"], step.provider_id) == (invoice, "VOIDED", invoice)
    assert invoice in step.link
    assert stage.settle(run).result == VOID.describe(step.output)


def test_where_nobody_tells_what_is_gone_the_output_stays_empty(stage: Stage) -> None:
    run, _ = begin_void(stage)
    decisions.mark_done(run, by=stage.cast.builder, reason="It is gone, I think.", provider_id="INV-1")
    step = step_of(run)
    assert (step.state, step.output, step.provider_id) == ("succeeded", {}, "INV-1")


def test_nothing_is_sent_where_the_backup_cannot_be_kept(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begin(stage)
    mark = stage.mark()

    def fail(*args: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr("workflows.engine.writes.sending.backups.keep", fail)
    stage.settle(run)
    assert run.status == "crashed"
    assert stage.written(mark) == []
    assert is_there(stage)
    assert [row for row in stage.sandbox.ledger(after=mark) if row["method"] == "DELETE"] == []


def test_a_limit_replaces_the_backup_instead_of_adding_one(stage: Stage) -> None:
    run = begin(stage)
    stage.sandbox.faults(next=["429"], methods=["DELETE"], only_provider="pinterest")
    stage.advance(run)
    stage.make_room(DELETE)
    stage.sandbox.add_pins("Office styling")
    stage.settle(run)
    assert run.status == "succeeded"
    assert Backup.objects.get().title == "Board Office styling with 3 pins"


def test_a_damaged_backup_is_not_handed_out(stage: Stage, client: Client) -> None:
    run = stage.settle(begin(stage))
    backup = Backup.objects.get()
    Backup.objects.update(content=b"something else")
    backup.refresh_from_db()
    with pytest.raises(ValueError, match="is damaged"):
        backups.content(backup)
    client.force_login(stage.cast.builder)
    assert client.get(reverse("backup", args=[run.pk, backup.step_run_id])).status_code == 404


def test_other_writes_keep_no_backup(stage: Stage) -> None:
    run = stage.settle(stage.start(CREATE, CREATE.Inputs.clean({"name": "Oak"})))
    assert run.status == "succeeded"
    assert not Backup.objects.exists()
    assert "Download the backup" not in stage.page(run)


# --- confirmed by name ------------------------------------------------------------------------------------------------


@pytest.fixture
def names(stage: Stage) -> None:
    """The boards as the form has fetched them."""
    ChoiceCache.objects.create(
        connection=stage.connections["pinterest"],
        key="integrations.connectors.pinterest.choices.own_boards",
        inputs_hash="x",
        choices=[["297", "Office styling"], ["648", "Summer recipes"]],
        fetched_at=timezone.now(),
    )


TYPE_THE_NAME = "This is not its name. To confirm, type: Office styling"
TYPE_THE_SENTENCE = "Each run decides which one it is, so type: delete any board"


@pytest.mark.parametrize(
    ("board", "typed", "said"),
    [
        ("297", "Office styling", ""),
        ("297", "office styling", TYPE_THE_NAME),
        ("297", "Summer recipes", TYPE_THE_NAME),
        ("297", "delete any board", "One is chosen, so type its name: Office styling"),
        ("297", "{{ trigger.name }}", "A person types this when building the step; it cannot come from the run."),
        ("{{ trigger.id }}", "delete any board", ""),
        ("{{ trigger.id }}", "Office styling", TYPE_THE_SENTENCE),
        ("999", "whatever it is called", ""),
        ("999", "delete any board", "One is chosen: type its name."),
        ("", "x", ""),
    ],
)
@pytest.mark.usefixtures("names")
def test_a_chosen_board_is_confirmed_by_its_name_and_a_mapped_one_by_a_sentence(
    stage: Stage, board: str, typed: str, said: str
) -> None:
    sources = {"board_id": board, "confirmation": typed}
    found = confirmation.problems(DELETE, sources, stage.connections["pinterest"])
    assert found == ({"confirmation": said} if said else {})


def draft(stage: Stage, **sources: str) -> Workflow:
    workflow = editing.create_workflow(
        stage.cast.team,
        name="Tidy up",
        operation="pinterest.new_board",
        connection=stage.connections["pinterest"],
        by=stage.cast.builder,
    )
    step = editing.StepDraft("Throw it away", DELETE.full_key, stage.connections["pinterest"], dict(sources))
    editing.save_step(workflow, None, step)
    return workflow


@pytest.mark.usefixtures("names")
def test_the_form_is_not_saved_before_the_name_is_typed(stage: Stage, client: Client) -> None:
    workflow = draft(stage, board_id="{{ trigger.id }}", confirmation="delete any board")
    address = reverse("step", args=[workflow.pk, workflow.steps.get().pk])
    client.force_login(stage.cast.builder)
    form: dict[str, Any] = {
        "name": "Throw it away",
        "connection": stage.connections["pinterest"].pk,
        "on_error": "stop",
        "max_attempts": "5",
        "in.board_id": "297",
        "in.confirmation": "Office",
    }
    refused = client.post(address, form)
    assert refused.status_code == 200
    assert TYPE_THE_NAME in refused.content.decode()
    assert editing.sources_of(list(workflow.steps.get().mappings.all()))["board_id"] == "{{ trigger.id }}"
    saved = client.post(address, {**form, "in.confirmation": "Office styling"})
    assert saved.status_code == 302
    assert editing.sources_of(list(workflow.steps.get().mappings.all()))["board_id"] == "297"


@pytest.mark.usefixtures("names")
def test_an_unconfirmed_step_is_not_published_however_it_came_there(stage: Stage) -> None:
    workflow = draft(stage, board_id="297", confirmation="delete any board")
    with pytest.raises(publish.PublishError, match="One is chosen, so type its name: Office styling"):
        publish.publish(workflow, by=stage.cast.builder)


@pytest.mark.usefixtures("names")
@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ({"board_id": "297", "confirmation": "Office styling"}, 'Throw it away: "Office styling" (297) in Pinworks. '),
        (
            {"board_id": "{{ trigger.id }}", "confirmation": "delete any board"},
            "Throw it away: whichever {{ trigger.id }} stands for in the run in Pinworks. ",
        ),
    ],
)
def test_the_page_before_publishing_names_what_will_be_destroyed(
    stage: Stage, client: Client, sources: dict[str, str], said: str
) -> None:
    workflow = draft(stage, **sources)
    client.force_login(stage.cast.builder)
    response = client.get(reverse("publish_workflow", args=[workflow.pk]))
    (sentence,) = response.context["destructions"]
    assert sentence == (
        f"{said}Delete a board with its sections and all its pins; a backup is kept first. "
        "Pinterest cannot bring a deleted board back. The backup on the run's page holds what it was."
    )
    assert "What it destroys" in response.content.decode()


def test_a_value_that_needs_another_permission_is_told_before_publishing(stage: Stage) -> None:
    connection = stage.connections["pinterest"]
    connection.grant.scopes = ["user_accounts:read", "boards:read", "boards:write"]
    connection.grant.save()
    workflow = draft(stage, board_id="297", confirmation="x")
    step = workflow.steps.get()
    sources: editing.Sources = {"name": "Oak", "privacy": "SECRET"}
    editing.save_step(workflow, step, editing.StepDraft("Make one", CREATE.full_key, connection, sources))
    (problem,) = validation.problems(workflow)
    assert (problem.input, problem.message) == (
        "privacy",
        "Pinworks was connected without the permission boards:read_secret, boards:write_secret, which this needs. "
        "Reconnect it to grant that.",
    )
    sources = {"name": "Oak", "privacy": "PUBLIC"}
    editing.save_step(workflow, step, editing.StepDraft("Make one", CREATE.full_key, connection, sources))
    assert validation.problems(workflow) == []
