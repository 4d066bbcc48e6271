"""A guard is set by clicking, what is too large is held, and a person lets exactly that go from the page of its run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.test_approvals import start_fees
from tests.browser.ways import connect_both

pytestmark = pytest.mark.browser


def test_what_is_too_large_is_held_until_somebody_lets_it_go(stage: Stage, person_at: Callable[..., Person]) -> None:
    administrator = person_at(viewport={"width": 390, "height": 844})
    looks.bring_axe(administrator.context)
    administrator.sign_in("administrator")
    administrator.open("/guards/")
    assert administrator.reads("All guards are off.")
    assert looks.overflow(administrator.page) == []
    administrator.page.get_by_role("textbox", name="Currency").first.fill("nzd")
    administrator.page.get_by_role("textbox", name="Largest single amount").first.fill("a lot")
    administrator.click("Save the guards")
    assert administrator.reads("This is an amount, as 1000 or 1000.50.")
    assert looks.violations(administrator.page) == []
    administrator.page.get_by_role("textbox", name="Largest single amount").first.fill("1,000")
    administrator.click("Save the guards")
    assert administrator.reads("It counts from the next write on.")

    builder = person_at()
    builder.sign_in("builder")
    connect_both(builder)
    start_fees(stage, ("Small", "100"), ("Large", "1500"))
    builder.open("/runs/")
    waiting = builder.page.get_by_role("row").filter(has_text="Waiting")
    done = builder.page.get_by_role("row").filter(has_text="Succeeded")
    builder.reload_until(lambda: waiting.count() == 1 and done.count() == 1)
    assert [each["Reference"] for each in stage.sandbox.invoices()] == ["Small"]
    builder.page.get_by_role("link", name="Large", exact=True).first.click()
    assert builder.reads("1,725.00 NZD is more than the team’s largest single amount, 1,000.00 NZD.")
    builder.click("Release…", role="link")
    builder.click("Release")
    builder.open("/runs/")
    builder.reload_until(lambda: done.count() == 2)
    assert sorted(each["Reference"] for each in stage.sandbox.invoices()) == ["Large", "Small"]
