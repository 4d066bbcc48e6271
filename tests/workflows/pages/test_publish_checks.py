"""The publish page lists what was found with the samples, by step, each with a link to its field."""

from __future__ import annotations

from django.test import Client
from django.urls import reverse

from tests.integrations.wire import Wire
from tests.provider import Sandbox
from tests.workflows.definitions.test_sample_checks import Make, make, row, sandbox_hosts, wire, xero
from workflows.models import Workflow

__all__ = ["make", "sandbox_hosts", "wire", "xero"]


def address(workflow: Workflow) -> str:
    return reverse("publish_workflow", args=[workflow.pk])


def test_the_page_is_shown_without_asking_a_provider_and_asks_afterwards(
    builder: Client, make: Make, wire: Wire
) -> None:
    workflow = make(**row(account_code="{{ trigger.alt_text }}"), data={"alt_text": "4000"})
    text = builder.get(address(workflow)).content.decode()
    assert wire.calls == []
    assert f'hx-get="{address(workflow)}?check=1" hx-trigger="load"' in text
    assert '<a href="?check=1">Ask now</a>' in text


def test_what_is_doubtful_is_listed_by_step_with_a_link_to_its_field(builder: Client, make: Make) -> None:
    workflow = make(**row(account_code="{{ trigger.alt_text }}"), data={"alt_text": "4000"})
    step = workflow.steps.get()
    page = builder.get(f"{address(workflow)}?check=1")
    text = page.content.decode()
    form = reverse("step", args=[workflow.pk, step.pk])
    assert f'<a href="{form}">Write it</a>' in text
    assert f'<a href="{form}#id_in-lines-0-account_code">Line 1, account</a>' in text
    assert "There is no account with the code &quot;4000&quot; in Demo Company (NZ)." in text
    assert "hx-trigger=" not in text.partition('id="px-checked"')[2].partition("</section>")[0]
    assert 'name="note"' in text


def test_nothing_found_is_said(builder: Client, make: Make) -> None:
    text = builder.get(f"{address(make())}?check=1").content.decode()
    assert "Nothing was found that would stop a step or is doubtful." in text


def test_what_cannot_work_stands_where_the_checks_stood_and_publishing_is_refused(builder: Client, make: Make) -> None:
    workflow = make(**row(account_code="4000"))
    text = builder.get(f"{address(workflow)}?check=1").content.decode()
    section = text.partition('id="px-checked"')[2].partition("</section>")[0]
    assert "Not yet: 1 thing to correct first" in section
    assert "Line 1, account: There is no account" in section
    assert '<a href="?check=1">Ask the organisations again</a>' in section
    answer = builder.post(address(workflow), {"note": "First", "unpreviewed": "on"})
    assert answer.status_code == 200
    assert not workflow.versions.exists()


def test_a_provider_that_is_down_is_said_and_publishing_goes_on(
    builder: Client, make: Make, sandbox_hosts: Sandbox
) -> None:
    workflow = make()
    sandbox_hosts.faults(p500=1.0, only_provider="xero")
    text = builder.get(f"{address(workflow)}?check=1").content.decode()
    assert "Not checked: whether the period is open;" in text
    answer = builder.post(address(workflow), {"note": "First", "unpreviewed": "on"})
    assert answer.status_code == 302
    assert workflow.versions.count() == 1


def test_hostile_names_in_findings_stay_text(builder: Client, make: Make) -> None:
    workflow = make(**row(account_code="{{ trigger.alt_text }}"), data={"alt_text": "<b>4"})
    text = builder.get(f"{address(workflow)}?check=1").content.decode()
    assert "<b>4" not in text
    assert "&lt;b&gt;4" in text
