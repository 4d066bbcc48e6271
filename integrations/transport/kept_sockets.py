"""Connections to outside hosts, kept for a few seconds for the next call to the same host: the TLS handshake takes
longer than a call.

A key says what a connection is for (scheme, host, port, trusted certificates), and whoever takes one gives the host's
present IP addresses: a connection to another address is closed. Each is closed when its time is over, so that none is
left open during a pause.
"""

from __future__ import annotations

import os
import select
import socket
import ssl
import threading
import time
from collections.abc import Collection, Hashable
from dataclasses import dataclass

from integrations.transport.url_rules import IPAddress

#: Closed after so long without use: less than hosts keep one.
IDLE_SECONDS = 4.0
#: However busy it is, so that a revoked certificate is not trusted for long.
MOST_SECONDS = 60.0
MOST_KEPT = 16


@dataclass(eq=False)
class Connected:
    """A connection and its IP address. `opened` is a moment of `time.monotonic()`."""

    socket: socket.socket
    number: IPAddress
    opened: float
    was_kept: bool = False
    timer: threading.Timer | None = None


class Kept:
    """The connections that this process keeps. Whoever takes one is its only user."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: list[tuple[Hashable, Connected]] = []

    def take(self, key: Hashable, numbers: Collection[IPAddress]) -> Connected | None:
        """A connection for the key to one of these IP addresses that the host has not closed or written to; None if
        there is none.
        """
        while (found := self._pop(key)) is not None:
            if found.number in numbers and time.monotonic() - found.opened < MOST_SECONDS and _is_quiet(found.socket):
                return found
            found.socket.close()
        return None

    def give(self, key: Hashable, connected: Connected) -> None:
        """Keep the connection for a while. Nothing may be left to read on it."""
        connected.was_kept = True
        timer = connected.timer = threading.Timer(IDLE_SECONDS, self._end, [connected])
        timer.daemon = True
        with self._lock:
            is_full = len(self._kept) >= MOST_KEPT
            if not is_full:
                self._kept.append((key, connected))
        if is_full:
            connected.socket.close()
        else:
            timer.start()

    def close(self) -> None:
        """Close all now."""
        with self._lock:
            ended, self._kept = self._kept, []
        for _, connected in ended:
            if connected.timer is not None:
                connected.timer.cancel()
            connected.socket.close()

    def in_a_fork(self) -> None:
        """After a fork, drop the parent's connections, whose answers would be read here; its timers and its lock do not
        exist here.
        """
        ended, self._kept, self._lock = self._kept, [], threading.Lock()
        for _, connected in ended:
            connected.socket.close()

    def _pop(self, key: Hashable) -> Connected | None:
        with self._lock:
            # The last used first, so that the others can expire.
            found = next((entry for entry in reversed(self._kept) if entry[0] == key), None)
            if found is None:
                return None
            self._kept.remove(found)
        if found[1].timer is not None:
            found[1].timer.cancel()
        return found[1]

    def _end(self, connected: Connected) -> None:
        with self._lock:
            kept = [entry for entry in self._kept if entry[1] is not connected]
            was_kept, self._kept = len(kept) < len(self._kept), kept
        if was_kept:
            connected.socket.close()


def _is_quiet(connection: socket.socket) -> bool:
    """Whether the host has sent nothing and not closed it: unrequested bytes would be taken for the next answer."""
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return False
    asked = select.poll()
    asked.register(connection, select.POLLIN)
    return not asked.poll(0)


kept = Kept()
os.register_at_fork(after_in_child=kept.in_a_fork)
