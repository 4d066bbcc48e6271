"""Runs that are held: seen on the dashboard, let go together with a worker at work, and notices that are read."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

_HELD = 4
_ROWS = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from integrations.models import Team
from tests.base import Cast
from tests.world import make_event, make_run, make_world
from workflows.models import Notice, Run, Workflow
from workflows.notifications import notify
people = {{user.username: user for user in User.objects.all()}}
team, other = Team.objects.get(name="Acme Finance"), Team.objects.get(name="Other Company")
world = make_world(Cast(team=team, other_team=other, **people))
Workflow.objects.update(status="paused", listens_to=None)
for number in range({_HELD}):
    make_run(
        world.workflow, world.version, make_event(world.state, f"held {{number}}"), world.xero, status="waiting",
        wait_reason="hold", waiting_since=timezone.now(), started_at=None, finished_at=None, error="Too many at once.",
    )
matter = notify.Matter(team.pk, Notice.Kind.HELD, "Acme: runs are held", "Too many.", world.workflow)
notify.notify(matter, times=2)
"""


@pytest.fixture(scope="module")
def stage(stage: Stage) -> Stage:
    """With runs that wait for a person."""
    stage.python(_ROWS)
    return stage


def test_held_runs_are_let_go_from_the_dashboard_on(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.click(f"{_HELD} runs", role="link")
    builder.click("Release all of these…", role="link")
    assert builder.reads(f"Let go: {_HELD} runs?")
    assert "What a run of Acme's own workflow does" in builder.text()
    assert looks.nameless(builder.page) == []
    builder.field("Reason").fill("They are meant.")
    builder.click(f"Let go: {_HELD} runs")
    assert builder.reads("They are meant.")
    assert builder.reads(f"{_HELD} done", seconds=60), "the page brings itself up to date"
    builder.open("/runs/?wait=hold")
    assert builder.reads("No run matches this search.")


def test_notices_are_counted_read_and_gone_from_the_badge(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at(viewport={"width": 390, "height": 844})
    builder.sign_in("builder")
    builder.click("See notices", role="link")
    assert builder.reads("Acme: runs are held")
    assert "2 times" in builder.text()
    assert looks.overflow(builder.page) == []
    builder.page.get_by_role("button", name="Mark “Acme: runs are held” as read").click()
    assert builder.reads("read by builder")


def test_safeguards_are_set_and_a_mistake_keeps_what_was_typed(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/workflows/")
    builder.click("Acme's own workflow", role="link")
    builder.click("Safeguards", role="link")
    builder.field("Pause after this many failures in a row").fill("3")
    builder.page.get_by_label("A run is expected").select_option("monthly")
    builder.click("Save")
    assert builder.reads("Give the time by which the run is expected.")
    assert builder.field("Pause after this many failures in a row").input_value() == "3"
    builder.field("By").fill("10:00")
    builder.click("Save")
    assert builder.reads("The safeguards are saved")
