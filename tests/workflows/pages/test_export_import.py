"""Export, import and restore, as people do them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from integrations.framework.choices import ChoiceList
from integrations.models import ChoiceCache
from tests.base import Cast, make_connection
from tests.world import CONTACT, World
from workflows.definitions import compiler
from workflows.models import Mapping, Workflow
from workflows.publishing import publish

pytestmark = pytest.mark.django_db

ELSEWHERE = [("other-contact", "Bayside Club"), ("third", "Somebody else")]


def exported(client: Client, world: World, query: str = "") -> str:
    return client.get(reverse("export_workflow", args=[world.workflow.pk]) + query).content.decode()


def contacts(world: World) -> None:
    """What the source's organisation calls its contacts, as it was fetched last."""
    ChoiceCache.objects.create(
        connection=world.xero,
        key=_contact_list(world),
        inputs_hash="x",
        choices=[[CONTACT, "Bayside Club"]],
        fetched_at="2026-11-01T00:00:00Z",
    )


def _contact_list(world: World) -> str:
    from integrations.framework.registry import operation

    step = world.workflow.steps.get(operation="xero.create_invoice")
    fields = operation(step.operation).Inputs.fields()
    return next(each.dynamic_choices.key for each in fields if each.name == "contact_id" and each.dynamic_choices)


def test_the_file_is_a_download_that_names_accounts_and_picked_values(builder: Client, world: World) -> None:
    contacts(world)
    response = builder.get(reverse("export_workflow", args=[world.workflow.pk]))
    assert response["Content-Disposition"].startswith("attachment; filename=")
    told = json.loads(response.content)
    assert {each["name"] for each in told["connections"].values()} == {world.pinterest.name, world.xero.name}
    assert {
        "connection": str(world.xero.pk),
        "list": _contact_list(world),
        "value": CONTACT,
        "label": "Bayside Club",
    } in (told["labels"])


def test_a_version_is_exported_as_it_was_published(builder: Client, cast: Cast, world: World) -> None:
    before = json.loads(exported(builder, world))["plan"]
    Mapping.objects.filter(step__workflow=world.workflow, value=CONTACT).update(value="changed-since")
    assert json.loads(exported(builder, world))["plan"] != before
    assert json.loads(exported(builder, world, "?version=1"))["plan"] == before
    assert builder.get(reverse("export_workflow", args=[world.workflow.pk]) + "?version=99").status_code == 404


def test_an_import_finds_the_account_of_the_same_name_and_makes_the_same_draft(
    builder: Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "workflows.views.editor.export_import.choices_for",
        lambda *args, **kwargs: ChoiceList(choices=[(CONTACT, "Bayside")]),
    )
    text = exported(builder, world)
    page = builder.post(reverse("import_workflow"), {"text": text})
    assert page.context["name"] == f"{world.workflow.name} (copy)"
    name = "Copy of it"
    form = {"text": text, "name": name, "do": "import"} | _chosen(page.context)
    response = builder.post(reverse("import_workflow"), form, follow=True)
    made = Workflow.objects.get(name=name)
    assert "was created as a draft" in response.content.decode()
    assert (made.status, made.published) == ("draft", None)
    assert compiler.compile_plan(made) == compiler.compile_plan(world.workflow)


def _chosen(context: dict[str, Any]) -> dict[str, str]:
    asked = [*context["connections"], *context["workflows"], *context["values"]]
    return {each.name: each.chosen for each in asked} | {
        f"for.{number}": each.of for number, each in enumerate(context["values"])
    }


def test_in_another_organisation_a_contact_is_found_by_its_name_or_left_to_be_picked(
    client: Client, builder: Client, cast: Cast, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    contacts(world)
    text = exported(builder, world)
    make_connection(cast.other_team, "pinterest", name="Their pins")
    theirs = make_connection(cast.other_team, "xero", name="Their books")
    monkeypatch.setattr(
        "workflows.views.editor.export_import.choices_for",
        lambda connection, declared, inputs: ChoiceList(choices=ELSEWHERE if declared.name == "contact_id" else []),
    )
    client.force_login(cast.outsider)
    page = client.post(reverse("import_workflow"), {"text": text})
    by_label = {each.label: each for each in page.context["values"]}
    contact = next(each for label, each in by_label.items() if label.endswith(": Bayside Club"))
    assert contact.chosen == "other-contact"
    others = [each.chosen for each in page.context["values"] if each is not contact]
    assert set(others) <= {"empty"}
    form = {"text": text, "name": "Theirs now", "do": "import"} | _chosen(page.context)
    client.post(reverse("import_workflow"), form)
    made = Workflow.objects.get(name="Theirs now")
    assert made.team_id == cast.other_team.pk
    step = made.steps.get(operation="xero.create_invoice")
    assert step.connection_id == theirs.pk
    assert step.mappings.get(input="contact_id").value == "other-contact"


def test_a_file_can_be_uploaded_and_one_that_is_none_is_refused_with_the_reason(builder: Client, world: World) -> None:
    path = reverse("import_workflow")
    file = SimpleUploadedFile("workflow.json", exported(builder, world).encode())
    assert "Match the file to your accounts" in builder.post(path, {"file": file}).content.decode()
    text = builder.post(path, {"file": SimpleUploadedFile("picture.png", b"\x89PNG\r\n\xff")}).content.decode()
    assert "not UTF-8 text" in text
    assert "This is no JSON file" in builder.post(path, {"text": "{"}).content.decode()
    assert "Choose a file, or paste its text" in builder.post(path, {}).content.decode()
    assert Workflow.objects.filter(team=world.team).count() == 2


def test_a_hostile_name_in_a_file_is_shown_as_text(builder: Client, world: World) -> None:
    told = json.loads(exported(builder, world))
    told["name"] = "<script>alert(1)</script>"
    text = builder.post(reverse("import_workflow"), {"text": json.dumps(told)}).content.decode()
    assert "<script>alert(1)" not in text


def test_restoring_shows_what_changes_and_what_is_lost_and_then_the_draft_is_the_version(
    builder: Client, cast: Cast, world: World
) -> None:
    changed = "00000000-0000-4000-8000-000000000000"
    first = compiler.compile_plan(world.workflow)
    Mapping.objects.filter(step__workflow=world.workflow, value=CONTACT).update(value=changed)
    publish.publish(world.workflow, by=cast.builder)
    Mapping.objects.filter(step__workflow=world.workflow, value=changed).update(value="never-published")
    path = reverse("restore_version", args=[world.workflow.pk, 1])
    text = builder.get(path).content.decode()
    assert "The draft has changes that were never published." in text
    assert "<del>" in text
    assert compiler.compile_plan(world.workflow) != first
    builder.post(path)
    again = Workflow.objects.get(pk=world.workflow.pk)
    assert compiler.compile_plan(again) == first
    assert again.published is not None
    assert again.published.number == 2
