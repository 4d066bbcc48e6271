"""Something that is done again and again beside a proof, in a thread of its own."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Meanwhile:
    """Calls `once` at an interval while the block lasts. Leaving raises what went wrong with it."""

    #: What is said where it broke down.
    broken = "What was to go on beside the proof broke down, so nothing is proved."

    def __init__(self, *, every: float) -> None:
        self.every = every
        self.trouble: BaseException | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()
        if self.trouble is not None:
            raise RuntimeError(self.broken) from self.trouble

    def _run(self) -> None:
        from django.db import connection

        try:
            while not self._over.wait(self.every):
                self.once()
        except Exception as error:
            self.trouble = error
        finally:
            connection.close()

    def once(self) -> None:
        """One time."""
        raise NotImplementedError
