"""What follows an error path is said where it is built and where it was taken."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import RejectedError
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import settle
from tests.workflows.planting import MakeTree, Spec, begin, branch, loop, path, state_of, stop, write
from tests.workflows.scripted.connector import Provider
from workflows.definitions import plans
from workflows.definitions.compiler import compile_plan
from workflows.models import Workflow

pytestmark = pytest.mark.django_db


def tried(key: str, *error: Spec) -> Spec:
    return write(key, on_error="error_path", error=error)


@pytest.fixture
def workflow(provider: Provider, make_tree: MakeTree, connection: Connection) -> Workflow:
    return make_tree(
        tried("book", write("tell", "Trouble")),
        branch("b", path("p", None, tried("in_path", write("tell_path")))),
        loop("each", "{{ trigger.lines }}", tried("in_loop", tried("tell_item", write("tell_more")))),
        tried("ends", write("tell_end"), stop("halt", "failed", "No.")),
        tried("last", write("tell_last")),
    )


def test_what_follows_is_the_next_step_wherever_that_stands(workflow: Workflow) -> None:
    assert plans.following(compile_plan(workflow)["steps"]) == {
        "book": "goes on with “B”",
        "in_path": "goes on with “Each”",
        "in_loop": "goes on with the next item of “Each”",
        "tell_item": "goes on with the next item of “Each”",
        "ends": "ends at “Halt”",
        "last": "ends as succeeded, with errors",
    }


def test_the_editor_says_what_follows_and_how_to_change_that(client: Client, cast: Cast, workflow: Workflow) -> None:
    client.force_login(cast.builder)
    page = client.get(reverse("workflow", args=[workflow.pk])).content.decode()
    advice = " If it is not to go on, put a Stop at the end of this path."
    assert f"After that the run goes on with “B”.{advice}" in page
    assert "After that the run ends at “Halt”.</p>" in page
    assert "After that the run ends as succeeded, with errors.</p>" in page


def test_the_run_says_what_followed(
    client: Client, cast: Cast, provider: Provider, make_tree: MakeTree, connection: Connection
) -> None:
    client.force_login(cast.builder)
    run = begin(make_tree(tried("book", write("tell", "Trouble")), write("note", "Written")))
    provider.script = [RejectedError("No.")]
    settle()
    assert state_of(run) == "succeeded"
    assert [book["name"] for book in provider.books] == ["Trouble", "Written"]
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "After that the run goes on with “Note”." in page
