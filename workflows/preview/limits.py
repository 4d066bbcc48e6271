"""How far a preview goes: it runs in a person's request, so it ends in time and says what it did not reach."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.core.errors import CallPreventedError
from integrations.framework.checks import Facts
from integrations.transport.call_budget import Purpose
from integrations.transport.http import ApiClient
from workflows.engine.waits import WaitError
from workflows.preview.predictions.last_outputs import LastOutputs


class UnreachedError(CallPreventedError):
    """The preview ends here, although a run would go on; `message` says why. `wait` is what a run would do instead."""

    def __init__(self, message: str, *, wait: WaitError | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.wait = wait


@dataclass(frozen=True)
class Limits:
    """`seconds` of wall-clock time, `iterations` of each loop, `steps` in all, each iteration's counted; `purpose`
    decides how much of the day's call budget its reads may use."""

    seconds: float = 20.0
    iterations: int = 50
    steps: int = 500
    purpose: Purpose = Purpose.RUN


@dataclass
class Walk:
    """One preview under way, with the workflows that it calls. `notes` are sentences about what was left out,
    `last` is what its writes gave in runs."""

    limits: Limits
    began: float = field(default_factory=time.monotonic)
    steps: int = 0
    notes: list[str] = field(default_factory=list)
    last: LastOutputs = field(default_factory=LastOutputs)
    #: The keys of the steps and paths at which it was forced to go on.
    forced: list[str] = field(default_factory=list)
    #: What checks have read, by connection; `known` is what those of walks before have.
    facts: dict[int, Facts] = field(default_factory=dict)
    known: Mapping[int, Facts] = field(default_factory=dict)

    def facts_of(self, connection_id: int, api: ApiClient) -> Facts:
        """What checks may ask of the connection through this client; each question is asked once in the walk."""
        if connection_id not in self.facts:
            before = self.known.get(connection_id)
            self.facts[connection_id] = before.through(api) if before is not None else Facts(api)
        return self.facts[connection_id]

    def check_time(self) -> None:
        """Raises UnreachedError once the time is up."""
        if time.monotonic() - self.began > self.limits.seconds:
            raise UnreachedError(
                f"The preview ended after {self.limits.seconds:g} seconds; what follows was not reached. A run has no "
                "such limit."
            )

    def next_step(self) -> None:
        """Count a step. Raises UnreachedError where there are no more."""
        self.check_time()
        if self.steps >= self.limits.steps:
            raise UnreachedError(
                f"The preview ended after {self.limits.steps:,} steps; what follows was not reached. A run has no such "
                "limit."
            )
        self.steps += 1

    def force(self, key: str) -> None:
        """Note that the walk goes on at this step or path although a run would not."""
        if key not in self.forced:
            self.forced.append(key)

    def note(self, sentence: str) -> None:
        """Say once what was left out."""
        if sentence not in self.notes:
            self.notes.append(sentence)
