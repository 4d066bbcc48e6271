"""Rows of a table input: fixed ones, one per item of a list, and both."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from integrations.framework.registry import action
from tests.world import CONTACT, World
from workflows.definitions import editing, validation
from workflows.engine import step_support
from workflows.engine.outcomes import StepFailedError
from workflows.engine.run_context import RunContext
from workflows.models import StepRun
from workflows.publishing import publish

CHAIRS = [{"name": "Chair", "price": Decimal("12.50")}, {"name": "Stool", "price": Decimal("8.00")}]
EACH_CHAIR = {"~each": "{{ trigger.chairs }}", "description": "{{ item.name }}", "unit_amount": "{{ item.price }}"}
DELIVERY = {"description": "Delivery", "quantity": "1", "unit_amount": "20"}


def _cleaned(world: World, lines: list[dict[str, str]], **trigger: Any) -> Any:
    """What a run's step would send, from the same sources and this trigger data."""
    kept: list[Any] = []
    lease: Any = SimpleNamespace(record=kept.append)
    context = RunContext(
        run=world.run, lease=lease, data={"trigger": trigger, "steps": {}}, connections={}, positions={}
    )
    step = {"connection": world.xero.pk, "inputs": {"contact_id": CONTACT, "lines": lines}}
    return step_support.inputs_of(context, step, StepRun(name="Write it"), action("xero.create_invoice")).lines


def test_a_row_is_made_for_each_item_beside_the_fixed_ones(world: World) -> None:
    lines = _cleaned(world, [EACH_CHAIR, DELIVERY], chairs=CHAIRS)
    assert [(each.description, each.quantity, each.unit_amount) for each in lines] == [
        ("Chair", Decimal(1), Decimal("12.50")),
        ("Stool", Decimal(1), Decimal("8.00")),
        ("Delivery", Decimal(1), Decimal("20")),
    ]


@pytest.mark.parametrize("nothing", [[], None, ""])
def test_an_empty_list_makes_no_rows(world: World, nothing: object) -> None:
    assert [each.description for each in _cleaned(world, [EACH_CHAIR, DELIVERY], chairs=nothing)] == ["Delivery"]
    with pytest.raises(StepFailedError, match="Line items"):
        _cleaned(world, [EACH_CHAIR], chairs=nothing)


@pytest.mark.parametrize(
    ("chairs", "said"),
    [
        ("Chair", "needs a list"),
        ({"name": "Chair"}, "needs a list"),
        ([{}] * 1001, "1,001 items"),
        ([{"name": "Chair"}], 'no "price"'),
    ],
)
def test_what_is_no_list_or_lacks_a_value_fails_before_anything_is_sent(
    world: World, chairs: object, said: str
) -> None:
    with pytest.raises(StepFailedError, match=said):
        _cleaned(world, [EACH_CHAIR], chairs=chairs)


def test_repeated_rows_are_stored_published_and_read_back(world: World) -> None:
    each = {"~each": "{{ trigger.tags | split }}", "description": "{{ item }}", "unit_amount": "1"}
    sources: editing.Sources = {"contact_id": CONTACT, "lines": [DELIVERY, each]}
    draft = editing.StepDraft("Write it", "xero.create_invoice", world.xero, sources)
    step = editing.save_step(world.workflow, world.steps[1], draft)
    assert editing.sources_of(list(step.mappings.all()))["lines"] == [DELIVERY, each]
    assert [p.message for p in validation.problems(world.workflow) if p.step == step.key] == [
        "The trigger brings no value called tags. Pick one from the list."
    ]
    each["~each"] = "{{ trigger.title | split }}"
    step = editing.save_step(world.workflow, step, draft)
    version = publish.publish(world.workflow, by=None)
    assert version.plan["steps"][-1]["inputs"]["lines"] == [DELIVERY, each]
    assert "for each item of the pin's title, split" in version.summary


def test_only_the_cells_of_a_repeated_row_may_read_its_item(world: World) -> None:
    fixed = {"description": "{{ item.name }}", "unit_amount": "1"}
    own = {"~each": "{{ item.lines }}", "description": "{{ item.name }}", "unit_amount": "1"}
    for row, path in ((fixed, "lines.0.description"), (own, "lines.0.~each")):
        sources: editing.Sources = {"contact_id": CONTACT, "lines": [row]}
        draft = editing.StepDraft("Write it", "xero.create_invoice", world.xero, sources)
        editing.save_step(world.workflow, world.steps[1], draft)
        assert [p.input for p in validation.problems(world.workflow)] == [path]
