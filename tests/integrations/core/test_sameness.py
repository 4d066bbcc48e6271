"""Names that people cannot tell apart are the same, and nothing else is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.sameness import folded, same, searchable, tidy
from integrations.schema.schema import Schema, field


@pytest.mark.parametrize(
    "other",
    ["Eva Holm", "Eva  Holm", " Eva Holm\n", "EVA HOLM", "Eva\u00a0Holm", "E\u200bva Holm", "\ufeffEva\u2003Holm"],
)
def test_what_looks_the_same_is_the_same(other: str) -> None:
    assert same("Eva Holm", other)


def test_accents_are_the_same_however_they_are_spelled() -> None:
    assert same("Zo\u00eb", "Zoe\u0308")
    assert tidy("Zoe\u0308") == "Zo\u00eb"


@pytest.mark.parametrize(
    "other", ["EvaHolm", "Eva Holms", "Eva-Holm", "Ewa Holm", "Eva Holm 2", "", None, "\u0915\u094d\u200d\u0937"]
)
def test_what_reads_another_way_is_not_the_same(other: str | None) -> None:
    assert not same("Eva Holm", other)


def test_joiners_that_change_what_is_read_stay() -> None:
    assert not same("\u0915\u094d\u200d\u0937", "\u0915\u094d\u0937")


@given(st.text())
def test_tidying_twice_is_tidying_once_and_changes_nothing_that_is_compared(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)
    assert same(text, tidy(text))
    assert folded(folded(text)) == folded(text)
    assert unicodedata.is_normalized("NFC", tidy(text))


@given(st.text())
def test_the_piece_that_is_asked_for_stands_in_every_spelling_and_can_end_no_text(text: str) -> None:
    piece = searchable(text)
    assert piece in folded(text)
    assert not set(piece) - set("abcdefghijklmnopqrstuvwxyz0123456789._@+-")


class Named(Schema):
    name: str = field("Name", max_length=8, tidy=True)
    nick: str | None = field("Nick", default=None, tidy=True)
    note: str | None = field("Note", default=None)


def test_an_input_that_holds_a_name_is_read_tidied_and_others_as_they_are() -> None:
    read = Named.clean({"name": " Eva \u200b Holm ", "nick": " \u200b ", "note": " two  spaces "})
    assert (read.name, read.nick, read.note) == ("Eva Holm", None, " two  spaces ")
