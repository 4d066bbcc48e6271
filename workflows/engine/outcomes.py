"""How a step can end other than by success, as control flow inside the engine."""

from __future__ import annotations


class FilteredError(Exception):
    """A filter was not met: the run, or this iteration of a loop, ends here without an error."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StoppedError(Exception):
    """A stop step ends the run: `status` is what the run counts as ("succeeded", "failed" or "filtered")."""

    def __init__(self, status: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class StepFailedError(Exception):
    """The step failed for good; it has been recorded, or will be with the run."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ReviewError(Exception):
    """A person has to decide; what is known has been recorded."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class YieldError(Exception):
    """The run has used its worker for long enough; it goes on after other runs."""
