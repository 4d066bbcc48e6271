"""How what an action wrote is taken back: what `Action` declares for it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from integrations.core.messages import Request
from integrations.transport.http import ApiClient


class Undoable:
    """The part of an action that takes back what it wrote."""

    #: Why `undo()` never gives a request, as a sentence for people; empty if it may give one.
    no_undo: ClassVar[str] = ""
    #: What `undo()` does, as a sentence for people; empty if it never gives a request.
    undo_words: ClassVar[str] = ""

    def undo(self, api: ApiClient, output: Mapping[str, Any], organisation: Mapping[str, Any]) -> Request | None:
        """The one request that takes the write back (voids, deletes, archives); None if the provider offers none.

        `output` is what the write gave; what may have changed since is read. It sends nothing. Raises
        NothingToUndoError where it reads that it is taken back already, RejectedError with the sentence to show where
        the object's state no longer allows it.
        """
        return None
