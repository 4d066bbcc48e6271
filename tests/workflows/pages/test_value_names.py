"""Values are called alike wherever people read them: as the editor calls them."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.engine.test_calls import provider
from tests.workflows.pages.test_previews import page_of
from tests.workflows.planting import begin, branch, keep_if, loop, made, over, path, write
from tests.workflows.preview.test_walk import shown, step
from workflows.definitions.compiler import compile_plan
from workflows.models import StepRun, Workflow
from workflows.presenters.value_names import ValueNames
from workflows.publishing import publish

__all__ = ["provider"]

pytestmark = pytest.mark.django_db

IN_NAME = {"left": "{{ steps.a.name }}", "type": "text", "operator": "contains"}


@pytest.fixture
def workflow(cast: Cast, connection: Connection) -> Workflow:
    paths = (path("high", {**IN_NAME, "right": "zzz"}, write("b")), path("low", None, write("c")))
    each = loop("each", "{{ trigger.lines }}", keep_if("big", over("{{ item.price }}", 5)), write("d"))
    return made(
        cast, connection, keep_if("dear", over("{{ trigger.price }}", 5)), write("a"), branch("which", *paths), each
    )


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("{{ trigger.title }}", "Title (New thing)"),
        ("{{ trigger.dominant_color }}", "Dominant color (New thing)"),
        ("{{ steps.a.Contact.Name }}", "Contact · name (A)"),
        ("{{ steps.a.LineItems[0].Code }}", "Line items · first · code (A)"),
        ("{{ trigger.title | upper }} today", "Title (New thing), upper case today"),
        ("{{ run.date }}", "Date of the run (This run)"),
        ("{{ item.price }}", "Price (Item of Each)"),
        ("{{ item }}", "The item (Item of Each)"),
        ("{{ loop.index }}", "Number of the iteration (Item of Each)"),
        ("{{ error.message }}", "What went wrong (The failure)"),
        ("{{ steps.gone.id }}", "ID (gone)"),
        ("plain text", "plain text"),
        ("{{ broken", "{{ broken"),
    ],
)
def test_a_value_is_named_by_what_it_is_and_where_it_comes_from(workflow: Workflow, source: str, name: str) -> None:
    assert ValueNames(compile_plan(workflow)).said(source, "big") == name


def test_a_preview_names_what_filters_and_paths_compare(builder: Client, workflow: Workflow) -> None:
    text = page_of(builder, shown(workflow, force={"dear", "big"}))
    assert "<td>Price (New thing)</td>" in text
    assert "<td>Name (A)</td>" in text
    assert "If Name (A) contains" in text
    assert "<td>Price (Item of Each)</td>" in text
    assert "trigger: price" not in text


def test_a_run_names_them_alike(builder: Client, workflow: Workflow) -> None:
    publish.publish(workflow, by=None)
    workflow.refresh_from_db()
    run = begin(workflow)
    compared = step(shown(workflow), "dear").outcome
    StepRun.objects.create(run=run, step="dear", position=1, kind="filter", state="succeeded", outcome=compared)
    text = builder.get(reverse("run", args=[run.pk])).content.decode()
    assert "<td>Price (New thing)</td>" in text
