"""Pages of previews that are forced to go on, and of those with a check that broke."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.models import Connection
from tests.base import Cast
from tests.workflows.pages.test_previews import page_of, posted
from tests.workflows.planting import branch, keep_if, loop, made, over, path, stop, write
from tests.workflows.scripted.connector import WriteThing
from workflows.models import Preview, Workflow
from workflows.preview.fitting import is_clean

pytestmark = pytest.mark.django_db

NOT_PREVIEWED = "It has not been previewed as it is now."


@pytest.fixture
def workflow(cast: Cast, connection: Connection) -> Workflow:
    return made(cast, connection, keep_if("dear", over("{{ trigger.price }}", 5000)), write("a"), name="Copy things")


def publish_page(client: Client, workflow: Workflow) -> str:
    return client.get(reverse("publish_workflow", args=[workflow.pk])).content.decode()


def pressed(client: Client, text: str, button: str) -> Preview:
    """Press the button of the page that is called so."""
    forms = re.findall(r'<form[^>]*action="([^"]+)"[^>]*>(.*?)</form>', text, re.DOTALL)
    (action, inside), *others = [each for each in forms if button in re.sub(r"<[^>]+>", "", each[1])]
    assert not others, f"{button} is there {len(others) + 1} times"
    given: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', inside):
        given.setdefault(name, []).append(value)
    response = client.post(action, given)
    assert response.status_code == 302
    return Preview.objects.filter(called_by=None).latest("pk")


def test_a_filter_that_ends_it_offers_to_go_on_and_the_page_is_marked(builder: Client, workflow: Workflow) -> None:
    text = page_of(builder, posted(builder, "preview_workflow", workflow.pk))
    assert "Forced" not in text
    shown = pressed(builder, text, "Go on as if it were met: Dear")
    assert (shown.forced, shown.status, shown.writes) == (["dear"], "done", 1)
    text = page_of(builder, shown)
    assert "It was forced to go on at “Dear”: a run with this item would not do all of this. 1 object would be" in text
    assert text.count('<span class="px-badge px-badge--warn">Forced</span>') == 3
    assert "A run would end here. The preview was forced to go on." in text
    assert "Go on as if it were met" not in text


def test_a_forced_preview_never_stands_for_the_one_that_publishing_asks_for(
    builder: Client, workflow: Workflow
) -> None:
    shown = posted(builder, "preview_workflow", workflow.pk, forced="dear")
    assert shown.status == "done"
    assert not is_clean(shown)
    text = publish_page(builder, workflow)
    assert NOT_PREVIEWED in text
    assert "Publish without" in text
    as_a_run = pressed(builder, page_of(builder, shown), "As a run would")
    assert (as_a_run.forced, as_a_run.status) == (None, "filtered")
    assert "Publish without" not in publish_page(builder, workflow)


def test_what_is_forced_stays_forced_when_it_is_previewed_again_or_further(
    builder: Client, cast: Cast, connection: Connection
) -> None:
    dear = over("{{ trigger.price }}", 5000)
    workflow = made(cast, connection, keep_if("dear", dear), stop("end"), write("a"), keep_if("last", dear))
    text = page_of(builder, posted(builder, "preview_workflow", workflow.pk, forced="dear"))
    further = pressed(builder, text, "Go on as if it did not stop: End")
    assert (further.forced, further.status) == (["dear", "end"], "filtered")
    assert "forced to go on at “Dear” and “End”" in page_of(builder, further)
    again = pressed(builder, page_of(builder, further), "Preview again")
    assert again.forced == ["dear", "end"]
    failed = pressed(builder, page_of(builder, again), "As if this step failed: A")
    assert (failed.forced, failed.fail_step) == (["dear", "end"], "a")


def test_a_path_that_was_not_taken_can_be_taken(builder: Client, cast: Cast, connection: Connection) -> None:
    paths = (path("high", over("{{ trigger.price }}", 5000), write("a")), path("low", None, write("b")))
    workflow = made(cast, connection, branch("which", *paths))
    shown = pressed(builder, page_of(builder, posted(builder, "preview_workflow", workflow.pk)), "taken: High")
    assert (shown.forced, shown.steps.last().step) == (["high"], "a")
    assert "A run would not take this path. The preview was forced to." in page_of(builder, shown)


def test_an_iteration_is_marked_where_it_was_forced(builder: Client, cast: Cast, connection: Connection) -> None:
    inside = (keep_if("big", over("{{ item.price }}", 5)), write("a", "{{ item.name }}"))
    workflow = made(cast, connection, loop("each", "{{ trigger.lines }}", *inside))
    text = page_of(builder, posted(builder, "preview_workflow", workflow.pk, forced="big"))
    assert "A run would end here for this item of the loop. The preview was forced to go on." in text
    assert 'Done</span> <span class="px-badge px-badge--warn">Forced</span>' in text


def test_who_may_not_build_is_offered_nothing_and_a_made_up_key_forces_nothing(
    builder: Client, client: Client, workflow: Workflow, cast: Cast
) -> None:
    shown = posted(builder, "preview_workflow", workflow.pk, forced="<b>")
    assert shown.forced is None
    client.force_login(cast.auditor)
    assert "Go on as if" not in page_of(client, shown)


def test_publishing_is_not_led_by_a_preview_with_a_broken_check(
    builder: Client, workflow: Workflow, monkeypatch: pytest.MonkeyPatch
) -> None:
    workflow.steps.get(key="dear").delete()
    monkeypatch.setattr(WriteThing, "checks", lambda self, facts, inputs, found: 1 / 0)
    shown: Any = posted(builder, "preview_workflow", workflow.pk)
    assert "Not checked: what would keep “Write thing” from being written." in page_of(builder, shown)
    text = publish_page(builder, workflow)
    assert "1 of them because a check itself failed" in text
    assert "Publish without" in text
