"""The contents of a new sandbox. Everything is invented; addresses end in .example."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from django.db import connection

from integrations.sandbox.data import counters
from integrations.sandbox.data.organisations import CREATED, DEMO, NORTHWIND, ORGANISATIONS, Organisation
from integrations.sandbox.exchange import clock, exchange, limits
from integrations.sandbox.exchange.answers import dumps
from integrations.sandbox.models import (
    Board,
    Code,
    Document,
    Grant,
    Note,
    Pin,
    Section,
    Setting,
    StoredAnswer,
    Tenancy,
    Token,
    WebhookEvent,
)
from integrations.sandbox.pinterest import store
from integrations.sandbox.webhooks import changes
from integrations.sandbox.xero.documents import invoice_rules

_DAY_MS = 86_400_000
_SET_UP_AT = clock.milliseconds(datetime.fromisoformat(CREATED).replace(tzinfo=UTC))
SEEDED_AT = 1_790_000_000_000  # 2026-09-21, in milliseconds: the same in every sandbox

BOARDS = (
    ("Summer recipes", "Cold soups, salads, ice cream", "PUBLIC"),
    ("Office styling", "Desks we like", "PUBLIC"),
    ("Launch ideas", "Not public yet", "SECRET"),
)
PINS: tuple[tuple[str, str, str, str], ...] = (
    ("Summer recipes", "Gazpacho in ten minutes", "Tomatoes, cucumber, no cooking.", "gazpacho"),
    ("Summer recipes", "Peach galette", "A free-form tart for eight.", "peach-galette"),
    ("Summer recipes", "Crème glacée à la vanille", "Sans sorbetière.", "glace-vanille"),
    ("Office styling", "Oak standing desk", "140 x 70 cm, oiled.", "oak-desk"),
    ("Office styling", "Lamp <b>Nordlys</b> & friends", 'The "quiet" lamp; price on request.', "lamp?size=m&tone=warm"),
    ("Launch ideas", "Window display, October", "Do not share.", "window-display"),
)
# A name that an older system may have left: every page must show it as text.
HOSTILE_NAME = '<img src=x onerror="alert(1)"> Rex Media & Co'
# Name, e-mail, contact number, first and last name of the person.
_CONTACTS: dict[str, tuple[tuple[str, str, str, str, str], ...]] = {
    DEMO.tenant: (
        ("Boom FM", "accounts@boomfm.example", "", "Mia", "Tane"),
        ("City Limousines", "office@citylimousines.example", "", "Sam", "Okafor"),
        ("Hamilton Smith Pty Ltd", "infoz@hamiltonsmith.example", "HS-001", "Ola", "Smith"),
        ("Northwind Traders", "billing@northwindtraders.example", "NW-100", "Nora", "Wind"),
        ("Petrie McLoud Watson & Associates", "pmw@petriemcloud.example", "", "Petra", "Watson"),
        (HOSTILE_NAME, "info@rexmedia.example", "", "", ""),
        ("Ridgeway University", "", "RU-77", "Lee", "Ridge"),
        ("Young Bros Transport", "ben@youngbros.example", "", "Ben", "Young"),
    ),
    NORTHWIND.tenant: (
        ("Ada & Söhne GmbH", "rechnung@adasoehne.example", "DE-4", "Ada", "Kern"),
        ("Blue Fern Stationers", "hello@bluefern.example", "", "Fern", "Blue"),
        ("Demo Company", "pay@democompany.example", "", "Di", "Emo"),
        ("Hartley & Finch LLP", "ledger@hartleyfinch.example", "HF-9", "Iris", "Hartley"),
        ("Kestrel Interiors", "studio@kestrel.example", "", "Kit", "Estrel"),
        ("Marlow Bakery", "orders@marlowbakery.example", "", "Max", "Marlow"),
        ('O\'Brien "Quick" Prints', "team@obrienprints.example", "", "Una", "O'Brien"),
        ("Zephyr Garden Centre", "", "ZG-3", "", ""),
    ),
}


def plant_if_empty() -> None:
    if not Setting.objects.filter(name="chapter").exists():
        plant()
    elif not Document.objects.filter(kind="Items").exists():
        _plant_set_up()  # the file is older than the storing of items


def plant(*, empty: bool = False) -> None:
    """Delete everything but the ledger and start again: with the seed, or with the organisations only."""
    with exchange.writing():
        for model in (WebhookEvent, StoredAnswer, Note, Document, Pin, Section, Board, Code, Token, Grant, Tenancy):
            with connection.cursor() as cursor:
                cursor.execute(f"DELETE FROM {model._meta.db_table}")  # noqa: S608 - names of our own tables
        Setting.objects.exclude(name="chapter").delete()
        exchange.begin_chapter()
        _plant_set_up()
        if not empty:
            _plant_pins()
            _plant_books()
    limits.forget()
    changes.forget()


def _plant_pins() -> None:
    for index, (name, description, privacy) in enumerate(BOARDS):
        board = store.add_board(name, description, privacy, at=SEEDED_AT + index * _DAY_MS)
        details: list[dict[str, str | None]] = [
            {"title": title, "description": text, "link": f"https://pinworks.example/{path}"}
            for on, title, text, path in PINS
            if on == name
        ]
        store.add_pins(board, details, at=SEEDED_AT + (index + 3) * _DAY_MS)


def _plant_set_up() -> None:
    """Store what an organisation has from the start and can add to: items and tracking categories."""
    Document.objects.bulk_create([Document(**values) for values in _set_up()])


@cache
def _set_up() -> tuple[dict[str, Any], ...]:
    made = []
    for organisation in ORGANISATIONS.values():
        for item in organisation.items():
            own_id = organisation.id_of("item", item["Code"])
            made.append(_document(organisation, "Items", own_id, item, number=item["Code"]))
        for category in organisation.tracking_categories():
            record = {name: value for name, value in category.items() if name != "TrackingCategoryID"}
            own_id = category["TrackingCategoryID"]
            made.append(_document(organisation, "TrackingCategories", own_id, record, status="ACTIVE"))
    return tuple(made)


def _document(
    organisation: Organisation, kind: str, own_id: str, record: dict[str, Any], **columns: str
) -> dict[str, Any]:
    head = {"tenant": organisation.tenant, "kind": kind, "document_id": own_id, "updated_at": _SET_UP_AT}
    return {**head, **columns, "content": dumps(record)}


def _plant_books() -> None:
    Document.objects.bulk_create([Document(**values) for values in _seeded_documents()])
    for organisation in ORGANISATIONS.values():
        counters.take(f"INV {organisation.tenant}", 1)


@cache
def _seeded_documents() -> tuple[dict[str, Any], ...]:
    made = []
    for organisation in ORGANISATIONS.values():
        contacts = [_contact(organisation, *row) for row in _CONTACTS[organisation.tenant]]
        made += contacts + _invoices(organisation, contacts)
    return tuple(made)


def _contact(organisation: Organisation, name: str, email: str, number: str, first: str, last: str) -> dict[str, Any]:
    record = {
        "ContactStatus": "ACTIVE",
        "Name": name,
        "FirstName": first,
        "LastName": last,
        "EmailAddress": email,
        "ContactNumber": number,
        "IsSupplier": False,
        "IsCustomer": False,
    }
    kept = {key: value for key, value in record.items() if value != ""}
    return {
        "tenant": organisation.tenant,
        "kind": "Contacts",
        "document_id": organisation.id_of("contact", name),
        "number": number,
        "name": name,
        "status": "ACTIVE",
        "updated_at": SEEDED_AT,
        "content": dumps(kept),
    }


def _invoices(organisation: Organisation, contacts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    sales, costs = ("200", "429") if organisation is DEMO else ("4000", "7500")
    sale = {"Type": "ACCREC", "Status": "AUTHORISED", "Date": "2026-09-15", "DueDate": "2026-10-15"}
    bill = {"Type": "ACCPAY", "Status": "DRAFT", "Date": "2026-09-18", "DueDate": "2026-10-18"}
    price = Decimal("125.50")
    return [
        _invoice(
            organisation,
            contacts[0],
            {**sale, "InvoiceNumber": "INV-0001", "Reference": "Autumn campaign"},
            {"Description": "Campaign design", "Quantity": 2, "UnitAmount": price, "AccountCode": sales},
        ),
        _invoice(
            organisation,
            contacts[1],
            {**bill, "InvoiceNumber": "RPT-445"},
            {"Description": "Printing", "Quantity": 1, "UnitAmount": price, "AccountCode": costs},
        ),
    ]


def _invoice(
    organisation: Organisation, contact: dict[str, Any], head: dict[str, Any], line: dict[str, Any]
) -> dict[str, Any]:
    line = {**line, "LineItemID": organisation.id_of("line", head["InvoiceNumber"])}
    sent = {**head, "Contact": {"ContactID": contact["document_id"]}, "LineItems": [line]}
    record = {**invoice_rules.clean(organisation.tenant, sent, None, 2), "InvoiceNumber": head["InvoiceNumber"]}
    return {
        "tenant": organisation.tenant,
        "kind": "Invoices",
        "document_id": organisation.id_of("invoice", head["InvoiceNumber"]),
        "number": head["InvoiceNumber"],
        "status": head["Status"],
        "contact_id": contact["document_id"],
        "updated_at": SEEDED_AT,
        "content": dumps(record),
    }
