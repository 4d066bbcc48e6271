"""The one parser of numbers that people and programs write: mappings, CSV columns, forms and the API all use it.

A number is read whole or refused, never in part: its sign before or after, parentheses for negative, a currency before
or after, and thousands separated by the other mark, an apostrophe or a narrow space. If the decimal mark is not given,
what could be read both ways is refused: "EUR 2,500" is 2500 to one person and 2.5 to another. Only a bare number with a
point, "1.234", is read as programs write it. A percentage is refused, because 5% is not 5.

Our own, because the existing parsers (Babel, price-parser) pick a number out of any text, and guess.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

LONGEST = 100  # characters in a number with its sign, currency and separators
_NARROW = ("\xa0", "\u202f", "\u2009")
_APOSTROPHES = ("’", "'")

#: ISO 4217, https://www.six-group.com/en/products-services/financial-information/data-standards.html
_CODES = (
    "AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP "
    "CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF "
    "IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD "
    "MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB "
    "RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD "
    "UYU UZS VED VES VND VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG"
)
_WORDS = r"SFr\.|SFr|Fr\.|Fr|kr\.|kr|Kč|zł|Ft|lei|лв\.?|руб\.?|Rs\.|Rs|RM|Rp|R"
_SYMBOL = r"[A-Z]{0,3}[$¢£¤¥฿﷼\u20a0-\u20cf＄￡￥]"
_CODE = "|".join(_CODES.split())
_CURRENCY = rf"(?:{_SYMBOL}|(?<![^\W\d_])(?:{_CODE}|{_WORDS})(?![^\W\d_]))"
_MINUS = "\u2013\u2212-"  # en dash, minus, hyphen
_SIGN = f"[+{_MINUS}]"
#: In place of cents: "5.-", "5,--".
_NO_CENTS = r"(?:[.,][-\u2013\u2014]{1,2}(?![0-9]))"
_FIGURES = r"[.,]?[0-9](?:[0-9.,'’\xa0\u202f\u2009 ]*[0-9])?"
_WHOLE = re.compile(
    rf"(?P<lead>{_CURRENCY})?[ ]?(?P<open>\()?[ ]?(?P<sign1>{_SIGN})?[ ]?(?P<before>{_CURRENCY})?[ ]?"
    rf"(?P<sign2>{_SIGN})?[ ]?(?P<figures>{_FIGURES}){_NO_CENTS}?"
    rf"(?:[ ]?(?P<sign3>{_SIGN}))?(?:[ ]?(?P<behind>{_CURRENCY}))?(?:[ ]?(?P<sign4>{_SIGN}))?[ ]?(?P<close>\))?"
)
#: Spaces, except those between two digits.
_AROUND = re.compile(r"[ \t\xa0\u202f\u2009]+(?![0-9])|(?<![0-9])[ \t\xa0\u202f\u2009]+")
_BARE = re.compile(r"[+-]?[0-9]*\.?[0-9]+")
_TWO_READINGS = re.compile(r"[1-9][0-9]{0,2}[.,][0-9]{3}")


class NumberError(ValueError):
    """The text is not a number, or could be two; `message` says which."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class AmbiguousNumberError(NumberError):
    """The text could be read as two different numbers."""


@dataclass(frozen=True)
class Style:
    """How numbers are written: the decimal mark, "" if it is not given, and what may separate thousands."""

    decimal: str = ""
    groups: tuple[str, ...] = ()
    takes_lakhs: bool = False


def with_places(number: Decimal, least: int, *, grouped: bool = True) -> str:
    """The number without trailing zeros, but with at least this many decimals; thousands with a comma if `grouped`."""
    whole, _, places = (f"{number:,f}" if grouped else f"{number:f}").partition(".")
    kept = places.rstrip("0").ljust(least, "0")
    return f"{whole}.{kept}" if kept else whole


def style_of(decimal: str = "") -> Style:
    """By the decimal mark alone: "." or ",", with any usual separator of thousands; "" if it is not given."""
    if not decimal:
        return Style("", (*_APOSTROPHES, *_NARROW))
    return Style(decimal, ("," if decimal == "." else ".", *_APOSTROPHES, *_NARROW, " "))


UNSAID = style_of()


def read(text: str, style: Style = UNSAID) -> Decimal:
    """The whole text as a number. Raises NumberError."""
    if style.decimal != "," and len(text) <= LONGEST and _BARE.fullmatch(text):
        return Decimal(text)
    match = _whole(text)
    if match is None:
        raise NumberError(f"{_quoted(text)} is not a number.")
    signs = [sign for name in ("sign1", "sign2", "sign3", "sign4") if (sign := match[name])]
    in_parentheses = bool(match["open"])
    currencies = [each for name in ("lead", "before", "behind") if (each := match[name])]
    if in_parentheses != bool(match["close"]) or len(signs) + in_parentheses > 1 or not _agree(currencies):
        raise NumberError(f"{_quoted(text)} is not a number.")
    if _is_joined(match):
        raise NumberError(f"{_quoted(text)} could be a reference.")
    number = _figures(match["figures"], style, text, is_bare=_BARE.fullmatch(text.strip()) is not None)
    return -number if in_parentheses or (signs and signs[0] != "+") else number


def entered(text: str) -> Decimal:
    """The number that a form or a program gave: also with an exponent or NaN, as programs write. Raises NumberError."""
    try:
        if "_" in text:  # Decimal ignores underscores, as in Python's own numbers
            raise InvalidOperation
        return Decimal(text.strip())
    except InvalidOperation:
        return read(text)


def _whole(text: str) -> re.Match[str] | None:
    if len(text) > LONGEST:
        return None
    return _WHOLE.fullmatch(
        re.sub(r"[ \t\xa0\u202f\u2009]+(?![0-9])|(?<![0-9])[ \t\xa0\u202f\u2009]+", " ", text).strip()
    )


def _is_joined(match: re.Match[str]) -> bool:
    """Whether a hyphen joins a whole number to letters: EUR-7 may be a reference like INV-7, EUR-7.00 is an amount."""
    return match["figures"].isdecimal() and re.search("[A-Za-z.]-$", match.string[: match.start("figures")]) is not None


def _agree(currencies: list[str]) -> bool:
    """One currency, or its sign before and its code after: "$5.00 USD"."""
    return len(currencies) < 2 or (len(currencies) == 2 and not currencies[0].isalpha() and currencies[1].isalpha())


def _figures(written: str, style: Style, text: str, *, is_bare: bool) -> Decimal:
    """Digits with their separators, without sign or currency."""
    decimal = style.decimal or _mark_of(written, text, is_bare=is_bare)
    groups = style.groups if style.decimal else ("," if decimal == "." else ".", *style.groups)
    used = {group for group in groups if group in written}
    group = re.escape(used.pop()) if len(used) == 1 else None
    mark = re.escape(decimal)
    forms = [rf"[0-9]+(?:{mark}[0-9]+)?", rf"{mark}[0-9]+"]
    if group is not None:
        forms = [rf"[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+(?:{mark}[0-9]+)?"]
        if style.takes_lakhs:
            forms.append(rf"[1-9][0-9]?(?:{group}[0-9]{{2}})*{group}[0-9]{{3}}(?:{mark}[0-9]+)?")
    if used or not any(re.fullmatch(form, written) for form in forms):
        raise NumberError(f"{_quoted(text)} is not a number.")
    whole, _, fraction = written.partition(decimal)
    return Decimal(f"{re.sub('[^0-9]', '', whole) or '0'}{'.' if fraction else ''}{fraction}")


def _mark_of(written: str, text: str, *, is_bare: bool) -> str:
    """The decimal mark of a number for which none is given; a comma only if the number itself shows it."""
    if _TWO_READINGS.fullmatch(written) and not is_bare:
        whole, fraction = re.split("[.,]", written)
        raise AmbiguousNumberError(
            f"{_quoted(text)} could be {whole}{fraction} or {Decimal(f'{whole}.{fraction}').normalize():f}."
        )
    last = max(".,", key=written.rfind)
    others = set(written) - set("0123456789") - {last}
    if written.count(last) > 1:  # it separates thousands
        return "," if last == "." else "."
    return last if others else "."


# --- within a text ----------------------------------------------------------------------------------------------------

_TOKEN = re.compile(r"[0-9]+(?:[.,'’][0-9]+|[\xa0\u202f\u2009 ][0-9]{3}(?![0-9]))*")
_BEFORE = re.compile(
    rf"(?P<sign1>{_SIGN})?(?P<open>\()?(?P<currency>{_CURRENCY})?(?P<open2>\()?[ \xa0\u202f]?(?P<sign2>{_SIGN})?$"
)
_BEHIND = re.compile(
    rf"(?P<no_cents>{_NO_CENTS})?(?P<sign1>[{_MINUS}](?=[\s,;.)]|$))?(?:[ \xa0\u202f]?(?P<currency>{_CURRENCY}))?"
    rf"(?P<sign2>[{_MINUS}](?=[\s,;.)]|$))?(?P<close>\))?"
)
#: What changes the number: 1e5, 1½, 5k, 2 million, and debit or credit.
_CHANGES = re.compile(
    r"[eE][+-]?[0-9]|[\u00b2\u00b3\u00b9\u00bc-\u00be\u2070-\u209f\u2150-\u2189]|\d"
    r"|[kK](?![^\W\d_])"
    r"|[ \xa0]?(?:thousand|million|billion|bn|mio|mrd|tsd|mn|CR|DR|Cr|Dr)(?![^\W\d_])",
)
_SHORT_MILLIONS = re.compile(r"[mM](?![^\W\d_])")
_NEAR = 16


def find(text: str, style: Style = UNSAID) -> Decimal | None:
    """The first number in a text, None if there is none. Raises NumberError if it is not certain.

    The hyphen of INV-7 is not a minus, that of "Refund -£7.00" is.
    """
    if _whole(text) is not None:
        return read(text, style)
    first = re.search("[0-9]", text)
    if first is None:
        return None
    start = first.start()
    if text[start - 1 : start] in (".", ",") and not text[max(0, start - 2) : start - 1].isalnum():
        start -= 1
    match = _TOKEN.match(text, first.start())
    assert match is not None
    written, end = text[start : match.end()], match.end()
    before, behind = text[max(0, start - _NEAR) : start], text[end : end + _NEAR]
    said = f"{before}{written[:LONGEST]}{behind}".strip()
    if len(written) > LONGEST or before[-1:].isdecimal() or _CHANGES.match(behind):
        raise NumberError(f"{_quoted(said)} holds more than a plain number.")
    return _signed(written, before, behind, said, style)


def _signed(written: str, before: str, behind: str, said: str, style: Style) -> Decimal:
    left, right = _BEFORE.search(before), _BEHIND.match(behind)
    assert left is not None
    assert right is not None
    currency = left["currency"] or right["currency"]
    is_amount = bool(currency) or not written.isdecimal() or bool(right["no_cents"])
    if currency and _SHORT_MILLIONS.match(behind):
        raise NumberError(f"{_quoted(said)} holds more than a plain number.")
    if " " in written and " " not in style.groups and not left["currency"]:
        raise AmbiguousNumberError(f"{_quoted(said)} could be one number or two.")
    groups = (*style.groups, " ") if left["currency"] and " " in written else style.groups
    number = _figures(written, Style(style.decimal, groups, style.takes_lakhs), said, is_bare=False)
    if _is_below_zero(left, right, before, said, is_amount=is_amount):
        return -number
    return number


def _is_below_zero(left: re.Match[str], right: re.Match[str], before: str, said: str, *, is_amount: bool) -> bool:
    """Whether the signs around it make it negative. Raises AmbiguousNumberError if that is unclear."""
    unsure = AmbiguousNumberError(f"{_quoted(said)} could be above or below zero.")
    signs = [_sign_before(left, before, unsure), right["sign1"], right["sign2"]]
    found = [sign for sign in signs if sign]
    in_parentheses = bool((left["open"] or left["open2"]) and right["close"])
    if len(found) > 1 or (in_parentheses and (found or is_amount)):
        raise unsure
    if (right["sign1"] or right["sign2"]) and not is_amount:
        raise unsure
    if re.fullmatch(rf"\s+[{_MINUS}]\s*", right.string[right.end() :]):
        raise unsure
    return bool(found) and found[0] != "+"


def _sign_before(left: re.Match[str], before: str, unsure: NumberError) -> str:
    """The sign in front, "" for none: a hyphen after a letter or a digit joins, a dash between spaces separates."""
    front = before[: left.start()]
    if left["sign1"] and left["sign2"]:
        raise unsure
    if left["sign2"] and left["currency"]:
        if before[-2:-1].isalpha():
            raise unsure  # "TOP-5", "EUR-5"
        return left["sign2"]
    sign = left["sign1"] or left["sign2"] or ""
    if sign and front[-1:] in tuple(_MINUS):
        raise unsure
    if sign and sign != "\u2212" and (front[-1:].isalnum() or front[-1:] in (")", "]")):
        return ""
    apart = re.search(rf"(?P<word>\S?)\s*[{_MINUS}]\s+$", front) if not sign else None
    if apart and (not apart["word"] or apart["word"] in ":="):
        raise unsure
    return sign


def _quoted(text: str) -> str:
    text = text.strip()
    return f'"{text[:57]}…"' if len(text) > 60 else f'"{text}"'
