"""Create an item or update the one with its code: for real against the sandbox."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.xero.actions.items import item_with
from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError
from integrations.framework import registry
from integrations.framework.base import Writing
from tests.integrations.connectors.xero.writing import hits, written
from tests.integrations.wire import Wire

ITEM = registry.action("xero.add_stock_item")
TRACKED = {"inventory_account": "630", "cost_of_goods_account": "310", "purchase_price": "100"}


def settled(api: Any, **values: Any) -> dict[str, Any] | None:
    """What the engine gives without writing."""
    inputs = ITEM.Inputs.clean(values)
    return ITEM.settled(inputs, ITEM.prepare(api, inputs))


def test_a_tracked_item_has_both_its_accounts_and_no_quantity(demo: Any, wire: Wire) -> None:
    values = {"code": "TABLE-1", "name": "Oak table", "sales_price": "250.1234", "sales_account": "200"}
    assert hits(demo, ITEM, **values) == []
    output = written(demo, ITEM, **values, **TRACKED)
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("PUT", "/api.xro/2.0/Items")
    assert json.loads(sent.body) == {
        "Items": [
            {
                "Code": "TABLE-1",
                "Name": "Oak table",
                "SalesDetails": {"UnitPrice": 250.1234, "AccountCode": "200"},
                "PurchaseDetails": {"UnitPrice": 100, "COGSAccountCode": "310"},
                "InventoryAssetAccountCode": "630",
            }
        ]
    }
    assert (output["IsTrackedAsInventory"], output["SalesDetails"]["UnitPrice"]) == (True, Decimal("250.1234"))
    assert [hit["ItemID"] for hit in hits(demo, ITEM, **values)] == [output["ItemID"]]


def test_an_item_that_is_there_gets_the_given_fields_and_keeps_the_others(demo: Any, wire: Wire) -> None:
    made = written(demo, ITEM, code="TABLE-1", name="Oak table", sales_price="250", sales_account="200", **TRACKED)
    values = {"code": "TABLE-1", "sales_price": "275.5", "description": "Solid oak."}
    assert hits(demo, ITEM, **values) == []
    changed = written(demo, ITEM, marker="PX-again", **values)
    sent = wire.exchanges[-1]
    assert (sent.method, sent.path) == ("POST", f"/api.xro/2.0/Items/{made['ItemID']}")
    assert json.loads(sent.body) == {
        "Items": [
            {
                "ItemID": made["ItemID"],
                "Code": "TABLE-1",
                "Description": "Solid oak.",
                "SalesDetails": {"UnitPrice": 275.5, "AccountCode": "200"},
            }
        ]
    }
    assert (changed["ItemID"], changed["Name"]) == (made["ItemID"], "Oak table")
    assert changed["SalesDetails"] == {"UnitPrice": Decimal("275.5"), "AccountCode": "200"}
    assert changed["PurchaseDetails"] == made["PurchaseDetails"]
    assert [hit["ItemID"] for hit in hits(demo, ITEM, **values)] == [made["ItemID"]]


def test_an_item_is_sold_and_purchased_unless_it_is_told_otherwise(demo: Any) -> None:
    made = written(demo, ITEM, code="TABLE-1", name="Oak table")
    assert (made["IsSold"], made["IsPurchased"]) == (True, True)
    changed = written(demo, ITEM, marker="PX-again", code="TABLE-1", is_purchased="no")
    assert (changed["IsSold"], changed["IsPurchased"]) == (True, False)
    assert settled(demo, code="TABLE-1", is_purchased="no") is not None
    assert settled(demo, code="TABLE-1", is_purchased="yes") is None


def test_the_output_says_which_it_was(demo: Any) -> None:
    values = {"code": "TABLE-1", "name": "Oak table"}
    new, old = ({**values, "name": name} for name in ("Oak table", "Elm table"))
    inputs = ITEM.Inputs.clean(new)
    assert ITEM.remember(ITEM.prepare(demo, inputs)) == {"outcome": "created"}
    output = written(demo, ITEM, **new)
    assert ITEM.describe({**output, "outcome": "created"}) == "Item TABLE-1 created"
    assert ITEM.remember(ITEM.prepare(demo, ITEM.Inputs.clean(old))) == {"outcome": "updated"}
    same = settled(demo, **new)
    assert same is not None
    assert (same["ItemID"], same["outcome"]) == (output["ItemID"], "unchanged")


def test_an_item_that_is_there_is_left_alone_or_stops_the_run_where_that_is_wanted(demo: Any, wire: Wire) -> None:
    written(demo, ITEM, code="TABLE-1", name="Oak table")
    wire.clear()
    kept = settled(demo, code="TABLE-1", name="Elm table", if_exists="keep")
    assert kept is not None
    assert (kept["Name"], kept["outcome"]) == ("Oak table", "unchanged")
    assert settled(demo, code="TABLE-2", name="Elm table", if_exists="keep") is None
    with pytest.raises(RejectedError, match="already: Oak table"):
        written(demo, ITEM, code="TABLE-1", name="Elm table", if_exists="stop")
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_a_new_item_whose_code_is_taken_in_the_meantime_is_refused(demo: Any) -> None:
    inputs = ITEM.Inputs.clean({"code": "TABLE-1", "name": "Elm table"})
    found = ITEM.prepare(demo, inputs)
    written(demo, ITEM, code="TABLE-1", name="Oak table")
    request = ITEM.request(inputs, Writing(marker="PX-late", back_link="", found=found))
    with pytest.raises(RejectedError, match="Price List Item with Code 'TABLE-1' already exists"):
        demo.write(request)


def test_a_code_that_the_filter_language_cannot_take_is_looked_up_all_the_same(demo: Any, wire: Wire) -> None:
    made = written(demo, ITEM, code='PIPE 3"', name="Pipe")
    assert wire.exchanges[-2].query == {"unitdp": "4", "where": 'Code.ToLower().Contains("pipe")'}
    found = item_with(demo, 'PIPE 3"')
    assert found is not None
    assert found["ItemID"] == made["ItemID"]
    assert item_with(demo, "PIPE 4") is None
    assert item_with(demo, '""') is None
    assert wire.exchanges[-1].query == {"unitdp": "4"}


def test_a_created_item_is_deleted_and_an_updated_one_stays(demo: Any) -> None:
    made = written(demo, ITEM, code="TABLE-1", name="Oak table")
    with pytest.raises(RejectedError, match="The item TABLE-1 was there before this step"):
        ITEM.undo(demo, {**made, "outcome": "updated"}, {})
    request = ITEM.undo(demo, {**made, "outcome": "created"}, {})
    assert request is not None
    assert (request.method, request.path) == ("DELETE", f"/Items/{made['ItemID']}")


def test_half_a_tracked_item_is_told_before_anything_is_sent() -> None:
    with pytest.raises(InvalidInputError) as caught:
        ITEM.Inputs.clean({"code": "T", "inventory_account": "630", "purchase_account": "310"})
    assert caught.value.problems == {
        "cost_of_goods_account": "A tracked item needs an account for cost of goods sold too.",
        "purchase_account": "A tracked item has no purchase account. Leave it empty.",
    }


def test_accounts_of_stock_are_offered_by_type(demo: Any) -> None:
    assert [value for value, _ in choices.inventory_accounts.load(demo, {})] == ["630"]
    assert [value for value, _ in choices.cost_accounts.load(demo, {})] == ["310", "401"]
