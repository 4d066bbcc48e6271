"""When two names are the same: one comparison for every lookup of what people write.

`Eva Holm` with two spaces between, with a space after it, as `EVA HOLM`, with an invisible character pasted in, or with
its accents encoded differently in Unicode is one person to every reader. So names are compared folded, and what is sent
is tidied first: what looks the same is then the same at the provider too. Xero and Pinterest ignore case; so does this.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

#: Invisible characters that are pasted in from web pages and tables: soft hyphens, zero widths, direction marks.
#: The joiners U+200C and U+200D stay: in Persian and Indian scripts they change the word.
_INVISIBLE = re.compile("[\u00ad\u034f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_SEARCHABLE = re.compile(r"[A-Za-z0-9]+(?:[._@+-][A-Za-z0-9]+)*")


def tidy(text: str) -> str:
    """The text as it is sent: composed (NFC), nothing invisible, single spaces, trimmed."""
    return unicodedata.normalize("NFC", " ".join(_INVISIBLE.sub("", text).split()))


def folded(text: Any) -> str:
    """The text as it is compared; empty for None."""
    folded_text = tidy(str(text if text is not None else "")).casefold()
    return unicodedata.normalize("NFC", folded_text)


def same(one: Any, other: Any) -> bool:
    """Whether the two look the same to people."""
    return folded(one) == folded(other)


def searchable(text: str) -> str:
    """The longest piece of a text that every spelling of it contains, ignoring case: letters without accents, digits
    and single marks within. A provider is searched for it; `same` then decides. Lower case, and without anything that
    could end a text in a filter; empty if there is no such piece."""
    return max(_SEARCHABLE.findall(folded(text)), key=len, default="")
