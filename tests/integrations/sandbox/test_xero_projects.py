"""Projects, which speak differently from the rest of Xero; and archiving contacts."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller, Xero, messages
from tests.provider import DEMO, Sandbox


@pytest.fixture
def projects(sandbox: Sandbox) -> Caller:
    return Caller(sandbox, "/projects.xro/2.0", sandbox.tokens("xero")["access_token"], DEMO)


def test_a_project_is_made_read_changed_and_closed(sandbox: Sandbox, projects: Caller) -> None:
    contact = sandbox.contact_id("Boom FM")
    body = {"contactId": contact, "name": "New Kitchen", "deadlineUtc": "2026-12-10T12:59:59Z", "estimateAmount": 99.99}
    answer = projects.post("/Projects", body)
    made = answer.json(parse_float=Decimal)
    assert answer.status_code == 201
    assert made["estimate"] == {"currency": "NZD", "value": Decimal("99.99")}
    assert (made["deadlineUtc"], made["status"]) == ("2026-12-10T12:59:59Z", "INPROGRESS")
    place = f"/Projects/{made['projectId']}"
    assert projects.get(place).json(parse_float=Decimal) == made
    changed = projects.put(place, {"name": "Old Kitchen", "contactId": contact})
    assert (changed.status_code, changed.content) == (204, b"")
    assert projects.call("PATCH", place, {"status": "CLOSED"}).status_code == 204
    found = projects.get("/Projects", states="CLOSED", contactID=contact, pageSize=5).json()
    assert [one["name"] for one in found["items"]] == ["Old Kitchen"]
    assert found["pagination"] == {"page": 1, "pageSize": 5, "pageCount": 1, "itemCount": 1}
    assert projects.get("/Projects", states="INPROGRESS").json()["items"] == []
    assert projects.get("/ProjectsUsers").json()["items"][0]["name"] == "Robin Ledger"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"contactId": "9f0e5a0c-0000-4000-8000-000000000000"}, "contactId"),
        ({"contactId": None}, "contactId"),
        ({"estimateAmount": {"currency": "NZD", "value": 1}}, "estimateAmount"),
        ({"deadlineUtc": "soon"}, "deadlineUtc"),
    ],
)
def test_a_project_that_breaks_a_rule_is_refused_in_its_own_words(
    sandbox: Sandbox, projects: Caller, changes: dict[str, Any], field: str
) -> None:
    body = {"contactId": sandbox.contact_id("Boom FM"), "name": "New Kitchen", **changes}
    answer = projects.call("POST", "/Projects", body, is_proper=False)
    assert answer.status_code == 400
    assert set(answer.json()) == {"message", "modelState"}
    assert list(answer.json()["modelState"]) == [field]
    assert projects.get("/Projects").json()["items"] == []


def test_an_archived_contact_is_hidden_freed_and_of_no_more_use(sandbox: Sandbox, xero: Xero, projects: Caller) -> None:
    contact = sandbox.contact_id("Boom FM")
    archived = xero.post(f"/Contacts/{contact}", {"Contacts": [{"ContactStatus": "ARCHIVED"}]}).json()["Contacts"][0]
    assert archived["ContactStatus"] == "ARCHIVED"
    assert xero.get("/Contacts", searchTerm="boom").json()["Contacts"] == []
    assert len(xero.get("/Contacts", searchTerm="boom", includeArchived="true").json()["Contacts"]) == 1
    invoice = xero.invoice(Contact={"ContactID": contact})
    assert xero.refuse(Invoices=[invoice]) == ["The contact Boom FM is archived and cannot be used"]
    refused = projects.call("POST", "/Projects", {"contactId": contact, "name": "x"}, is_proper=False)
    assert refused.json()["modelState"] == {"contactId": ["The contact must be active"]}
    assert xero.put("/Contacts", {"Contacts": [{"Name": "Boom FM"}]}).status_code == 200
    again = xero.call("POST", f"/Contacts/{contact}", {"Contacts": [{"ContactStatus": "ACTIVE"}]})
    assert "already assigned to another contact" in messages(again.json())[0]


def test_projects_need_their_scope(sandbox: Sandbox) -> None:
    token = sandbox.tokens("xero", "accounting.contacts")["access_token"]
    answer = Caller(sandbox, "/projects.xro/2.0", token, DEMO).get("/Projects")
    assert (answer.status_code, answer.json()["Detail"]) == (401, "AuthorizationUnsuccessful")
