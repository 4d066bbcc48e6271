"""Which certificates are trusted: the TLS contexts, made once an hour for all calls.

Loading all certificate authorities takes longer than the rest of a call, and one that an administrator or an update
adds must be trusted without a restart. A context keeps nothing of a single call.
"""

from __future__ import annotations

import os
import ssl
import time
from functools import lru_cache

import certifi

_KEPT_SECONDS = 3600


def for_outside() -> ssl.SSLContext:
    """For addresses that people give: the usual authorities and those that this machine's administrator added."""
    return _with_those_of_the_machine(os.environ.get("SSL_CERT_FILE", ""), _hour())


def for_providers() -> ssl.SSLContext:
    """For providers: only the usual authorities, so that no proxy on the way can read the calls."""
    return _usual(_hour())


def _hour() -> int:
    return int(time.monotonic() // _KEPT_SECONDS)


@lru_cache(maxsize=2)
def _with_those_of_the_machine(authorities: str, hour: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@lru_cache(maxsize=2)
def _usual(hour: int) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certifi.where())
