"""Who may open and post to what: every address of Pinxero, every role, from one table.

The addresses come from the resolver. One that has no row in the table fails, so a new page cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLResolver

from integrations.choices import ChoiceList
from integrations.models import CallBudget, Connection, Grant, Membership, Team
from integrations.registry import connectors
from tests.base import Cast
from tests.world import LOOPED, World, make_looped_run, make_world
from workflows import api_tokens, lookup_editing, notices
from workflows.models import (
    ApiToken,
    Batch,
    Condition,
    Decision,
    LookupRow,
    LookupTable,
    LookupVersion,
    Mapping,
    Notice,
    Release,
    Run,
    Step,
    StepRun,
    Upload,
    Workflow,
    WorkflowVersion,
)

ROLES = ("builder", "approver", "auditor", "outsider", "anonymous")
Rule = tuple[str, str]

# What each role gets, in the order of ROLES. "login" is a redirect to the log-in page, "shown" a page, "moved" a
# redirect inside, 403, 404 and 405 what they say. First GET, then POST.
LIST: Rule = ("shown shown shown shown login", "405 405 405 405 405")
LOOK: Rule = ("shown shown shown 404 login", "405 405 405 405 405")
BUILD_NEW: Rule = ("shown 403 403 shown login", "shown 403 403 shown login")
EDIT: Rule = ("shown 403 403 404 login", "shown 403 403 404 login")
ACT: Rule = ("shown 403 403 404 login", "moved 403 403 404 login")
POST_ONLY: Rule = ("405 405 405 405 405", "moved 403 403 404 login")
TOKENS_ONLY: Rule = ("401 401 401 401 401", "401 401 401 401 401")
SHUT: Rule = ("404 404 404 404 404", "404 404 404 404 404")

PAGES: dict[str, Rule] = {
    "home": ("moved moved moved moved moved", "405 405 405 405 405"),
    "choose_team": ("405 405 405 405 405", "404 404 404 404 login"),
    "workflows": LIST,
    "new_workflow": BUILD_NEW,
    "workflow": LOOK,
    "workflow_settings": EDIT,
    "delete_workflow": ACT,
    "deleted_workflows": LIST,
    "import_workflow": BUILD_NEW,
    "export_workflow": LOOK,
    "restore_version": ACT,
    "take_back_workflow": POST_ONLY,
    "compare_versions": LOOK,
    "workflow_trigger": EDIT,
    "hook_signature": ACT,
    "rotate_hook": ACT,
    "start_workflow": EDIT,
    "upload_file": EDIT,
    "start_rows": EDIT,
    "inbound": ("405 405 405 405 405", "404 404 404 404 404"),
    "api_tokens": ("shown shown shown shown login", "shown shown shown shown login"),
    "revoke_token": ("shown 404 404 404 login", "moved 404 404 404 login"),
    **dict.fromkeys(["api_workflows", "api_workflow", "api_start", "api_runs", "api_run", "api_schema"], TOKENS_ONLY),
    "workflow_filter": ("shown 403 403 404 login", "moved 403 403 404 login"),
    "new_step": EDIT,
    "step": EDIT,
    "move_step": POST_ONLY,
    "place_step": EDIT,
    "duplicate_step": POST_ONLY,
    "add_path": ("405 405 405 405 405", "404 403 403 404 login"),
    "delete_step": ACT,
    "publish_workflow": ACT,
    "activate_workflow": ACT,
    "pause_workflow": ACT,
    "look_now": POST_ONLY,
    "workflow_versions": LOOK,
    "workflow_version": LOOK,
    "lookup_tables": LIST,
    "new_lookup_table": BUILD_NEW,
    "lookup_table": LOOK,
    "edit_lookup_rows": ACT,
    "edit_lookup_columns": EDIT,
    "lookup_table_settings": EDIT,
    "archive_lookup_table": ACT,
    "import_lookup_table": EDIT,
    "export_lookup_table": LOOK,
    "lookup_versions": LOOK,
    "lookup_version": LOOK,
    "restore_lookup_version": ACT,
    "runs": LIST,
    "bulk": ("shown 403 403 shown login", "shown 403 403 shown login"),
    "batch": LOOK,
    "stop_batch": POST_ONLY,
    "notices": LIST,
    "read_notice": POST_ONLY,
    "read_all_notices": ("405 405 405 405 405", "moved 403 403 moved login"),
    "workflow_safeguards": EDIT,
    "run": LOOK,
    "run_turns": LOOK,
    "run_turn": LOOK,
    "backup": LOOK,
    "way_out": EDIT,
    "run_by_marker": ("moved moved moved 404 login", "405 405 405 405 405"),
}

CONNECTIONS: dict[str, Rule] = {
    "connections": ("shown shown shown shown login", "405 405 405 405 login"),
    "connect": ("405 405 405 405 405", "moved 403 403 moved login"),
    "choose_accounts": ("shown 403 403 404 login", "400 403 403 404 login"),
    "withdraw_grant": POST_ONLY,
    "connection": ("shown shown shown 404 login", "405 405 405 405 login"),
    "refresh_connection": POST_ONLY,
    "freeze": EDIT,
    "thaw": POST_ONLY,
    "disconnect": ("shown 403 403 404 login", "moved 403 403 404 login"),
    "pinterest_callback": ("400 403 403 400 login", "405 405 405 405 405"),
    "xero_callback": ("400 403 403 400 login", "405 405 405 405 405"),
    "hook": ("405 405 405 405 405", "401 401 401 401 401"),
}

# Signing in, and one's own account: nothing of a team is behind these.
ACCOUNTS: dict[str, Rule] = {
    "account_login": ("moved moved moved moved shown", "moved moved moved moved shown"),
    "account_logout": ("shown shown shown shown login", "login login login login login"),
    "account_inactive": ("shown shown shown shown shown", "405 405 405 405 405"),
    "account_reauthenticate": ("shown shown shown shown login", "shown shown shown shown login"),
    "account_change_password": ("shown shown shown shown login", "shown shown shown shown login"),
    "account_reset_password": ("shown shown shown shown shown", "shown shown shown shown shown"),
    "account_reset_password_done": ("shown shown shown shown shown", "405 405 405 405 405"),
    "account_reset_password_from_key": ("shown shown shown shown shown", "shown shown shown shown shown"),
    "account_reset_password_from_key_done": ("shown shown shown shown shown", "405 405 405 405 405"),
    "mfa_index": ("shown shown shown shown login", "405 405 405 405 login"),
    "mfa_authenticate": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_reauthenticate": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_activate_totp": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_deactivate_totp": ("404 404 404 404 login", "404 404 404 404 login"),
    "mfa_view_recovery_codes": ("404 404 404 404 login", "405 405 405 405 login"),
    "mfa_generate_recovery_codes": ("moved moved moved moved login", "moved moved moved moved login"),
    "mfa_download_recovery_codes": ("404 404 404 404 login", "404 404 404 404 login"),
    "account_signup": SHUT,
    "account_email": SHUT,
    "account_email_verification_sent": SHUT,
    "account_confirm_email": SHUT,
    "account_set_password": SHUT,
    "account_confirm_login_code": SHUT,
    "socialaccount_connections": SHUT,
    "socialaccount_signup": SHUT,
    "socialaccount_login_cancelled": SHUT,
    "socialaccount_login_error": SHUT,
}

ADMIN: dict[str, Rule] = {
    "admin:index": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:login": ("moved moved moved moved login", "moved moved moved moved login"),
    "admin:logout": ("405 405 405 405 moved", "login login login login moved"),
    "admin:password_change": ("moved moved moved moved login", "moved moved moved moved login"),
    "admin:password_change_done": ("shown shown shown shown login", "405 405 405 405 login"),
    "admin:search": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:autocomplete": ("403 403 403 403 login", "405 405 405 405 login"),
    "admin:jsi18n": ("shown shown shown shown login", "405 405 405 405 login"),
    "admin:view_on_site": ("404 404 404 404 login", "404 404 404 404 login"),
    "admin:app_list": ("shown shown shown shown login", "shown shown shown shown login"),
    "admin:auth_user_password_change": ("403 403 403 403 login", "403 403 403 403 login"),
    "admin: catch all": ("404 404 404 404 login", "404 404 404 404 login"),
}

NOBODY: Rule = ("403 403 403 403 login", "403 403 403 403 login")
# Django answers for rows that one may not see as for rows that are not there: back to the index with a message.
TEAM_ROWS: dict[str, Rule] = {
    "changelist": ("shown shown shown shown login", "shown shown shown shown login"),
    "add": NOBODY,
    "delete": NOBODY,
    "change": ("shown shown shown moved login", "403 403 403 403 login"),
    "history": ("shown shown shown moved login", "shown shown shown moved login"),
    "": ("moved moved moved moved login", "moved moved moved moved login"),
}
SUPERUSER_ROWS: dict[str, Rule] = dict.fromkeys(["changelist", "add", "delete", "change", "history"], NOBODY) | {
    "": TEAM_ROWS[""]
}
TEAM_MODELS = {
    "integrations_connection", "integrations_grant", "integrations_callbudget", "workflows_workflow",
    "workflows_workflowversion", "workflows_run", "workflows_steprun", "workflows_event", "workflows_triggerstate",
    "workflows_decision", "workflows_release", "workflows_lookuptable", "workflows_lookupversion",
    "workflows_lookuprow",
}  # fmt: skip
SUPERUSER_MODELS = {
    "integrations_team", "integrations_membership", "auth_user", "account_emailaddress", "django_q_ormq",
    "django_q_failure", "django_q_schedule", "workflows_beat",
}  # fmt: skip

# Of these the test has no row, and Django then says so before it asks who is there.
ROWLESS_MODELS = SUPERUSER_MODELS - {"integrations_team", "integrations_membership", "auth_user"}

RULES: dict[str, Rule] = {**PAGES, **CONNECTIONS, **ACCOUNTS, **ADMIN}
for _model in TEAM_MODELS:
    RULES.update({f"admin:{_model}_{page}": rule for page, rule in TEAM_ROWS.items()})
for _model in SUPERUSER_MODELS:
    RULES.update({f"admin:{_model}_{page}": rule for page, rule in SUPERUSER_ROWS.items()})
for _model in ROWLESS_MODELS:
    RULES[f"admin:{_model}_history"] = TEAM_ROWS[""]


def _addresses(patterns: Any, namespaces: tuple[str, ...] = (), route: str = "") -> Iterator[tuple[str, str]]:
    """Every (name, route) there is. Django's nameless admin addresses are named after what they stand for."""
    for pattern in patterns:
        there = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            below = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
            yield from _addresses(pattern.url_patterns, below, there)
            continue
        name = pattern.name or ""
        if namespaces == ("admin",) and not name:
            parts = there.split("/")
            name = f"{parts[1]}_{parts[2]}_" if "<path:object_id>" in there else " catch all"
        yield ":".join([*namespaces, name]), there


ADDRESSES = dict(_addresses(get_resolver().url_patterns))


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert sorted(set(ADDRESSES) - set(RULES)) == []
    assert sorted(set(RULES) - set(ADDRESSES)) == []


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    # What a provider would answer is not asked here.
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(problem="Not asked."))
    monkeypatch.setattr("integrations.oauth.access_token", lambda *args, **kwargs: "a token")
    for each in connectors():
        monkeypatch.setattr(type(each), "accounts", lambda *args: [])
        monkeypatch.setattr(type(each), "disconnect", lambda *args: None)
    # Refusals are told apart by their status; drawing each in the layout would take most of the time.
    monkeypatch.setattr("pinxero.views.page", lambda *args, status, **kwargs: HttpResponse("refused", status=status))
    made = make_world(cast)
    CallBudget.objects.create(connection=made.xero)
    notices.tell(notices.Matter(made.team.pk, Notice.Kind.FAILED, "Acme Ltd failed", workflow=made.workflow))
    Batch.objects.create(team=made.team, what=Batch.What.CANCEL, up_to=1, counted=1, by=cast.builder)
    Release.objects.create(
        workflow=made.workflow, trigger_state=made.state, since="2026-10-01", status=Release.Status.DONE
    )
    lookup_editing.create(
        cast.team, name="Acme Ltd boards", description="", columns=["Board"], rows=[{"Board": "Oak"}], by=cast.builder
    )
    Upload.objects.create(workflow=made.workflow, name="rows.csv", columns=["Title"], rows=[["Oak"]], row_count=1)
    api_tokens.make(made.team, cast.builder, name="Shop", scope="read", days=None)
    make_looped_run(made)
    return made


def _path(name: str, route: str, world: World) -> str:
    if name == "admin: catch all":
        return "/admin/no/such/page"
    if name == "account_reset_password_from_key":
        return "/accounts/password/reset/key/1-set-password/"
    if name == "hook":
        return "/hooks/xero/"
    values: dict[str, Any] = {
        "workflow_id": world.draft.pk if name == "delete_workflow" else world.workflow.pk,
        "step_id": world.steps[0].pk,
        "number": 1,
        "table_id": LookupTable.objects.get().pk,
        "run_id": Run.objects.get(title=LOOPED).pk if name in ("run_turns", "run_turn") else world.run.pk,
        "step": "each",
        "iteration": "1",
        "step_run_id": world.step_run.pk,
        "way": "cancel",
        "what": "cancel",
        "batch_id": Batch.objects.get(team=world.team).pk,
        "upload_id": Upload.objects.get().pk,
        "token_id": ApiToken.objects.get(name="Shop").pk,
        "token": "no-such-token",
        "notice_id": Notice.objects.get(team=world.team).pk,
        "marker": world.step_run.marker,
        "provider": "pinterest",
        "grant_id": world.pinterest.grant_id,
        "connection_id": world.pinterest.pk,
        "key": "some-key",
        "id": world.workflow.created_by_id,
        "content_type_id": 1,
        "object_id": _object_id(name, world),
        "app_label": "workflows",
    }
    if name.startswith("admin:") and name.endswith("_"):
        return f"/{route.split('<')[0]}{values['object_id']}/"
    wanted = [key for key in values if f":{key}>" in route or f"<{key}>" in route]
    return reverse(name, kwargs={key: values[key] for key in wanted})


def _object_id(name: str, world: World) -> object:
    rows: dict[str, Model] = {
        "integrations_team": world.team,
        "integrations_membership": Membership.objects.filter(team=world.team).first(),
        "integrations_connection": world.xero,
        "integrations_grant": world.xero.grant,
        "integrations_callbudget": world.xero.budget,
        "workflows_workflow": world.workflow,
        "workflows_workflowversion": world.version,
        "workflows_run": world.run,
        "workflows_steprun": world.step_run,
        "workflows_event": world.event,
        "workflows_triggerstate": world.state,
        "workflows_decision": world.decision,
        "workflows_release": Release.objects.get(workflow=world.workflow),
        "workflows_lookuptable": LookupTable.objects.get(),
        "workflows_lookupversion": LookupVersion.objects.get(),
        "workflows_lookuprow": LookupRow.objects.get(),
        "auth_user": world.workflow.created_by,
    }
    found = next((row for key, row in rows.items() if name.startswith(f"admin:{key}_")), None)
    return found.pk if found is not None else 1


def _client(cast: Cast, role: str, **options: bool) -> Client:
    client = Client(raise_request_exception=False, **options)
    if role != "anonymous":
        client.force_login(getattr(cast, role))
    return client


def _said(response: HttpResponse) -> str:
    if response.status_code in (301, 302):
        place = response["Location"]
        return "login" if place.startswith(("/accounts/login/", "/admin/login/")) else "moved"
    return "shown" if response.status_code in (200, 204) else str(response.status_code)


_WATCHED: tuple[type[Model], ...] = (
    Team, Membership, Grant, Connection, Workflow, Step, Mapping, Condition, WorkflowVersion, Run, StepRun, Decision,
    User, LookupTable, LookupVersion, LookupRow,
)  # fmt: skip


def _state_of_everything() -> list[Any]:
    # Signing in writes the time of it.
    return [
        list(
            model._default_manager.order_by("pk").values_list(
                *(f.attname for f in model._meta.concrete_fields if f.attname != "last_login")
            )
        )
        for model in _WATCHED
    ]


def _area(name: str) -> str:
    """Addresses that are tested together: one table of the admin, or one part of the pages."""
    if name.startswith("admin:"):
        return name.rpartition("_")[0] if name.count("_") > 1 else "admin"
    return next(
        area for area, its in (("pages", PAGES), ("connections", CONNECTIONS), ("accounts", ACCOUNTS)) if name in its
    )


AREAS: dict[str, list[str]] = {}
for _name in sorted(RULES):
    AREAS.setdefault(_area(_name), []).append(_name)
_SAME_FOR_ALL_TEAMS = {"accounts"}
PRIVATE = ("own workflow", "Acme Ltd", "Acme pins", "Acme Finance", "PX-0")


@contextmanager
def _undone() -> Iterator[None]:
    """What happens inside is rolled back, so that every address finds the same rows."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def _complaints(name: str, cast: Cast, world: World) -> Iterator[str]:
    path = _path(name, ADDRESSES[name], world)
    wanted_get, wanted_post = (dict(zip(ROLES, rule.split(), strict=True)) for rule in RULES[name])
    for role in ROLES:
        with _undone():
            response = _client(cast, role).get(path)
        if _said(response) != wanted_get[role]:
            yield f"GET {path} as {role}: {_said(response)}, not {wanted_get[role]}"
        text = response.content.decode().replace(path, "")
        if role in ("outsider", "anonymous") and any(private in text for private in PRIVATE):
            yield f"GET {path} shows {role} something of the team"
    for role in ROLES:
        before = _state_of_everything()
        with _undone():
            got = _said(_client(cast, role).post(path, {"reason": ""}))
            has_changed = _state_of_everything() != before
        if got != wanted_post[role]:
            yield f"POST {path} as {role}: {got}, not {wanted_post[role]}"
        if has_changed and role != "builder" and _area(name) not in _SAME_FOR_ALL_TEAMS:
            yield f"POST {path} as {role} has changed something"
    if wanted_post["builder"] in ("shown", "moved"):
        with _undone():
            client = _client(cast, "builder", enforce_csrf_checks=True)
            got = _said(client.post(path, {}))
        if got != "403":
            yield f"POST {path} without the form's token: {got}"


@pytest.mark.parametrize("area", sorted(AREAS))
def test_each_role_gets_what_the_table_says(area: str, cast: Cast, world: World) -> None:
    complaints = [said for name in AREAS[area] if name in ADDRESSES for said in _complaints(name, cast, world)]
    assert not complaints, "\n".join(complaints)


def test_every_admin_action_names_its_permissions_and_there_are_none_without() -> None:
    for model, model_admin in admin.site._registry.items():
        for kind in ("actions_list", "actions_detail", "actions_row", "actions_submit_line"):
            assert list(getattr(model_admin, kind, [])) == [], f"{model.__name__}: {kind}"
        for action in model_admin.actions or []:
            function = getattr(model_admin, action) if isinstance(action, str) else action
            assert getattr(function, "allowed_permissions", []), f"{model.__name__}: {action}"
        assert not getattr(model_admin, "list_editable", ()), f"{model.__name__} can be edited in its list"


@pytest.mark.django_db
def test_the_built_in_delete_action_is_offered_nowhere(cast: Cast, rf: Any) -> None:
    request = rf.get("/admin/")
    request.user = User.objects.create_superuser("root", "root@acme.example", "x")
    request.session = {}
    for model, model_admin in admin.site._registry.items():
        assert dict(model_admin.get_actions(request)) == {}, model.__name__


def test_tables_with_secrets_or_code_are_not_in_the_admin() -> None:
    registered = {model._meta.label for model in admin.site._registry}
    assert registered.isdisjoint(
        {"socialaccount.SocialApp", "socialaccount.SocialToken", "socialaccount.SocialAccount", "mfa.Authenticator"}
    )
    for model, model_admin in admin.site._registry.items():
        shown = {str(field) for field in (*model_admin.list_display, *(model_admin.fields or ()))}
        assert shown.isdisjoint({"access_token", "refresh_token", "lease_holder", "payload", "args", "kwargs"}), model


def test_tokens_are_on_no_admin_page(cast: Cast, world: World, client: Client) -> None:
    root = User.objects.create_superuser("root", "root@acme.example", "x")
    client.force_login(root)
    grant = world.xero.grant
    text = client.get(reverse("admin:integrations_grant_change", args=[grant.pk])).content.decode()
    assert "Acme" in text or grant.label in text
    assert "stored-access-token" not in text
    assert "stored-refresh-token" not in text


@pytest.mark.parametrize("model", sorted(TEAM_MODELS | SUPERUSER_MODELS))
def test_a_superuser_can_open_every_list(model: str, client: Client, world: World) -> None:
    client.force_login(User.objects.create_superuser("root", "root@acme.example", "x"))
    assert client.get(reverse(f"admin:{model}_changelist")).status_code == 200


def test_somebody_without_a_team_is_told_so(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("new", "new@acme.example", "x", is_staff=True))
    for name in ("admin:index", "workflows", "runs", "new_workflow"):
        response = client.get(reverse(name), follow=True)
        assert response.status_code == 403
        assert "You belong to no team yet" in response.content.decode()
