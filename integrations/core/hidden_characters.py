"""Characters that are invisible or change the direction of text: shown by their number instead.

A pin's title, a contact's name or a column of a file is somebody else's text. U+202E in it makes "exe.tset" look like
"test.exe", and a zero-width space makes two contacts look the same. What an alphabet or an emoji needs
(joiners between Persian letters or inside one emoji, the tags of a flag) stays. Unicode Technical Report 36, 2.
"""

from __future__ import annotations

import re

# Marks, embeddings, overrides and isolates of direction; zero-width and other blank characters; controls.
_ALWAYS = (
    "\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e001f\U000e0080-\U000e0fff"
)
# A joiner without a letter of such an alphabet, or an emoji, on both sides; the tags of a flag without the flag.
_LOOSE = (
    r"(?<![\u0590-\u1fff\u2190-\ud7ff\ufb1d-\ufdff\ufe0f\ufe70-\ufefc\U00010000-\U000dffff])[\u200c\u200d]"
    r"|[\u200c\u200d](?![\u0590-\u1fff\u2190-\ud7ff\ufb1d-\ufdff\ufe70-\ufefc\U00010000-\U000dffff])"
    r"|(?<![\U0001f3f4\U000e0020-\U000e007f])[\U000e0020-\U000e007f]+"
)
_HIDDEN = re.compile(f"[{_ALWAYS}]|{_LOOSE}")

_TAG = r"""<[a-zA-Z/](?:[^>"']|"[^"]*"|'[^']*')*>"""
# What programs read, or people edit and send back, stays as it is.
_DATA = r"<(?P<name>script|style|textarea)\b.*?</(?P=name)\s*>"
_PARTS = re.compile(rf"(?P<data>{_DATA})|(?P<comment><!--.*?-->)|(?P<tag>{_TAG})", re.DOTALL | re.IGNORECASE)
_READ_ALOUD = re.compile(r"""(\s(?:title|alt|aria-label|placeholder|data-label)=)("[^"]*"|'[^']*')""", re.IGNORECASE)


def shown(text: str) -> str:
    """The text with each such character as its number, such as [U+202E]."""
    return text if text.isascii() and text.isprintable() else _HIDDEN.sub(_numbers, text)


def shown_in_page(html: str) -> str:
    """The same for a page: what is shown or read aloud. Values of fields, addresses and scripts stay as they are."""
    if not _HIDDEN.search(html):
        return html
    done, at = [], 0
    for part in _PARTS.finditer(html):
        done.append(shown(html[at : part.start()]))
        done.append(_READ_ALOUD.sub(_attribute, part.group()) if part["tag"] else part.group())
        at = part.end()
    return "".join([*done, shown(html[at:])])


def _numbers(found: re.Match[str]) -> str:
    return "".join(f"[U+{ord(each):04X}]" for each in found.group())


def _attribute(found: re.Match[str]) -> str:
    return found[1] + shown(found[2])
