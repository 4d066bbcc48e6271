"""Switches for the safety mechanisms of the step protocol, so that the proofs can show what each of them prevents.

Outside of the proofs all are on: a system check refuses to start production with any of them off.
"""

from enum import StrEnum

from django.conf import settings


class Safety(StrEnum):
    """A mechanism that a proof can switch off, as its negative control."""

    #: A write is recorded, with its key and marker, before it is sent.
    INTENT = "no_intent"
    #: A write whose outcome is unknown is looked up before it is sent again.
    LOOKUP = "no_lookup"


def is_on(safety: Safety) -> bool:
    """Whether the mechanism is switched on."""
    return safety.value not in settings.SAFETIES_OFF
