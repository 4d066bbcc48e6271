"""How numbers and days are written in a language: the decimal mark, the thousands separator, the order of a date.

A small table after the Unicode CLDR, so the mapping language needs no file, package or server locale. Babel would give
the same with 30 MB of unused data; the price is that a missing language has to be added here.
https://cldr.unicode.org/
"""

from dataclasses import dataclass
from typing import TypeVar

from workflows.language.values import MappingTypeError, shown

T = TypeVar("T")

_SPACES = ("\xa0", "\u202f", "\u2009", " ")
_APOSTROPHES = ("’", "'")
#: (decimal mark, thousands separator): languages
_NUMBERS = {
    (".", ","): "en cy ga he hi ja ko th zh es-mx",
    (",", "."): "bs ca da de el es eu gl hr id is it mk nl pt ro sl sr tr vi",
    (",", "\xa0"): "bg cs et fi fr hu lt lv nb nn no pl ru sk sq sv uk en-za",
    (".", "’"): "de-ch de-li it-ch",
}
#: How days are written in digits: languages. In English it depends on the country.
_DAYS = {
    "D.M.YYYY": "bg bs cs da de et fi he hr is lv mk nb nn no pl ro ru sk sl sr sq tr uk fr-ch it-ch",
    "D/M/YYYY": "ca cy el es fr ga gl hi id it pt th vi en-au en-gb en-ie en-in en-nz en-sg",
    "M/D/YYYY": "en-us",
    "D-M-YYYY": "nl",
    "YYYY-M-D": "lt sv en-ca fr-ca",
    "YYYY/M/D": "eu ja zh en-za",
    "YYYY. M. D.": "hu ko",
}
_MARKS_OF = {language: number_format for number_format, languages in _NUMBERS.items() for language in languages.split()}
_DAYS_OF = {language: pattern for pattern, languages in _DAYS.items() for language in languages.split()}


@dataclass(frozen=True)
class NumberFormat:
    """The decimal mark, and the thousands separator when writing."""

    decimal: str
    group: str

    @property
    def groups(self) -> tuple[str, ...]:
        """Everything accepted as a thousands separator."""
        return next((kind for kind in (_SPACES, _APOSTROPHES) if self.group in kind), (self.group,))


def number_format(style: str) -> NumberFormat:
    """By the decimal mark itself ("." or ",") or by a language such as de, fr, en-GB, de-CH."""
    if style in (".", ","):
        return NumberFormat(style, "," if style == "." else ".")
    found = _of(style, _MARKS_OF)
    if found is None:
        raise MappingTypeError(f'The decimal mark is "." or ",", or a language such as "de"; not {shown(style)}.')
    return NumberFormat(*found)


def is_language(text: str) -> bool:
    """Whether it names a language: de, en-GB."""
    return text[:2].islower() and _of(text, _MARKS_OF) is not None


def day_pattern(language: str) -> str:
    """How the language writes days in digits: "D.M.YYYY"."""
    found = _of(language, _DAYS_OF)
    if found is None:
        raise MappingTypeError(
            f"How days are written in {shown(language)} depends on the country: name it too, as en-GB or en-US do."
        )
    return found


def _of(language: str, table: dict[str, T]) -> T | None:
    """The entry for the language in its region, else for the language."""
    name = language[:10].lower().replace("_", "-")
    return table.get(name) or table.get(name.partition("-")[0])
