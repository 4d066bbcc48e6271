"""Fetched choices: kept for a quarter of an hour with their age, cut at a thousand, and never an exception."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from integrations.connectors.xero.client import XeroClient
from integrations.core.errors import TemporaryError
from integrations.framework import choices as shown
from integrations.framework import registry
from integrations.framework.choices import ChoiceList, choices_for
from integrations.models import ChoiceCache, Connection
from integrations.schema.schema import Field, Schema, choices, field
from integrations.transport.http import Request
from tests.integrations.wire import Wire, demo, northwind, pinterest, sandbox_hosts, wire
from tests.provider import NORTHWIND, Sandbox

__all__ = ["demo", "northwind", "pinterest", "sandbox_hosts", "wire"]


def input_of(operation: str, name: str) -> Field:
    fields = {each.name: each for each in registry.operation(operation).Inputs.fields()}
    if "." in name:
        table, column = name.split(".")
        return next(each for each in fields[table].columns if each.name == column)
    return fields[name]


def offered(api: Any, name: str, operation: str = "xero.create_invoice", **more: Any) -> ChoiceList:
    return choices_for(api.connection, input_of(operation, name), {}, **more)


# --- what is offered --------------------------------------------------------------------------------------------------


def test_only_active_revenue_accounts_are_offered(demo: Any) -> None:
    assert offered(demo, "lines.account_code").choices == [
        ("200", "200 - Sales"),
        ("260", "260 - Other Revenue"),
        ("270", "270 - Interest Income"),
    ]


def test_each_organisation_offers_its_own(northwind: Any) -> None:
    assert offered(northwind, "lines.account_code").choices == [
        ("4000", "4000 - Sales of Products"),
        ("4010", "4010 - Consulting"),
        ("4900", "4900 - Other Income"),
    ]
    assert offered(northwind, "currency").choices == [("GBP", "GBP - British Pound"), ("EUR", "EUR - Euro")]


def test_tax_rates_that_may_stand_on_sales_are_offered_with_their_percentage(demo: Any) -> None:
    assert offered(demo, "lines.tax_type").choices == [
        ("OUTPUT2", "15% GST on Income (15%)"),
        ("ZERORATED", "Zero Rated (0%)"),
        ("NONE", "No GST (0%)"),
    ]


def test_items_and_branding_themes_are_offered(demo: Any) -> None:
    assert ("PRINT-A4", "PRINT-A4 - Art print A4") in offered(demo, "lines.item_code").choices
    assert [label for _, label in offered(demo, "branding_theme_id").choices] == ["Standard", "Special Projects"]


def test_contacts_are_offered_by_name_with_their_email_and_can_be_searched(
    demo: Any, sandbox: Sandbox, wire: Wire
) -> None:
    everyone = offered(demo, "contact_id")
    labels = [label for _, label in everyone.choices]
    assert labels == sorted(labels)
    assert len(labels) == len([each for each in sandbox.contacts() if each["ContactStatus"] == "ACTIVE"])
    first = sandbox.contacts()[0]
    wire.clear()
    some = offered(demo, "contact_id", search=first["Name"])
    assert first["id"] in [value for value, _ in some.choices]
    assert len(some.choices) < len(labels)
    assert wire.exchanges[0].query["searchTerm"] == first["Name"]


def test_boards_are_offered(pinterest: Any, sandbox: Sandbox) -> None:
    made = sandbox.add_board("Prints of spring")
    assert (made["id"], "Prints of spring") in offered(pinterest, "board_id", "pinterest.new_pin").choices


def test_fixed_choices_need_no_connection() -> None:
    found = choices_for(None, input_of("xero.create_invoice", "status"), {})
    assert found.choices == [
        ("DRAFT", "Draft"),
        ("SUBMITTED", "Awaiting approval"),
        ("AUTHORISED", "Approved, awaiting payment"),
    ]
    assert (found.problem, found.fetched_at) == ("", None)


# --- the cache --------------------------------------------------------------------------------------------------------


def test_a_second_look_within_a_quarter_of_an_hour_asks_nobody(demo: Any, wire: Wire) -> None:
    first = offered(demo, "currency")
    second = offered(demo, "currency")
    assert wire.calls == ["GET /api.xro/2.0/Currencies"]
    assert first == second
    assert second.fetched_at is not None
    assert timezone.now() - second.fetched_at < timedelta(minutes=1)


def test_older_choices_are_asked_for_again(demo: Any, wire: Wire) -> None:
    offered(demo, "currency")
    ChoiceCache.objects.update(fetched_at=timezone.now() - timedelta(minutes=15, seconds=1))
    offered(demo, "currency")
    assert len(wire.calls) == 2
    assert ChoiceCache.objects.count() == 1


def test_the_refresh_button_asks_now(demo: Any, wire: Wire) -> None:
    offered(demo, "currency")
    offered(demo, "currency", refresh=True)
    assert len(wire.calls) == 2


def test_connections_do_not_share_choices(demo: Any, sandbox: Sandbox) -> None:
    offered(demo, "currency")
    other = Connection.objects.create(
        team=demo.connection.team,
        grant=demo.connection.grant,
        provider="xero",
        external_id=NORTHWIND,
        name="Northwind",
    )
    assert choices_for(other, input_of("xero.create_invoice", "currency"), {}).choices[0][0] == "GBP"


def test_searches_are_not_kept(demo: Any) -> None:
    offered(demo, "contact_id", search="a")
    assert ChoiceCache.objects.count() == 0


# --- whatever goes wrong ----------------------------------------------------------------------------------------------


def picks(load: Any) -> Field:
    class Picks(Schema):
        thing: str = field("Thing", choices=choices(depends_on=("kind",))(load))

    return Picks.fields()[0]


def test_without_a_connection_a_sentence_says_what_to_do() -> None:
    assert choices_for(None, input_of("xero.create_invoice", "currency"), {}) == ChoiceList(
        problem="Choose a connection first; then Currency can be picked from its own list."
    )


def test_an_empty_list_says_so(demo: Any) -> None:
    found = choices_for(demo.connection, picks(lambda api, inputs: iter(())), {})
    assert (found.choices, found.problem) == ([], "There is nothing to choose for Thing in Demo Company (NZ) yet.")
    assert found.fetched_at is not None


def test_a_connection_that_is_down_shows_older_choices_and_why(demo: Any, wire: Wire) -> None:
    before = offered(demo, "currency")
    Connection.objects.update(status=Connection.Status.NEEDS_RECONNECT)
    demo.connection.refresh_from_db()
    found = offered(demo, "currency", refresh=True)
    assert found.choices == before.choices
    assert found.problem == "Demo Company (NZ) is not connected now. Reconnect it on the connections page."
    assert len(wire.calls) == 1


def test_a_provider_that_is_down_shows_older_choices_and_why(demo: Any, sandbox: Sandbox) -> None:
    before = offered(demo, "currency")
    sandbox.faults(next=["500"])
    found = offered(demo, "currency", refresh=True)
    assert (found.choices, found.fetched_at) == (before.choices, before.fetched_at)
    assert found.problem == "Currency could not be read from Demo Company (NZ). Xero answered 500."


@pytest.mark.parametrize("broken", [KeyError("Code"), TypeError("x"), ZeroDivisionError(), RuntimeError("bug")])
def test_even_a_bug_in_a_loader_leaves_the_form_standing(demo: Any, broken: Exception, caplog: Any) -> None:
    def load(api: Any, inputs: Any) -> Any:
        raise broken
        yield

    found = choices_for(demo.connection, picks(load), {})
    assert found.choices == []
    assert found.problem == "Thing could not be read from Demo Company (NZ): its answer was not understood."
    assert "could not be read" in caplog.text


def test_an_answer_of_another_shape_is_a_sentence(demo: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def read(self: Any, *arguments: Any) -> Any:
        raise TemporaryError("Xero answered with something that is not JSON.")

    monkeypatch.setattr(XeroClient, "read", read)
    assert offered(demo, "currency").problem == (
        "Currency could not be read from Demo Company (NZ). Xero answered with something that is not JSON."
    )


def test_long_lists_are_cut_and_say_so(demo: Any) -> None:
    asked = []

    def load(api: Any, inputs: Any) -> Any:
        for number in range(5000):
            asked.append(number)
            yield str(number), f"Thing {number}"

    found = choices_for(demo.connection, picks(load), {})
    assert len(found.choices) == shown.MOST_CHOICES == 1000
    assert found.is_cut is True
    assert len(asked) == 1001, "the rest is not even asked for"
    assert choices_for(demo.connection, picks(load), {}).is_cut is True


def test_choices_depend_on_the_inputs_they_name(demo: Any) -> None:
    def load(api: Any, inputs: Any) -> Any:
        yield str(inputs["kind"]), "It"

    declared = picks(load)
    assert choices_for(demo.connection, declared, {"kind": "a", "other": 1}).choices == [("a", "It")]
    assert choices_for(demo.connection, declared, {"kind": "b"}).choices == [("b", "It")]
    assert choices_for(demo.connection, declared, {}).choices == [("None", "It")]
    assert ChoiceCache.objects.count() == 3


def test_a_page_full_of_choices_is_one_call(demo: Any, wire: Wire) -> None:
    offered(demo, "contact_id")
    assert wire.calls == ["GET /api.xro/2.0/Contacts"]


# --- choices that fit another input -----------------------------------------------------------------------------------


def taxes(api: Any, operation: str, account: str, **more: Any) -> list[str]:
    declared = input_of(operation, "lines.tax_type")
    return [code for code, _ in choices_for(api.connection, declared, {"account_code": account}, **more).choices]


def test_tax_rates_fit_the_class_of_the_chosen_account_with_one_call_for_all_accounts(
    northwind: Any, wire: Wire
) -> None:
    northwind.connection.details |= registry.connector("xero").details(northwind)
    wire.clear()
    everything = ["INPUT2", "RRINPUT", "ZERORATEDINPUT", "EXEMPTINPUT", "NONE"]
    assert set(everything) < set(taxes(northwind, "xero.create_bill", ""))
    assert taxes(northwind, "xero.create_bill", "6200") == everything  # an expense
    assert "OUTPUT2" in taxes(northwind, "xero.create_bill", "0030")  # furniture may be sold as well
    note = taxes(northwind, "xero.create_credit_note", "4000")
    assert note == ["OUTPUT2", "RROUTPUT", "ZERORATEDOUTPUT", "EXEMPTOUTPUT", "NONE"]
    assert wire.calls == ["GET /api.xro/2.0/TaxRates"] * 2  # bills and credit notes have lists of their own


def test_an_account_that_nobody_knows_narrows_nothing(northwind: Any) -> None:
    northwind.connection.details |= registry.connector("xero").details(northwind)
    assert taxes(northwind, "xero.create_bill", "9999") == taxes(northwind, "xero.create_bill", "")


def test_a_tax_rate_that_was_set_up_just_now_is_offered(northwind: Any) -> None:
    details = registry.connector("xero").details(northwind)
    del details["tax_rates"]["OUTPUT2"]
    northwind.connection.details |= details
    assert "OUTPUT2" in taxes(northwind, "xero.create_credit_note", "6200")


def test_more_than_a_page_of_quotes_is_offered_and_one_is_found_by_its_number(
    demo: Any, sandbox: Sandbox, wire: Wire
) -> None:
    line = {"Description": "Shelf", "Quantity": 1, "UnitAmount": 20, "AccountCode": "200"}
    quote = {"Contact": {"ContactID": sandbox.contacts()[0]["id"]}, "Date": "2026-11-22", "LineItems": [line]}
    demo.write(Request.of_json("PUT", "/Quotes", {"Quotes": [quote] * 120}))
    wire.clear()
    offers = offered(demo, "quote_id", "xero.update_quote_status")
    assert len(offers.choices) >= 120
    assert wire.calls == ["GET /api.xro/2.0/Quotes"] * 2
    number = offers.choices[-1][1].partition(" - ")[0]
    (found,) = offered(demo, "quote_id", "xero.update_quote_status", search=number).choices
    assert found == offers.choices[-1]
