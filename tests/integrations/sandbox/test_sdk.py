"""Xero's own client library as an independent witness: it understands what the sandbox says.

Its configuration is one object for the whole process, so the library is used here only, and through one fixture.
"""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tests.provider import DEMO, Sandbox

accounting = pytest.importorskip("xero_python.accounting", reason="xero-python is not installed")
api_client = pytest.importorskip("xero_python.api_client", reason="xero-python is not installed")
configuration = pytest.importorskip("xero_python.api_client.configuration")
deserializer = pytest.importorskip("xero_python.api_client.deserializer")
oauth2 = pytest.importorskip("xero_python.api_client.oauth2")
exceptions = pytest.importorskip("xero_python.exceptions")
identity = pytest.importorskip("xero_python.identity")

pytestmark = pytest.mark.hostile("The library sends properties that the description calls read-only.")


class Library:
    def __init__(self, sandbox: Sandbox) -> None:
        made = sandbox.tokens("xero")
        kept = {name: made[name] for name in ("access_token", "refresh_token", "expires_in")}
        token = {**kept, "expires_at": 4102444800, "token_type": "Bearer", "scope": made["scope"].split()}
        token_object = oauth2.OAuth2Token(client_id="id", client_secret="s")
        client = api_client.ApiClient(configuration.Configuration(oauth2_token=token_object))
        client.oauth2_token_getter(lambda: token)
        client.oauth2_token_saver(token.update)
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.accounting: Any = accounting.AccountingApi(client, base_url=sandbox.url + "/api.xro/2.0")
        self.identity: Any = identity.IdentityApi(client, base_url=sandbox.url)


@pytest.fixture
def library(sandbox: Sandbox) -> Library:
    return Library(sandbox)


def invoice(sandbox: Sandbox, **changes: Any) -> Any:
    models = accounting
    line = models.LineItem(description="Tyres", quantity=Decimal(3), unit_amount=Decimal("12.345"), account_code="200")
    details: dict[str, Any] = {
        "type": "ACCREC",
        "contact": models.Contact(contact_id=sandbox.contact_id("Boom FM")),
        "line_items": [line],
        "date": date(2026, 11, 22),
        "due_date": date(2026, 12, 22),
        "reference": "Library",
        **changes,
    }
    return models.Invoices(invoices=[models.Invoice(**details)])


def test_it_reads_the_connections(library: Library) -> None:
    found = library.identity.get_connections()
    assert [connection.tenant_name for connection in found] == ["Demo Company (NZ)", "Northwind Ltd"]
    assert found[0].tenant_type == "ORGANISATION"


def test_it_reads_the_organisation(library: Library) -> None:
    organisation = library.accounting.get_organisations(DEMO).organisations[0]
    assert (organisation.name, organisation.base_currency.value) == ("Demo Company (NZ)", "NZD")
    assert organisation.is_demo_company is True


def test_it_reads_contacts(library: Library) -> None:
    found = library.accounting.get_contacts(DEMO, where='EmailAddress=="accounts@boomfm.example"').contacts
    assert [(contact.name, contact.contact_status) for contact in found] == [("Boom FM", "ACTIVE")]


def test_it_reads_invoices(library: Library) -> None:
    found = library.accounting.get_invoices(DEMO, page=1).invoices
    assert [(one.invoice_number, one.status, one.total) for one in found] == [
        ("INV-0001", "AUTHORISED", Decimal("288.65")),
        ("RPT-445", "DRAFT", Decimal("144.33")),
    ]
    assert found[0].date == date(2026, 9, 15)
    assert found[0].line_items[0].tax_amount == Decimal("37.65")


def test_it_creates_an_invoice(sandbox: Sandbox, library: Library) -> None:
    made = library.accounting.create_invoices(
        DEMO, invoice(sandbox), summarize_errors=True, unitdp=4, idempotency_key="library-1"
    ).invoices[0]
    assert (made.invoice_number, made.status) == ("INV-0002", "DRAFT")
    assert (made.sub_total, made.total_tax, made.total) == (Decimal("37.04"), Decimal("5.56"), Decimal("42.60"))
    assert (made.date, made.due_date) == (date(2026, 11, 22), date(2026, 12, 22))
    assert [kept["Reference"] for kept in sandbox.invoices()] == ["Library"]


def test_it_understands_a_refusal(sandbox: Sandbox, library: Library) -> None:
    with pytest.raises(exceptions.AccountingBadRequestException) as caught:
        library.accounting.create_invoices(DEMO, invoice(sandbox, invoice_number="INV-0001"))
    assert caught.value.error_data["Elements"][0]["ValidationErrors"] == [{"Message": "Invoice # must be unique."}]
    assert sandbox.invoices() == []


def test_it_understands_a_limit(sandbox: Sandbox, library: Library) -> None:
    sandbox.faults(minute_limit=0)
    with pytest.raises(exceptions.RateLimitException):
        library.accounting.get_organisations(DEMO)


def test_it_creates_and_changes_a_contact_and_writes_a_note(library: Library) -> None:
    models = accounting
    sent = models.Contacts(contacts=[models.Contact(name="Library Ltd", email_address="l@library.example")])
    made = library.accounting.create_contacts(DEMO, sent).contacts[0]
    update = models.Contacts(contacts=[models.Contact(first_name="Lib")])
    assert library.accounting.update_contact(DEMO, made.contact_id, update).contacts[0].name == "Library Ltd"
    records = models.HistoryRecords(history_records=[models.HistoryRecord(details="Hello")])
    library.accounting.create_contact_history(DEMO, made.contact_id, records)
    found = library.accounting.get_contact_history(DEMO, made.contact_id).history_records
    assert found[0].details == "Hello"


@pytest.mark.parametrize(
    ("call", "plural"),
    [
        ("get_accounts", "accounts"),
        ("get_tax_rates", "tax_rates"),
        ("get_currencies", "currencies"),
        ("get_branding_themes", "branding_themes"),
        ("get_tracking_categories", "tracking_categories"),
        ("get_items", "items"),
    ],
)
def test_it_reads_what_is_set_up(library: Library, call: str, plural: str) -> None:
    assert len(getattr(getattr(library.accounting, call)(DEMO), plural)) > 0


def test_its_deserialiser_would_notice_a_wrong_status() -> None:
    body = {"Invoices": [{"Type": "ACCREC", "Status": "OPEN"}]}
    with pytest.raises(ValueError, match="OPEN"):
        deserializer.deserialize("Invoices", body, api_client.ModelFinder(accounting.models))
