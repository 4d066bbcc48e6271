"""Lookup tables in a real browser: made, filled, taken in from a file, brought back; wide, narrow, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage

pytestmark = pytest.mark.browser

_MANY = """
from django.contrib.auth.models import User
from integrations.models import Team
from workflows.lookup_tables import editing
columns = ["Supplier with a rather long heading", "Account", "Tax type", "Tracking", "Contact", "Terms", "Remarks"]
cells = ["400", "INPUT2", "North", "c", "30", "x" * 90]
rows = [dict(zip(columns, [f"Supplier {n} " + "unbroken" * 9, *cells])) for n in range(60)]
team, by = Team.objects.get(name="Acme Finance"), User.objects.get(username="builder")
editing.create(team, name="Suppliers", description="", columns=columns, rows=rows, by=by)
"""


def test_a_table_is_made_filled_and_brought_back_by_hand(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/lookup-tables/")
    builder.click("Create the first lookup table", role="link")
    builder.field("Name").fill("Boards")
    builder.field("Columns").fill("Board\nAccount")
    builder.click("Create")
    page = builder.page
    page.get_by_label("New row 1, column 1").fill("Oak tables")
    page.get_by_label("New row 1, column 2").fill("200")
    builder.click("Add a row")
    page.get_by_label("New row 2, column 1").fill("Chairs")
    assert page.get_by_label("New row 1, column 2").input_value() == "200"
    builder.field("What has changed, and why?").fill("The first boards")
    builder.click("Save as a new version")
    assert builder.reads("Saved as version 2.")
    builder.click("Import CSV", role="link")
    page.get_by_label("CSV file").set_input_files(
        {"name": "boards.csv", "mimeType": "text/csv", "buffer": b"Board;Account\r\nCHAIRS;205\r\nSofas;=1+1\r\n"}
    )
    builder.click("Show what would change")
    assert builder.reads("1 added")
    assert "1 changed" in builder.text()
    builder.click("Take it in as a new version")
    assert builder.reads("Saved as version 3.")
    builder.open("/lookup-tables/1/versions/2/")
    builder.click("Bring back…", role="link")
    assert builder.reads("1 removed")
    builder.click("Bring it back")
    assert builder.reads("Version 2 is brought back, as version 4.")
    assert "Sofas" not in builder.text()


@pytest.mark.parametrize(
    "options",
    [{}, {"viewport": {"width": 390, "height": 844}}, {"color_scheme": "dark"}],
    ids=["wide", "narrow", "dark"],
)
def test_every_page_of_a_large_table_fits_and_names_its_fields(
    stage: Stage, person_at: Callable[..., Person], options: dict[str, Any]
) -> None:
    builder = person_at(**options)
    builder.sign_in("builder")
    builder.open("/lookup-tables/")
    if "Suppliers" not in builder.text():
        stage.python(_MANY)
    for path in ["", "new/"] + [f"2/{part}" for part in ("", "rows/", "columns/", "settings/", "import/", "versions/")]:
        builder.open(f"/lookup-tables/{path}")
        assert looks.nameless(builder.page) == [], path
        assert looks.overflow(builder.page) == [], path


def test_choosing_a_file_leaves_the_name_as_it_is(stage: Stage, person_at: Callable[..., Person]) -> None:
    builder = person_at()
    builder.sign_in("builder")
    builder.open("/lookup-tables/new/")
    file = {"name": "watch.csv", "mimeType": "text/csv", "buffer": b"Contact\r\nRex Media\r\n"}
    builder.field("or a CSV file").set_input_files(file)
    assert builder.field("Name").input_value() == ""
    builder.field("Name").fill("Watch-list")
    builder.click("Create")
    assert builder.reads("Watch-list is there, with 1 row.")
