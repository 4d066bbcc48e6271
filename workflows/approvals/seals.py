"""The seal of an approval: a keyed hash of what it says, with a key that is not in the database.

Whoever can write to the database alone cannot make one, so an approval that was written past the application counts
for nothing. The keys are derived from TOKEN_KEYS: while an older key is still in the ring, its seals hold.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC

from django.conf import settings

from workflows.models import Approval

_PURPOSE = b"pinxero approval 1"


def seal(approval: Approval) -> str:
    """The seal that belongs to what the approval says, under the first key."""
    return _under(settings.TOKEN_KEYS[0], approval)


def is_sealed(approval: Approval) -> bool:
    """Whether its seal belongs to what it says, under any key of the ring."""
    return any(hmac.compare_digest(approval.seal, _under(key, approval)) for key in settings.TOKEN_KEYS)


def _under(key: str, approval: Approval) -> str:
    told = [
        approval.request_id,
        approval.by_id,
        approval.on_behalf_of_id,
        approval.stage,
        approval.decision,
        approval.method,
        approval.reason,
        approval.fingerprint,
        approval.at.astimezone(UTC).isoformat(timespec="milliseconds"),
    ]
    derived = hmac.digest(key.encode(), _PURPOSE, hashlib.sha256)
    return hmac.new(derived, json.dumps(told).encode(), hashlib.sha256).hexdigest()
