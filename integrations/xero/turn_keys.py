"""What only one run at a time may look for and then create: otherwise two runs that find nothing both create it.

Xero refuses a second contact of a name and a second invoice of a number, but neither a second contact of an e-mail, nor
a second bill of a number, nor a second document of a reference.
"""

from __future__ import annotations

import hashlib


def looked_for(plural: str, by: str, *values: str) -> str:
    """The turn of what is looked for in a list of Xero's, as contacts by e-mail; capitals and outer spaces do not
    count. What people look for is no part of it in clear."""
    text = "\0".join(value.strip().casefold() for value in values)
    return f"/{plural} by {by} {hashlib.sha256(text.encode()).hexdigest()[:32]}"
