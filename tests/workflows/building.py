"""Ways of a builder through the editor's pages, for several tests."""

from __future__ import annotations

import re

from django.test import Client
from django.urls import reverse

from tests.world import World
from workflows.models import Step

#: A list that the invoice of `make_workflow` brings.
LINES = "{{ steps.create_invoice.LineItems }}"


def new_path(world: World, **query: object) -> str:
    """Where a step is added to the world's workflow."""
    return reverse("new_step", args=[world.workflow.pk]) + "?" + "&".join(f"{k}={v}" for k, v in query.items())


def step_path(step: Step) -> str:
    """Where a step is changed."""
    return reverse("step", args=[step.workflow_id, step.pk])


def page_text(client: Client, world: World) -> str:
    """The workflow's page without its markup, from the trigger on."""
    text = client.get(reverse("workflow", args=[world.workflow.pk])).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", text.split('<ol class="px-flow">')[1]))
