"""What every answer carries, and what the log says of those that refuse."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as configured
from django.test import Client
from django.urls import reverse
from django.utils.module_loading import import_string

from tests.base import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """What is written to stderr, with the filters of the settings."""
    handler = logging.StreamHandler(written := io.StringIO())
    for name in configured.LOGGING["handlers"]["stderr"]["filters"]:
        handler.addFilter(import_string(configured.LOGGING["filters"][name]["()"])())
    # Where pytest's own handlers are: behind none of them, so that what they keep is not changed.
    loggers = [logging.getLogger(name) for name in ("django.request", "django.security")]
    for logger in loggers:
        logger.addHandler(handler)
    yield written
    for logger in loggers:
        logger.removeHandler(handler)


def test_what_a_role_does_not_allow_is_one_line_without_a_traceback(
    cast: Cast, client: Client, log: io.StringIO
) -> None:
    client.force_login(cast.auditor)
    assert client.get(reverse("new_workflow")).status_code == 403
    assert log.getvalue() == "Forbidden (Permission denied): /workflows/new/\n"


@pytest.mark.parametrize("kind", ["fields", "host", "multipart"])
def test_a_request_that_cannot_be_read_is_a_line_without_a_traceback(
    client: Client, log: io.StringIO, kind: str
) -> None:
    if kind == "fields":
        answer = client.post(
            reverse("account_login"),
            data="&".join(f"f{number}=x" for number in range(1001)),
            content_type="application/x-www-form-urlencoded",
        )
    elif kind == "host":
        answer = client.get("/", headers={"host": "evil.example"})
    else:
        answer = client.post(reverse("account_login"), data=b"x", content_type="multipart/form-data")
    assert answer.status_code == 400
    assert "Traceback" not in log.getvalue()
    assert log.getvalue().count("\n") >= 1


def test_a_fault_of_ours_keeps_its_traceback(cast: Cast, log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise ZeroDivisionError("our fault")

    client = Client(raise_request_exception=False)
    client.force_login(cast.auditor)
    monkeypatch.setattr("workflows.views.workflow_list.page", broken)
    assert client.get(reverse("workflows")).status_code == 500
    assert "Traceback" in log.getvalue()
    assert "ZeroDivisionError: our fault" in log.getvalue()


@pytest.mark.parametrize("name", ["admin:index", "workflows", "runs", "connections", "notices", "lookup_tables"])
def test_pages_with_data_are_kept_nowhere_and_may_use_no_device(cast: Cast, client: Client, name: str) -> None:
    client.force_login(cast.builder)
    answer = client.get(reverse(name))
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    policy = answer["Permissions-Policy"]
    assert {"camera=()", "microphone=()", "geolocation=()", "payment=()", "usb=()"} <= set(policy.split(", "))
    assert "clipboard" not in policy


def test_the_api_a_refusal_and_what_is_not_there_are_kept_nowhere_either(client: Client) -> None:
    for path, status in (("/api/runs/", 401), ("/nothing/", 404), ("/runs/", 302), ("/accounts/login/", 200)):
        answer = client.get(path)
        assert (answer.status_code, "no-store" in answer["Cache-Control"]) == (status, True), path
        assert answer["Permissions-Policy"]


def test_static_files_may_be_kept(client: Client) -> None:
    answer = client.get("/static/pinxero/pages.css")
    assert answer.status_code == 200
    assert "no-store" not in answer["Cache-Control"]
    assert answer["Permissions-Policy"]
