"""Outside text that turns or hides text is shown by its number on every page that has an address."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db.models import CharField, F, TextField, Value
from django.db.models.functions import Concat
from django.test import Client

from integrations.models import Connection, Grant, Membership, Role, Team
from tests.addresses import ADDRESSES, furnish, path_of
from tests.base import Cast
from tests.permission_table import RULES
from tests.world import World, make_world
from workflows.models import Event, LookupTable, Notice, Run, Step, StepRun, Workflow
from workflows.notifications import email, notify

Scene = tuple[World, list[str]]
TURN, HIDE = "\u202e", "\u200b"
TEXT = f" {TURN}fdp.exe{HIDE}"
SHOWN = " [U+202E]fdp.exe[U+200B]"
#: What is typed comes back to fields as it is, and is sent back so.
_FIELDS = re.compile(r'<textarea\b.*?</textarea>|\svalue="[^"]*"|\sdata-[a-z-]+="[^"]*"', re.DOTALL)
_NAMES: list[tuple[Any, str]] = [
    (Team, "name"), (Connection, "name"), (Grant, "label"), (Workflow, "name"), (Workflow, "description"),
    (Step, "name"), (Run, "title"), (Run, "error"), (StepRun, "name"), (StepRun, "error"), (Event, "key"),
    (LookupTable, "name"), (LookupTable, "description"), (Notice, "title"), (Notice, "text"), (User, "first_name"),
]  # fmt: skip


@pytest.fixture
def scene(cast: Cast) -> Scene:
    made = make_world(cast)
    furnish(made, cast)
    paths = [path_of(name, made) for name in sorted(set(ADDRESSES) & set(RULES)) if not name.endswith("logout")]
    for model, field in _NAMES:
        kind = model._meta.get_field(field)
        assert isinstance(kind, CharField | TextField), f"{model.__name__}.{field} is no text"
        model._default_manager.update(**{field: Concat(F(field), Value(TEXT))})
    for event in Event.objects.all():
        Event.objects.filter(pk=event.pk).update(data={**event.data, "title": f"Oak table{TEXT}"})
    return made, paths


def _pages(paths: list[str], client: Client) -> Iterator[tuple[str, str]]:
    """Every page that answers with HTML, as text."""
    for path in paths:
        response = client.get(path)
        if response.get("Content-Type", "").startswith("text/html"):
            yield path, response.content.decode()


def test_no_page_obeys_a_character_that_turns_or_hides_text(cast: Cast, scene: Scene, client: Client) -> None:
    world, paths = scene
    root = User.objects.create_superuser("root", "root@acme.example", "x")
    Membership.objects.create(team=cast.team, user=root, role=Role.BUILDER)
    client.force_login(root)
    client.raise_request_exception = False
    obeying, shown_on = [], set()
    for path, text in _pages(paths, client):
        drawn = _FIELDS.sub("", text)
        if TURN in drawn or HIDE in drawn:
            at = min(drawn.index(each) for each in (TURN, HIDE) if each in drawn)
            obeying.append(f"{path}: …{drawn[max(0, at - 80) : at + 20]}")
        if SHOWN in drawn:
            shown_on.add(path)
    assert obeying == []
    run, workflow = world.run.pk, world.workflow.pk
    places = {"/runs/", f"/runs/{run}/", "/workflows/", f"/workflows/{workflow}/", "/connections/", "/notices/"}
    places |= {"/admin/", "/lookup-tables/", "/admin/workflows/run/", f"/admin/workflows/run/{run}/change/"}
    assert places <= shown_on


def test_what_was_typed_stands_in_its_field_as_it_was_typed(cast: Cast, scene: Scene, client: Client) -> None:
    world, _ = scene
    client.force_login(cast.builder)
    text = client.get(f"/workflows/{world.workflow.pk}/settings/").content.decode()
    assert f'{TEXT}"' in text.partition('name="name"')[2].partition(">")[0]


def test_a_mail_about_a_notice_shows_them_too(cast: Cast, scene: Scene, mailoutbox: list[Any]) -> None:
    world, _ = scene
    title = f"Oak{TEXT}"
    notify.notify(notify.Matter(world.team.pk, Notice.Kind.FAILED, title, workflow=world.workflow))
    assert email.send_due() >= 1
    said = "".join(mail.subject + mail.body for mail in mailoutbox)
    assert f"Oak{SHOWN}" in said
    assert TURN not in said
    assert HIDE not in said
