"""Jobs from the gallery of recipes, one after the other in one company that begins empty: few clicks, few fields, no
syntax, and each seen in a preview before it is published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.browser.counting import Count, counted
from tests.browser.person import Person
from tests.browser.stage import Stage, running_stage
from tests.browser.ways import connect

pytestmark = pytest.mark.browser

MOST_CLICKS, MOST_FIELDS = 25, 8
TEAM = "team@acme.example"
HOSTILE_NAME = '=HYPERLINK("http://x.example") & {{ 7 * 7 }}'
HOSTILE_TEXT = "{{ trigger.amount }} </script><b>&amp;"
#: As a spreadsheet of somebody abroad saves it: a formula and a mapping as texts, a name that is there, one that lacks.
ROWS = (
    "Customer;Email;Description;Amount;Due date\n"
    f'"{HOSTILE_NAME.replace(chr(34), chr(34) * 2)}";;"{HOSTILE_TEXT}";1.234,50;31.12.2026\n'
    "Boom FM;;Styling, two days;480,00;15.12.2026\n"
    ";nobody@acme.example;Nobody's;5,00;\n"
)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """As everywhere, but mails are kept as files."""
    folder = tmp_path_factory.mktemp("stage")
    with running_stage(folder, EMAIL_URL=f"file://{folder}/mails") as stage:
        yield stage


@pytest.fixture
def builder(person_at: Callable[..., Person]) -> Person:
    """On the dashboard."""
    person = person_at()
    person.sign_in("builder")
    return person


def test_the_profit_and_loss_is_mailed_on_the_months_last_working_day(builder: Person) -> None:
    with counted(builder) as count:
        builder.click("Go to connections", role="link")
        connect(builder, "Xero", leaving_out="Northwind Ltd")
        builder.click("Dashboard", role="link")
        builder.click("See recipes", role="link")
        _find(builder, "last working day", "Profit and loss at the month's end")
        builder.field("Send it to").fill(TEAM)
        _draft(builder)
        for words in ("nothing is switched on yet", "Would be written", "Net profit: 0.00"):
            assert builder.reads(words)
        _publish_and_switch_on(builder, "Every month to the team.")
    assert builder.reads("on the last working day of every month")
    _is_quick(count)


def test_rows_of_a_csv_file_become_draft_invoices(builder: Person, stage: Stage) -> None:
    rows = stage.folder / "rows.csv"
    rows.write_text(ROWS)
    with counted(builder) as count:
        _open_recipes(builder)
        _find(builder, "csv", "CSV rows to draft invoices")
        builder.field("Sales account").select_option(label="200 - Sales")
        _draft(builder)
        builder.click("CSV rows to draft invoices", role="link")
        builder.page.locator("#trigger").get_by_role("link", name="Edit").click()
        builder.page.get_by_label("Take the values from a CSV file").set_input_files(rows)
        builder.click("Take the columns")
        builder.click("Save the trigger")
        builder.page.get_by_text("The trigger is saved.").first.wait_for()
        builder.click("Preview")
        builder.page.wait_for_url("**/previews/*/")
        for words in ("a real item", HOSTILE_NAME, HOSTILE_TEXT, "1,234.50", "31 Dec 2026", "200 - Sales"):
            assert builder.reads(words), words
        _publish_and_switch_on(builder, "What is kept in a spreadsheet.")
        builder.click("Rows of a file…", role="link")
        builder.page.get_by_label("CSV file").set_input_files(rows)
        builder.click("Show the rows")
        assert builder.reads("1 row cannot be started")
        assert builder.reads("Row 3: Customer is needed, but nothing was given.")
        builder.page.get_by_label("Leave it out").check()
        builder.click("Start 2 runs")
    _await_runs(builder, 2)
    names = {each["id"]: each["Name"] for each in stage.sandbox.contacts()}
    made = {names[each["contact_id"]]: (each["Status"], each["Total"]) for each in stage.sandbox.invoices()}
    assert made == {HOSTILE_NAME: ("DRAFT", Decimal("1419.68")), "Boom FM": ("DRAFT", Decimal("552.00"))}
    _is_quick(count)


def test_a_new_credit_note_is_mailed_to_the_team(builder: Person, stage: Stage) -> None:
    stage.sandbox.make("credit_note", number="CN-0041")
    with counted(builder) as count:
        _open_recipes(builder)
        _find(builder, "credit note", "New credit notes to the team")
        builder.field("Send it to").fill(TEAM)
        _draft(builder)
        for words in ("a real item", "CN-0041", "Would be written"):
            assert builder.reads(words), words
        _publish_and_switch_on(builder, "What is given back is told on the day.")
        builder.page.get_by_text("It is recording what is already there.").wait_for(state="detached")
        stage.sandbox.make("credit_note", number="CN-0042")
        builder.click("Check now")
    _await_runs(builder, 1)
    [mail] = _mails(stage)
    assert mail["To"] == TEAM
    assert "CN-0042" in mail["Subject"]
    _is_quick(count)


def _open_recipes(person: Person) -> None:
    person.click("Workflows", role="link")
    person.click("Recipes", role="link")


def _find(person: Person, words: str, name: str) -> None:
    person.page.get_by_role("searchbox", name="Search").fill(words)
    person.click("Show")
    person.page.get_by_role("link", name=name).click()
    person.field("Name of the workflow").wait_for()


def _draft(person: Person) -> None:
    """Make the draft, which shows its preview."""
    person.click("Create the draft")
    person.page.wait_for_url("**/previews/*/")


def _publish_and_switch_on(person: Person, note: str) -> None:
    """From a preview."""
    person.click("Publish…", role="link")
    person.field("What has changed, and why?").fill(note)
    person.click("Publish")
    person.click("Switch on…", role="link")
    person.click("Switch it on")
    assert person.reads("Active")


def _await_runs(person: Person, number: int) -> None:
    runs = person.page.locator("#last-runs li")
    person.reload_until(lambda: [each.count("Succeeded") for each in runs.all_inner_texts()] == [1] * number)


def _mails(stage: Stage) -> list[EmailMessage]:
    files = sorted(Path(stage.folder, "mails").glob("*.log"))
    return [message_from_bytes(each.read_bytes().split(b"\n" + b"-" * 79)[0], policy=policy.default) for each in files]


def _is_quick(count: Count) -> None:
    assert count.clicks <= MOST_CLICKS, count
    assert count.fields <= MOST_FIELDS, count
