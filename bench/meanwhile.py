"""Something that is done repeatedly during a proof, in its own thread."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self


class Meanwhile:
    """Call `once` at an interval while the block lasts. Leaving the block raises any error of it."""

    #: The message if it failed.
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
        """Do it one time."""
        raise NotImplementedError
