"""Writes that turn out to be needless, and what is read after a write."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from integrations.core.errors import TemporaryError
from integrations.transport.http import ApiClient
from tests.base import Cast
from tests.workflows.conftest import Make, drain, said, settle, start, the_run, the_write
from tests.workflows.scripted.connector import Provider, WriteThing
from tests.world import make_world

pytestmark = pytest.mark.django_db


def test_where_prepare_found_it_nothing_is_sent_and_the_step_has_its_output(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = {"id": "T9", "name": "Thing 1", "marker": ""}
    monkeypatch.setattr(WriteThing, "prepare", lambda self, api, inputs: there)
    monkeypatch.setattr(WriteThing, "settled", lambda self, inputs, found: found)
    start(provider, make_workflow)
    drain()
    write = the_write()
    assert provider.sent == []
    assert (the_run().status, the_run().result) == ("succeeded", "Thing T9")
    assert (write.state, write.output, write.provider_id, write.request) == ("succeeded", there, "T9", None)
    assert said(write) == [("read", "found")]
    assert write.first_sent_at is None


@pytest.mark.parametrize("is_lost", [False, True])
def test_what_is_read_after_the_write_is_in_the_output(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch, is_lost: bool
) -> None:
    def read_back(self: WriteThing, api: ApiClient, inputs: Any, output: dict[str, Any]) -> dict[str, Any]:
        return {**output, "in_stock": len(provider.books), "asked_for": inputs.name}

    monkeypatch.setattr(WriteThing, "read_back", read_back)
    monkeypatch.setattr(WriteThing, "key_window", 0)
    provider.script = ["commit and be silent"] if is_lost else []
    start(provider, make_workflow)
    settle()
    output = the_write().output
    assert (output["in_stock"], output["asked_for"], output["id"]) == (1, "Thing 1", "T1")
    assert len(provider.sent) == 1


def test_a_write_stands_where_reading_after_it_fails(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_back(self: WriteThing, api: ApiClient, inputs: Any, output: dict[str, Any]) -> dict[str, Any]:
        raise TemporaryError("The scripted provider is busy.")

    monkeypatch.setattr(WriteThing, "read_back", read_back)
    start(provider, make_workflow)
    drain()
    write = the_write()
    assert (the_run().status, write.output["id"]) == ("succeeded", "T1")
    assert write.output["warning"] == (
        "It was written, but reading it afterwards did not work: The scripted provider is busy."
    )
    assert said(write) == [("send", "done"), ("read", "not now")]


def test_the_page_of_a_run_shows_a_steps_warning(client: Client, cast: Cast) -> None:
    world = make_world(cast)
    world.step_run.output = {"count": 100, "warning": "Only the first 100 are given <b>."}
    world.step_run.save()
    client.force_login(cast.builder)
    page = client.get(reverse("run", args=[world.run.pk])).content.decode()
    assert '<div class="px-note px-note--warn"><span>Only the first 100 are given &lt;b&gt;.</span></div>' in page
