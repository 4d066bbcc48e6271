"""Ctrl+K on any page: type, go through what was found by the keyboard, and be there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

_BUILT = """
from django.contrib.auth.models import User
from integrations.models import Team
from workflows.definitions import editing
from workflows.models import Workflow
builder, team = User.objects.get(username="builder"), Team.objects.get(name="Acme Finance")
for name in ("Monthly fees", "Monthly report"):
    if Workflow.objects.filter(name=name).exists():
        continue
    editing.create_workflow(team, name=name, operation="start.manual", connection=None, by=builder)
"""


@pytest.mark.parametrize(
    "options", [{}, {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"}], ids=["wide", "phone, dark"]
)
def test_the_keyboard_alone_leads_to_what_is_looked_for(
    stage_without_worker: Stage, person_at: Callable[..., Person], options: dict[str, object]
) -> None:
    stage_without_worker.python(_BUILT)
    person = person_at(**options)
    looks.bring_axe(person.context)
    person.sign_in("auditor")
    page = person.page
    page.keyboard.press("Control+k")
    page.keyboard.type("monthly rep")
    page.locator("#px-search-found a").first.wait_for()
    assert page.locator("#px-search-found a").count() == 1
    assert looks.violations(page) == []
    assert looks.overflow(page) == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/workflows/*/")
    assert person.reads("Monthly report")
    page.get_by_role("link", name="Search", exact=True).click()
    assert page.locator("#px-search").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#px-search").is_visible()
