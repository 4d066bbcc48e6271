"""Whatever is sent, the sandbox answers in words: it never fails itself."""

import random
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.provider import Sandbox

pytestmark = pytest.mark.hostile("Odd records are sent, taken where they can be, and repeated.", answers=True)

ODD: tuple[Any, ...] = (None, True, 0, -1, 1e30, 1.5, "", "x", "2026-11-22", "/Date(1)/", [], {}, [1], [None], {"a": 1})
ODD += (["x"], "\u0000", "é" * 300, [{}], {"ContactID": 1}, {"Name": []}, "9f0e5a0c-0000-4000-8000-000000000000")
INVOICE_FIELDS = [
    "Type",
    "Contact",
    "LineItems",
    "Date",
    "DueDate",
    "LineAmountTypes",
    "InvoiceNumber",
    "Reference",
    "BrandingThemeID",
    "Url",
    "CurrencyCode",
    "CurrencyRate",
    "Status",
    "SentToContact",
    "InvoiceID",
]
LINE_FIELDS = [
    "LineItemID",
    "Description",
    "Quantity",
    "UnitAmount",
    "ItemCode",
    "AccountCode",
    "TaxType",
    "TaxAmount",
    "LineAmount",
    "Tracking",
    "DiscountRate",
    "DiscountAmount",
]
CONTACT_FIELDS = [
    "ContactID",
    "Name",
    "ContactNumber",
    "EmailAddress",
    "Phones",
    "Addresses",
    "ContactPersons",
    "ContactStatus",
    "DefaultCurrency",
]
CONTROLS = {
    "pins": "board count title description link",
    "boards": "name description privacy",
    "tokens": "provider scopes tenants",
    "faults": "p500 next methods only_path minute_limit trial",
    "expire": "provider access_token",
    "revoke": "access_token tenant",
}


def odd_record(dice: random.Random, number: int) -> tuple[str, dict[str, Any]]:
    """An invoice or a contact with one to three fields that nobody would send."""
    if dice.random() < 0.4:
        record: dict[str, Any] = {"Name": f"Odd {number}"}
        record |= {dice.choice(CONTACT_FIELDS): dice.choice(ODD) for _ in range(dice.randint(1, 3))}
        return "Contacts", record
    line: dict[str, Any] = {"Description": "a", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    if dice.random() < 0.5:
        line |= {dice.choice(LINE_FIELDS): dice.choice(ODD) for _ in range(dice.randint(1, 3))}
    record = {"Type": "ACCREC", "Contact": {"Name": "Boom FM"}, "LineItems": [line]}
    if dice.random() < 0.6:
        record |= {dice.choice(INVOICE_FIELDS): dice.choice(ODD) for _ in range(dice.randint(1, 3))}
    return "Invoices", record


def test_odd_records_are_taken_or_refused_and_lists_stay_readable(sandbox: Sandbox, xero: Xero) -> None:
    dice = random.Random(5)
    seen = set()
    for number in range(500):
        kind, record = odd_record(dice, number)
        path = f"{xero.base}/{kind}{dice.choice(['', '?summarizeErrors=false'])}"
        answer = xero.session.request(dice.choice(["PUT", "POST"]), path, json={kind: [record]}, timeout=10)
        assert answer.status_code in {200, 400}, f"{answer.status_code} for {record}"
        seen.add(answer.status_code)
    assert seen == {200, 400}
    for path in ("/Invoices", "/Contacts"):
        assert xero.get(path, page=1, pageSize=1000).status_code == 200
    assert sandbox.session.get(sandbox.url + "/").status_code == 200


def test_odd_bodies_at_pinterest_and_at_the_controls_are_taken_or_refused(sandbox: Sandbox) -> None:
    dice = random.Random(6)
    sandbox.session.headers["Authorization"] = f"Bearer {sandbox.tokens('pinterest')['access_token']}"
    fields = {f"_sandbox/{name}": names.split() for name, names in CONTROLS.items()}
    fields |= {"v5/boards": ["name", "description", "privacy"], "v5/pins": ["board_id", "title", "media_source"]}
    try:
        for path, names in list(fields.items()) * 40:
            body = {name: dice.choice(ODD) for name in names if dice.random() < 0.7}
            if path == "_sandbox/tokens":
                body["provider"] = "xero"
            answer = sandbox.session.post(f"{sandbox.url}/{path}", json=body, timeout=10)
            assert answer.status_code < 500, f"{answer.status_code} for {path} {body}"
            assert answer.json() is not None
            if path == "_sandbox/faults":
                sandbox.reset()
    finally:
        del sandbox.session.headers["Authorization"]
