"""Every recipe through its form, against the sandbox: filled in, a draft, published, and run with something new."""

from __future__ import annotations

from typing import Any

import pytest
from django.core import mail
from django.urls import reverse

from integrations.framework import registry
from integrations.framework.base import Start
from integrations.framework.choices import choices_for
from tests.walk.recipes import noticed
from tests.walk.stage import Stage
from workflows.models import Preview, PreviewStep, Run, StepRun, Workflow
from workflows.publishing import publish
from workflows.recipes.library import Gap, Recipe, recipes
from workflows.triggers import starting

BOARD = "Office styling"
#: What people type where there is nothing to pick.
TYPED = {"to": "team@acme.example; jane@acme.example"}
#: Amounts that what the sandbox makes is above.
SMALL = {"amount_at_least": "1", "days": "1"}


def picked(stage: Stage, gap: Gap) -> str:
    """A value as a person would pick it."""
    if gap.declared.dynamic_choices is None:
        if gap.declared.kind == "list":
            return "mon"
        return TYPED.get(gap.name) or SMALL.get(gap.name) or str(gap.declared.default)
    options = choices_for(stage.connections[gap.connection], gap.declared, {}).choices
    return next((value for value, label in options if label.startswith(BOARD)), options[0][0])


def drafted(stage: Stage, recipe: Recipe) -> Workflow:
    """The draft that the form makes."""
    stage.client.force_login(stage.cast.builder)
    post = {f"connection.{key}": str(stage.connections[key].pk) for key in recipe.file.connections}
    post |= {f"in.{gap.name}": picked(stage, gap) for gap in recipe.gaps}
    answer = stage.client.post(reverse("recipe", args=[recipe.key]), post, follow=True)
    workflow = Workflow.objects.get(name=recipe.name)
    assert workflow.status == Workflow.Status.DRAFT
    assert workflow.published is None
    shown = Preview.objects.get(workflow=workflow)
    assert answer.redirect_chain == [(reverse("preview", args=[workflow.pk, shown.pk]), 302)]
    insist_it_could_run(shown)
    page = stage.client.get(reverse("publish_workflow", args=[workflow.pk])).content.decode()
    assert "to correct first" not in page
    return workflow


def insist_it_could_run(shown: Preview) -> None:
    """The preview goes to its end and finds nothing to stop it, but for an invented record of a provider, whose contact
    is not in the books."""
    is_start = isinstance(registry.trigger(shown.plan["trigger"]["operation"]), Start)
    if is_start or shown.origin == Preview.Origin.REAL:
        assert (shown.status in ("done", "filtered"), shown.message, shown.stops) == (True, shown.message, 0)
    assert PreviewStep.objects.filter(preview=shown).exists()


def ran(stage: Stage, workflow: Workflow) -> Run:
    """Its run for something new."""
    trigger = registry.trigger(workflow.trigger_operation)
    if isinstance(trigger, Start):
        publish.publish(workflow, by=stage.cast.builder, note="From a recipe")
        data: dict[str, Any] = dict(trigger.sample_of(workflow.trigger_inputs))
        run = starting.start(workflow, operation=trigger.full_key, key="1", data=data, even_paused=True)
        assert run is not None
        return stage.settle(run)
    how = noticed(trigger)
    before = how.before(stage.sandbox)
    stage.go_live(workflow)
    if trigger.full_key == "pinterest.new_pin":
        stage.sandbox.add_pins(BOARD, title="Oak table", description="Solid oak. From £120.")
    elif trigger.full_key == "xero.new_purchase_order":
        stage.sandbox.make("purchase_order", status="AUTHORISED")
    else:
        how.cause(stage.sandbox, before)
    stage.look(workflow)
    return stage.settle(Run.objects.get(workflow=workflow))


@pytest.mark.parametrize("recipe", recipes(), ids=lambda recipe: recipe.key)
def test_a_recipe_becomes_a_draft_that_can_be_published_and_does_what_it_says(recipe: Recipe, stage: Stage) -> None:
    since = stage.mark()
    workflow = drafted(stage, recipe)
    assert stage.written(since) == []
    run = ran(stage, workflow)
    assert (run.status, run.error) == ("succeeded", "")
    writes = [step for step in StepRun.objects.filter(run=run, kind="action") if step.request]
    assert writes, "It wrote nothing."
    mails = [step for step in writes if step.operation == "mail.send_email"]
    assert len(mail.outbox) == len(mails)
    for sent in mail.outbox:
        assert sent.to == ["team@acme.example", "jane@acme.example"]
        assert "{{" not in f"{sent.subject}{sent.body}"
