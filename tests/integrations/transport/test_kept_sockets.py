"""Connections to outside hosts are kept for the next reading call to the very same number, and for no other."""

from __future__ import annotations

import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from integrations.core.errors import OutcomeUnknownError, RejectedError, TemporaryError
from integrations.transport import kept_sockets
from integrations.transport.kept_sockets import kept
from integrations.transport.safe_fetch import FetchResponse, send
from tests.integrations.outside import Names, names, read_request, tls_for, trust

__all__ = ["names"]

NAME = "files.example.com"
HALF = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"
WELL = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Host:
    """Answers on a connection until there is nothing left to say there, and notes all that comes and what ended.

    `says` are the answers on one connection, in order; the last is for ever. It hangs up behind `HALF`, and for None.
    """

    def __init__(self, number: str = "127.0.0.1", port: int = 0, says: tuple[bytes | None, ...] = (WELL,)) -> None:
        self._listener = socket.create_server((number, port))
        self.port = self._listener.getsockname()[1]
        self.says = says
        self.heard: list[list[bytes]] = []
        self.ended: list[int] = []
        self.tls: Any = None
        threading.Thread(target=self._listen, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _listen(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            self.heard.append([])
            threading.Thread(target=self._attend, args=(peer, len(self.heard) - 1), daemon=True).start()

    def _attend(self, peer: socket.socket, number: int) -> None:
        left = list(self.says)
        try:
            peer.settimeout(10)
            with self.tls.wrap_socket(peer, server_side=True) if self.tls else peer as open_one:
                while (came := read_request(open_one)) != b"":
                    self.heard[number].append(came)
                    said = left.pop(0) if len(left) > 1 else left[0]
                    if said is None:
                        break
                    open_one.sendall(said)
                    if said is HALF:
                        break
        except OSError:
            pass
        self.ended.append(number)

    def wait_for_end(self, number: int) -> None:
        ends = time.monotonic() + 10
        while number not in self.ended:
            assert time.monotonic() < ends, "The connection was not closed."
            time.sleep(0.01)


@pytest.fixture
def hosts() -> Iterator[ExitStack]:
    kept.close()
    with ExitStack() as running:
        yield running
    kept.close()


@pytest.fixture
def host(hosts: ExitStack, names: Names, settings: Any) -> Host:
    """One that `NAME` and a second name lead to, which an administrator has opened."""
    made = Host()
    hosts.callback(made.close)
    for name in (NAME, "second.example.com"):
        names.say(name, ["127.0.0.1"])
    settings.OUTSIDE_PRIVATE_HOSTS = [
        f"{scheme}{name}:{made.port}" for name in (NAME, "second.example.com") for scheme in ("http://", "")
    ]
    return made


def read(host: Host, name: str = NAME, *, scheme: str = "http", **options: Any) -> FetchResponse:
    return send("GET", f"{scheme}://{name}:{host.port}/", hosts=None, is_write=False, **options)


def write(host: Host, **options: Any) -> FetchResponse:
    return send("POST", f"http://{NAME}:{host.port}/", body=b"{}", hosts=None, is_write=True, **options)


def calls(host: Host) -> list[int]:
    """How many calls came on each connection."""
    return [len(each) for each in host.heard]


def test_reading_calls_share_a_connection_and_no_header_of_another(host: Host) -> None:
    assert [read(host, headers=[("X-Key", "one")]).body, read(host).body] == [b"ok", b"ok"]
    assert calls(host) == [2]
    assert [b"X-Key: one" in each for each in host.heard[0]] == [True, False]


def test_the_name_is_asked_anew_before_each_call(host: Host, names: Names) -> None:
    names.asked.clear()
    for _ in range(3):
        read(host)
    assert names.asked == [NAME] * 3
    assert calls(host) == [3]


def test_where_a_name_now_leads_elsewhere_its_kept_connection_is_closed_unused(
    host: Host, hosts: ExitStack, names: Names
) -> None:
    other = Host("127.0.0.2", host.port)
    hosts.callback(other.close)
    names.say(NAME, ["127.0.0.1"], ["127.0.0.2"])
    assert [read(host).status, read(host).status] == [200, 200]
    host.wait_for_end(0)
    assert (calls(host), calls(other)) == ([1], [1])


def test_where_a_name_now_leads_into_a_closed_network_nothing_is_sent_on_its_kept_connection(
    host: Host, names: Names
) -> None:
    names.say(NAME, ["127.0.0.1"], ["127.0.0.1", "169.254.169.254"])
    read(host)
    with pytest.raises(RejectedError, match="leads into a private network"):
        read(host)
    assert calls(host) == [1]


def test_an_address_that_is_no_longer_open_is_not_called_on_its_kept_connection(host: Host, settings: Any) -> None:
    read(host)
    settings.OUTSIDE_PRIVATE_HOSTS = []
    with pytest.raises(RejectedError):
        read(host)
    assert calls(host) == [1]


def test_another_name_of_the_same_number_has_a_connection_of_its_own(host: Host) -> None:
    read(host)
    read(host, "second.example.com")
    read(host)
    assert calls(host) == [2, 1]


def test_another_port_has_a_connection_of_its_own(host: Host, hosts: ExitStack, settings: Any) -> None:
    other = Host()
    hosts.callback(other.close)
    settings.OUTSIDE_PRIVATE_HOSTS = [*settings.OUTSIDE_PRIVATE_HOSTS, f"http://{NAME}:{other.port}"]
    for each in (host, other, host):
        read(each)
    assert (calls(host), calls(other)) == ([2], [1])


def test_an_encrypted_connection_is_kept_until_somebody_else_is_believed(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path)
    host.tls = tls_for(NAME, tmp_path)
    for _ in range(3):
        assert read(host, scheme="https").body == b"ok"
    assert calls(host) == [3]
    monkeypatch.setenv("SSL_CERT_FILE", str(shutil.copy(tmp_path / "authority.pem", tmp_path / "again.pem")))
    read(host, scheme="https")
    assert calls(host) == [3, 1]


def test_one_that_nobody_uses_is_closed_by_itself(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sockets, "IDLE_SECONDS", 0.05)
    read(host)
    host.wait_for_end(0)
    read(host)
    assert calls(host) == [1, 1]


def test_one_that_is_always_in_use_ends_too(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    read(host)
    monkeypatch.setattr(kept_sockets, "MOST_SECONDS", 0.0)
    read(host)
    assert calls(host) == [1, 1]


def test_no_more_are_kept_than_a_process_can_spare(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept_sockets, "MOST_KEPT", 1)
    read(host)
    read(host, "second.example.com")
    host.wait_for_end(1)
    read(host)
    assert calls(host) == [2, 1]


def test_a_write_never_goes_out_on_a_kept_connection(host: Host) -> None:
    read(host)
    assert [write(host).status, write(host).status] == [200, 200]
    assert calls(host) == [1, 1, 1]


def test_after_a_write_its_connection_serves_those_who_read(host: Host) -> None:
    write(host)
    read(host)
    assert calls(host) == [2]


def test_a_write_whose_answer_does_not_come_is_never_sent_a_second_time(host: Host) -> None:
    read(host)
    host.says = (None,)
    with pytest.raises(OutcomeUnknownError):
        write(host)
    assert calls(host) == [1, 1]


def test_one_that_the_host_ends_as_the_call_arrives_is_tried_once_more_on_a_new_one(host: Host) -> None:
    host.says = (WELL, None)
    assert [read(host).body, read(host).body] == [b"ok", b"ok"]
    assert calls(host) == [2, 1]


def test_half_an_answer_on_a_kept_connection_is_not_asked_for_again(host: Host) -> None:
    host.says = (WELL, HALF)
    read(host)
    with pytest.raises(TemporaryError, match="gave no complete answer"):
        read(host)
    assert calls(host) == [2]


EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"


@pytest.mark.parametrize(
    "first",
    [
        WELL + EVIL,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n" + EVIL,
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n" + EVIL,
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
def test_where_the_end_of_an_answer_is_in_doubt_the_next_is_had_on_a_new_connection(host: Host, first: bytes) -> None:
    host.says = (first,)
    assert read(host).body in (b"ok", b"")
    host.says = (WELL,)
    assert read(host).body == b"ok"
    assert calls(host) == [1, 1]


def test_what_comes_unasked_later_is_never_taken_for_an_answer(host: Host, hosts: ExitStack) -> None:
    """A host that says more after its answer: the connection is found not to be quiet."""
    mine, theirs = socket.socketpair()
    number = ip_address("127.0.0.1")
    hosts.callback(theirs.close)
    kept.give("key", kept_sockets.Connected(mine, number, opened=time.monotonic()))
    theirs.sendall(EVIL)
    assert kept.take("key", [number]) is None
    assert mine.fileno() == -1


def test_an_answer_that_is_cut_ends_its_connection(host: Host) -> None:
    assert read(host, max_bytes=1).is_cut
    read(host)
    assert calls(host) == [1, 1]


@pytest.mark.parametrize(
    "first",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 304 Not Modified\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + WELL,
    ],
)
def test_answers_with_a_plain_end_keep_their_connection(host: Host, first: bytes) -> None:
    host.says = (first, WELL)
    read(host)
    assert read(host).body == b"ok"
    assert calls(host) == [2]


def test_a_fork_leaves_its_parents_connections_alone(host: Host) -> None:
    read(host)
    child = os.fork()
    if child == 0:
        os._exit(len(kept._kept))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    read(host)
    assert calls(host) == [2]
