"""A second person publishes, lets held runs go and agrees to looser controls, where the team wants it so."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from integrations.models import Membership, Role
from tests.base import Cast, sign_in_recently
from tests.workflows.conftest import Make, drain, start, the_run
from tests.workflows.scripted.connector import Provider
from workflows.approvals import controls, publication, releasing
from workflows.approvals.excluded import authors
from workflows.definitions import editing
from workflows.models import (
    ApprovalDelegation,
    ControlsChange,
    PublicationRequest,
    TeamControls,
    Workflow,
    WorkflowVersion,
)  # fmt: skip
from workflows.publishing import publish
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import bulk_actions, decisions
from workflows.runs.search import Filter

from .conftest import put_in_force

pytestmark = pytest.mark.django_db


def _as(user: User) -> Client:
    client = Client()
    sign_in_recently(client, user)
    return client


def _body(response: Any) -> str:
    return str(response.content.decode())


def _member(cast: Cast, name: str, role: Role) -> User:
    user = User.objects.create_user(name, f"{name}@acme.example", "x", is_staff=True)
    Membership.objects.create(team=cast.team, user=user, role=role)
    return user


def _rename(user: User, workflow: Workflow, name: str) -> None:
    """An edit on a page, which the audit trail knows whose it is."""
    answer = _as(user).post(f"/workflows/{workflow.pk}/settings/", {"name": name, "description": ""})
    assert answer.status_code == 302


@pytest.fixture
def workflow(cast: Cast, make_workflow: Make) -> Workflow:
    """Published, and changed since by its builder; from now on a second person publishes."""
    made: Workflow = make_workflow(is_active=False)
    _rename(cast.builder, made, "Copy all things")
    TeamControls.objects.create(team=cast.team, second_person_publishes=True)
    return made


def _ask(cast: Cast, workflow: Workflow) -> PublicationRequest:
    client = _as(cast.builder)
    page = _body(client.get(f"/workflows/{workflow.pk}/publish/"))
    assert "Ask a second person to publish" in page
    assert "Publish and switch on" not in page
    given = {"note": "The new account", "unpreviewed": "on", "switch_on": "on"}
    answer = client.post(f"/workflows/{workflow.pk}/publish/", given)
    request = PublicationRequest.objects.latest("pk")
    assert answer["Location"] == f"/workflows/{workflow.pk}/publication/{request.number}/"
    return request


def _versions(workflow: Workflow) -> int:
    return WorkflowVersion.objects.filter(workflow=workflow).count()


def test_no_way_publishes_without_a_second_person(cast: Cast, workflow: Workflow) -> None:
    before = _versions(workflow)
    for by in (cast.builder, cast.approver, None):
        with pytest.raises(NotAllowedNowError, match="a second person publishes"):
            publish.publish(workflow, by=by, note="Quick")
    assert _versions(workflow) == before


def test_a_second_person_reads_what_changes_and_publishes_exactly_that(cast: Cast, workflow: Workflow) -> None:
    before, request = _versions(workflow), _ask(cast, workflow)
    address = f"/workflows/{workflow.pk}/publication/{request.number}/"
    assert _versions(workflow) == before
    builder, approver = _as(cast.builder), _as(cast.approver)
    assert "You have asked for it yourself" in _body(builder.post(address, {"do": "agree"}))
    page = _body(approver.get(address))
    assert "The new account" in page
    assert "Nobody has previewed it" in page
    assert "A second person is asked to publish it." in _body(builder.get(f"/workflows/{workflow.pk}/"))
    approver.post(address, {"do": "agree"})
    request.refresh_from_db()
    version = request.version
    assert version is not None
    assert [version.plan_sha256, version.published_by, request.status] == [request.sha256, cast.approver, "done"]
    assert {cast.builder.pk, cast.approver.pk} <= authors(version).keys()
    assert "is decided already" in _body(approver.post(address, {"do": "agree"}))


def test_what_has_changed_since_is_not_published(cast: Cast, workflow: Workflow) -> None:
    request, before = _ask(cast, workflow), _versions(workflow)
    step = workflow.steps.get()
    editing.save_step(workflow, None, editing.StepDraft("Another", step.operation, step.connection, {"name": "Other"}))
    answer = _as(cast.approver).post(f"/workflows/{workflow.pk}/publication/{request.number}/", {"do": "agree"})
    assert "nothing is published" in _body(answer)
    request.refresh_from_db()
    assert [request.status, _versions(workflow)] == ["void", before]


def test_whoever_edited_it_since_is_not_a_second_person(cast: Cast, workflow: Workflow) -> None:
    other = _member(cast, "other", Role.BUILDER)
    _rename(other, workflow, "Copy more things")
    request = _ask(cast, workflow)
    assert "You have edited the workflow" in publication.obstacle(request, other)
    assert publication.obstacle(request, _member(cast, "third", Role.BUILDER)) == ""
    assert "A builder, an approver or an administrator" in publication.obstacle(request, cast.auditor)


def test_a_refusal_says_why_and_withdrawing_is_for_its_author(cast: Cast, workflow: Workflow) -> None:
    request = _ask(cast, workflow)
    address = f"/workflows/{workflow.pk}/publication/{request.number}/"
    approver = _as(cast.approver)
    assert "Say why it is refused" in _body(approver.post(address, {"do": "refuse"}))
    assert "Only whoever has asked" in _body(approver.post(address, {"do": "withdraw"}))
    approver.post(address, {"do": "refuse", "reason": "The wrong account"})
    request.refresh_from_db()
    assert [request.status, request.reason] == ["refused", "The wrong account"]
    assert "The wrong account" in _body(_as(cast.builder).get(address))


def test_asking_anew_takes_the_place_of_the_first_request(cast: Cast, workflow: Workflow) -> None:
    first, second = _ask(cast, workflow), _ask(cast, workflow)
    first.refresh_from_db()
    assert [first.status, second.status, second.number] == ["void", "open", first.number + 1]


@pytest.mark.parametrize("model", [PublicationRequest, ControlsChange])
def test_the_database_takes_no_decision_of_who_has_asked(cast: Cast, workflow: Workflow, model: Any) -> None:
    made = _ask(cast, workflow) if model is PublicationRequest else None
    if made is None:
        made = ControlsChange.objects.create(team=cast.team, values={}, note="x", asked_by=cast.builder)
    with pytest.raises(IntegrityError), transaction.atomic():
        model.objects.filter(pk=made.pk).update(status="done", decided_by=cast.builder)


# --- controls ---------------------------------------------------------------------------------------------------------

STRICT = {"second_person_publishes": "on", "approval_days": "7", "reason": "The auditors ask", "do": "save"}


def test_being_stricter_holds_at_once_and_looser_only_with_a_second_person(cast: Cast) -> None:
    administrator = _as(cast.administrator)
    administrator.post("/controls/", STRICT)
    now = controls.of_team(cast.team)
    assert [now.second_person_publishes, now.builders_release] == [True, False]
    looser = {"approval_days": "30", "builders_release": "on", "reason": "Too strict", "do": "save"}
    answer = _body(administrator.post("/controls/", looser, follow=True))
    assert "waits for a second person" in answer
    now.refresh_from_db()
    assert [now.second_person_publishes, now.builders_release, now.approval_days] == [True, False, 7]
    assert "Looser controls wait for a second person." in _body(administrator.get("/policy/"))
    assert "You have proposed this change yourself" in _body(administrator.post("/controls/", {"do": "agree"}))
    assert "An administrator or an approver" in _body(_as(cast.builder).post("/controls/", {"do": "agree"}))
    assert "Agreed" in _body(_as(cast.approver).post("/controls/", {"do": "agree"}, follow=True))
    now.refresh_from_db()
    assert [now.second_person_publishes, now.builders_release, now.approval_days] == [False, True, 30]


def test_who_is_no_administrator_cannot_save_controls(cast: Cast) -> None:
    for user in (cast.builder, cast.approver, cast.auditor):
        assert _as(user).post("/controls/", STRICT).status_code == 403
    assert not TeamControls.objects.exists()


def test_a_wrong_number_of_days_is_said_at_its_field(cast: Cast) -> None:
    answer = _body(_as(cast.administrator).post("/controls/", {**STRICT, "approval_days": "91"}))
    assert "less than or equal to 90" in answer
    assert 'value="91"' in answer


# --- held runs --------------------------------------------------------------------------------------------------------


@pytest.fixture
def held(provider: Provider, make_workflow: Make, cast: Cast) -> None:
    put_in_force(cast, {"when": {}, "then": {"do": "hold"}})
    start(provider, make_workflow)
    drain()
    assert the_run().wait_reason == "hold"


def test_who_built_it_does_not_let_it_go_where_the_team_says_so(held: None, provider: Provider, cast: Cast) -> None:
    TeamControls.objects.create(team=cast.team, builders_release=False)
    run = the_run()
    builder = _as(cast.builder)
    assert "You have built or published this version" in _body(builder.post(f"/runs/{run.pk}/release/", {"reason": ""}))
    with pytest.raises(NotAllowedNowError, match="held"):
        decisions.retry(run, by=cast.builder)
    batch = bulk_actions.begin(
        cast.team, bulk_actions.What.RELEASE, Filter(), up_to=run.pk, counted=1, by=cast.builder, reason=""
    )
    bulk_actions.work()
    batch.refresh_from_db()
    drain()
    assert [the_run().wait_reason, provider.sent] == ["hold", []]
    approver = _as(cast.approver)
    assert f"/runs/{run.pk}/release/" in _body(approver.get(f"/runs/{run.pk}/"))
    assert f"/runs/{run.pk}/cancel/" not in _body(approver.get(f"/runs/{run.pk}/"))
    approver.post(f"/runs/{run.pk}/release/", {"reason": ""})
    drain()
    assert [the_run().status, len(provider.sent)] == ["succeeded", 1]


def test_by_default_who_built_it_may(held: None, provider: Provider, cast: Cast) -> None:
    assert releasing.obstacle(the_run(), cast.builder) == ""
    assert "A builder or an approver" in releasing.obstacle(the_run(), cast.auditor)
    decisions.release(the_run(), by=cast.builder)
    drain()
    assert len(provider.sent) == 1


# --- while away -------------------------------------------------------------------------------------------------------


def _days(**changes: Any) -> dict[str, str]:
    today = timezone.localdate()
    return {"first_day": str(today), "last_day": str(today + timedelta(days=7)), **changes}


def test_one_names_a_stand_in_for_oneself_and_an_administrator_for_everybody(cast: Cast) -> None:
    given = _days(away=str(cast.approver.pk), stand_in=str(cast.auditor.pk))
    assert "auditor decides in the place of approver" in _body(
        _as(cast.approver).post("/approvals/away/", given, follow=True)
    )
    refused = _body(_as(cast.builder).post("/approvals/away/", given))
    assert "is not one of the available choices" in refused
    _as(cast.administrator).post("/approvals/away/", given)
    assert ApprovalDelegation.objects.count() == 2
    made = ApprovalDelegation.objects.first()
    assert made is not None
    assert _as(cast.builder).post(f"/approvals/away/{made.pk}/end/").status_code == 403
    assert _as(cast.outsider).post(f"/approvals/away/{made.pk}/end/").status_code == 404
    _as(cast.approver).post(f"/approvals/away/{made.pk}/end/")
    assert ApprovalDelegation.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"stand_in": "self"}, "Nobody stands in for themselves"),
        ({"last_day": "2020-01-01"}, "The last day lies before the first one"),
        ({"first_day": "2020-01-01", "last_day": "2020-01-02"}, "These days are over"),
        ({"last_day": "2999-01-01"}, "Half a year at most"),
        ({"first_day": "soon"}, "Give a day such as"),
    ],
)
def test_what_makes_no_sense_is_said(cast: Cast, changes: dict[str, str], sentence: str) -> None:
    given = _days(away=str(cast.approver.pk), stand_in=str(cast.auditor.pk)) | changes
    if given["stand_in"] == "self":
        given["stand_in"] = given["away"]
    assert sentence in _body(_as(cast.approver).post("/approvals/away/", given))
    assert not ApprovalDelegation.objects.exists()
