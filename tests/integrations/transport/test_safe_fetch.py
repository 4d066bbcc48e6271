"""Safe calls to addresses that people give, over real sockets: where they go, what they carry, how long they take."""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any

import pytest

from integrations.core.errors import OutcomeUnknownError, RejectedError, TemporaryError
from integrations.transport.safe_fetch import Fetched, fetch, send
from tests.integrations.outside import Names, Start, answer, listening, names, start, tls_for, trust

__all__ = ["names", "start"]

LISTED = "files.example.com"


def read(url: str, **options: Any) -> Any:
    return send("GET", url, **{"hosts": None, "is_write": False, **options})


# --- where it goes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number",
    ["127.0.0.1", "::1", "0.0.0.0", "::", "169.254.169.254", "::ffff:169.254.169.254", "::ffff:127.0.0.1", "10.0.0.1",
     "192.168.1.1", "172.16.0.1", "100.64.0.1", "224.0.0.1", "192.0.0.8", "64:ff9b::7f00:1", "2002:7f00:1::",
     "2001:0:7f00:1::", "fe80::1", "fe80::1%1", "fd00:ec2::254", "168.63.129.16", "2606:2800::5efe:7f00:1"],
)  # fmt: skip
def test_a_name_that_leads_into_a_private_network_is_refused_whatever_it_is_called(names: Names, number: str) -> None:
    for name in ("files.example.com", "127-0-0-1.nip.io", "metadata.google.internal", "localhost.example.com"):
        names.say(name, [number])
        with pytest.raises(RejectedError, match=f"^{name} leads into a private network, which is closed") as refused:
            fetch(f"https://{name}/")
        assert number not in refused.value.message, "where the name leads is nobody's business"


@pytest.mark.parametrize("others", [["93.184.216.34", "127.0.0.1"], ["127.0.0.1", "93.184.216.34"]])
def test_one_private_address_among_public_ones_is_enough_to_refuse(names: Names, others: list[str]) -> None:
    names.say(LISTED, others)
    with pytest.raises(RejectedError, match="private network"):
        fetch(f"https://{LISTED}/")


def test_a_name_is_asked_once_and_what_it_turns_to_afterwards_changes_nothing(
    names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.say(LISTED, ["93.184.216.34"], ["127.0.0.1"])
    reached: list[Any] = []

    def connect(address: Any, timeout: float = 0) -> socket.socket:
        reached.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(TemporaryError, match=r"files\.example\.com could not be reached\. Nothing was sent\."):
        fetch(f"https://{LISTED}/")
    assert names.asked == [LISTED]
    assert reached == [("93.184.216.34", 443)]


def test_the_checked_address_is_called_with_the_names_certificate_and_host(
    names: Names, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trust(monkeypatch, tmp_path)
    with listening(answer(b"hello"), tls=tls_for(LISTED, tmp_path)) as host:
        names.say(LISTED, ["127.0.0.1"])
        settings.OUTSIDE_PRIVATE_HOSTS = [f"{LISTED}:{host.port}"]
        fetched = fetch(host.url("/a%20b", scheme="https", host=LISTED))
    assert fetched == Fetched(b"hello", "application/octet-stream", f"https://{LISTED}:{host.port}/a%20b")
    assert host.server_names == [LISTED]
    assert host.heard[0].startswith(f"GET /a%20b HTTP/1.1\r\nHost: {LISTED}:{host.port}\r\n".encode())


def test_a_certificate_for_another_name_or_from_nobody_stops_the_call_before_anything_is_sent(
    names: Names, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names.say(LISTED, ["127.0.0.1"])
    with listening(answer(b"hello"), tls=tls_for("other.example.com", tmp_path)) as host:
        settings.OUTSIDE_PRIVATE_HOSTS = [f"{LISTED}:{host.port}"]
        url = host.url(scheme="https", host=LISTED)
        with pytest.raises(TemporaryError, match=r"could not prove who it is .* Nothing was sent\."):
            fetch(url)
        trust(monkeypatch, tmp_path)
        with pytest.raises(TemporaryError, match="Hostname mismatch"):
            fetch(url)
    assert host.heard == []


def test_a_host_that_speaks_no_tls_is_not_spoken_to_in_the_clear(names: Names, settings: Any, start: Start) -> None:
    names.say(LISTED, ["127.0.0.1"])
    host = start(answer(b"hello"), closed=True)
    settings.OUTSIDE_PRIVATE_HOSTS = [f"{LISTED}:{host.port}"]
    with pytest.raises(TemporaryError, match="encrypted connection"):
        read(host.url(scheme="https", host=LISTED), timeout=0.3, headers=[("X-Secret", "hidden")])
    assert not any(b"hidden" in heard for heard in host.heard)


@pytest.mark.parametrize("port", [22, 25, 80, 5432, 6379, 8443])
def test_only_the_usual_port_is_open_unless_an_administrator_lists_another(names: Names, port: int) -> None:
    with pytest.raises(RejectedError, match=f"names port {port}; only 443, the usual one"):
        fetch(f"https://{LISTED}:{port}/")
    assert names.asked == []


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("http://example.com/", "has to begin with https://"),
        ("https://93.184.216.34/", "is a number, not the name of a host"),
        ("https://[2606:2800:220:1::1]/", "is a number, not the name of a host"),
        ("https://127.1/", "a number in an unusual form"),
        ("file:///etc/passwd", "has to begin with https://"),
        ("gopher://127.0.0.1:25/", "has to begin with https://"),
        ("data:text/plain,hello", "has to begin with https://"),
    ],
)
def test_what_is_no_https_address_of_a_named_host_is_refused(url: str, sentence: str) -> None:
    with pytest.raises(RejectedError, match=sentence):
        fetch(url)


def test_this_machine_is_closed_until_it_is_opened_by_host_and_port(settings: Any, start: Start) -> None:
    host = start(answer(b"hello"), closed=True)
    for url in (host.url(), host.url(host="localhost"), host.url(scheme="https", host="localhost")):
        with pytest.raises(RejectedError):
            fetch(url)
    settings.OUTSIDE_PRIVATE_HOSTS = ["http://127.0.0.1:1", f"http://localhost:{host.port}"]
    with pytest.raises(RejectedError):
        fetch(host.url())
    assert host.connections == 0
    settings.OUTSIDE_PRIVATE_HOSTS = [host.rule]
    assert fetch(host.url()).content == b"hello"


def test_in_production_this_machine_stays_closed_even_where_it_is_listed(settings: Any, start: Start) -> None:
    host = start(answer(b"hello"))
    settings.IS_PRODUCTION = True
    with pytest.raises(RejectedError, match="private network"):
        fetch(host.url())
    assert host.connections == 0


def test_a_private_host_is_opened_by_its_name_alone_and_not_by_another_name_of_the_same_address(
    names: Names, settings: Any, start: Start
) -> None:
    host = start(answer(b"hello"), closed=True)
    settings.OUTSIDE_PRIVATE_HOSTS = [f"http://erp.internal:{host.port}"]
    names.say("erp.internal", ["127.0.0.1"])
    names.say("evil.example.com", ["127.0.0.1"])
    assert fetch(host.url(host="erp.internal")).content == b"hello"
    with pytest.raises(RejectedError):
        fetch(host.url(host="evil.example.com"))
    assert host.connections == 1


def test_a_list_of_hosts_lets_nothing_else_through_and_says_whom_to_ask(settings: Any, start: Start) -> None:
    host = start(answer(b"hello"))
    assert fetch(host.url(), hosts=[host.rule]).content == b"hello"
    for hosts in ([], ["api.example.com"], ["not a host"], [f"127.0.0.1:{host.port}"]):
        with pytest.raises(RejectedError) as refused:
            fetch(host.url(), hosts=hosts)
        assert refused.value.message == (
            f"127.0.0.1:{host.port} is not among the hosts that an administrator has allowed. Nothing was sent. "
            "Ask an administrator to add it to the setting HTTP_REQUEST_HOSTS."
        )
    assert host.connections == 1


def test_being_listed_does_not_open_a_private_network(names: Names, settings: Any, start: Start) -> None:
    host = start(answer(b"hello"), closed=True)
    names.say("api.example.com", ["127.0.0.1"])
    for name in ("127.0.0.1", "api.example.com"):
        with pytest.raises(RejectedError, match="OUTSIDE_PRIVATE_HOSTS"):
            fetch(host.url(host=name), hosts=[f"http://{name}:{host.port}"])
    assert host.connections == 0


def test_no_redirect_is_followed(start: Start) -> None:
    elsewhere = start(answer(b"secret"))
    host = start(answer(status="302 Found", headers={"Location": elsewhere.url()}))
    with pytest.raises(RejectedError, match="leads on to another address, which is not followed"):
        fetch(host.url())
    found = read(host.url())
    assert (found.status, found.headers["location"]) == (302, elsewhere.url())
    assert elsewhere.connections == 0


def test_a_proxy_of_the_environment_is_not_used(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy, host = start(answer(b"from the proxy")), start(answer(b"hello"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy.url())
    assert fetch(host.url()).content == b"hello"
    assert proxy.connections == 0


def test_an_unknown_name_is_worth_another_try(names: Names, monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(TemporaryError, match=r"^The host nowhere\.example could not be found\. Nothing was sent\.$"):
        fetch("https://nowhere.example/")


def test_a_name_server_that_dawdles_costs_no_more_than_the_time_given(monkeypatch: pytest.MonkeyPatch) -> None:
    def dawdle(*_: Any, **__: Any) -> Any:
        time.sleep(0.3)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", dawdle)
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="could not be found"):
        fetch("https://slow.example/", timeout=0.1)
    assert time.monotonic() - began < 0.25


# --- what it carries ------------------------------------------------------------------------------------------------


def test_a_call_says_what_it_was_given_to_the_byte(start: Start) -> None:
    host = start(answer(b"{}", status="201 Created", headers={"X-Kept": "yes"}))
    found = send(
        "POST", host.url("/v1?a=b"), headers=[("Content-Type", "text/plain"), ("X-One", "two; three")],
        body="ä".encode(), hosts=None, is_write=True,
    )  # fmt: skip
    assert (found.status, found.body, found.headers["x-kept"], found.is_cut) == (201, b"{}", "yes", False)
    assert host.heard == [
        b"POST /v1?a=b HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept-Encoding: identity\r\n"
        b"Content-Type: text/plain\r\nX-One: two; three\r\nContent-Length: 2\r\n\r\n\xc3\xa4" % host.port
    ]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-One", "two\r\nX-Two: three"),
        ("X-One", "two\nthree"),
        ("X-One", "two\x00"),
        ("X-One", "zwö\u0308lf"),
        ("X-One\r\nX-Two", "three"),
        ("X One", "two"),
        ("X-One:", "two"),
        ("", "two"),
        ("Host", "127.0.0.1"),
        ("HOST", "127.0.0.1"),
        ("Content-Length", "0"),
        ("Transfer-Encoding", "chunked"),
        ("Connection", "keep-alive"),
        ("Proxy-Authorization", "secret"),
        ("Expect", "100-continue"),
        ("Accept-Encoding", "gzip"),
    ],
)
def test_a_header_that_would_change_the_call_itself_is_refused(start: Start, name: str, value: str) -> None:
    host = start(answer(b"hello"))
    with pytest.raises(RejectedError) as refused:
        read(host.url(), headers=[(name, value)])
    assert value not in refused.value.message or not value
    assert host.connections == 0


@pytest.mark.parametrize("method", ["", "GET /", "GET\r\n", "G ET", "ÄNDERE"])
def test_a_method_that_is_none_is_refused(start: Start, method: str) -> None:
    host = start(answer(b"hello"))
    with pytest.raises(RejectedError, match="no HTTP method"):
        send(method, host.url(), hosts=None, is_write=True)
    assert host.connections == 0


# --- what comes back ------------------------------------------------------------------------------------------------


def test_a_file_comes_with_its_type_and_its_address(start: Start) -> None:
    host = start(answer(b"%PDF-1.7", headers={"Content-Type": "Application/PDF; charset=x"}))
    assert fetch(host.url("/a.pdf#page=2")) == Fetched(b"%PDF-1.7", "application/pdf", host.url("/a.pdf"))


@pytest.mark.parametrize(
    ("length", "headers"), [(None, {}), (None, {"Content-Length": ""}), (5_000_000_000, {}), (0, {"X": "y"})]
)
def test_no_more_bytes_are_taken_than_agreed(start: Start, length: int | None, headers: dict[str, str]) -> None:
    host = start(answer(b"a" * 5000, length=length, headers=headers))
    found = read(host.url(), max_bytes=1000)
    if length == 0:
        assert (found.body, found.is_cut) == (b"", False)
        return
    assert (found.body, found.is_cut) == (b"a" * 1000, True)
    with pytest.raises(RejectedError, match="holds there is larger than 0 KiB"):
        fetch(host.url(), max_bytes=1000)


def test_an_endless_answer_ends_at_the_limit(start: Start) -> None:
    def endless(peer: socket.socket, _heard: bytes) -> None:
        peer.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            peer.sendall(b"1000\r\n" + b"a" * 4096 + b"\r\n")

    host = start(endless)
    found = read(host.url(), max_bytes=100_000)
    assert (len(found.body), found.is_cut) == (100_000, True)


def test_exactly_as_many_bytes_as_agreed_are_the_whole(start: Start) -> None:
    host = start(answer(b"a" * 1000))
    found = read(host.url(), max_bytes=1000)
    assert (len(found.body), found.is_cut) == (1000, False)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhal",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhal",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzzz\r\n",
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 999999 What\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    ],
)
def test_half_an_answer_is_none_and_a_write_may_have_happened(start: Start, said: bytes) -> None:
    host = start(lambda peer, _: peer.sendall(said))
    with pytest.raises(TemporaryError, match="gave no complete answer"):
        read(host.url())
    with pytest.raises(OutcomeUnknownError, match="whether it acted on the call is not known"):
        send("POST", host.url(), body=b"a", hosts=None, is_write=True)


@pytest.mark.parametrize("part", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"])
def test_an_answer_that_drips_ends_with_the_time_given(start: Start, part: bytes) -> None:
    def drip(peer: socket.socket, _heard: bytes) -> None:
        peer.sendall(part)
        for _ in range(100):
            peer.sendall(b"x")
            time.sleep(0.02)

    host = start(drip)
    began = time.monotonic()
    with pytest.raises(TemporaryError, match="did not answer in time"):
        read(host.url(), timeout=0.2)
    with pytest.raises(OutcomeUnknownError, match="did not answer in time"):
        send("POST", host.url(), hosts=None, timeout=0.2, is_write=True)
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        ("404 Not Found", RejectedError, "answered 404 instead of giving the file"),
        ("401 Unauthorized", RejectedError, "answered 401 instead of giving the file"),
        ("204 No Content", RejectedError, "answered 204 instead of giving the file"),
        ("429 Slow Down", TemporaryError, "answered 429"),
        ("503 Not Now", TemporaryError, "answered 503"),
    ],
)
def test_an_answer_that_is_not_the_file_says_what_it_was(
    start: Start, status: str, error: type[Exception], words: str
) -> None:
    host = start(answer(b"", status=status, headers={"Retry-After": "7"}))
    with pytest.raises(error, match=words) as raised:
        fetch(host.url())
    if isinstance(raised.value, TemporaryError):
        assert raised.value.retry_after == 7


def test_a_compressed_answer_to_a_call_that_wants_none_is_refused(start: Start) -> None:
    host = start(answer(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}))
    with pytest.raises(RejectedError, match="sent the file compressed"):
        fetch(host.url())


def test_a_host_that_is_not_there_is_worth_another_try(start: Start, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings.OUTSIDE_PRIVATE_HOSTS = [f"http://127.0.0.1:{port}"]
    for is_write in (False, True):
        with pytest.raises(TemporaryError, match=r"could not be reached\. Nothing was sent\."):
            send("POST", f"http://127.0.0.1:{port}/", hosts=None, is_write=is_write)
