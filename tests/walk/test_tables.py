"""Reports and lists as people see them on the page of a run."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from integrations.framework import registry
from tests.walk.stage import Stage, step_of


@pytest.mark.parametrize("key", ["xero.get_balance_sheet", "xero.get_profit_and_loss"])
def test_a_report_is_a_table_with_every_row_and_its_exact_figures(key: str, stage: Stage) -> None:
    stage.sandbox.make("invoice", status="AUTHORISED", amount="1234.5")
    action = registry.action(key)
    run = stage.settle(stage.start(action, action.Inputs.clean({})))
    output = step_of(run).output
    table = stage.page(run).split('<table class="px-table px-table--report">')[1].split("</table>")[0]
    assert output["period"] in table
    assert re.findall(r'<th scope="row">(.*?)</th>', table) == [row["label"] for row in output["rows"]]
    shown = [
        Decimal(text.replace(",", "").replace("\u2212", "-")) for text in re.findall(r"nowrap\">(.+?)</td>", table)
    ]
    assert shown == [figure for row in output["rows"] for figure in row["amounts"] if figure is not None]
    assert shown


def test_a_providers_text_in_a_list_stays_text(stage: Stage) -> None:
    action = registry.action("xero.find_contact")
    inputs = action.Inputs.clean({"search_by": "anywhere", "value": "Rex Media", "if_several": "all"})
    run = stage.settle(stage.start(action, inputs))
    page = stage.page(run)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=" in page


@pytest.mark.parametrize("key", ["xero.list_accounts", "xero.list_tax_rates"])
def test_a_list_that_is_cut_says_so_on_the_run_page(key: str, stage: Stage) -> None:
    action = registry.action(key)
    run = stage.settle(stage.start(action, action.Inputs.clean({"most": 2})))
    output = step_of(run).output
    assert (output["count"], output["is_cut"]) == (2, True)
    assert f"<span>{output['warning']}</span>" in stage.page(run)
