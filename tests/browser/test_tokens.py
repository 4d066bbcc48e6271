"""Fields that take values: tokens are typed around, picked, removed and undone; what is stored stays the same text."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.browser import looks
from tests.browser.person import Person
from tests.browser.stage import Stage
from tests.browser.ways import begin_workflow, connect_both

pytestmark = pytest.mark.browser

NEW_INVOICE = "/workflows/1/steps/new/?operation=xero.create_invoice"
TEXTS = (
    "",
    " ",
    "plain",
    "{{ trigger.title }}",
    "{{trigger.title}}",
    "{{- trigger.title -}}",
    "a{{ trigger.title }}b{{ trigger.description | upper }}c",
    "{{ trigger.title }}{{ trigger.title }}",
    "{{ nobody.knows.this }}",
    "{{ steps.gone.Total | default('') }}",
    '{{ trigger.title | replace("}}", "{{") }}',
    "{{ 'it\\'s }} here' }}",
    "{{ {'a': {'b': 1}} }}",
    "{{ [1, [2, 3]] | first }}",
    "{{ trigger['odd key'][0] | join(', ') }}",
    "{{ (trigger.price | number) * 1.2 | round(2) }}",
    "{{ 1 + 1 if trigger.title == 'x' else 2 }}",
    "{{",
    "}}",
    "{{ }}",
    "{{ not closed",
    "{{ trigger.title }",
    "{ { trigger.title } }",
    "{{{ trigger.title }}}",
    "{% for x in y %}{{ x }}{% endfor %}",
    "{# {{ trigger.title }} #}",
    "{{ trigger.title }} {{ 'open string }}",
    "  leading and trailing  ",
    "two  spaces\tand a tab",
    "one\ntwo\n\nthree\n",
    "\nleading line break",
    "{{ trigger.title }}\n{{ trigger.description }}\n",
    "\u200bzero\u200bwidth\u200b",
    "\u202eturned\u202c \u2066isolated\u2069",
    "דוח {{ trigger.title }} للشهر",
    "\U0001f370\U0001f9c1 e\u0301 \U0001f468\u200d\U0001f469\u200d\U0001f467",
    "\ufeffmark\u00a0space",
    "\\{{ trigger.title \\}}",
    "<b>{{ trigger.title }}</b>",
)
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><script>alert(2)</script>",
    "</textarea><img src=x onerror=alert(3)>",
    "\"><svg onload=alert(4)>",
    "' onmouseover='alert(5)",
    "{{ '<img src=x onerror=alert(6)>' }}",
    "{{ constructor.constructor('alert(7)')() }}",
    "{{ __proto__.polluted }}",
    "{{ trigger.__proto__ }}",
    "{{ trigger['</script>'] }}",
    "javascript:alert(8)",
    "${alert(9)} #{alert(10)} <%= alert(11) %>",
    "&lt;b&gt; &amp;amp; &#x3c;",
    "<!-- --> ]]> <![CDATA[",
    "x-data x-html @click :class v-html",
)  # fmt: skip


@pytest.fixture(scope="module")
def session(stage: Stage, browser: Any) -> Iterator[Any]:
    """A builder with both providers connected and a workflow that begins with a pin."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    builder = Person(context, stage.url)
    builder.sign_in("builder")
    connect_both(builder)
    begin_workflow(builder, "Pins", board="Summer recipes")
    assert builder.complaints == []
    yield context.storage_state()
    context.close()


@pytest.fixture
def builder(session: Any, person_at: Callable[..., Person]) -> Person:
    """At the empty form of an invoice."""
    return _at_the_form(person_at(storage_state=session))


def _at_the_form(person: Person) -> Person:
    person.open(NEW_INVOICE)
    return person


def test_every_text_comes_back_as_it_was_and_typing_beside_it_changes_nothing_else(builder: Person) -> None:
    description = builder.field("Description")
    for text in (*TEXTS, *_hostile()):
        _put(builder, text)
        assert builder.source("Description") == text
        _type_at_the_end(builder, "z")
        assert builder.source("Description") == text + "z", text
        builder.page.keyboard.press("Control+z")
        assert builder.source("Description") == text
        assert description.locator(":scope > *:not(.px-chip, br)").count() == 0, "no text became markup"
    assert builder.page.evaluate("() => ({}).polluted") is None


def _hostile() -> list[str]:
    """Each as it is, between tokens, in a token, and twice: sixty."""
    between = [f"{{{{ trigger.title }}}}{text}{{{{ trigger.link }}}}" for text in HOSTILE]
    inside = [f"{{{{ trigger.title | default({json.dumps(text)}) }}}}" for text in HOSTILE]
    return [*HOSTILE, *between, *inside, *(text + text for text in HOSTILE)]


def _put(person: Person, text: str) -> None:
    """As the server or another script would."""
    put = "(field, text) => { field.value = text; field.dispatchEvent(new Event('input', {bubbles: true})); }"
    person.page.locator("textarea[name='in.lines.0.description']").evaluate(put, text)


def _type_at_the_end(person: Person, text: str) -> None:
    person.field("Description").focus()
    person.page.keyboard.press("Control+End")
    person.page.keyboard.insert_text(text)


def test_what_was_not_touched_is_stored_as_it_was(builder: Person, stage: Stage) -> None:
    builder.field("Xero organisation").select_option(label="Demo Company (NZ) (demo company)")
    builder.field("Contact").locator("option", has_text="Ridgeway University").wait_for(state="attached")
    builder.field("Contact").select_option(label="Ridgeway University")
    builder.field("Unit price").fill("1")
    builder.field("Description").fill("first")
    builder.click("Save the step")
    assert builder.reads("is saved")
    odd = "\n{{trigger.title}}  {{ trigger.title|upper }}\n\n{{ [1,2] | first }} \u200b</textarea>"
    stage.python(
        "from workflows.models import Mapping\n"
        f"Mapping.objects.filter(column='description').update(value=__import__('json').loads({json.dumps(json.dumps(odd))}))"
    )
    for _ in range(2):
        builder.open("/workflows/1/steps/1/")
        assert builder.source("Description") == odd
        builder.click("Save the step")
        assert builder.reads("is saved")


def test_a_value_is_picked_at_the_field_by_keyboard_alone_and_shown_by_its_name(builder: Person) -> None:
    description, keyboard = builder.field("Description"), builder.page.keyboard
    sample = _example(builder, "trigger.title")
    description.focus()
    keyboard.type("Order of /" + sample.split()[0].lower())
    builder.page.get_by_role("option", name="Title").first.wait_for()  # its content has the word
    keyboard.type(" title pin")
    keyboard.press("Enter")
    keyboard.type(" today")
    assert builder.source("Description") == "Order of {{ trigger.title }} today"
    assert _shown(builder) == "Order of Title · New pin today"
    assert sample in (description.locator(".px-chip").get_attribute("title") or "")
    assert builder.reads(f"Now gives: Order of {sample} today")


def _example(person: Person, path: str) -> str:
    """What the sample has there."""
    told = json.loads(person.page.locator("#px-values").text_content() or "")
    values = [value for group in told["groups"] for value in group["values"]]
    return str(next(value["example"] for value in values if value["path"] == path))


def _shown(person: Person) -> str:
    return person.field("Description").inner_text().replace("\u200b", "")


def test_a_date_suggests_days_and_a_list_what_can_be_made_of_it(builder: Person) -> None:
    keyboard, page = builder.page.keyboard, builder.page
    builder.field("Due date").focus()
    keyboard.type("/30 days")
    keyboard.press("Enter")
    assert builder.source("Due date") == "{{ run.date | add_days(30) }}"
    assert builder.field("Due date").inner_text().strip("\u200b") == "Date of the run · This run, Add days 30"
    script = """script => {
      const told = JSON.parse(script.textContent);
      const value = (path, label, kind) => ({path, source: `{{ ${path} }}`, label, example: "2 items", kind});
      told.groups[0].values.push(value("trigger.tags", "Tags", "list"), value("trigger.rows", "Rows", "list"));
      told.groups[0].values.push(value("trigger.rows[0].net", "Rows · first · net", "number"));
      script.textContent = JSON.stringify(told);
    }"""
    page.locator("#px-values").evaluate(script)
    for typed, option, source in (
        ("tags", "Number of items", "{{ trigger.tags | count }}"),
        ("tags", "First", "{{ trigger.tags | first }}"),
        ("rows", "Sum of net", '{{ trigger.rows | sum("net") }}'),
        ("rows", "Each, in one text: net", '{{ trigger.rows | pluck("net") | join(", ") }}'),
    ):
        builder.field("Reference").fill("")
        keyboard.type(f"/{typed}")
        page.get_by_role("option", name=re.compile(rf"^{typed}\s?2 items", re.IGNORECASE)).click()
        page.get_by_role("option", name=option, exact=True).first.click()
        assert builder.source("Reference") == source


def test_a_stroke_is_a_stroke_where_nothing_is_picked(builder: Person) -> None:
    builder.field("Description").focus()
    keyboard = builder.page.keyboard
    keyboard.type("1/2 /")
    keyboard.press("Escape")
    keyboard.type("3 / 4 /nothing like it")
    assert builder.page.get_by_text("No value here has this name or content.").is_visible()
    keyboard.press("Enter")
    assert builder.source("Description") == "1/2 /3 / 4 /nothing like it"


def test_a_token_is_one_step_for_arrows_and_one_key_removes_it(builder: Person) -> None:
    _put(builder, "a{{ trigger.title }}{{ trigger.description }}")
    _type_at_the_end(builder, "z")
    keyboard = builder.page.keyboard
    for key, text in (("ArrowLeft", "1"), ("ArrowLeft", "2"), ("ArrowLeft", "3"), ("ArrowLeft", "4")):
        keyboard.press(key)
        if text != "1":
            keyboard.press("ArrowLeft")
        keyboard.insert_text(text)
    assert builder.source("Description") == "4a3{{ trigger.title }}2{{ trigger.description }}1z"
    keyboard.press("Delete")
    keyboard.press("Delete")
    keyboard.press("Delete")
    assert builder.source("Description") == "42{{ trigger.description }}1z"
    keyboard.press("ArrowRight")
    keyboard.press("ArrowRight")
    keyboard.press("Backspace")
    assert builder.source("Description") == "421z"
    keyboard.press("Control+z")
    assert builder.source("Description") == "42{{ trigger.description }}1z"
    keyboard.press("Control+y")
    assert builder.source("Description") == "421z"


def test_tokens_are_copied_and_pasted_as_tokens_and_elsewhere_as_text(
    session: Any, person_at: Callable[..., Person]
) -> None:
    builder = _at_the_form(person_at(storage_state=session, permissions=["clipboard-read", "clipboard-write"]))
    _put(builder, "For {{ trigger.title }}")
    builder.field("Description").focus()
    keyboard = builder.page.keyboard
    keyboard.press("Control+a")
    keyboard.press("Control+c")
    assert builder.page.evaluate("() => navigator.clipboard.readText()") == "For {{ trigger.title }}"
    builder.field("Reference").focus()
    keyboard.press("Control+v")
    assert builder.source("Reference") == "For {{ trigger.title }}"
    assert builder.field("Reference").locator(".px-chip").inner_text() == "Title · New pin"
    builder.field("Name").focus()
    keyboard.press("Control+a")
    keyboard.press("Control+v")
    assert builder.field("Name").input_value() == "For {{ trigger.title }}"
    builder.field("Description").focus()
    keyboard.press("Control+a")
    keyboard.press("Control+x")
    assert builder.source("Description") == ""


def test_line_breaks_are_kept_in_long_texts_and_enter_sends_a_short_one(builder: Person) -> None:
    keyboard = builder.page.keyboard
    builder.field("Description").focus()
    keyboard.type("one")
    keyboard.press("Enter")
    keyboard.press("Enter")
    keyboard.type("two")
    assert builder.source("Description") == "one\n\ntwo"
    builder.field("Reference").fill("one\ntwo")
    assert builder.source("Reference") == "one two"
    builder.field("Reference").press("Enter")
    assert builder.reads("Not saved yet.")


def test_the_field_reads_from_right_to_left_where_its_text_does(builder: Person) -> None:
    _put(builder, "חשבון {{ trigger.title }} סוף")
    description = builder.field("Description")
    assert description.evaluate("field => getComputedStyle(field).direction") == "rtl"
    description.focus()
    builder.page.keyboard.press("Control+Home")
    for _ in range(6):
        builder.page.keyboard.press("ArrowLeft")
    builder.page.keyboard.press("ArrowLeft")
    builder.page.keyboard.insert_text("!")
    assert builder.source("Description") == "חשבון {{ trigger.title }}! סוף"


def test_an_input_method_writes_beside_a_token(builder: Person) -> None:
    _put(builder, "{{ trigger.title }}")
    builder.field("Description").focus()
    builder.page.keyboard.press("Control+End")
    devtools = builder.page.context.new_cdp_session(builder.page)
    devtools.send("Input.imeSetComposition", {"text": "にほ", "selectionStart": 2, "selectionEnd": 2})
    devtools.send("Input.insertText", {"text": "日本"})
    builder.page.wait_for_timeout(100)
    assert builder.source("Description") == "{{ trigger.title }}日本"
    builder.page.keyboard.press("Control+z")
    assert builder.source("Description") == "{{ trigger.title }}"


def test_the_text_itself_is_behind_a_button_and_back(builder: Person) -> None:
    _put(builder, "{{ trigger.title }}")
    builder.page.get_by_role("button", name="Pick a value for Description").click()
    builder.click("Edit as text")
    builder.field("Description").fill("{{ trigger.title | lower }}")
    builder.click("Show it as values again")
    assert _shown(builder) == "Title · New pin, Lower case"


def test_functions_are_filled_in_as_forms_on_a_token_by_keyboard_and_chain(builder: Person) -> None:
    keyboard, page = builder.page.keyboard, builder.page
    builder.field("Reference").fill("Only 1.234,50 {{ trigger.title }}")
    keyboard.press("Shift+ArrowLeft")
    keyboard.press("Enter")
    form = page.get_by_role("dialog", name="What is done with the value")
    form.get_by_text("Gives with the sample:").wait_for()
    keyboard.type("find a number")
    keyboard.press("Enter")
    form.get_by_text("There is no number").wait_for()
    page.get_by_label("Decimal mark").select_option(label="a comma: 1.234,50")
    page.get_by_label("If there is none").select_option(label="use something else")
    builder.field("Use instead").fill("12.345")
    form.get_by_text("12.345", exact=True).wait_for()
    page.get_by_label("Find a function to add").fill("round")
    keyboard.press("Enter")
    keyboard.press("Control+a")
    keyboard.type("2")
    chained = '{{ trigger.title | extract_number(",") | default(12.345) | round(2) }}'
    assert builder.source("Reference") == f"Only 1.234,50 {chained}"
    form.get_by_text("12.35", exact=True).wait_for()
    keyboard.press("Escape")
    form.wait_for(state="detached")
    keyboard.press("Shift+ArrowLeft")
    keyboard.press("Enter")
    assert builder.field("Decimal places").inner_text().strip("\u200b") == "2"
    assert page.get_by_label("Decimal mark").evaluate("list => list.value") == '","'
    page.get_by_role("button", name="Remove Find a number").click()
    builder.click("Done")
    assert builder.source("Reference") == "Only 1.234,50 {{ trigger.title | round(2) }}"
    keyboard.press("Control+z")
    assert builder.source("Reference") == f"Only 1.234,50 {chained}"


def test_a_value_can_stand_in_a_functions_argument(builder: Person) -> None:
    keyboard = builder.page.keyboard
    builder.field("Reference").fill('{{ trigger.title | replace("a", "b") }}')
    builder.field("Reference").locator(".px-chip").click()
    builder.field("With").fill("")
    builder.field("With").focus()
    keyboard.type("x /link")
    keyboard.press("Enter")
    assert builder.source("Reference") == '{{ trigger.title | replace("a", "x " ~ trigger.link) }}'
    assert looks.violations(builder.page) == looks.nameless(builder.page) == looks.overflow(builder.page) == []


def test_what_is_too_complex_for_forms_opens_as_text(builder: Person) -> None:
    builder.field("Reference").fill("{{ (trigger.image_width | number) * 2 }}")
    chip = builder.field("Reference").locator(".px-chip")
    assert chip.inner_text() == "Calculated: (trigger.image_width | number) * 2"
    chip.click()
    builder.page.get_by_label("The value as text").fill("{{ trigger.image_width * 3 }}")
    builder.click("Done")
    assert builder.source("Reference") == "{{ trigger.image_width * 3 }}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_fields_and_the_list_of_values_have_names_fit_and_axe_finds_nothing(
    session: Any, person_at: Callable[..., Person], scheme: str, width: int
) -> None:
    options = {"color_scheme": scheme, "viewport": {"width": width, "height": 844}}
    builder = _at_the_form(person_at(storage_state=session, **options))
    _put(builder, "For {{ trigger.title }} {{ nobody.knows }}")
    builder.page.get_by_text("With this sample").first.wait_for()
    assert looks.violations(builder.page) == looks.nameless(builder.page) == looks.overflow(builder.page) == []
    builder.page.get_by_role("button", name="Pick a value for Description").click()
    assert looks.violations(builder.page) == looks.nameless(builder.page) == looks.overflow(builder.page) == []


def test_without_scripts_the_field_is_the_text_and_the_values_are_listed(
    session: Any, person_at: Callable[..., Person]
) -> None:
    builder = person_at(storage_state=session, java_script_enabled=False)
    builder.open(NEW_INVOICE)
    builder.field("Description").fill("{{ trigger.title }}")
    builder.page.get_by_role("button", name="Pick a value").wait_for(state="detached")
    assert "Values you can use" in builder.page.content()
