"""Unit prices keep four places on quotes and purchase orders, and on other documents where they are asked for."""

from decimal import Decimal

import pytest

from tests.integrations.sandbox.conftest import Xero
from tests.integrations.sandbox.test_xero_papers import paper

PRICED = {"Description": "Oak", "Quantity": 3, "UnitAmount": 25.4321, "AccountCode": "429"}


@pytest.mark.parametrize(
    ("plural", "query", "printed"),
    [
        ("Quotes", "", "25.4321"),
        ("PurchaseOrders", "", "25.4321"),
        ("CreditNotes", "", "25.43"),
        ("CreditNotes", "?unitdp=4", "25.4321"),
    ],
)
def test_the_answer_to_a_write_prints_as_many_places_as_the_books_keep(
    xero: Xero, plural: str, query: str, printed: str
) -> None:
    account = "200" if plural == "Quotes" else "429"
    answer = xero.put(
        f"/{plural}{query}", {plural: [paper(xero, plural, LineItems=[{**PRICED, "AccountCode": account}])]}
    )
    (made,) = answer.json(parse_float=Decimal)[plural]
    assert str(made["LineItems"][0]["UnitAmount"]) == printed
    assert made["SubTotal"] == (Decimal("76.29") if printed == "25.43" else Decimal("76.30"))
