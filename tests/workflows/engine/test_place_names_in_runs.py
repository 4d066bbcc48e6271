"""A run and the editor name inputs as the form does: `lines.0.account_code` stands nowhere."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.base import Cast
from tests.workflows.conftest import settle
from tests.world import CONTACT, World, make_event
from workflows.definitions import editing, validation
from workflows.models import Run
from workflows.publishing import publish
from workflows.triggers import intake

pytestmark = pytest.mark.django_db
PATHS = ("lines.0", "lines.1", "account_code", "unit_amount", "contact_id:")


def invoice(world: World, **line: Any) -> None:
    lines = [{"description": "Oak", "unit_amount": "1"}, {"description": "Ash", **line}]
    draft = editing.StepDraft("Write it", "xero.create_invoice", world.xero, {"contact_id": CONTACT, "lines": lines})
    editing.save_step(world.workflow, world.steps[1], draft)
    world.steps[0].delete()


def test_a_run_whose_values_do_not_fit_says_in_which_line(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    invoice(world, account_code="{{ trigger.description }}", unit_amount="1")
    version = publish.publish(world.workflow, by=cast.builder, note="Lines")
    event = make_event(world.state, "2", description="An account of very many letters", title="oak")
    run = intake.new_run(world.workflow, version, event)
    run.save()
    Run.objects.exclude(pk=run.pk).delete()
    settle()
    run.refresh_from_db()
    assert run.status == "failed"
    assert run.error == ("Write it: Some inputs do not fit: Line 2: Account takes at most 10 characters; this has 31.")
    page = client.get(reverse("run", args=[run.pk])).content.decode()
    assert "Line 2, account</a>: Account takes at most" in page
    assert not [path for path in PATHS[:2] if path in page]


def test_the_page_of_publishing_says_in_which_line(client: Client, cast: Cast, world: World) -> None:
    client.force_login(cast.builder)
    invoice(world, account_code="too many letters")
    (problem,) = validation.problems(world.workflow)
    assert (problem.input, problem.place) == ("lines.1.account_code", "Line 2")
    said = "Line 2: Account takes at most 10 characters; this has 16."
    assert said in client.get(reverse("publish_workflow", args=[world.workflow.pk])).content.decode()
    page = client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    assert "Line 2, account</a> takes at most 10 characters; this has 16." in page
    form = client.get(reverse("step", args=[world.workflow.pk, world.steps[1].pk])).content.decode()
    assert '<strong class="px-line-name">Line 2</strong>' in form
