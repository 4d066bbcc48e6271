"""E-mailing an invoice to the customer, and the page that shows it online."""

from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, books, contacts, history
from integrations.sandbox.xero.books import Entry
from integrations.sandbox.xero.documents import invoices


def email(call: Call, key: str) -> Answer:
    """204 without a body; no mail leaves the sandbox. Sending marks the invoice as sent."""
    send(call, _invoice(call, key))
    return Answer(204)


def send(call: Call, found: Entry) -> Entry:
    """E-mail this invoice. Raises an error if it cannot be e-mailed."""
    person = books.find(call.tenant, contacts.KIND, found.row.contact_id)
    message = ""
    if found.record["Type"] != "ACCREC":
        message = "Only sales invoices can be emailed"
    elif found.record["Status"] not in {"SUBMITTED", "AUTHORISED", "PAID"}:
        message = "Invoice must be SUBMITTED, AUTHORISED or PAID to be emailed"
    elif person is None or not person.record.get("EmailAddress"):
        message = "The contact of the invoice has no email address"
    if message:
        element = {"InvoiceID": found.id, "ValidationErrors": [{"Message": message}]}
        raise answers.validation_refusal([element], [message])
    found.record["SentToContact"] = True
    books.store(found)
    history.write(call, found.id, "Invoice sent", f"Invoice emailed {call.how}.")
    call.wrote(f"emailed invoice {found.record['InvoiceNumber']}", found.id)
    return found


def online_invoice(call: Call, key: str) -> Answer:
    found = _invoice(call, key)
    if found.record["Type"] != "ACCREC" or found.record["Status"] not in {"AUTHORISED", "PAID"}:
        raise answers.not_found()
    return answers.envelope("OnlineInvoices", [{"OnlineInvoiceUrl": f"https://in.xero.com/{found.id[-12:]}"}])


def _invoice(call: Call, key: str) -> Entry:
    found = invoices.find(call.tenant, {"InvoiceID": key} if books.is_guid(key) else {"InvoiceNumber": key})
    if found is None:
        raise answers.not_found()
    return found
