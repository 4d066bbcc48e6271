"""The pages at which the demo's links to Xero arrive."""

from tests.integrations.sandbox.conftest import Xero
from tests.provider import DEMO, Sandbox


def test_an_invoice_has_a_page_with_its_lines_where_the_link_leads(sandbox: Sandbox, xero: Xero) -> None:
    line = {"Description": "<b>Chair</b>", "Quantity": 2, "UnitAmount": 10, "AccountCode": "200"}
    invoice = xero.create(LineItems=[line])
    answer = sandbox.session.get(f"{sandbox.url}/app/!Dm0Nz/invoicing/view/{invoice['InvoiceID']}")
    assert answer.status_code == 200
    assert invoice["InvoiceNumber"] in answer.text
    assert "&lt;b&gt;Chair&lt;/b&gt;" in answer.text
    assert invoice["Contact"]["Name"] in answer.text


def test_a_contact_has_a_page_and_another_organisations_is_not_there(sandbox: Sandbox) -> None:
    contact = sandbox.contacts(DEMO)[0]
    page = f"{sandbox.url}/app/%s/contacts/contact/{contact['id']}"
    assert sandbox.session.get(page % "!Dm0Nz").status_code == 200
    assert sandbox.session.get(page % "!Nw7Gb").status_code == 404
    assert sandbox.session.get(page % "!Nobody").status_code == 404
