"""Bodies over a real socket: what is too long is refused by its length, before a byte of it is read or written down."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from integrations.core.body_limits import FROM_PEOPLE, FROM_STRANGERS, WITH_FILE, most_for
from tests.base import Cast
from tests.workflows.conftest import Make
from tests.workflows.scripted.connector import Provider

MB = 1024 * 1024
HUGE = 119 * MB


@pytest.fixture
def written(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that an upload was written to."""
    settings.FILE_UPLOAD_TEMP_DIR = str(tmp_path)
    names: list[str] = []
    begin = TemporaryFileUploadHandler.new_file

    def note(self: Any, *args: Any, **kwargs: Any) -> None:
        names.append(str(args[1]))
        begin(self, *args, **kwargs)

    monkeypatch.setattr(TemporaryFileUploadHandler, "new_file", note)
    return names


def head(path: str, *lines: str) -> bytes:
    return "\r\n".join([f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *lines, "", ""]).encode()


def answer(address: str, sent: Iterator[bytes]) -> tuple[int, str, int]:
    """The answer's status and text, and how many bytes could be sent before it came."""
    host, _, port = address.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=20) as line:
        count = 0
        line.settimeout(0.05)
        for piece in sent:
            try:
                line.sendall(piece)
            except OSError:
                break
            count += len(piece)
            try:
                if line.recv(1, socket.MSG_PEEK):
                    break
            except OSError:
                continue
        line.settimeout(20)
        response = HTTPResponse(line)
        response.begin()
        return response.status, response.read().decode(), count


def upload(path: str, length: int, *headers: str) -> Iterator[bytes]:
    yield head(
        path,
        f"Content-Length: {length}",
        "Content-Type: multipart/form-data; boundary=xx",
        "Connection: close",
        *headers,
    )
    yield b'--xx\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'
    for _ in range(length // MB):
        yield b"x" * MB


@pytest.mark.parametrize("path", ["/accounts/login/", "/workflows/import/", "/", "/hooks/in/nothing/", "/hooks/xero/"])
@pytest.mark.django_db(transaction=True)
def test_a_visitors_huge_upload_is_refused_by_its_length_and_nothing_is_written(
    live_server: Any, written: list[str], tmp_path: Path, path: str
) -> None:
    status, text, sent = answer(live_server.url, upload(path, HUGE))
    assert status == 413
    assert sent < 10 * MB
    assert written == []
    assert list(tmp_path.iterdir()) == []
    if path in ("/accounts/login/", "/workflows/import/", "/"):
        assert "longer than 64 kB, the most that is taken from somebody who is not signed in" in text
        assert "Sign in, then send it again." in text


@pytest.mark.django_db(transaction=True)
def test_a_body_whose_length_is_not_told_is_not_read(live_server: Any, written: list[str]) -> None:
    def chunks() -> Iterator[bytes]:
        yield head(
            "/accounts/login/", "Transfer-Encoding: chunked", "Content-Type: multipart/form-data; boundary=xx",
            "Connection: close",
        )  # fmt: skip
        yield b'4c\r\n--xx\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n\r\n'
        for _ in range(20):
            yield b"100000\r\n" + b"x" * MB + b"\r\n"

    status, _, sent = answer(live_server.url, chunks())
    assert status == 403
    assert sent < 10 * MB
    assert written == []


@pytest.mark.django_db(transaction=True)
def test_a_length_that_is_smaller_than_what_comes_ends_the_reading_there(live_server: Any, written: list[str]) -> None:
    def more() -> Iterator[bytes]:
        yield from list(upload("/accounts/login/", 1000))
        for _ in range(20):
            time.sleep(0.01)
            yield b"x" * MB

    status, _, sent = answer(live_server.url, more())
    assert status in (400, 403)
    assert sent < 10 * MB
    assert written == []


@pytest.mark.django_db
def test_what_is_short_enough_reaches_the_page_whoever_sends_it(client: Client) -> None:
    response = client.post(reverse("account_login"), {"login": "x" * 60_000, "password": "y"})
    assert response.status_code == 200
    refused = client.post(reverse("account_login"), {"login": "x" * FROM_STRANGERS, "password": "y"})
    assert refused.status_code == 413


@pytest.mark.django_db
def test_people_who_are_signed_in_may_send_more_and_files_where_files_are_taken(
    provider: Provider, make_workflow: Make, cast: Cast, client: Client
) -> None:
    client.force_login(cast.builder)
    workflow = make_workflow()
    page = reverse("workflow_settings", args=[workflow.pk])
    assert client.post(page, {"description": "x" * 100_000}).status_code != 413
    refused = client.post(page, {"description": "x" * FROM_PEOPLE})
    assert refused.status_code == 413
    assert "is longer than 1 MB, which is the most that this page takes." in refused.content.decode()
    takes_files = [reverse("upload_file", args=[workflow.pk]), reverse("import_workflow"), reverse("new_lookup_table")]
    for page in takes_files:
        assert client.post(page, {"file": _file(6 * MB)}).status_code == 200, page
        assert client.post(page, {"file": _file(WITH_FILE)}).status_code == 413, page
    client.logout()
    for page in takes_files:
        assert client.post(page, {"file": _file(MB)}).status_code == 413, page


def _file(size: int) -> Any:
    return SimpleUploadedFile("a.csv", b"x" * size)


def test_only_these_addresses_take_more_than_a_sign_in_form_from_somebody_who_is_not_signed_in() -> None:
    more = {
        pattern.name: most_for(pattern.callback, is_signed_in=False)
        for pattern in _patterns(get_resolver())
        if pattern.callback is not None and most_for(pattern.callback, is_signed_in=False) != FROM_STRANGERS
    }
    assert more == {"hook": 256 * 1024, "inbound": MB, "api_start": MB}


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        else:
            yield each
