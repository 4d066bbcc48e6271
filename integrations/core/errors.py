"""The five errors a connector may raise, each named by what the engine does next.

Any other exception from a connector is a bug in Pinxero and is treated as one: the run crashes and is not retried.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from integrations.core.messages import Response


class CallPreventedError(Exception):
    """Whoever makes the calls makes no more of them: their time is up, say. It is no fault, and nobody but them handles
    it."""


class IntegrationError(Exception):
    """Base of the five. `message` is a sentence for people; it never holds a secret.

    `response` is the provider's answer that caused it, if there was one.
    """

    response: Response | None = None

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidInputError(IntegrationError):
    """The values for an operation do not fit its Schema. The step fails; `problems` maps input path to sentence.

    `message` says the same with the inputs named as their form names them (`fields.sentences`).
    """

    def __init__(self, problems: Mapping[str, str], message: str = "") -> None:
        self.problems = dict(problems)
        super().__init__(message or " ".join(self.problems.values()))


class RejectedError(IntegrationError):
    """The provider refused: nothing was written and sending again would be refused again.

    `reasons` are the provider's own words, all of them.
    """

    def __init__(self, message: str, *, reasons: list[str] | None = None, status: int | None = None) -> None:
        super().__init__(message)
        self.reasons = reasons or []
        self.status = status


class NothingToUndoError(RejectedError):
    """What a write made is not there any more, as somebody took it back before: there is nothing left to undo."""


class Hold(StrEnum):
    """Why work waits: what a run shows as its reason."""

    RETRY = "retry"
    BUDGET = "budget"
    DOWN = "down"


class TemporaryError(IntegrationError):
    """Certainly not executed, and worth trying again: after `retry_after` seconds when known, else growing pauses.

    `retry_after` is in real seconds as the provider gives them; `hold` says whether the provider has trouble, our call
    budget is used up, or the provider is down, and then `since` says since when.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        hold: Hold = Hold.RETRY,
        since: datetime | None = None,
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.hold = hold
        self.since = since


class Reach(StrEnum):
    """How much a refused access affects."""

    CONNECTION = "connection"
    GRANT = "grant"


class ReconnectError(IntegrationError):
    """Access is refused even after a refresh: a person has to reconnect. Runs wait for that.

    `scope` says whether the whole consent is refused, with every connection it serves, or one organisation only.
    """

    def __init__(self, message: str, *, scope: Reach = Reach.GRANT) -> None:
        super().__init__(message)
        self.scope = scope


class OutcomeUnknownError(IntegrationError):
    """A write was sent and no clear answer came: it may or may not be in the provider's books."""
