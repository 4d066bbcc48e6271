"""The safeties of the step protocol, by name, so that the prover can show what each of them is worth.

Outside of the prover all are on: a system check refuses to start production with any of them off.
"""

from enum import StrEnum

from django.conf import settings


class Safety(StrEnum):
    """What can be switched off in a negative control."""

    #: A write is written down, with its key and marker, before it is sent.
    INTENT = "no_intent"
    #: A write whose outcome is unknown is looked up before it is sent again.
    LOOKUP = "no_lookup"


def is_on(safety: Safety) -> bool:
    """Whether the safety is in force."""
    return safety.value not in settings.SAFETIES_OFF
