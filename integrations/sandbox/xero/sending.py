"""An invoice on its way to the customer: e-mailing it, and the page that shows it online."""

from integrations.sandbox.answers import Answer
from integrations.sandbox.exchange import Call
from integrations.sandbox.xero import answers, books, contacts, history, invoices
from integrations.sandbox.xero.books import Entry


def email(call: Call, key: str) -> Answer:
    """204 and no body; no mail leaves the sandbox. Sending marks the invoice as sent."""
    found = _invoice(call, key)
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
    return Answer(204)


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
