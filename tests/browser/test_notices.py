"""Setting notices up from the connection's page, as far as a person does it in Pinxero."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import connect

pytestmark = pytest.mark.browser


def test_the_address_for_notices_is_copied_with_one_click(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at(permissions=["clipboard-read", "clipboard-write"])
    builder.sign_in("builder")
    builder.open("/connections/")
    connect(builder, "Xero")
    builder.page.get_by_role("link", name="Demo Company (NZ)").first.click()
    section = builder.page.get_by_role("region", name="Instant triggers")
    assert section.get_by_text("Not set up", exact=True).is_visible()
    section.get_by_role("button", name="Copy").click()
    section.get_by_role("button", name="Copied").wait_for()
    assert builder.page.evaluate("navigator.clipboard.readText()") == f"{stage.url}/hooks/xero/"
