"""Who may open and post to what: every address of Pinxero, every role, from one table (`permission_table`).

The addresses come from the resolver. One that has no row in the table fails, so a new page cannot be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from integrations.framework.registry import connectors
from integrations.models import Connection, Grant, Membership, Team
from tests.addresses import ADDRESSES, furnish, path_of
from tests.base import Cast, sign_in_recently
from tests.permission_table import ACCOUNTS, CONNECTIONS, PAGES, ROLES, RULES, SUPERUSER_MODELS, TEAM_MODELS, wanted
from tests.world import World, make_world
from workflows.models import (
    Condition,
    Decision,
    LookupRow,
    LookupTable,
    LookupVersion,
    Mapping,
    Run,
    Step,
    StepRun,
    Workflow,
    WorkflowVersion,
)


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    assert sorted(set(ADDRESSES) - set(RULES)) == []
    assert sorted(set(RULES) - set(ADDRESSES)) == []


@pytest.fixture
def world(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> World:
    # What a provider would answer is not asked here.
    monkeypatch.setattr("workflows.views.common.choices_for", lambda *args, **kwargs: ChoiceList(problem="Not asked."))
    monkeypatch.setattr("integrations.transport.token_refresh.access_token", lambda *args, **kwargs: "a token")
    for each in connectors():
        monkeypatch.setattr(type(each), "accounts", lambda *args: [])
        monkeypatch.setattr(type(each), "disconnect", lambda *args: None)
    # Refusals are told apart by their status; drawing each in the layout would take most of the time.
    monkeypatch.setattr("pinxero.views.page", lambda *args, status=200, **kwargs: HttpResponse("", status=status))
    made = make_world(cast)
    furnish(made, cast)
    return made


class _Browsers:
    """Browsers of the cast. Each person signs in once, before what is undone again; every browser has that session."""

    def __init__(self, cast: Cast) -> None:
        self._signed_in = {role: Client() for role in ROLES}
        for role, client in self._signed_in.items():
            if role != "anonymous":
                sign_in_recently(client, getattr(cast, role))

    def new(self, role: str, **options: bool) -> Client:
        client = Client(raise_request_exception=False, **options)
        client.cookies.load(self._signed_in[role].cookies.output(header="", sep=";"))
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


@cache
def _readings() -> list[str]:
    # Each is asked some thousand times; that a queryset words it anew took most of the time of these tests.
    quote = connection.ops.quote_name
    readings = []
    for model in _WATCHED:
        columns = [quote(f.column) for f in model._meta.concrete_fields if f.column != "last_login"]
        table, key = quote(model._meta.db_table), quote(model._meta.pk.column)
        readings.append(f"SELECT {', '.join(columns)} FROM {table} ORDER BY {key}")
    return readings


def _state_of_everything() -> list[Any]:
    """Every row of what is watched, without the time of the last sign-in, which each sign-in writes."""
    state = []
    with connection.cursor() as cursor:
        for reading in _readings():
            cursor.execute(reading)
            state.append(cursor.fetchall())
    return state


def _area(name: str) -> str:
    """Addresses that are tested together: the tables of one application in the admin, or one part of the pages."""
    if name.startswith("admin:"):
        return name.partition("_")[0] if name.count("_") > 1 else "admin"
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


def _complaints(name: str, browsers: _Browsers, world: World) -> Iterator[str]:
    path = path_of(name, world)
    wanted_get, wanted_post = (wanted(rule) for rule in RULES[name])
    for role in ROLES:
        with _undone():
            response = browsers.new(role).get(path)
        if _said(response) != wanted_get[role]:
            yield f"GET {path} as {role}: {_said(response)}, not {wanted_get[role]}"
        body = b"".join(response.streaming_content) if response.streaming else response.content
        text = body.decode(errors="replace").replace(path, "")
        if role in ("outsider", "anonymous") and any(private in text for private in PRIVATE):
            yield f"GET {path} shows {role} something of the team"
    before = _state_of_everything()
    for role in ROLES:
        with _undone():
            got = _said(browsers.new(role).post(path, {"reason": ""}))
            has_changed = _state_of_everything() != before
        if got != wanted_post[role]:
            yield f"POST {path} as {role}: {got}, not {wanted_post[role]}"
        # What administrators alone may do builders may not, and the other way round.
        changes = "administrator" if wanted_post["builder"] == "403" else "builder"
        if has_changed and role != changes and _area(name) not in _SAME_FOR_ALL_TEAMS:
            yield f"POST {path} as {role} has changed something"
    changes = "administrator" if wanted_post["builder"] == "403" else "builder"
    if wanted_post[changes] in ("shown", "moved"):
        with _undone():
            client = browsers.new(changes, enforce_csrf_checks=True)
            got = _said(client.post(path, {}))
        if got != "403":
            yield f"POST {path} without the form's token: {got}"


@pytest.mark.parametrize("area", sorted(AREAS))
def test_each_role_gets_what_the_table_says(area: str, cast: Cast, world: World) -> None:
    browsers = _Browsers(cast)
    complaints = [said for name in AREAS[area] if name in ADDRESSES for said in _complaints(name, browsers, world)]
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
