"""README and the pages in docs say what the code says."""

from __future__ import annotations

import inspect
import re
from io import StringIO
from typing import Any

from django.core.management import call_command

from integrations import registry
from integrations.base import Action, Effect, Start, Trigger
from integrations.http import ApiClient
from integrations.pinterest import choices, samples
from integrations.pinterest.client import PinterestClient
from integrations.pinterest.records import board_data
from integrations.schema import Schema, field
from integrations.xero.list_actions import ListTaxRates
from tests.base import Cast, make_connection
from tests.provider import Sandbox
from tests.source import ROOT, modules

README = ROOT / "README.md"
ADDING = ROOT / "docs" / "adding-an-operation.md"
DEPLOY = ROOT / "docs" / "deploy.md"


def test_the_deployment_page_explains_every_check() -> None:
    raised = set(re.findall(r'id="(pinxero\.[EW]\d+)"', modules()["pinxero.checks"].text))
    explained = re.findall(r"^\| (pinxero\.[EW]\d+) \|", DEPLOY.read_text(), re.MULTILINE)
    assert explained == sorted(raised)
    assert len(explained) == 24


def test_documents_point_at_files_that_exist() -> None:
    missing = [
        f"{page.relative_to(ROOT)}: {target}"
        for page in [README, *sorted((ROOT / "docs").glob("*.md"))]
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
        if not (page.parent / target).exists()
    ]
    assert missing == []


def table(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading of README.md, without its head."""
    section = README.read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def test_the_readme_lists_every_operation_as_it_is_declared() -> None:
    declared = StringIO()
    call_command("operations", "--markdown", stdout=declared)
    section = README.read_text().split("\n## Operations\n")[1].split("\n## ")[0]
    listed = [line for line in section.splitlines() if line.startswith("| `")]
    assert listed == declared.getvalue().splitlines(), "Put the rows of `manage.py operations --markdown` there."


def test_an_instant_trigger_is_told_from_a_polled_one_and_an_action_by_what_it_does() -> None:
    kinds = {row[0].strip("`"): row[1] for row in table("Operations")}
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
    action, sample, line = shown
    assert action == inspect.getsource(ListTaxRates)
    assert sample.rstrip() in modules()["integrations.xero.samples"].text
    assert f"\n{line}" in modules()["integrations.xero.connector"].text
    assert any(isinstance(operation, ListTaxRates) for operation in registry.operations())


def test_the_readme_lists_every_setting_that_is_read() -> None:
    read = re.findall(r'env\.\w+\(\s*"([A-Z_]+)"', modules()["pinxero.settings"].text)
    listed = [name for row in table("Settings") for name in re.findall(r"`([A-Z_]+)`", row[0])]
    assert sorted(listed) == sorted(set(read))


def test_the_readmes_example_of_an_operation_works_and_is_short(cast: Cast, sandbox: Sandbox, settings: Any) -> None:
    source = README.read_text().split("```python\n")[1].split("```")[0]
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
