"""The steps of a workflow are tried with the samples before it is published: what cannot work is refused with its
place, what may be due to the sample warns, and no provider is waited for."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from integrations.framework import registry
from integrations.models import Connection
from tests.base import Cast
from tests.integrations.connectors.xero.writing import written
from tests.integrations.wire import DETAILS, Wire, client_for, connected, sandbox_hosts, wire
from tests.provider import DEMO, NORTHWIND, Sandbox
from workflows.definitions import editing, samples
from workflows.definitions.samples import Found
from workflows.definitions.samples.sample_checks import SampleFinding, sample_findings
from workflows.definitions.validation import problems
from workflows.models import SampleItem, Workflow
from workflows.publishing import publish

__all__ = ["sandbox_hosts", "wire"]

PIN = {"title": "Oak table 250", "id": "1", "link": "https://shop.pinworks.example/oak"}
ROW = {"description": "{{ trigger.title }}", "unit_amount": "250", "account_code": "200"}
#: A list.
WORDS = "{{ trigger.title | split(' ') }}"
_numbers = count(1)
Make = Callable[..., Workflow]


@pytest.fixture
def xero(cast: Cast, sandbox_hosts: Sandbox, wire: Wire) -> Connection:
    return connected(sandbox_hosts, cast, "xero", DEMO, **DETAILS[DEMO])


@pytest.fixture
def make(cast: Cast, xero: Connection, sandbox_hosts: Sandbox) -> Make:
    """A draft of one invoice per pin, with a real pin as its sample."""
    pinterest = connected(sandbox_hosts, cast, "pinterest", "783612114631173151", name="Pinworks")

    def made(operation: str = "xero.create_invoice", *, data: dict[str, Any] | None = None, **inputs: Any) -> Workflow:
        workflow = editing.create_workflow(
            cast.team,
            name=f"Pins {next(_numbers)}",
            operation="pinterest.new_pin",
            connection=pinterest,
            by=cast.builder,
        )
        usual = {"contact_id": sandbox_hosts.contact_id("Boom FM"), "lines": [ROW]}
        sources = {name: value for name, value in {**usual, **inputs}.items() if value is not None}
        editing.save_step(workflow, None, editing.StepDraft("Write it", operation, xero, sources))
        samples.keep_items(workflow, [Found({**PIN, **(data or {})}, title="Oak table")])
        return workflow

    return made


def named(findings: list[SampleFinding]) -> list[tuple[str, str, bool]]:
    return [(each.finding.code, each.finding.input, each.is_certain) for each in findings]


def tried(workflow: Workflow, *, may_ask: bool = True) -> list[tuple[str, str, bool]]:
    return named(sample_findings(workflow, may_ask=may_ask))


def row(**changed: Any) -> dict[str, Any]:
    return {"lines": [{name: value for name, value in {**ROW, **changed}.items() if value is not None}]}


def test_a_workflow_that_works_has_no_finding(make: Make) -> None:
    workflow = make()
    assert problems(workflow) == []
    assert tried(workflow) == []


CERTAIN = {
    "a list where a text goes": (
        row(description="{{ trigger.title | split(' ') }}"),
        "list_in_text",
        "lines.0.description",
    ),
    "a list beside text is a text": (row(description="Tags: {{ trigger.title | split(' ') | join }}"), "", ""),
    "a name where an id goes": ({"contact_id": "Boom FM"}, "contact_no_id", "contact_id"),
    "an account of another organisation": (row(account_code="4000"), "account_missing", "lines.0.account_code"),
    "a tax rate that does not fit": (row(tax_type="INPUT2"), "tax_unfit", "lines.0.tax_type"),
    "a currency that is not enabled": ({"currency": "EUR"}, "currency_off", "currency"),
    "a day in a locked period": ({}, "", ""),
}


@pytest.mark.parametrize("case", CERTAIN.values(), ids=CERTAIN)
def test_what_cannot_work_whatever_the_data_is_certain(case: tuple[dict[str, Any], str, str], make: Make) -> None:
    inputs, code, path = case
    assert tried(make(**inputs)) == ([(code, path, True)] if code else [])


def test_a_mapped_account_that_is_wrong_in_the_sample_only_warns(make: Make) -> None:
    found = tried(make(data={"alt_text": "4000"}, **row(account_code="{{ trigger.alt_text }}")))
    assert found == [("account_missing", "lines.0.account_code", False)]


def test_a_value_that_does_not_fit_in_the_sample_only_warns(make: Make) -> None:
    workflow = make(**row(unit_amount="{{ trigger.title }}"))
    (found,) = sample_findings(workflow, may_ask=True)
    assert (found.finding.code, found.place, found.is_certain) == ("does_not_fit", "Line 1", False)
    assert 'this is "Oak table 250"' in found.finding.message


def test_what_is_wrong_in_each_row_that_a_list_gives_is_said_once_at_the_row_that_was_written(make: Make) -> None:
    repeated = {"~each": WORDS, "description": "{{ item }}", "unit_amount": "5", "account_code": "4000"}
    assert tried(make(lines=[repeated, ROW])) == [("account_missing", "lines.0.account_code", True)]
    (found,) = sample_findings(make(lines=[repeated, {**ROW, "account_code": "4000"}]), may_ask=True)[1:]
    assert (found.finding.input, found.place) == ("lines.1.account_code", "Line 2, account")


def test_a_number_that_the_sample_has_used_only_warns(make: Make, xero: Connection) -> None:
    action = registry.action("xero.create_invoice")
    contact = {"contact_id": make().steps.get().mappings.get(input="contact_id").value}
    written(
        client_for(xero), action, **contact, invoice_number="PIN-1", lines=[{"description": "Oak", "unit_amount": 1}]
    )
    assert tried(make(invoice_number="PIN-{{ trigger.id }}")) == [("number_taken", "invoice_number", False)]
    assert tried(make(invoice_number="PIN-1")) == [("number_taken", "invoice_number", True)]


def test_what_is_invented_is_not_looked_up(make: Make, wire: Wire) -> None:
    workflow = make(contact_id="{{ trigger.board_id }}")
    SampleItem.objects.filter(workflow=workflow).delete()
    found = tried(workflow)
    assert [each for each in found if each[1] == "contact_id"] == []
    assert not any("/Contacts/" in each for each in wire.calls)


# --- publishing -------------------------------------------------------------------------------------------------------


def test_publishing_refuses_what_was_read_to_be_wrong_and_names_the_place(make: Make, cast: Cast, wire: Wire) -> None:
    workflow = make(**row(account_code="4000"))
    assert tried(workflow)
    wire.clear()
    with pytest.raises(publish.PublishError) as refused:
        publish.publish(workflow, by=cast.builder)
    (problem,) = refused.value.problems
    assert (problem.input, problem.place) == ("lines.0.account_code", "Line 1, account")
    assert problem.message == (
        'There is no account with the code "4000" in Demo Company (NZ). Choose an account of this organisation.'
    )
    assert not workflow.versions.exists()
    assert wire.calls == []


def test_publishing_goes_on_where_nothing_was_read_and_asks_nobody(make: Make, cast: Cast, wire: Wire) -> None:
    workflow = make(**row(account_code="4000"))
    assert publish.publish(workflow, by=cast.builder).number == 1
    assert wire.calls == []


def test_publishing_goes_on_where_the_provider_does_not_answer(make: Make, cast: Cast, sandbox_hosts: Sandbox) -> None:
    workflow = make()
    sandbox_hosts.faults(p500=1.0, only_provider="xero")
    assert tried(workflow) == [("not_checked", "", False)]
    assert publish.publish(workflow, by=cast.builder).number == 1


def test_what_only_the_sample_is_wrong_about_is_published(make: Make, cast: Cast) -> None:
    workflow = make(data={"alt_text": "4000"}, **row(account_code="{{ trigger.alt_text }}"))
    assert tried(workflow)
    assert publish.publish(workflow, by=cast.builder).number == 1


def test_a_list_in_a_text_is_refused_without_any_call(make: Make, cast: Cast, wire: Wire) -> None:
    workflow = make(**row(description="{{ trigger.title | split(' ') }}"))
    with pytest.raises(publish.PublishError, match="Description takes one value; this gives a list of 3"):
        publish.publish(workflow, by=cast.builder)
    assert wire.calls == []


# --- whatever the data, without a sample ------------------------------------------------------------------------------

NEVER = {
    "a row without an item and a description": (
        row(description=None, unit_amount="{{ trigger.id }}"),
        "lines.0.description",
        "Each row needs a description or an item.",
    ),
    "an approved invoice without a due date": (
        {"status": "AUTHORISED", "reference": "{{ trigger.title }}"},
        "due_date",
        "Due date is needed for an invoice that does not stay a draft.",
    ),
    "a rate without a currency": (
        {"currency_rate": "{{ trigger.id }}"},
        "",
        "",
    ),
}


@pytest.mark.parametrize("case", NEVER.values(), ids=NEVER)
def test_what_no_data_can_make_right_stops_publishing(case: tuple[dict[str, Any], str, str], make: Make) -> None:
    inputs, path, message = case
    found = [(each.input, each.message) for each in problems(make(**inputs))]
    assert found == ([(path, message)] if path else [])


def test_a_due_date_is_not_missed_where_the_status_is_decided_in_the_run(make: Make) -> None:
    assert problems(make(status="{{ trigger.title }}")) == []


def test_a_day_before_another_is_no_problem_where_one_is_decided_in_the_run(make: Make) -> None:
    values = {"quote_date": "{{ trigger.created_at }}", "expiry_date": "2026-01-01"}
    assert problems(make("xero.create_quote", **values)) == []
    wrong = problems(make("xero.create_quote", quote_date="2026-02-01", expiry_date="2026-01-01"))
    assert [(each.input, each.message) for each in wrong] == [("expiry_date", "Expiry date is before the quote date.")]


def test_a_locked_period_is_certain_only_for_a_constant_day(cast: Cast, make: Make, sandbox_hosts: Sandbox) -> None:
    northwind = connected(sandbox_hosts, cast, "xero", NORTHWIND, **DETAILS[NORTHWIND])
    contact = next(each["id"] for each in sandbox_hosts.contacts(NORTHWIND))
    for day, is_certain in (("2025-12-31", True), ("{{ trigger.day }}", False)):
        workflow = make(data={"day": "2025-12-31"}, contact_id=contact, invoice_date=day, **row(account_code="4000"))
        workflow.steps.update(connection=northwind)
        assert tried(workflow) == [("period_locked", "invoice_date", is_certain)]
