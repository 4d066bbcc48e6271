"""The editor offers every operation of Xero with a form made from its inputs."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from integrations.framework import registry
from tests.base import Cast
from tests.world import make_world

ACTIONS = [action for action in registry.actions() if action.connector.key == "xero"]


def test_every_action_has_its_form_with_every_input(cast: Cast) -> None:
    world = make_world(cast)
    builder = Client()
    builder.force_login(cast.builder)
    address = reverse("new_step", args=[world.draft.pk])
    for action in ACTIONS:
        page = builder.get(f"{address}?operation={action.full_key}")
        assert page.status_code == 200, action.full_key
        text = page.content.decode()
        for declared in action.Inputs.fields():
            assert declared.name in text, f"{action.full_key}: {declared.name}"
