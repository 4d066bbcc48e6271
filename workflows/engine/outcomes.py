"""How a step can end other than well, as control flow inside the engine."""

from __future__ import annotations


class FilteredError(Exception):
    """A filter was not met: the run ends here, and that is fine."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


class StepFailedError(Exception):
    """The step failed for good; it has been written down."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class ReviewError(Exception):
    """A person has to decide; both facts have been written down."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
