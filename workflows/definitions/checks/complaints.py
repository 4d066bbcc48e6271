"""What stops a step from being published, as its kind reports it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Complaint:
    """At which input or setting of a step (None for the whole of it), and a sentence."""

    input: str | None
    message: str
    #: The row of the input, as the form names it; "" if it is in none.
    place: str = ""
