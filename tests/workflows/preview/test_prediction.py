"""A predicted output has the shape of the sample, and takes every value that is known."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.messages import Request
from integrations.schema.documents import Document, Totals
from workflows.preview.predictions.prediction import leaves, predicted_output
from workflows.preview.pruning import fails_before, up_to

SAMPLE: dict[str, Any] = {
    "InvoiceID": "an-id",
    "InvoiceNumber": "INV-0007",
    "Contact": {"ContactID": "c", "Name": "Northwind"},
    "LineItems": [{"Description": "Oak", "LineAmount": Decimal("5.00")}],
    "Total": Decimal("11.50"),
    "IsSent": False,
    "DueDate": None,
}
BODY = {
    "Invoices": [
        {
            "Contact": {"ContactID": "real"},
            "LineItems": [{"Description": "One"}, {"Description": "Two", "LineAmount": Decimal("7")}],
            "DueDate": "2026-12-01",
        }
    ]
}
DOCUMENT = Document(what="Invoice", currency="NZD", totals=Totals(Decimal(10), Decimal("1.50"), Decimal("99.00")))


def test_it_takes_what_the_request_says_inside_its_wrapping_and_totals_from_the_document() -> None:
    output, examples = predicted_output(SAMPLE, request=Request.of_json("PUT", "/x", BODY), document=DOCUMENT)
    assert output == {
        "InvoiceID": "an-id",
        "InvoiceNumber": "INV-0007",
        "Contact": {"ContactID": "real", "Name": "Northwind"},
        "LineItems": [
            {"Description": "One", "LineAmount": Decimal("5.00")},
            {"Description": "Two", "LineAmount": Decimal("7")},
        ],
        "Total": Decimal("99.00"),
        "IsSent": False,
        "DueDate": "2026-12-01",
    }
    assert examples == ["InvoiceID", "InvoiceNumber", "Contact.Name", "LineItems.0.LineAmount", "IsSent"]


def test_what_was_read_comes_before_the_sample_and_the_request_before_that() -> None:
    found = {"InvoiceID": "the-real-one", "InvoiceNumber": "INV-9", "Contact": {"ContactID": "old", "Name": "Old"}}
    output, examples = predicted_output(SAMPLE, found=found, request=Request.of_json("POST", "/x", BODY))
    assert (output["InvoiceID"], output["Contact"]) == ("the-real-one", {"ContactID": "real", "Name": "Old"})
    assert "InvoiceID" not in examples


@pytest.mark.parametrize(
    ("sample", "given_", "wanted"),
    [
        (Decimal("1"), "12.50", Decimal("12.50")),
        (Decimal("1"), "no number", Decimal("1")),
        (Decimal("1"), "NaN", Decimal("1")),
        ("1", Decimal("2.50"), "2.50"),
        ("text", ["a"], "text"),
        (True, "yes", True),
        (None, "now", "now"),
        ([], [{"a": 1}], [{"a": 1}]),
        ([{"a": 1}], {"a": 2}, [{"a": 1}]),
    ],
)
def test_a_value_keeps_the_samples_type(sample: Any, given_: Any, wanted: Any) -> None:
    assert predicted_output({"value": sample}, inputs={"value": given_})[0] == {"value": wanted}


_PLAIN = st.none() | st.booleans() | st.integers(-99, 99) | st.decimals(-9, 9, places=2) | st.text(max_size=5)
_NAMES = st.sampled_from([*SAMPLE, "invoice_id", "Name", "contact_id", "other"])
_DATA = st.recursive(_PLAIN, lambda each: st.lists(each, max_size=3) | st.dictionaries(_NAMES, each, max_size=4))


def shape(value: Any) -> Any:
    """The names in it, without values and numbers of items."""
    return {name: shape(each) for name, each in value.items()} if isinstance(value, dict) else None


@given(found=_DATA, inputs=st.dictionaries(_NAMES, _DATA, max_size=4), body=_DATA)
def test_whatever_is_known_the_names_are_the_samples(found: Any, inputs: dict[str, Any], body: Any) -> None:
    request = Request.of_json("PUT", "/x", body)
    output, examples = predicted_output(SAMPLE, found=found, inputs=inputs, request=request, document=DOCUMENT)
    assert shape(output) == shape(SAMPLE)
    assert set(examples) <= set(leaves(output))
    assert "Total" not in examples


@given(body=st.binary(max_size=40))
def test_a_body_that_is_no_json_predicts_nothing(body: bytes) -> None:
    predicted_output(SAMPLE, request=Request("PUT", "/x", body=body))


def _step(key: str, **inside: Any) -> dict[str, Any]:
    return {"key": key, "kind": "action", **inside}


def test_a_plan_up_to_a_step_keeps_what_leads_there() -> None:
    error = [_step("e1"), _step("e2")]
    paths = [{"key": "p1", "steps": [_step("x"), _step("y", error_steps=error)]}, {"key": "p2", "steps": [_step("z")]}]
    steps = [_step("a"), _step("b", paths=paths), _step("c")]
    assert [each["key"] for each in up_to(steps, "b")] == ["a", "b"]
    pruned = up_to(steps, "e1")
    assert [each["key"] for each in pruned] == ["a", "b"]
    first, second = pruned[1]["paths"]
    assert [each["key"] for each in first["steps"]] == ["x", "y"]
    assert [each["key"] for each in first["steps"][1]["error_steps"]] == ["e1"]
    assert second == paths[1]
    assert up_to(steps, "nowhere") == steps
    assert [fails_before(steps, key) for key in ("e2", "y", "z", "nowhere")] == ["y", "", "", ""]
