"""`/_sandbox/...` and the page: the ledger, resets, pins in bulk, what people see."""

import re
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.sandbox.conftest import Caller, Xero
from tests.provider import DEMO, Sandbox, running_sandbox

LEDGER_FIELDS = {
    "seq",
    "arrival",
    "time",
    "provider",
    "method",
    "path",
    "query",
    "tenant",
    "key",
    "body_sha256",
    "status",
    "outcome",
    "fault",
    "committed",
    "object_ids",
}


def test_the_ledger_names_every_api_request_in_order(sandbox: Sandbox, xero: Xero, pinterest: Caller) -> None:
    xero.get("/Contacts", page=1)
    pinterest.get("/boards")
    xero.create()
    sandbox.session.get(sandbox.url + "/")  # the page is no API request
    rows = sandbox.ledger()
    assert [(row["provider"], row["method"], row["path"]) for row in rows] == [
        ("xero", "GET", "/api.xro/2.0/Contacts"),
        ("pinterest", "GET", "/v5/boards"),
        ("xero", "PUT", "/api.xro/2.0/Invoices"),
    ]
    assert [row["arrival"] for row in rows] == [1, 2, 3]
    assert rows[0]["query"] == "page=1"
    assert [row["tenant"] for row in rows] == [DEMO, "", DEMO]
    assert all(set(row) == LEDGER_FIELDS for row in rows)
    assert rows[0]["seq"] < rows[1]["seq"] < rows[2]["seq"]


def test_the_ledger_can_be_read_from_a_place_on(sandbox: Sandbox, xero: Xero) -> None:
    for _ in range(5):
        xero.get("/Organisation")
    first = sandbox.control("GET", "ledger", limit=2)
    rest = sandbox.control("GET", "ledger", after=first["next"])
    assert [len(first["entries"]), len(rest["entries"])] == [2, 3]
    assert sandbox.control("GET", "ledger", after=rest["next"]) == {"entries": [], "next": rest["next"]}


def test_the_ledger_cannot_be_changed_or_shortened(tmp_path: Path) -> None:
    database = tmp_path / "own.sqlite3"
    with running_sandbox(database) as server:
        Xero(server).get("/Organisation")
        with sqlite3.connect(database) as connection:
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute("UPDATE sandbox_ledgerrow SET status = 500")
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                connection.execute("DELETE FROM sandbox_ledgerrow")
        server.reset()
        assert server.ledger() == []
        with sqlite3.connect(database) as connection:
            assert connection.execute("SELECT count(*) FROM sandbox_ledgerrow").fetchone() == (1,)


def test_a_reset_brings_back_the_seed(sandbox: Sandbox, xero: Xero) -> None:
    before = sandbox.state()
    normal = sandbox.faults()
    xero.create()
    sandbox.add_board("Autumn")
    sandbox.add_pins("Autumn", 3)
    sandbox.faults(p500=0.5)
    sandbox.reset()
    sandbox.lift_limits()
    assert sandbox.state() == before
    assert sandbox.faults() == normal
    assert xero.get("/Organisation").status_code == 401  # tokens are gone too
    assert Xero(sandbox).create()["InvoiceNumber"] == "INV-0002"


def test_an_empty_reset_leaves_organisations_and_nothing_else(sandbox: Sandbox) -> None:
    sandbox.reset(empty=True)
    state = sandbox.state()
    assert (state["boards"], state["pins"]) == ([], [])
    assert [(one["contacts"], one["invoices"]) for one in state["organisations"]] == [([], []), ([], [])]
    made = Xero(sandbox).put("/Invoices", {"Invoices": [invoice_for_nobody()]}).json()["Invoices"][0]
    assert made["InvoiceNumber"] == "INV-0001"


def invoice_for_nobody() -> dict[str, Any]:
    line = {"Description": "Tyres", "Quantity": 1, "UnitAmount": 1, "AccountCode": "200"}
    return {"Type": "ACCREC", "Contact": {"Name": "First Customer"}, "LineItems": [line]}


def test_a_reset_is_quick(sandbox: Sandbox) -> None:
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        sandbox.reset()
        taken.append(time.perf_counter() - began)
    assert min(taken) < 0.1  # about 0.01 on a machine with nothing else to do


def test_thousands_of_pins_come_quickly_and_are_numbered(sandbox: Sandbox) -> None:
    began = time.perf_counter()
    pins = sandbox.add_pins("Office styling", 2000, title="Desk {n}", link="https://pinworks.example/{n}")
    assert time.perf_counter() - began < 5
    assert len({pin["id"] for pin in pins}) == 2000
    assert (pins[0]["title"], pins[1999]["link"]) == ("Desk 1", "https://pinworks.example/2000")
    board = next(board for board in sandbox.state()["boards"] if board["name"] == "Office styling")
    assert board["pin_count"] == 2002


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("pins", {"board": "Nowhere"}, "There is no board 'Nowhere'"),
        ("pins", {"board": "Office styling", "count": 0}, "from 1 to 10000"),
        ("pins", {"board": "Office styling", "count": 10001}, "from 1 to 10000"),
        ("pins", {"board": "Office styling", "colour": "red"}, "not colour"),
        ("pins", {"board": "Office styling", "title": "x" * 101}, "at most 100"),
        ("boards", {}, "needs a name"),
        ("boards", {"name": "summer recipes"}, "already"),
        ("tokens", {"provider": "shopify"}, "xero or pinterest"),
        ("tokens", {"provider": "xero", "scopes": "accounting.transactions"}, "Unknown scope"),
        ("tokens", {"provider": "xero", "tenants": ["Nobody Ltd"]}, "no organisation 'Nobody Ltd'"),
        ("reset", {"sead": 1}, "not sead"),
    ],
)
def test_controls_that_make_no_sense_are_refused_in_words(
    sandbox: Sandbox, name: str, body: dict[str, Any], words: str
) -> None:
    before = sandbox.state()
    with pytest.raises(AssertionError, match=words):
        sandbox.control("POST", name, body)
    assert sandbox.state() == before


def test_what_is_not_json_is_refused_in_words(sandbox: Sandbox) -> None:
    answer = sandbox.session.post(sandbox.url + "/_sandbox/reset", data="{")
    assert answer.status_code == 400
    assert "error" in answer.json()


def test_tokens_can_be_had_without_a_browser(sandbox: Sandbox) -> None:
    made = sandbox.tokens("xero", "accounting.invoices offline_access", ["Northwind Ltd"])
    assert made["scope"] == "accounting.invoices offline_access"
    assert [tenant["name"] for tenant in made["tenants"]] == ["Northwind Ltd"]
    assert (made["expires_in"], made["user_id"]) == (1800, "1f6c0b6e-6f0d-4f5e-9a57-0c0f5b1c7a11")
    found = Caller(sandbox, "", made["access_token"]).get("/connections").json()
    assert [one["tenantName"] for one in found] == ["Northwind Ltd"]


def test_a_revoked_consent_ends_access_and_refresh(sandbox: Sandbox, pinterest: Caller) -> None:
    assert sandbox.revoke(provider="pinterest") == {"revoked": 1}
    assert pinterest.get("/boards").status_code == 401


def test_the_page_shows_what_there_is_as_text(sandbox: Sandbox, xero: Xero) -> None:
    sandbox.add_pins("Office styling", title="<script>alert(1)</script>", description="&amp;")
    xero.create(Reference="<i>ref</i>")
    sandbox.faults(p500=0.05)
    answer = sandbox.session.get(sandbox.url + "/")
    assert answer.status_code == 200
    page = answer.text
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<img" not in page
    assert "&lt;img src=x onerror=&quot;alert(1)&quot;&gt; Rex Media &amp; Co" in page
    assert "&lt;i&gt;ref&lt;/i&gt;" in page
    assert "INV-0002" in page
    assert "created invoice INV-0002" in page
    assert "<code>p500</code>" in page
    assert set(re.findall(r'(?:src|href|action)="([^"]*)"', page)) == {
        "/_sandbox/style.css",
        "/files/delivery-note.pdf",
        "/_sandbox/page/pin",
        "/_sandbox/page/board",
        "/_sandbox/page/make",
        "/_sandbox/ledger",
    }
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")


def test_a_person_adds_a_board_and_a_pin(sandbox: Sandbox) -> None:
    session, url = sandbox.session, sandbox.url
    made = session.post(url + "/_sandbox/page/board", data={"name": "Autumn", "privacy": "PUBLIC"})
    board = next(board for board in sandbox.state()["boards"] if board["name"] == "Autumn")
    form = {"board": board["id"], "title": "Plum cake", "description": "", "link": "https://pinworks.example/plum"}
    assert session.post(url + "/_sandbox/page/pin", data=form).status_code == made.status_code == 200
    pin = next(pin for pin in sandbox.state()["pins"] if pin["board"] == "Autumn")
    assert (pin["title"], pin["link"]) == ("Plum cake", "https://pinworks.example/plum")


def test_the_page_says_what_was_wrong(sandbox: Sandbox) -> None:
    answer = sandbox.session.post(sandbox.url + "/_sandbox/page/pin", data={"board": "x", "title": "A"})
    assert answer.status_code == 400
    assert "There is no board &#x27;x&#x27;." in answer.text
    assert len(sandbox.state()["pins"]) == 6


def test_a_name_that_is_not_this_machines_is_refused(sandbox: Sandbox) -> None:
    answer = sandbox.session.get(sandbox.url + "/_sandbox/state", headers={"Host": "evil.example"})
    assert answer.status_code == 400
