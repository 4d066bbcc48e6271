"""Everything on the list of what is recorded leaves one entry, nothing where it is taken back, and never a secret."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from integrations.audit import record as recording
from integrations.audit.actions import Audited
from integrations.framework import freezing
from integrations.models import AuditEntry, Connection, Grant, Membership, Role, Team
from pinxero.sign_in import recording as door
from tests.audit_scenes import (
    AFTER_COMMIT,
    DURABLE,
    SCENES,
    SECRETS,
    SEED,
    WHY,
    Scene,
    change_safeguards,
    edit_workflow,
    in_admin,
    make_table,
    sign_in,
)
from tests.base import PASSWORD, Cast
from tests.world import make_world
from workflows.api import tokens
from workflows.definitions import editing
from workflows.lookup_tables import editing as tables
from workflows.publishing import activation, publish
from workflows.triggers import inbound_webhooks

pytestmark = pytest.mark.django_db


#: What Pinxero does itself, and what somebody does who is not signed in.
BY_NOBODY = {
    Audited.SIGN_IN_FAILED,
    Audited.APPROVAL_ASKED,
    Audited.APPROVAL_EXPIRED,
    Audited.APPROVAL_VOID,
    Audited.SETTINGS_CHANGED,
    Audited.SIGNING_KEY_MADE,
    Audited.KEYS_ROTATED,
}


@pytest.fixture
def scene(cast: Cast, settings: Any) -> Scene:
    cache.clear()
    settings.ACCOUNT_EMAIL_NOTIFICATIONS = False  # its mails would want a request after the test's last one
    return Scene(cast, make_world(cast), set(SECRETS))


def entries(action: Audited, after: int) -> list[AuditEntry]:
    return list(AuditEntry.objects.filter(action=action, pk__gt=after))


def newest() -> int:
    last = AuditEntry.objects.order_by("pk").last()
    return last.pk if last else 0


def test_everything_on_the_list_is_tried_here() -> None:
    assert set(SCENES) == set(Audited)


@pytest.mark.parametrize("action", SCENES)
def test_it_leaves_one_entry_without_a_secret(
    scene: Scene, action: Audited, django_capture_on_commit_callbacks: Any
) -> None:
    before = newest()
    with django_capture_on_commit_callbacks(execute=True):
        SCENES[action](scene)
    found = entries(action, before)
    assert len(found) == 1
    everything = list(AuditEntry.objects.all())
    written = " ".join(str(vars(entry)) for entry in everything)
    assert [secret for secret in scene.secrets if secret in written] == []
    # People stand in it by their number only.
    assert [name for name in ("builder@", "auditor@", "'auditor'", "203.0") if name in str(vars(found[0]))] == []
    if action not in BY_NOBODY:
        assert found[0].person is not None


@pytest.mark.parametrize("action", [action for action in SCENES if action not in DURABLE])
def test_what_is_taken_back_leaves_none(scene: Scene, action: Audited) -> None:
    before = newest()
    with transaction.atomic():
        SCENES[action](scene)
        assert len(entries(action, before)) == (action not in AFTER_COMMIT)
        transaction.set_rollback(True)
    assert newest() == before


@pytest.mark.parametrize("action", DURABLE)
def test_what_cannot_be_recorded_is_not_done(scene: Scene, action: Audited, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("no disk")

    monkeypatch.setattr(recording.AuditEntry, "save", fail)
    with pytest.raises(RuntimeError, match="no disk"):
        SCENES[action](scene)
    assert not Connection.objects.filter(external_id="new-tenant").exists()
    assert not Grant.objects.filter(label="").exists()
    assert not Connection.objects.filter(status="disconnected").exists()


def test_publishing_is_recorded_with_what_the_workflow_did_before_and_after(scene: Scene) -> None:
    editing.describe_workflow(scene.world.workflow, name="Renamed", description="")
    editing.set_filter(scene.world.workflow, group="all", comparisons=[])
    publish.publish(scene.world.workflow, by=scene.by, note=WHY)
    entry = AuditEntry.objects.filter(action=Audited.WORKFLOW_PUBLISHED).latest("pk")
    assert (entry.object_name, entry.reason, entry.role) == ("Renamed", WHY, "builder")
    assert (entry.before["Version"], entry.after["Version"]) == ("1", "2")
    assert "oak" in entry.before["What it does"]
    assert "oak" not in entry.after["What it does"]


def test_an_edit_is_recorded_once_with_what_is_different_in_words(scene: Scene) -> None:
    before = newest()
    edit_workflow(scene)
    [entry] = entries(Audited.WORKFLOW_EDITED, before)
    assert (entry.object_type, entry.object_id, entry.person) == (
        "workflow",
        str(scene.world.workflow.pk),
        scene.by.pk,
    )
    assert set(entry.before) == set(entry.after) == {"What it does"}
    assert "oak" in entry.before["What it does"]
    assert "oak" not in entry.after["What it does"]


def test_what_is_saved_as_it_was_is_no_edit(scene: Scene) -> None:
    workflow, before = scene.world.workflow, newest()
    editing.describe_workflow(workflow, name=workflow.name, description=workflow.description)
    for step in workflow.steps.all():
        editing.rename_step(step, step.name)
    assert newest() == before


def test_an_edit_that_fails_is_not_recorded_and_the_next_one_is(scene: Scene) -> None:
    before = newest()
    with pytest.raises(editing.EditError):
        editing.describe_workflow(scene.world.draft, name=scene.world.workflow.name, description="")
    assert newest() == before
    editing.describe_workflow(scene.world.draft, name="Another name", description="")
    [entry] = entries(Audited.WORKFLOW_EDITED, before)
    assert (entry.before, entry.after) == ({"Name": "A draft of Acme"}, {"Name": "Another name"})


def test_a_workflow_that_pauses_itself_is_recorded_without_a_person(scene: Scene) -> None:
    activation.pause(scene.world.workflow, by=None, reason="Paused by itself.")
    entry = AuditEntry.objects.get(action=Audited.WORKFLOW_OFF)
    assert (entry.person, entry.role, entry.reason) == (None, "", "Paused by itself.")
    assert (entry.before, entry.after) == ({"Status": "Active"}, {"Status": "Paused"})


def test_pressing_twice_is_recorded_once(scene: Scene) -> None:
    token, _ = tokens.make(scene.cast.team, scene.by, name="Shop server", scope="read", days=30)
    for _ in range(2):
        tokens.revoke(token, by=scene.by)
        freezing.freeze(scene.world.xero, by=scene.by, reason=WHY)
    assert AuditEntry.objects.filter(action=Audited.TOKEN_REVOKED).count() == 1
    assert AuditEntry.objects.filter(action=Audited.CONNECTION_FROZEN).count() == 1


def test_a_sign_in_stands_in_the_chain_of_every_team_of_the_person(scene: Scene) -> None:
    Membership.objects.create(team=scene.cast.other_team, user=scene.by, role=Role.AUDITOR)
    sign_in(scene)
    found = AuditEntry.objects.filter(action=Audited.SIGNED_IN).values_list("chain", "role")
    assert set(found) == {(scene.cast.team.pk, "builder"), (scene.cast.other_team.pk, "auditor")}


def test_failures_of_a_stranger_fill_no_record_and_keep_no_name(scene: Scene) -> None:
    for _ in range(20):
        door.failed(None, "Password")
    found = AuditEntry.objects.filter(chain=recording.INSTALLATION).order_by("number")
    assert [entry.after["Failures in a row"] for entry in found] == ["1", "2", "3", "4", "5", "8", "16"]
    assert {entry.object_name for entry in found} == {"A name that nobody has"}


def test_the_wrong_code_of_a_second_factor_is_a_failure_too(scene: Scene) -> None:
    TOTP.activate(scene.by, SEED)
    client = Client()
    client.post(reverse("account_login"), {"login": "builder", "password": PASSWORD})
    assert not AuditEntry.objects.filter(action=Audited.SIGNED_IN).exists()
    client.post(reverse("mfa_authenticate"), {"code": "000000"})
    entry = AuditEntry.objects.get(action=Audited.SIGN_IN_FAILED)
    assert entry.after["What was wrong"] == "Code of the second factor"


def test_a_team_that_was_deleted_can_be_read_up(scene: Scene) -> None:
    name, chain = scene.cast.other_team.name, scene.cast.other_team.pk
    recording.record(Audited.TEAM_CHANGED, team_id=chain, about=scene.cast.other_team, by=scene.cast.outsider)
    in_admin(scene, "integrations_team_delete", chain, post="yes")
    assert not Team.objects.filter(pk=chain).exists()
    assert AuditEntry.objects.filter(chain=chain).count() == 1
    gone = AuditEntry.objects.get(action=Audited.TEAM_DELETED)
    assert (gone.chain, gone.object_id, gone.object_name) == (recording.INSTALLATION, str(chain), name)


def test_what_makes_no_difference_leaves_no_entry(scene: Scene) -> None:
    change_safeguards(scene)
    table = make_table(scene)
    hook = inbound_webhooks.hook_of(scene.world.workflow)
    after = newest()
    change_safeguards(scene)
    tables.archive(table, is_archived=False)
    tables.describe(table, name=table.name, description=table.description)
    tables.replace(table, lambda content: content, by=scene.by, note="")
    inbound_webhooks.set_signature(hook, signature="", header="", secret="")
    activation.activate(scene.world.workflow, by=scene.by)
    assert newest() == after


def test_safeguards_are_recorded_as_their_form_names_them_and_people_by_number(scene: Scene) -> None:
    change_safeguards(scene)
    entry = AuditEntry.objects.get(action=Audited.SAFEGUARDS_CHANGED)
    assert (entry.before["Who is told by e-mail"], entry.after["Pause after this many failures in a row"]) == (
        "Its author and the builders of the team", "3",
    )  # fmt: skip
    change_safeguards(scene, notify="people", people=str(scene.by.pk))
    entry = AuditEntry.objects.filter(action=Audited.SAFEGUARDS_CHANGED).latest("number")
    assert (entry.before["People"], entry.after["People"]) == ("", f"person {scene.by.pk}")


def test_a_version_of_a_lookup_table_is_recorded_without_what_is_in_its_rows(scene: Scene) -> None:
    table = make_table(scene)
    tables.edit_rows(
        table, changed={}, removed=[], added=[{"Board": "Ada Lovelace", "Account": "200"}], by=scene.by, note=WHY
    )
    entry = AuditEntry.objects.get(action=Audited.TABLE_CHANGED)
    assert (entry.before, entry.after, entry.reason) == (
        {"Version": "1"}, {"Version": "2", "Rows added": "1"}, WHY,
    )  # fmt: skip
