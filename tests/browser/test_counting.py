"""What a person does is counted as the browser sees it, whatever a test says and whatever the page does by itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser.counting import counted
from tests.browser.person import Person

pytestmark = pytest.mark.browser

_PAGE = """<!doctype html><title>Form</title><form action="/next">
<label>Name <input name="name"></label>
<label>Day <input name="day" type="date"></label>
<label><input type="checkbox" name="tick"> Tick</label>
<label>Board <select name="board"><option>One<option>Two<option>Three</select></label>
<button type="button">Nothing</button> <button>Go on</button></form>
<script>
document.querySelector("[name=board]").addEventListener("change", () => {
  const name = document.querySelector("[name=name]");
  name.dispatchEvent(new Event("input", {bubbles: true}));
  name.dispatchEvent(new Event("change", {bubbles: true}));
  document.querySelector("button").click();
});
</script>"""


@pytest.fixture
def person(browser: Any) -> Iterator[Person]:
    """At a form that no server has sent."""
    context = browser.new_context()
    context.route("http://form.example/**", lambda route: route.fulfill(body=_PAGE, content_type="text/html"))
    person = Person(context, "http://form.example")
    person.open("/")
    yield person
    context.close()


@pytest.mark.parametrize(
    ("act", "clicks", "fields"),
    [
        pytest.param(lambda page: page.get_by_text("Nothing").click(), 1, 0, id="a click"),
        pytest.param(lambda page: page.get_by_text("Tick").click(), 1, 1, id="a label and its box at once"),
        pytest.param(lambda page: page.get_by_label("Tick").check(), 1, 1, id="a box"),
        pytest.param(lambda page: page.get_by_label("Name").fill("Tart"), 0, 1, id="all of a text at once"),
        pytest.param(lambda page: page.get_by_label("Name").press_sequentially("Tart"), 0, 1, id="letters"),
        pytest.param(lambda page: page.get_by_label("Day").fill("2026-01-31"), 0, 1, id="a date"),
        pytest.param(
            lambda page: page.get_by_label("Board").select_option("Two"), 1, 1, id="a choice, and what it sets off"
        ),
        pytest.param(lambda page: page.get_by_text("Nothing").press("Enter"), 1, 0, id="Enter on a button"),
        pytest.param(lambda page: page.get_by_text("Nothing").press("Space"), 1, 0, id="Space on a button"),
        pytest.param(lambda page: page.get_by_label("Name").press("Tab"), 0, 0, id="going on"),
        pytest.param(
            lambda page: page.evaluate("document.querySelector('button').click()"), 0, 0, id="a script's click"
        ),
    ],
)
def test_what_is_done_counts_once(person: Person, act: Callable[[Any], object], clicks: int, fields: int) -> None:
    with counted(person) as count:
        act(person.page)
    assert (count.clicks, count.fields) == (clicks, fields), count


def test_counts_outlive_the_page_and_a_form_opened_anew_has_other_fields(person: Person) -> None:
    person.page.get_by_label("Name").fill("Before anybody counts")
    with counted(person) as count:
        for _ in range(2):
            person.page.get_by_label("Name").fill("Tart")
            person.page.get_by_label("Name").fill("Tarts")
            person.page.get_by_label("Board").select_option("Three")
            person.click("Go on")
            person.page.wait_for_url("**/next*")
    assert (count.clicks, count.fields) == (4, 4), count
    assert "click 4. Go on (/next)" in str(count)
