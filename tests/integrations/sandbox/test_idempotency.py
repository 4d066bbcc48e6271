"""Idempotency-Key at Xero: one effect per key, the same answer again, good or bad."""

import threading
from typing import Any

import pytest
import requests

from tests.integrations.sandbox.conftest import Xero
from tests.provider import NORTHWIND, Sandbox

KEY = {"Idempotency-Key": "run-17-step-2"}


def numbers(sandbox: Sandbox) -> list[str]:
    return [invoice["InvoiceNumber"] for invoice in sandbox.invoices()]


def test_the_same_request_twice_has_one_effect_and_one_answer(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    first, second = (xero.put("/Invoices", body, headers=KEY) for _ in range(2))
    assert first.content == second.content
    assert numbers(sandbox) == ["INV-0002"]
    rows = sandbox.ledger(method="PUT")
    assert [row["committed"] for row in rows] == [True, False]
    assert [row["key"] for row in rows] == ["run-17-step-2"] * 2
    assert rows[1]["outcome"] == "replayed the stored answer"
    assert rows[0]["body_sha256"] == rows[1]["body_sha256"]


def test_without_a_key_the_same_request_twice_has_two_effects(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    for _ in range(2):
        xero.put("/Invoices", body)
    assert numbers(sandbox) == ["INV-0002", "INV-0003"]


def test_a_key_of_another_request_is_400(sandbox: Sandbox, xero: Xero) -> None:
    xero.put("/Invoices", {"Invoices": [xero.invoice()]}, headers=KEY)
    other_body = xero.put("/Invoices", {"Invoices": [xero.invoice(Reference="b")]}, headers=KEY)
    other_query = xero.put("/Invoices", {"Invoices": [xero.invoice()]}, headers=KEY, unitdp=4)
    other_books = Xero(sandbox, NORTHWIND).put("/Invoices", {"Invoices": [xero.invoice()]}, headers=KEY)
    assert [answer.status_code for answer in (other_body, other_query, other_books)] == [400] * 3
    assert "different request" in other_body.json()["Message"]
    assert numbers(sandbox) == ["INV-0002"]


@pytest.mark.parametrize(("length", "status"), [(128, 200), (129, 400)])
def test_a_key_has_at_most_128_characters(sandbox: Sandbox, xero: Xero, length: int, status: int) -> None:
    headers = {"Idempotency-Key": "k" * length}
    answer = xero.put("/Invoices", {"Invoices": [xero.invoice()]}, headers=headers, is_proper=False)
    assert answer.status_code == status
    assert len(numbers(sandbox)) == (1 if status == 200 else 0)


def test_a_key_is_forgotten_after_six_minutes(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    xero.put("/Invoices", body, headers=KEY)
    sandbox.faults(clock_offset_seconds=355)
    xero.put("/Invoices", body, headers=KEY)
    assert numbers(sandbox) == ["INV-0002"]
    sandbox.faults(clock_offset_seconds=365)
    xero.put("/Invoices", body, headers=KEY)
    assert numbers(sandbox) == ["INV-0002", "INV-0003"]


def test_a_refusal_is_stored_too(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Contacts": [{"Name": "Late Name", "ContactNumber": "RU-77"}]}
    first = xero.put("/Contacts", body, headers=KEY)
    ridgeway = sandbox.contact_id("Ridgeway University")
    xero.post(f"/Contacts/{ridgeway}", {"Contacts": [{"ContactNumber": "RU-78"}]})
    second = xero.put("/Contacts", body, headers=KEY)
    assert first.status_code == second.status_code == 400
    assert first.content == second.content
    assert xero.put("/Contacts", body, headers={"Idempotency-Key": "fresh"}).status_code == 200


def test_the_dials_500_is_stored_too(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    sandbox.faults(next=["500"])
    first, second = (xero.put("/Invoices", body, headers=KEY) for _ in range(2))
    assert first.status_code == second.status_code == 500
    assert numbers(sandbox) == []
    assert xero.put("/Invoices", body, headers={"Idempotency-Key": "fresh"}).status_code == 200


def test_a_key_that_met_a_limit_or_an_old_token_is_still_unused(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    sandbox.faults(next=["429"])
    assert xero.put("/Invoices", body, headers=KEY).status_code == 429
    sandbox.expire(provider="xero")
    assert xero.put("/Invoices", body, headers=KEY).status_code == 401
    assert Xero(sandbox).put("/Invoices", body, headers=KEY).status_code == 200
    assert numbers(sandbox) == ["INV-0002"]


def test_a_committed_request_that_was_not_answered_is_answered_the_second_time(sandbox: Sandbox, xero: Xero) -> None:
    body = {"Invoices": [xero.invoice()]}
    sandbox.faults(next=["commit_then_silence"])
    with pytest.raises(requests.Timeout):
        xero.put("/Invoices", body, headers=KEY, timeout=0.5)
    answer = xero.put("/Invoices", body, headers=KEY)
    assert answer.json()["Invoices"][0]["InvoiceNumber"] == "INV-0002"
    assert numbers(sandbox) == ["INV-0002"]


def test_many_at_once_with_one_key_have_one_effect_and_one_answer(quick: Sandbox) -> None:
    quick.faults(p_slow_commit=1)
    body = {"Invoices": [Xero(quick).invoice()]}
    callers = [Xero(quick) for _ in range(8)]
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda one=one: answers.append(one.put("/Invoices", body, headers=KEY)))
        for one in callers
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers] == [200] * 8
    assert len({answer.content for answer in answers}) == 1
    assert numbers(quick) == ["INV-0002"]
    assert [row["committed"] for row in quick.ledger(method="PUT")].count(True) == 1


def test_a_key_does_nothing_to_reading(xero: Xero) -> None:
    first = xero.get("/Organisation", headers=KEY)
    assert xero.get("/Accounts", headers=KEY).status_code == first.status_code == 200
