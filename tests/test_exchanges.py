"""The check that goes over every exchange with the sandbox finds what it is there for."""

from __future__ import annotations

from typing import Any

import pytest
import requests
import simplejson

from tests import exchanges
from tests.exchanges import Leave, Recording, answer_problems, request_problems, shape_of
from tests.integrations.sandbox import contract
from tests.provider import DEMO, Sandbox

INVOICE = {"Type": "ACCREC", "Contact": {"ContactID": "6d42f03b-181f-43e3-93fb-2025c012de92"}, "LineItems": []}
HEADERS = {"Content-Type": "application/json", "xero-tenant-id": DEMO}


@pytest.fixture(autouse=True)
def _descriptions() -> None:
    if not contract.FOLDER.is_dir():
        pytest.skip("The providers' descriptions are not on this machine, so no exchange of any test is checked.")


def exchange(sent: Any, answer: Any, **changes: Any) -> dict[str, Any]:
    """One as the sandbox writes it down."""
    return {
        "method": "PUT",
        "url": "/api.xro/2.0/Invoices",
        "headers": HEADERS,
        "body": simplejson.dumps(sent),
        "status": 200,
        "answer_headers": {"Content-Type": "application/json"},
        "answer": simplejson.dumps(answer),
        "fault": "",
        **changes,
    }


def test_a_request_with_a_field_that_nobody_described_is_found() -> None:
    good = exchange({"Invoices": [INVOICE]}, {"Invoices": []})
    bad = exchange({"Invoices": [{**INVOICE, "Colour": "red"}]}, {"Invoices": []})
    assert request_problems(good) == answer_problems(good) == []
    assert "Colour" in request_problems(bad)[0]


def test_an_answer_of_another_shape_is_found_unless_the_dial_gave_it() -> None:
    bad = exchange({"Invoices": [INVOICE]}, {"Invoices": [{"Status": "PERHAPS"}]})
    assert "PERHAPS" in answer_problems(bad)[0]
    assert answer_problems({**bad, "fault": "html_200"}) == []


@pytest.mark.parametrize(
    ("sent", "is_same"),
    [
        ({**INVOICE, "Reference": "another"}, False),
        ({**INVOICE, "Contact": {"ContactID": "c785cb5b-a69e-5595-9e90-5183501c9fe0"}}, True),
        ({**INVOICE, "Type": "ACCPAY"}, False),
        ({**INVOICE, "Type": 1}, False),
    ],
)
def test_exchanges_are_alike_where_a_description_cannot_tell_them_apart(sent: Any, is_same: bool) -> None:
    first = shape_of(exchange({"Invoices": [INVOICE]}, {}))
    assert (shape_of(exchange({"Invoices": [sent]}, {})) == first) is is_same


def test_what_the_sandbox_is_told_is_written_down_to_the_byte_and_checked(sandbox: Sandbox) -> None:
    mine = [Recording(path, read=path.stat().st_size if path.exists() else 0) for path in exchanges._session.recordings]
    token = sandbox.tokens("xero")["access_token"]
    body = '{"Contacts":[{"Name":"Søren","EmailAddress":"soren@pinworks.example"}]}'.encode()
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **HEADERS}
    answer = requests.put(f"{sandbox.url}/api.xro/2.0/Contacts", data=body, headers=headers, timeout=10)
    ((recording, written),) = [(each, exchange) for each in mine for exchange in each.fresh()]
    assert written["body"].encode("latin-1") == body
    assert written["answer"].encode("latin-1") == answer.content
    assert written["headers"]["Xero-Tenant-Id"] == DEMO
    assert token not in recording.path.read_text()
    assert request_problems(written) == answer_problems(written) == []
    assert list(recording.fresh()) == []


@pytest.mark.hostile("Nothing of this is described.", only_refused=True)
def test_a_mark_says_what_a_test_may_break(request: pytest.FixtureRequest) -> None:
    leave = Leave.of(request.node)
    assert leave == Leave(requests=False, refused_requests=True, answers=False)


def test_a_breach_fails_the_test_that_makes_it(sandbox: Sandbox) -> None:
    token = sandbox.tokens("xero")["access_token"]
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json", **HEADERS}
    requests.get(f"{sandbox.url}/api.xro/2.0/Contacts?colour=red", headers=headers, timeout=10)
    assert "it asks for colour" in "".join(exchanges.check_new(Leave()))
