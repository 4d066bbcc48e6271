"""How an action's write without a clear answer is settled: what `Action` declares for it.

What is found at the provider afterwards counts as the step's only if that can be proved. `proof` says how.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from integrations.transport.http import ApiClient


class Proof(StrEnum):
    """What a hit of `find()` proves.

    MARKER: it has the step run's marker, which no other object has. STATE: the record is as wanted, whoever made it so.
    LIKENESS: it only looks like what was sent; the engine leaves out what existed before and what other runs have
    written, and lets a person decide if more than one run may have written it.
    """

    MARKER = "marker"
    STATE = "state"
    LIKENESS = "likeness"


class Recoverable:
    """The part of an action that settles a write of unknown outcome."""

    #: Seconds for which the provider answers a repeated Idempotency-Key with the first answer; 0 if it accepts none.
    key_window: ClassVar[float] = 0
    #: True if `find()` certainly finds a write that happened, after the settling time: never if the marker is in a
    #: field that people edit.
    lookup_reliable: ClassVar[bool] = False
    #: False if what was written cannot be looked up at all: then an uncertain write is never settled automatically.
    has_lookup: ClassVar[bool] = True
    #: False if the stored bytes may be repeated under their key without reading again what they were made from: they
    #: create one marked object and delete nothing.
    rereads: ClassVar[bool] = True

    def proof(self, inputs: Any) -> Proof:
        """What a hit of `find()` with these inputs proves."""
        return Proof.MARKER

    def find(self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None) -> list[dict[str, Any]]:
        """Every object at the provider that was written with this marker, is in the wanted state, or looks like what
        was sent (see `proof`), each as `output` would give it. Reads only.

        `since` is when the write was first sent: nothing older can match, so a lookup may start there.
        """
        raise NotImplementedError

    def hit_key(self, hit: Mapping[str, Any]) -> str:
        """What distinguishes a hit of `find()` from the others, if its id does not."""
        return self.identify(hit)

    def there(self, api: ApiClient, inputs: Any, marker: str) -> list[str]:
        """The keys of what looks like the write before it is sent, if the only proof is likeness. It is never taken for
        ours.
        """
        return [self.hit_key(hit) for hit in self.find(api, inputs, marker)]

    def differs(self, inputs: Any, hit: Mapping[str, Any]) -> str:
        """How a hit differs from what was sent, as a half-sentence; empty if it does not. If the only proof is
        likeness, a person judges such a hit.
        """
        return ""

    def strays(
        self, api: ApiClient, inputs: Any, marker: str, *, since: datetime | None = None
    ) -> list[dict[str, Any]] | None:
        """What may be the object although `find()` does not find it, because people edit the marker's field: all of its
        kind that changed since then and have no marker. None if that is unknown.
        """
        return None

    def seen(self, inputs: Any, found: Any) -> dict[str, Any]:
        """What `prepare` found of the record that the write changes, as far as the write would overwrite it, with the
        provider's time of its last change; {} if it overwrites nothing. Stored before the write is sent: if it differs
        later, somebody changed it, and nothing is sent again automatically.
        """
        return {}

    def identify(self, output: Mapping[str, Any]) -> str:
        """The provider's id of the object written."""
        return ""
