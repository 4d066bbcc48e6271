"""The sample is read while somebody goes on building: neither gets in the other's way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.person import Person
from tests.browser.ways import begin_workflow, connect

pytestmark = pytest.mark.browser


def test_what_is_clicked_while_the_sample_is_read_is_not_lost(person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/connections/")
    connect(builder, "Pinterest")
    begin_workflow(builder, "Pins", board="Office styling")
    builder.click("Add conditions", role="link")
    builder.page.wait_for_url("**/filter/")
    builder.page.locator("#trigger-sample").get_by_text("Real").wait_for()
    assert builder.page.url.endswith("/filter/")
