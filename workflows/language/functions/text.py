"""Functions for text."""

import html
import re
import unicodedata
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from workflows.language.regex import compiled
from workflows.language.signatures import function
from workflows.language.values import (
    ITEMS_LIMIT,
    TEXT_LIMIT,
    MappingLimitError,
    MappingTypeError,
    MissingPathError,
    field_of,
    kind_of,
    shown,
    text_of,
)


@function(kind="text", label="As text", example='{{ 12.50 | text ~ " GBP" }}', result="12.50 GBP")
def text(value: str) -> str:
    """Turns a number, date or yes/no into text."""
    return value


@function(kind="text", label="Upper case", example='{{ "Oak table" | upper }}', result="OAK TABLE")
def upper(value: str) -> str:
    """Writes everything in capitals."""
    return value.upper()


@function(kind="text", label="Lower case", example='{{ "Oak Table" | lower }}', result="oak table")
def lower(value: str) -> str:
    """Writes everything in small letters."""
    return value.lower()


@function(kind="text", label="Title Case", example='{{ "it\'s an oak table" | title }}', result="It's An Oak Table")
def title(value: str) -> str:
    """Starts every word with a capital and writes the rest small."""
    return re.sub(r"\S+", lambda word: word[0][:1].upper() + word[0][1:].lower(), value)


@function(kind="text", label="Trim", example='{{ "  Oak table " | trim }}', result="Oak table")
def trim(value: str) -> str:
    """Removes spaces and line breaks at both ends."""
    return value.strip()


@function(kind="text", label="Replace", example='{{ "INV-001" | replace("INV", "PIN") }}', result="PIN-001")
def replace(value: str, old: str, new: str) -> str:
    """Replaces a piece of text wherever it occurs."""
    if not old:
        raise MappingTypeError("The text to be replaced is empty.")
    if len(value) + value.count(old) * (len(new) - len(old)) > TEXT_LIMIT:
        raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    return value.replace(old, new)


@function(kind="text", label="Shorten", example='{{ "A long oak table" | truncate(7) }}', result="A long…")
def truncate(value: str, length: int, ending: str = "…") -> str:
    """Cuts a text to at most so many characters, the ending included; shorter texts stay as they are."""
    if length < 0:
        raise MappingTypeError(f"The length is {length}, but cannot be below 0.")
    if len(value) <= length:
        return value
    return (value[: max(length - len(ending), 0)].rstrip() + ending)[:length]


@function(kind="text", label="Split", example='{{ "oak, table" | split(", ") }}', result=["oak", "table"])
def split(value: str, separator: str = ",") -> list[str]:
    """Cuts a text into a list wherever the separator stands."""
    if not separator:
        raise MappingTypeError("The separator is empty.")
    if value.count(separator) >= ITEMS_LIMIT:
        raise MappingLimitError(f"The list would have more than {ITEMS_LIMIT:,} items.")
    return value.split(separator)


@function(
    kind="text",
    label="Part of a link",
    example='{{ "https://shop.example/oak?size=l" | url_part("host") }}',
    result="shop.example",
)
def url_part(value: str, part: str, name: str = "") -> str:
    """One part of a web address: scheme, host, path, last (of the path) or query (with the name of a field)."""
    try:
        url = urlsplit(value.strip())
        parts = {
            "scheme": url.scheme,
            "host": url.hostname or "",
            "path": url.path,
            "last": url.path.rstrip("/").rpartition("/")[2],
            "query": (parse_qs(url.query, max_num_fields=100).get(name) or [""])[0] if name else url.query,
        }
    except ValueError as error:
        raise MappingTypeError(f"{shown(value)} is not a web address.") from error
    if part not in parts:
        raise MappingTypeError(f"There is no part {shown(part)}. There are: {', '.join(parts)}.")
    return parts[part]


@function(kind="text", label="Capitalise", example='{{ "oak Table" | capitalise }}', result="Oak Table")
def capitalise(value: str) -> str:
    """Starts the text with a capital and leaves the rest as it is."""
    return value[:1].upper() + value[1:]


@function(kind="text", label="Part of a text", example='{{ "INV-2026-07" | substring(5, 4) }}', result="2026")
def substring(value: str, start: int, length: int | None = None) -> str:
    """So many characters from a place on, the first being 1; below 0 it counts from the end. Without a length, all."""
    if length is not None and length < 0:
        raise MappingTypeError(f"The length is {length}, but cannot be below 0.")
    if start == 0:
        raise MappingTypeError("The first character is 1, not 0; the last is -1.")
    begin = start - 1 if start > 0 else max(len(value) + start, 0)
    return value[begin:] if length is None else value[begin : begin + length]


@function(kind="text", label="Fill up", example='{{ 42 | pad(6, "0") }}', result="000042")
def pad(value: str, length: int, filling: str = " ") -> str:
    """Puts characters before a text until it is so long, as for numbers of documents. Longer texts stay."""
    if len(filling) != 1:
        raise MappingTypeError("Give the one character to fill up with.")
    if not 0 <= length <= 1_000:
        raise MappingTypeError(f"The length is 0 to 1,000, not {length}.")
    return value.rjust(length, filling)


@function(
    kind="text",
    label="Find by pattern",
    example='{{ "Order PO-1234 for Oak" | extract("PO-([0-9]+)") }}',
    result="1234",
)
def extract(value: str, pattern: str) -> str:
    """The first place that fits a regular expression (RE2 syntax): what stands in its first brackets, else all of it.

    When nothing fits, that is an error unless a default is given.
    """
    match = compiled(pattern, True).search(value)
    if match is None:
        raise MissingPathError(f"Nothing in {shown(value)} fits the pattern {shown(pattern)}.")
    return _found(match)


@function(
    kind="text",
    label="Find all by pattern",
    example='{{ "PO-12 and PO-34" | extract_all("PO-[0-9]+") }}',
    result=["PO-12", "PO-34"],
)
def extract_all(value: str, pattern: str) -> list[str]:
    """Every place that fits a regular expression, as a list; an empty list when nothing does."""
    found: list[str] = []
    for match in compiled(pattern, True).finditer(value):
        found.append(_found(match))
        if len(found) > _MATCHES_LIMIT:
            raise MappingLimitError(f"The pattern fits more than {_MATCHES_LIMIT:,} times.")
    return found


@function(
    kind="text",
    label="Replace by pattern",
    example='{{ "Tel. 020 7946 0000" | replace_pattern("[^0-9]", "") }}',
    result="02079460000",
)
def replace_pattern(value: str, pattern: str, new: str) -> str:
    """Puts a text wherever a regular expression (RE2 syntax) fits."""
    pieces, end, size = [], 0, 0
    for number, match in enumerate(compiled(pattern, True).finditer(value), start=1):
        if number > _MATCHES_LIMIT:
            raise MappingLimitError(f"The pattern fits more than {_MATCHES_LIMIT:,} times.")
        pieces += [value[end : match.start()], new]
        size += len(pieces[-2]) + len(new)
        end = match.end()
        if size > TEXT_LIMIT:
            raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    return "".join([*pieces, value[end:]])


@function(
    kind="text",
    label="Find an e-mail address",
    example='{{ "Ann <ann@oak.example>" | extract_email }}',
    result="ann@oak.example",
)
def extract_email(value: str) -> str:
    """Takes the first e-mail address out of a text. When there is none, that is an error unless a default is given."""
    match = _EMAIL.search(value)
    if match is None:
        raise MissingPathError(f"There is no e-mail address in {shown(value)}.")
    return str(match.group())


@function(kind="text", label="Without HTML", example='{{ "<p>Oak &amp; ash</p>" | strip_html }}', result="Oak & ash")
def strip_html(value: str) -> str:
    """The words of a piece of HTML: tags are left out, paragraphs and breaks become line breaks."""
    without = _HIDDEN.sub(" ", value)
    broken = _BREAK.sub("\n", without)
    words = html.unescape(_TAG.sub("", broken)).replace("\xa0", " ")
    lines = [" ".join(line.split()) for line in words.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


@function(kind="text", label="For an address", example='{{ "Oak Table, Large" | slug }}', result="oak-table-large")
def slug(value: str) -> str:
    """Small letters, figures and hyphens only, as addresses and keys are written."""
    letters = unicodedata.normalize("NFKD", value.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


@function(kind="text", label="Encode for a link", example='{{ "Oak & ash" | url_encode }}', result="Oak%20%26%20ash")
def url_encode(value: str) -> str:
    """Writes a text so that it can be a part of a web address."""
    return quote(value, safe="", errors="replace")


@function(
    kind="text",
    label="Fill in a template",
    example='{{ "Dear {name}, thank you." | template(trigger.contact) }}',
    result="Dear Ann, thank you.",
)
def template(value: str, values: Any) -> str:
    """Puts the fields of a group where their names stand in {curly brackets}: "{name}", "{address.city}"."""
    if kind_of(values) != "table":
        raise MappingTypeError(f"A group of fields is needed to fill in, but {shown(values)} is not one.")
    pieces, end, size = [], 0, 0
    for number, match in enumerate(_GAP.finditer(value), start=1):
        if number > _GAPS_LIMIT:
            raise MappingLimitError(f"A template has at most {_GAPS_LIMIT:,} places to fill in.")
        found = values
        for key in match[1].split("."):
            found = field_of(found, key, "the values")
        pieces += [value[end : match.start()], text_of(found)]
        size += len(pieces[-2]) + len(pieces[-1])
        end = match.end()
        if size > TEXT_LIMIT:
            raise MappingLimitError(f"The text would be longer than {TEXT_LIMIT:,} characters.")
    return "".join([*pieces, value[end:]])


_EMAIL = compiled(r"[A-Za-z0-9._%+'-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+", True)
_HIDDEN = compiled(r"(?s)<script\b[^>]*>.*?</script\s*>|<style\b[^>]*>.*?</style\s*>|<!--.*?-->", False)
_BREAK = compiled(r"<br\s*/?>|</(?:p|div|li|tr|h[1-6])\s*>", False)
_TAG = compiled(r"</?[a-z!][^<>]*>", False)
_GAPS_LIMIT = 1_000
_MATCHES_LIMIT = 5_000
_GAP = re.compile(r"\{([A-Za-z_][A-Za-z0-9_.]{0,80})\}")


def _found(match: Any) -> str:
    whole = match.group(1) if match.re.groups else match.group()
    return str(whole or "")
