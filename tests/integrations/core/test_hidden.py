"""Characters that turn or hide text are shown by their number; all that people write on purpose stays."""

from __future__ import annotations

import html
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.core.hidden_characters import shown, shown_in_page

TURNS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HIDES = "\u200b\u2060\u2061\u2062\u2063\u2064\ufeff\u00ad\u180e\u034f"
HIDES += "\u3164\u115f\u1160\uffa0\u206a\ufff9\U000e0001\u2028\u0085\u007f"


@pytest.mark.parametrize("character", [*TURNS, *HIDES])
def test_each_character_that_turns_or_hides_is_shown_by_its_number(character: str) -> None:
    assert shown(f"Acme{character} Ltd") == f"Acme[U+{ord(character):04X}] Ltd"


@pytest.mark.parametrize(
    "text",
    [
        "Acme & Söhne, 1 250,50 €\tnet\nof tax\r\n",
        "دبوس جديد",
        "שלום Acme",
        "می\u200cخواهم",  # Persian needs the joiner's opposite between its letters
        "क्\u200dष",  # and Hindi the joiner
        "\U0001f469\u200d\U0001f469\u200d\U0001f467 \u2764\ufe0f\u200d\U0001f525 \U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
        "日本語　テスト",
    ],
)
def test_what_alphabets_and_emoji_need_stays(text: str) -> None:
    assert shown(text) == text
    assert shown_in_page(f"<p>{text}</p>") == f"<p>{text}</p>"


def test_a_joiner_between_latin_letters_and_tags_without_a_flag_are_shown() -> None:
    assert shown("Ac\u200dme") == "Ac[U+200D]me"
    assert shown("Acme\u200c") == "Acme[U+200C]"
    assert shown("x\U000e0068\U000e0069") == "x[U+E0068][U+E0069]"


@given(st.text(), st.text())
def test_two_texts_that_differ_are_never_drawn_alike_for_a_hidden_character(first: str, second: str) -> None:
    for character in TURNS + HIDES:
        assert character not in shown(f"{first}{character}{second}")


@given(st.text(alphabet=st.characters(categories=["L", "N", "P", "S", "Zs"])))
def test_letters_digits_signs_and_spaces_are_never_changed(text: str) -> None:
    assert shown(text) == text or any(unicodedata.name(each, "").endswith("FILLER") for each in text)


PAGE = """<title>{0}</title><!-- {0} --><p title="{0}" class="{0}">{0}</p><a href="/x/{0}" x-on:click="a => b">{0}</a>
<input aria-label='{0}' value="{0}" title="a > b {0}"><textarea name="t">
{0}</textarea><select><option value="{0}">{0}</option></select><script>"{0}"</script>"""


@given(st.text(alphabet="ab<>&\"' \u202e\u200b\u200d=/é"))
def test_a_page_shows_them_and_sends_back_what_was_typed(text: str) -> None:
    escaped, seen = html.escape(text), html.escape(shown(text))
    before, after = PAGE.format(escaped), shown_in_page(PAGE.format(escaped))
    assert after.count(f'value="{escaped}"') == before.count(f'value="{escaped}"') == 2
    assert f'<textarea name="t">\n{escaped}</textarea>' in after
    assert f'<script>"{escaped}"</script>' in after
    assert f'href="/x/{escaped}"' in after
    assert f'class="{escaped}">{seen}</p>' in after
    assert f"<title>{seen}</title>" in after
    assert f'<p title="{seen}"' in after
    assert f"aria-label='{seen}'" in after
    assert f'title="a > b {seen}"' in after
    assert f">{seen}</option>" in after
