"""The checks of changes of what exists already agree with the sandbox."""

from __future__ import annotations

from typing import Any

import pytest

from integrations.core.errors import RejectedError
from integrations.framework import registry
from integrations.framework.checks import Facts, findings_of
from tests.integrations.connectors.xero.test_checks import NOBODY, OTHER, found_in, named, values_of
from tests.integrations.connectors.xero.writing import written
from tests.provider import Sandbox


def test_only_an_approved_invoice_can_be_paid(demo: Any, sandbox: Sandbox) -> None:
    draft = written(demo, registry.action("xero.create_invoice"), **values_of("create_invoice", sandbox, {}))
    values = values_of("create_payment", sandbox, {"invoice_id": draft["InvoiceID"]})

    assert named(found_in(demo, "create_payment", values)) == [("stops", "not_approved", "invoice_id")]
    with pytest.raises(RejectedError, match="only be made against AUTHORISED"):
        written(demo, registry.action("xero.create_payment"), **values)


def test_a_status_that_a_quote_cannot_get_is_found(demo: Any, sandbox: Sandbox) -> None:
    quote = written(demo, registry.action("xero.create_quote"), **values_of("create_quote", sandbox, {}))
    action = registry.action("xero.update_quote_status")
    inputs = action.Inputs.clean({"quote_id": quote["QuoteID"], "status": "INVOICED"})

    found = findings_of(action, Facts(demo), inputs, action.prepare(demo, inputs))

    assert named(found) == [("stops", "status_unfit", "status")]
    with pytest.raises(RejectedError, match="cannot become"):
        written(demo, action, quote_id=quote["QuoteID"], status="INVOICED")
    mended = action.Inputs.clean({"quote_id": quote["QuoteID"], "status": "SENT"})
    assert findings_of(action, Facts(demo), mended, action.prepare(demo, mended)) == []


def test_the_due_date_that_a_new_status_needs_is_missed(demo: Any, sandbox: Sandbox) -> None:
    draft = written(demo, registry.action("xero.create_invoice"), **values_of("create_invoice", sandbox, {}))
    action = registry.action("xero.update_invoice")
    values = {"invoice_id": draft["InvoiceID"], "status": "AUTHORISED"}
    inputs = action.Inputs.clean(values)

    found = findings_of(action, Facts(demo), inputs, action.prepare(demo, inputs))

    assert named(found) == [("stops", "due_date_missing", "due_date")]
    with pytest.raises(RejectedError, match="Due date must be specified"):
        written(demo, action, **values)
    assert written(demo, action, marker=OTHER, **values, due_date="2026-12-22")["Status"] == "AUTHORISED"


@pytest.mark.parametrize(
    ("action", "name", "noun"),
    [
        ("add_note_to_invoice", "invoice_id", "invoice"),
        ("email_invoice", "invoice_id", "invoice"),
        ("void_or_delete_invoice", "invoice_id", "invoice"),
        ("archive_contact", "contact_id", "contact"),
    ],
)
def test_what_is_changed_must_be_there(action: str, name: str, noun: str, demo: Any) -> None:
    values = {name: NOBODY, **({"note": "Checked."} if action == "add_note_to_invoice" else {})}

    found = found_in(demo, action, values)

    assert named(found) == [("stops", "record_missing", name)]
    assert f"There is no {noun} with the ID" in found[0].message
    with pytest.raises(RejectedError):
        written(demo, registry.action(f"xero.{action}"), **values)
