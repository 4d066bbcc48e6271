"""Attach files from links: real hosts behind the links, real records in the sandbox."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from integrations.connectors.xero.actions.documents import linked_files
from integrations.connectors.xero.fields import choices
from integrations.core.errors import InvalidInputError, RejectedError, TemporaryError
from integrations.framework import registry
from tests.integrations.connectors.xero.writing import MARKER, hits, written
from tests.integrations.examples import finished, request_of
from tests.integrations.outside import Host, Start, answer, start
from tests.integrations.wire import Wire
from tests.provider import Sandbox

__all__ = ["start"]

ATTACH = registry.action("xero.attach_file")
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
SOMEBODY = "430fa14a-f945-44d3-9f97-5df5e28441b8"
PNG = {"Content-Type": "image/png"}


@pytest.fixture
def host(start: Start, settings: Any) -> Host:
    """A host with one picture, from which files may be fetched."""
    made = start(answer(PICTURE, headers=PNG))
    settings.FILE_LINK_HOSTS = [made.rule]
    return made


@pytest.fixture
def invoice(sandbox: Sandbox) -> str:
    return str(sandbox.invoices(ours=False)[0]["id"])


def attached(api: Any, marker: str = MARKER, **values: Any) -> dict[str, Any]:
    """The output as the engine gives it."""
    inputs = ATTACH.Inputs.clean(values)
    found = ATTACH.prepare(api, inputs)
    response = api.write(request_of(ATTACH, api, inputs, marker=marker), idempotency_key=marker)
    return finished(ATTACH, api, inputs, response, found)


def test_the_bytes_behind_the_link_hang_on_the_invoice_under_a_name_with_the_marker(
    demo: Any, host: Host, invoice: str, wire: Wire
) -> None:
    values = {"record_id": invoice, "url": host.url("/files/Oak%20table%20(1).PNG?size=2")}
    assert hits(demo, ATTACH, **values) == []
    output = attached(demo, **values, include_online="yes")
    sent = next(one for one in wire.exchanges if one.method == "PUT")
    assert sent.path == f"/api.xro/2.0/Invoices/{invoice}/Attachments/Oak%20table%201%20{MARKER}.png"
    assert (sent.body, sent.query, sent.headers["Content-Type"]) == (PICTURE, {"IncludeOnline": "true"}, "image/png")
    assert output["FileName"] == f"Oak table 1 {MARKER}.png"
    assert (output["MimeType"], output["ContentLength"], output["IncludeOnline"]) == ("image/png", len(PICTURE), True)
    assert output["sha256"] == hashlib.sha256(PICTURE).hexdigest()
    assert [hit["AttachmentID"] for hit in hits(demo, ATTACH, **values)] == [output["AttachmentID"]]
    assert hits(demo, ATTACH, marker="PX-other", **values) == []
    assert ATTACH.describe(output) == f"{output['attached_to']} has the file Oak table 1 {MARKER}.png"
    assert ATTACH.link(output, {"short_code": "!a"}) == f"https://go.xero.com/app/!a/invoicing/view/{invoice}"


def test_every_kind_of_record_that_is_offered_takes_a_file(demo: Any, host: Host, sandbox: Sandbox) -> None:
    contact = str(sandbox.contacts()[0]["id"])
    sold: dict[str, Any] = {
        "contact_id": contact,
        "lines": [{"description": "Oak", "unit_amount": "10", "account_code": "200"}],
    }
    made = {
        "Invoices": written(demo, registry.action("xero.create_bill"), **sold)["InvoiceID"],
        "CreditNotes": written(demo, registry.action("xero.create_credit_note"), **sold)["CreditNoteID"],
        "PurchaseOrders": written(demo, registry.action("xero.create_purchase_order"), **sold)["PurchaseOrderID"],
        "Quotes": written(demo, registry.action("xero.create_quote"), **sold)["QuoteID"],
        "Contacts": contact,
        "BankTransactions": str(sandbox.make("bank_transaction")["id"]),
    }
    assert set(made) == set(choices.AttachTo.values)
    said = []
    for kind, key in made.items():
        assert key in dict(choices.attachables.load(demo, {"attach_to": kind})), kind
        values = {"attach_to": kind, "record_id": key, "url": host.url("/oak.png")}
        output = attached(demo, f"PX-{kind}", **values)
        assert [hit["AttachmentID"] for hit in hits(demo, ATTACH, f"PX-{kind}", **values)] == [output["AttachmentID"]]
        assert ATTACH.link(output, {"short_code": "!a"}).startswith("https://go.xero.com/")
        said.append(output["attached_to"].rpartition(" ")[0])
    assert list(choices.attachables.load(demo, {"attach_to": "{{ trigger.kind }}"})) == []
    assert list(choices.attachables.load(demo, {"attach_to": "CreditNotes", "search": "no such contact"})) == []
    assert said[:4] == ["Bill", "Credit note", "Purchase order", "Quote"]


@pytest.mark.parametrize(
    ("path", "kind", "name", "expected"),
    [
        ("/a/Rechnung%20M%C3%A4rz.pdf", "application/pdf", None, f"Rechnung März {MARKER}.pdf"),
        ("/download?id=7", "application/pdf", None, f"download {MARKER}.pdf"),
        ("/", "application/pdf; charset=binary", None, f"file {MARKER}.pdf"),
        ("/x.bin", "application/octet-stream", "Delivery note.PDF", f"Delivery note {MARKER}.pdf"),
        ("/x.pdf", "application/pdf", "../..\\etc/<b>50%</b>: a+b?.pdf", f"b a b {MARKER}.pdf"),
        ("/x", "text/csv", "Version 1.2 of it", f"Version 1.2 of it {MARKER}.csv"),
    ],
)
def test_a_file_is_named_by_its_link_or_by_the_workflow_and_ends_as_its_kind_does(
    demo: Any, start: Start, settings: Any, invoice: str, path: str, kind: str, name: str | None, expected: str
) -> None:
    host = start(answer(b"content", headers={"Content-Type": kind}))
    settings.FILE_LINK_HOSTS = [host.rule]
    output = attached(demo, record_id=invoice, url=host.url(path), file_name=name)
    assert output["FileName"] == expected


@pytest.mark.parametrize(
    ("talk", "words"),
    [
        (answer(b"<html>Log in</html>", headers={"Content-Type": "text/html"}), "is a web page, not a file"),
        (answer(b"", headers=PNG), "The file behind the link is empty"),
        (answer(b"x", headers={"Content-Type": "application/x-unread_messages-of"}), "Give a file name that ends in"),
        (answer(b"", status="404 Not Found"), "answered 404 instead of giving the file"),
        (answer(b"", status="302 Found", headers={"Location": "http://127.0.0.1/"}), "leads on to another address"),
    ],
)
def test_what_is_no_file_is_told_and_nothing_is_sent(
    demo: Any, start: Start, settings: Any, invoice: str, wire: Wire, talk: Any, words: str
) -> None:
    host = start(talk)
    settings.FILE_LINK_HOSTS = [host.rule]
    with pytest.raises(RejectedError, match=words):
        attached(demo, record_id=invoice, url=host.url("/thing"))
    assert {one.method for one in wire.exchanges} == {"GET"}


def test_a_file_that_is_too_large_is_refused_and_a_troubled_host_is_tried_again(
    demo: Any, start: Start, settings: Any, invoice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    large, troubled = start(answer(b"x" * 2001, headers=PNG)), start(answer(b"", status="503 Down"))
    settings.FILE_LINK_HOSTS = [large.rule, troubled.rule]
    monkeypatch.setattr(linked_files, "MOST_BYTES", 2000)
    with pytest.raises(RejectedError, match="is larger than"):
        attached(demo, record_id=invoice, url=large.url("/a.png"))
    with pytest.raises(TemporaryError, match="answered 503"):
        attached(demo, record_id=invoice, url=troubled.url("/a.png"))


def test_only_hosts_that_an_administrator_has_allowed_are_asked_for_files(
    settings: Any, start: Start, demo: Any, invoice: str
) -> None:
    host = start(answer(PICTURE, headers=PNG), closed=True)
    values = {"record_id": invoice, "url": host.url("/oak.png")}
    settings.FILE_LINK_HOSTS = ["*.pinimg.com"]
    with pytest.raises(InvalidInputError) as refused:
        ATTACH.Inputs.clean(values)
    assert "add the host to the setting FILE_LINK_HOSTS" in refused.value.problems["url"]
    assert ATTACH.Inputs.clean({**values, "url": "https://i.pinimg.com/originals/oak.jpg"})
    settings.FILE_LINK_HOSTS, settings.OUTSIDE_PRIVATE_HOSTS = [host.rule], []
    with pytest.raises(RejectedError, match="leads into a private network, which is closed"):
        attached(demo, **values)
    assert host.connections == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/a.pdf",
        "https://169.254.169.254/latest/meta-data",
        "https://user:secret@files.example.com/a.pdf",
        "https://files.example.com:8443/a.pdf",
        "file:///etc/passwd",
        "https://2130706433/",
    ],
)
def test_where_every_public_host_is_allowed_odd_addresses_are_not(settings: Any, invoice: str, url: str) -> None:
    settings.FILE_LINK_HOSTS = [linked_files.ANY_HOST]
    assert ATTACH.Inputs.clean({"record_id": invoice, "url": "https://files.example.com/a.pdf"})
    with pytest.raises(InvalidInputError) as refused:
        ATTACH.Inputs.clean({"record_id": invoice, "url": url})
    assert list(refused.value.problems) == ["url"]


def test_only_customers_documents_show_files_to_customers(demo: Any, host: Host, sandbox: Sandbox, wire: Wire) -> None:
    values = {"record_id": SOMEBODY, "url": host.url("/oak.png"), "include_online": "yes"}
    with pytest.raises(InvalidInputError) as refused:
        ATTACH.Inputs.clean({**values, "attach_to": "Contacts"})
    assert refused.value.problems == {"include_online": "Customers are shown files of invoices and credit notes only."}
    bought = [{"description": "Oak", "unit_amount": "10", "account_code": "310"}]
    contact = str(sandbox.contacts()[0]["id"])
    bill = written(demo, registry.action("xero.create_bill"), contact_id=contact, lines=bought)
    wire.clear()
    with pytest.raises(RejectedError, match="is no document to a customer, so nobody is shown its files"):
        attached(demo, **{**values, "record_id": bill["InvoiceID"]})
    assert {one.method for one in wire.exchanges} == {"GET"}
    assert host.connections == 0


def test_the_eleventh_file_is_refused_in_xeros_words(demo: Any, host: Host, invoice: str) -> None:
    for number in range(10):
        attached(demo, f"PX-{number}", record_id=invoice, url=host.url("/oak.png"))
    with pytest.raises(RejectedError, match="can have at most 10 attachments"):
        attached(demo, "PX-10", record_id=invoice, url=host.url("/oak.png"))


def test_each_kind_of_record_needs_its_own_permission() -> None:
    granted = ["accounting.invoices", "accounting.attachments"]
    assert ATTACH.missing_scopes(granted) == []
    assert ATTACH.missing_scopes(granted, {"attach_to": "Contacts"}) == ["accounting.contacts"]
    assert ATTACH.missing_scopes(["accounting.invoices"]) == ["accounting.attachments"]
