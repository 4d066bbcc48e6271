"""What a guard says of a write that it does not let pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stop:
    """Why a guard stops a write, as `code` for a hold and as a sentence for people; whether it refuses it for good."""

    code: str
    message: str
    refuses: bool = False
