"""Lock keys for what only one run at a time may search for and then create: otherwise two runs could both find nothing
and create it.

Xero refuses a second contact with a name and a second invoice with a number, but not a second contact with an e-mail, a
second bill with a number or a second document with a reference.
"""

from __future__ import annotations

import hashlib

from integrations.core.sameness import folded


def looked_for(plural: str, by: str, *values: str) -> str:
    """The lock key of a search in one of Xero's lists, such as contacts by e-mail. Texts that people cannot tell apart
    give the same key, which does not contain them in clear."""
    text = "\0".join(folded(value) for value in values)
    return f"/{plural} by {by} {hashlib.sha256(text.encode()).hexdigest()[:32]}"
