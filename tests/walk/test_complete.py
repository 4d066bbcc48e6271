"""No operation is left out of the walk."""

from __future__ import annotations

from pathlib import Path

from integrations.framework import registry
from integrations.framework.base import Effect
from tests.integrations.examples import EXAMPLES
from tests.walk.recipes import ALONE, NOTICED, REFUSED, has_provider


def test_every_trigger_has_a_recipe_and_no_recipe_is_for_nothing() -> None:
    missing = {trigger.full_key for trigger in registry.triggers() if has_provider(trigger)} ^ set(NOTICED)
    assert missing == set(), f"Say in NOTICED (tests/walk/recipes.py) how these are caused: {sorted(missing)}"


def test_every_write_has_a_refusal_and_no_refusal_is_for_nothing() -> None:
    writes = {a.full_key for a in registry.actions() if has_provider(a) and a.effect is not Effect.READS}
    missing = writes ^ set(REFUSED)
    assert missing == set(), f"Say in REFUSED (tests/walk/recipes.py) what is refused of these: {sorted(missing)}"


def test_every_action_has_an_example() -> None:
    missing = {action.full_key for action in registry.actions() if has_provider(action)} - set(EXAMPLES)
    assert missing == set(), f"Add examples to tests/integrations/examples.py for: {sorted(missing)}"


def test_every_action_without_a_provider_has_a_walk_of_its_own() -> None:
    missing = {action.full_key for action in registry.actions() if not has_provider(action)} ^ set(ALONE)
    assert missing == set(), f"Name in ALONE (tests/walk/recipes.py) the test file that runs these: {sorted(missing)}"
    assert all((Path(__file__).parent / name).exists() for name in ALONE.values())
