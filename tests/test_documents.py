"""README and the pages in docs say what the code says."""

from __future__ import annotations

import inspect
import re
from io import StringIO
from typing import Any

from django.conf import settings as configured
from django.core.management import call_command

from integrations.connectors.pinterest import choices, samples
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.records import board_data
from integrations.connectors.xero.actions.lists import ListTaxRates
from integrations.framework import registry
from integrations.framework.base import Action, Effect, Start, Trigger
from integrations.schema.schema import Schema, field
from integrations.transport.http import ApiClient
from tests.base import Cast, make_connection
from tests.provider import Sandbox
from tests.source import ROOT, modules

README = ROOT / "README.md"
DOCS = ROOT / "docs"
ADDING = DOCS / "adding-an-operation.md"
DEPLOY = DOCS / "deploy.md"


def test_the_deployment_page_explains_every_check() -> None:
    raised = set(re.findall(r'id="(pinxero\.[EW]\d+)"', modules()["pinxero.checks"].text))
    explained = re.findall(r"^\| (pinxero\.[EW]\d+) \|", DEPLOY.read_text(), re.MULTILINE)
    assert explained == sorted(raised)
    assert len(explained) == 28


def test_documents_point_at_files_that_exist() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [README, *sorted((ROOT / "docs").glob("*.md"))]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []


def test_the_readme_can_be_read_in_a_few_minutes() -> None:
    assert len(README.read_bytes()) <= 8_000


def section_of(page: str, heading: str) -> str:
    """What stands below a heading of a page in docs."""
    return re.split(rf"^#+ {heading}\n", (DOCS / page).read_text(), flags=re.MULTILINE)[1].split("\n## ")[0]


def table(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of a page in docs, without its head."""
    section = section_of(page, heading)
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_every_operation_is_listed_as_it_is_declared() -> None:
    declared = StringIO()
    call_command("operations", "--markdown", stdout=declared)
    listed = [line for line in section_of("operations.md", "Operations").splitlines() if line.startswith("| `")]
    assert listed == declared.getvalue().splitlines(), "Put the rows of `manage.py operations --markdown` there."


def test_an_instant_trigger_is_told_from_a_polled_one_and_an_action_by_what_it_does() -> None:
    kinds = {row[0].strip("`"): row[1] for row in table("operations.md", "Operations")}
    for operation in registry.operations():
        if isinstance(operation, Action):
            assert kinds[operation.full_key] == f"action, {operation.effect}"
        elif isinstance(operation, Start):
            assert kinds[operation.full_key] == "trigger, started"
        else:
            assert isinstance(operation, Trigger)
            assert kinds[operation.full_key] == f"trigger, {'instant' if operation.doorbell else 'polled'}"


def test_the_page_on_adding_an_operation_shows_a_real_one() -> None:
    shown = re.findall(r"```python\n(.*?)```", ADDING.read_text(), re.DOTALL)
    _, action, sample, line = shown
    assert action == inspect.getsource(ListTaxRates)
    assert sample.rstrip() in modules()["integrations.connectors.xero.samples.records"].text
    assert f"\n{line}" in modules()["integrations.connectors.xero.connector"].text
    assert any(isinstance(operation, ListTaxRates) for operation in registry.operations())


def test_every_setting_that_is_read_is_listed() -> None:
    own = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', modules()["pinxero.settings"].text)
    read = own + [setting.name for declared in configured.CONNECTOR_SETTINGS for setting in declared.all]
    listed = [name for row in table("settings.md", "Settings") for name in re.findall(r"`([A-Z_]+)`", row[0])]
    assert sorted(listed) == sorted(set(read))


def test_the_limits_of_providers_are_listed_as_they_are_declared() -> None:
    defaults = {each.name: each.default for declared in configured.CONNECTOR_SETTINGS for each in declared.all}
    for row in table("settings.md", "Settings"):
        limits = [defaults[name] for name in re.findall(r"`([A-Z_]+_LIMIT)`", row[0])]
        assert not limits or row[1] == ", ".join(map(str, limits))


def test_the_page_on_adding_a_connector_shows_a_real_one() -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", (DOCS / "adding-a-connector.md").read_text(), re.DOTALL)
    assert shown == modules()["integrations.connectors.pinterest.settings"].text


def test_the_example_of_an_operation_works_and_is_short(cast: Cast, sandbox: Sandbox, settings: Any) -> None:
    source = ADDING.read_text().split("```python\n")[1].split("```")[0]
    assert len(source.splitlines()) < 20
    for name, value in sandbox.settings().items():
        setattr(settings, name, value)
    from urllib.parse import quote

    names: dict[str, Any] = {
        "Action": Action, "Any": Any, "ApiClient": ApiClient, "Effect": Effect, "Schema": Schema,
        "board_data": board_data, "choices": choices, "field": field, "quote": quote, "samples": samples,
        "__name__": __name__,
    }  # fmt: skip
    exec(source, names)
    operation = names["GetBoard"]()
    connection = make_connection(cast.team, "pinterest")
    connection.grant.access_token = sandbox.tokens("pinterest")["access_token"]
    connection.grant.save()
    api = PinterestClient(connection)
    board = api.read("/boards").json()["items"][0]
    assert operation.run(api, operation.Inputs.clean({"board_id": board["id"]})) == board_data(board)


def test_every_file_of_ours_that_a_page_names_exists() -> None:
    named = re.compile(r"`((?:bench|integrations|pinxero|templates|tests|workflows)/[\w./-]+)`")
    missing = [
        f"{page.name}: {path}"
        for page in [README, *sorted(DOCS.glob("*.md"))]
        for path in named.findall(page.read_text())
        if not (ROOT / path).exists()
    ]
    assert missing == []
