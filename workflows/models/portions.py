"""What a row needs for work beside runs that a worker does in portions: a lease, a token, pauses and their reason."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class InPortions(models.Model):
    """Work that `engine/portions.py` claims and continues. A subclass has a `status`; in those that `UNDER_WAY` lists,
    the machine still has something to do with it."""

    UNDER_WAY: ClassVar[tuple[str, ...]]

    #: Why it waits, or why it could not go on.
    message = models.TextField(blank=True, default="")
    wake_at = models.DateTimeField(null=True, blank=True)
    #: Failures in a row, which make the pauses longer.
    failures = models.PositiveSmallIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.PositiveBigIntegerField(default=0)
    asked_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def is_under_way(self) -> bool:
        """Whether the machine still has something to do with it."""
        return self.status in self.UNDER_WAY  # type: ignore[attr-defined]
