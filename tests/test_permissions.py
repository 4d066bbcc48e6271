"""Who may open and post to what: every address of Pinxero, every role, from one table (`permission_table`).

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
from tests.permission_table import ACCOUNTS, CONNECTIONS, PAGES, ROLES, RULES, SUPERUSER_MODELS, TEAM_MODELS
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
