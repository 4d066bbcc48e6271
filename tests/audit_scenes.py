"""What people do that is recorded: for each action on the list, the way in which it comes to be."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from tempfile import TemporaryDirectory
from typing import Any

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, hotp_value, yield_hotp_counters_from_time
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse
from django.utils import timezone

from integrations.audit import settings_seen, signing
from integrations.audit.actions import Audited
from integrations.audit.origin import Origin, coming_from
from integrations.connections import service
from integrations.framework import freezing
from integrations.framework.base import Account
from integrations.models import Connection, Invitation, Membership, Role
from integrations.people import invitations, members, sessions
from integrations.transport.token_set import TokenSet
from tests import approval_scenes
from tests.base import PASSWORD, Cast, sign_in_recently
from tests.world import World
from workflows.api import tokens
from workflows.books import postings
from workflows.definitions import editing
from workflows.lookup_tables import editing as tables
from workflows.models import Batch, LookupTable, Posting, Run, StepRun
from workflows.publishing import activation, publish
from workflows.reconciliation import beginning
from workflows.runs import bulk_actions, decisions, undoing
from workflows.runs.search import Filter
from workflows.triggers import inbound_webhooks

SEED = "JBSWY3DPEHPK3PXP"
NEW_PASSWORD = "a quite different sentence"
WRONG = "hunter2 hunter2"
SECRETS = {PASSWORD, NEW_PASSWORD, WRONG, SEED, "stored-access-token", "stored-refresh-token", "a-new-access-token"}
WHY = "Because the month ends"


@dataclass
class Scene:
    """Who and what there is, and what else must not be read in any entry."""

    cast: Cast
    world: World
    secrets: set[str]

    @property
    def by(self) -> User:
        return self.cast.builder

    def root(self) -> Client:
        root = User.objects.create_superuser("root", "root@acme.example", PASSWORD)
        TOTP.activate(root, SEED)
        client = Client()
        sign_in_recently(client, root)
        session = client.session
        session["second_factor_of"] = root.pk
        session.save()
        return client

    def signed_in(self) -> Client:
        client = Client()
        sign_in_recently(client, self.by)
        return client

    def run(self, status: str, *, with_error: str = "", **fields: Any) -> Run:
        world = self.world
        Run.objects.filter(pk=world.run.pk).update(status=status, error=with_error, **fields)
        state = {"failed": "failed", "needs_review": "needs_review"}.get(status, "succeeded")
        StepRun.objects.filter(run=world.run, step="create_invoice").update(state=state)
        return Run.objects.select_related("workflow__published").get(pk=world.run.pk)


def code() -> str:
    return str(format_hotp_value(hotp_value(SEED, next(yield_hotp_counters_from_time()))))


def accounts() -> list[Account]:
    return [Account(external_id="new-tenant", name="New Ltd")]


def sign_in(scene: Scene, password: str = PASSWORD) -> None:
    Client().post(reverse("account_login"), {"login": "builder", "password": password})


def second_factor_on(scene: Scene) -> None:
    client = scene.signed_in()
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    seed = re.search(r'id="authenticator_secret" value="([A-Z2-7]+)"', page)
    assert seed is not None
    scene.secrets.add(seed[1])
    digits = format_hotp_value(hotp_value(seed[1], next(yield_hotp_counters_from_time())))
    assert client.post(reverse("mfa_activate_totp"), {"code": digits}).status_code == 302


def with_second_factor(scene: Scene, page: str) -> None:
    client = scene.signed_in()
    TOTP.activate(scene.by, SEED)
    RecoveryCodes.activate(scene.by)
    client.post(reverse("mfa_reauthenticate"), {"code": code()})
    assert client.post(reverse(page)).status_code == 302
    if Authenticator.objects.filter(type="recovery_codes").exists():
        codes = Authenticator.objects.get(type="recovery_codes").wrap()
        scene.secrets |= set(codes.get_unused_codes())


def change_password(scene: Scene) -> None:
    client = Client()
    client.force_login(scene.by)
    form = {"oldpassword": PASSWORD, "password1": NEW_PASSWORD, "password2": NEW_PASSWORD}
    assert client.post(reverse("account_change_password"), form).status_code == 302


def in_admin(scene: Scene, page: str, /, *args: int, **form: str) -> None:
    response = scene.root().post(reverse(f"admin:{page}", args=args), form)
    assert response.status_code == 302, response.content.decode()[:3000]


NO_MEMBERS = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}


def membership_of(scene: Scene) -> Membership:
    return Membership.objects.get(user=scene.cast.auditor)


def renew(scene: Scene) -> None:
    grant = scene.world.xero.grant
    Connection.objects.filter(pk=scene.world.xero.pk).update(status="needs_reconnect")
    service.add_grant(
        team=scene.cast.team,
        provider="xero",
        external_user_id=grant.external_user_id,
        label="",
        tokens=TokenSet(
            access_token="a-new-access-token", refresh_token="", expires_in=60, refresh_expires_in=None, scopes=[]
        ),
        asked_scopes=[],
        accounts=[Account(external_id=scene.world.xero.external_id, name="Acme Ltd")],
        by=scene.by,
    )


def make_token(scene: Scene) -> None:
    scene.secrets.add(tokens.make(scene.cast.team, scene.by, name="Shop server", scope="read", days=30)[1])


def revoke_token(scene: Scene) -> None:
    token, text = tokens.make(scene.cast.team, scene.by, name="Shop server", scope="read", days=30)
    scene.secrets.add(text)
    tokens.revoke(token, by=scene.by)


def delete_workflow(scene: Scene) -> None:
    editing.delete_workflow(scene.world.draft, by=scene.by)


def as_builder(scene: Scene, change: Callable[[], Any]) -> None:
    with coming_from(Origin("", lambda: scene.by)):
        change()


def edit_workflow(scene: Scene) -> None:
    as_builder(scene, lambda: editing.set_filter(scene.world.workflow, group="all", comparisons=[]))


def restore_workflow(scene: Scene) -> None:
    delete_workflow(scene)
    as_builder(scene, lambda: editing.undelete_workflow(scene.world.draft))


def switch_on(scene: Scene) -> None:
    activation.pause(scene.world.workflow, by=scene.by)
    activation.activate(scene.world.workflow, by=scene.by)


def change_safeguards(scene: Scene, **values: str) -> None:
    form = {"pause_after": "3", "hold_above": "7", "most_per_hour": "500", "notify": "nobody", "expected": "", **values}
    answer = scene.signed_in().post(reverse("workflow_safeguards", args=[scene.world.workflow.pk]), form)
    assert answer.status_code == 302, answer.content.decode()[:3000]


def change_signature(scene: Scene) -> None:
    scene.secrets.add("a signing secret")
    hook = inbound_webhooks.hook_of(scene.world.workflow)
    change = {"signature": "hex", "header": "X-Signature", "secret": "a signing secret"}
    as_builder(scene, lambda: inbound_webhooks.set_signature(hook, **change))


def make_table(scene: Scene) -> LookupTable:
    return tables.create(scene.cast.team, name="Accounts", description="", columns=["Board", "Account"], by=scene.by)


def invite(scene: Scene) -> Invitation:
    made, text = invitations.invite(
        scene.cast.team,
        "builder@elsewhere.example",
        role="auditor",
        until=None,
        by=scene.cast.administrator,
        reason=WHY,
    )
    scene.secrets |= {text, "builder@elsewhere"}
    return made


def run_again(scene: Scene) -> None:
    publish.publish(scene.world.workflow, by=scene.by, note="A newer one")
    decisions.run_again(scene.run("crashed"), by=scene.by, reason=WHY, writes_twice=True)


def undo(scene: Scene) -> None:
    run = scene.run("succeeded")
    StepRun.objects.filter(run=run).update(first_sent_at=timezone.now(), provider_id="some-id")
    rows = list(StepRun.objects.filter(run=run).select_related("run", "connection"))
    postings.record(rows)
    undoing.take_back(run, {Posting.objects.get(run=run).pk: ""}, by=scene.by, reason=WHY)


def batch(scene: Scene) -> None:
    bulk_actions.begin(
        scene.cast.team, Batch.What.CANCEL, Filter.of({}), up_to=10**6, counted=1, by=scene.by, reason=WHY
    )


def _make_signing_key(scene: Scene) -> None:
    with TemporaryDirectory() as folder, override_settings(ANCHOR_DIR=folder, ANCHOR_KEY_FILE=""):
        signing.private_key()


def _rotate_keys(scene: Scene) -> None:
    with override_settings(TOKEN_KEYS=[Fernet.generate_key().decode(), *settings.TOKEN_KEYS]):
        call_command("rotate_keys")


SCENES: dict[Audited, Callable[[Scene], Any]] = {
    Audited.SIGNED_IN: sign_in,
    Audited.SIGN_IN_FAILED: lambda scene: sign_in(scene, WRONG),
    Audited.SECOND_FACTOR_ON: second_factor_on,
    Audited.SECOND_FACTOR_OFF: lambda scene: with_second_factor(scene, "mfa_deactivate_totp"),
    Audited.RECOVERY_CODES_MADE: lambda scene: with_second_factor(scene, "mfa_generate_recovery_codes"),
    Audited.PASSWORD_CHANGED: change_password,
    Audited.TEAM_CREATED: lambda scene: in_admin(scene, "integrations_team_add", name="New team", **NO_MEMBERS),
    Audited.TEAM_CHANGED: lambda scene: in_admin(
        scene, "integrations_team_change", scene.cast.team.pk, name="Renamed", **NO_MEMBERS
    ),
    Audited.TEAM_DELETED: lambda scene: in_admin(
        scene, "integrations_team_delete", scene.cast.other_team.pk, post="yes"
    ),
    Audited.MEMBER_ADDED: lambda scene: in_admin(
        scene,
        "integrations_membership_add",
        user=str(scene.cast.outsider.pk),
        team=str(scene.cast.team.pk),
        role=Role.AUDITOR,
    ),
    Audited.MEMBER_CHANGED: lambda scene: in_admin(
        scene, "integrations_membership_change", membership_of(scene).pk, role=Role.BUILDER
    ),
    Audited.MEMBER_REMOVED: lambda scene: in_admin(
        scene, "integrations_membership_delete", membership_of(scene).pk, post="yes"
    ),
    Audited.SECOND_FACTOR_ROLES: lambda scene: members.choose_second_factor(
        scene.cast.team, ["auditor"], by=scene.cast.administrator, reason=WHY
    ),
    Audited.MEMBER_INVITED: invite,
    Audited.INVITATION_WITHDRAWN: lambda scene: invitations.withdraw(invite(scene), by=scene.cast.administrator),
    Audited.SESSIONS_ENDED: lambda scene: (
        scene.signed_in(),
        sessions.end(scene.by, "", team_id=scene.cast.team.pk, by=scene.cast.administrator),
    ),
    Audited.ACCOUNT_CREATED: lambda scene: in_admin(
        scene, "auth_user_add", username="new", password1=NEW_PASSWORD, password2=NEW_PASSWORD, usable_password="true"
    ),
    Audited.ACCOUNT_CHANGED: lambda scene: in_admin(
        scene, "auth_user_change", scene.cast.auditor.pk, username="auditor", email="other@acme.example"
    ),
    Audited.CONNECTION_ADDED: lambda scene: service.choose_accounts(scene.world.xero.grant, accounts(), by=scene.by),
    Audited.CONNECTION_RENEWED: renew,
    Audited.CONNECTION_REMOVED: lambda scene: service.disconnect(scene.world.xero, by=scene.by),
    Audited.CONNECTION_FROZEN: lambda scene: freezing.freeze(scene.world.xero, by=scene.by, reason=WHY),
    Audited.CONNECTION_THAWED: lambda scene: (
        freezing.freeze(scene.world.xero, by=scene.by, reason=WHY),
        freezing.thaw(scene.world.xero, by=scene.by),
    ),
    Audited.TOKEN_MADE: make_token,
    Audited.TOKEN_REVOKED: revoke_token,
    Audited.WORKFLOW_CREATED: lambda scene: editing.create_workflow(
        scene.cast.team, name="New", operation="pinterest.new_pin", connection=None, by=scene.by
    ),
    Audited.WORKFLOW_EDITED: edit_workflow,
    Audited.WORKFLOW_PUBLISHED: lambda scene: publish.publish(scene.world.workflow, by=scene.by, note=WHY),
    Audited.WORKFLOW_ON: switch_on,
    Audited.WORKFLOW_OFF: lambda scene: activation.pause(scene.world.workflow, by=scene.by, reason=WHY),
    Audited.WORKFLOW_DELETED: delete_workflow,
    Audited.WORKFLOW_RESTORED: restore_workflow,
    Audited.SAFEGUARDS_CHANGED: change_safeguards,
    Audited.ADDRESS_RENEWED: lambda scene: as_builder(
        scene, lambda: inbound_webhooks.rotate(inbound_webhooks.hook_of(scene.world.workflow))
    ),
    Audited.SIGNATURE_CHANGED: change_signature,
    Audited.TABLE_CREATED: make_table,
    Audited.TABLE_CHANGED: lambda scene: as_builder(scene, lambda: tables.archive(make_table(scene), is_archived=True)),
    Audited.RUN_ACKNOWLEDGED: lambda scene: decisions.acknowledge(
        scene.run("succeeded", with_error="Write it failed and was passed over."), by=scene.by, reason=WHY
    ),
    Audited.RUN_RETRY: lambda scene: decisions.retry(scene.run("failed"), by=scene.by, reason=WHY),
    Audited.RUN_MARK_DONE: lambda scene: decisions.mark_done(
        scene.run("needs_review"), by=scene.by, reason=WHY, provider_id="x"
    ),
    Audited.RUN_SEND_AGAIN: lambda scene: decisions.send_again(scene.run("needs_review"), by=scene.by, reason=WHY),
    Audited.RUN_SKIP: lambda scene: decisions.skip(scene.run("failed"), by=scene.by, reason=WHY),
    Audited.RUN_CANCEL: lambda scene: decisions.cancel(scene.run("failed"), by=scene.by, reason=WHY),
    Audited.RUN_RELEASE: lambda scene: decisions.release(
        scene.run("waiting", wait_reason="hold"), by=scene.by, reason=WHY
    ),
    Audited.RUN_REPLAY: lambda scene: decisions.replay(scene.run("succeeded"), by=scene.by, reason=WHY),
    Audited.RUN_AGAIN: run_again,
    Audited.RUN_UNDO: undo,
    Audited.RUNS_DECIDED: batch,
    **approval_scenes.SCENES,
    Audited.SETTINGS_CHANGED: lambda scene: settings_seen.note(),
    Audited.SIGNING_KEY_MADE: _make_signing_key,
    Audited.KEYS_ROTATED: _rotate_keys,
    Audited.RECONCILED: lambda scene: beginning.begin(
        scene.world.xero, since=date(2026, 11, 1), until=date(2026, 11, 30), by=scene.by
    ),
    Audited.EXPORTED: lambda scene: scene.signed_in().get(reverse("documents_csv"), {"contact": "auditor"}),
}
#: allauth lets others know of these only after its own transaction.
AFTER_COMMIT = {Audited.SECOND_FACTOR_ON, Audited.RECOVERY_CODES_MADE}
#: Their own transaction has to end before the provider is asked, so none can be around them.
DURABLE = (Audited.CONNECTION_ADDED, Audited.CONNECTION_RENEWED, Audited.CONNECTION_REMOVED)
