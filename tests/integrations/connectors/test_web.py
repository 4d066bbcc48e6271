"""HTTP requests of workflows over real sockets: what goes out, what comes back, and what an answer means."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from integrations.connectors.web import statuses
from integrations.connectors.web.client import MAX_BYTES, WebClient
from integrations.core.errors import OutcomeUnknownError, RejectedError, TemporaryError
from integrations.core.exact_json import dumps, loads
from integrations.framework import registry
from integrations.transport.http import Request
from tests.integrations.outside import Host, Start, start
from tests.integrations.web import MARKER, host, listed, problems, read, request, send

__all__ = ["host", "start"]

# --- what goes out --------------------------------------------------------------------------------------------------


def test_a_read_asks_with_its_query_and_headers_and_gives_exact_numbers(host: Host) -> None:
    output = read(
        host.url("/items?a=b"),
        query=[{"name": "q", "value": "oak & ash"}, {"name": "empty"}],
        headers=[{"name": "X-One", "value": "two"}],
    )
    assert host.heard == [
        b"GET /items?a=b&q=oak%20%26%20ash&empty= HTTP/1.1\r\n"
        + f"Host: 127.0.0.1:{host.port}\r\n".encode()
        + b"Accept-Encoding: identity\r\nAccept: application/json, */*\r\nX-One: two\r\n\r\n"
    ]
    assert output == {
        "status": 200,
        "headers": {"content_length": "26", "content_type": "application/json", "x_rate": "3"},
        "text": '{"id": 7, "total": 120.50}',
        "json": {"id": 7, "total": Decimal("120.50")},
        "truncated": False,
    }
    assert set(registry.action("web.http_read").sample) == set(output)


def test_a_head_gives_status_and_headers(host: Host) -> None:
    output = read(host.url(), method="HEAD")
    assert host.heard[0].startswith(b"HEAD / HTTP/1.1")
    assert (output["status"], output["text"], output["json"]) == (200, "", None)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_send_carries_what_its_stored_request_says_and_a_key_that_stays(host: Host, method: str) -> None:
    fields = [
        {"name": "title", "value": 'An "oak" table'},
        {"name": "price.net", "value": "120.50", "kind": "number"},
        {"name": "price.currency", "value": "NZD"},
        {"name": "in_stock", "value": "Yes", "kind": "yes_no"},
        {"name": "tags", "value": '["oak", 1.10]', "kind": "json"},
        {"name": "note"},
        {"name": "weight", "kind": "number"},
    ]
    made = request(host.url("/items"), method=method, body_fields=fields)
    assert made == request(host.url("/items"), method=method, body_fields=fields)
    assert Request.from_dict(loads(dumps(made.to_dict()))) == made
    assert made.body == (
        b'{"title":"An \\"oak\\" table","price":{"net":120.50,"currency":"NZD"},"in_stock":true,"tags":["oak",1.10],'
        b'"note":"","weight":null}'
    )
    output = send(host.url("/items"), method=method, body_fields=fields)
    head, _, body = host.heard[0].partition(b"\r\n\r\n")
    assert body == made.body
    assert head.startswith(f"{method} /items HTTP/1.1".encode())
    for line in (f"Idempotency-Key: {MARKER}", "Content-Type: application/json", f"Content-Length: {len(body)}"):
        assert line.encode() in head.split(b"\r\n")
    action = registry.action("web.http_send")
    assert (action.identify(output), action.describe(output)) == ("7", "HTTP request, answered 200")


def test_a_form_a_text_and_nothing_can_be_sent(host: Host) -> None:
    made = request(host.url(), body_kind="form", body_fields=[{"name": "a b", "value": "c&d"}, {"name": "a b"}])
    assert (made.body, dict(made.headers)["Content-Type"]) == (
        b"a+b=c%26d&a+b=",
        "application/x-www-form-urlencoded",
    )
    made = request(host.url(), body_kind="text", text="Grüße")
    assert (made.body, dict(made.headers)["Content-Type"]) == ("Grüße".encode(), "text/plain; charset=utf-8")
    made = request(host.url(), body_kind="text", text='{"a": 1.10}', content_type="application/json")
    assert made.body == b'{"a": 1.10}'
    made = request(host.url(), body_kind="none", method="DELETE")
    assert (made.body, "Content-Type" in dict(made.headers)) == (b"", False)


def test_what_people_give_stands_instead_of_ours(host: Host) -> None:
    given = [{"name": "content-type", "value": "application/vnd.api+json"}, {"name": "idempotency-key", "value": "A1"}]
    names = [name for name, _ in request(host.url(), headers=given).headers]
    assert names == ["Accept", "content-type", "idempotency-key"]


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ([{"name": "a"}, {"name": "a"}], {"1.name": "a is there twice."}),
        (
            [{"name": "a", "value": "1"}, {"name": "a.b", "value": "2"}],
            {"1.name": "a.b leads into a field that has a value of its own."},
        ),
        ([{"name": "a.b", "value": "2"}, {"name": "a", "value": "1"}], {"1.name": "a is there twice."}),
        ([{"name": "a..b"}], {"0.name": "'a..b' has nothing before, between or behind its dots."}),
        ([{"name": "a", "value": "twelve", "kind": "number"}], {"0.value": "a takes a number such as 1250.50."}),
        ([{"name": "a", "value": "NaN", "kind": "number"}], {"0.value": "a takes a number such as 1250.50."}),
        ([{"name": "a", "value": "1e999", "kind": "number"}], {"0.value": "a takes a number such as 1250.50."}),
        ([{"name": "a", "value": "maybe", "kind": "yes_no"}], {"0.value": "a takes yes or no."}),
        (
            [{"name": "a", "value": "{a: 1}", "kind": "json"}, {"name": "a", "value": "x", "kind": "number"}],
            {"0.value": 'a takes JSON such as ["a", 1] or {"a": 1}.', "1.name": "a is there twice."},
        ),
    ],
)
def test_fields_that_make_no_json_are_told_at_their_cell(
    host: Host, fields: list[dict[str, str]], told: dict[str, str]
) -> None:
    found = problems(host.url(), body_fields=fields)
    assert found == {f"body_fields.{place}": said for place, said in told.items()}
    assert host.heard == []


def test_a_text_that_says_to_be_json_has_to_be(host: Host) -> None:
    found = problems(host.url(), body_kind="text", text='{"title": "An "oak""}', content_type="application/json")
    assert list(found) == ["text"]
    assert "| json" in found["text"]


@pytest.mark.parametrize(
    ("values", "path"),
    [
        ({"url": "https://127.1/"}, "url"),
        ({"url": "https://user:pass@example.com/"}, "url"),
        ({"expected": "2xx"}, "expected"),
        ({"headers": [{"name": "X One", "value": "a"}]}, "headers.0.name"),
        ({"headers": [{"name": "X-One", "value": "a\nX-Two: b"}]}, "headers.0.name"),
        ({"headers": [{"name": "X-One"}, {"name": "Host", "value": "a"}]}, "headers.1.name"),
        ({"content_type": "text/plain\nX-Two: b", "body_kind": "text", "text": "a"}, "content_type"),
    ],
)
def test_what_cannot_be_sent_is_told_at_its_input(host: Host, values: dict[str, Any], path: str) -> None:
    url = values.pop("url", host.url())
    found = problems(url, **values)
    assert list(found) == [path]
    assert "Nothing was sent" not in found[path], "nothing was about to be sent"


# --- where it may go ------------------------------------------------------------------------------------------------


def test_it_is_off_until_an_administrator_lists_hosts(host: Host, settings: Any) -> None:
    connector = registry.connector("web")
    assert connector.closed() == ""
    settings.HTTP_REQUEST_HOSTS = []
    assert "in the setting HTTP_REQUEST_HOSTS" in connector.closed()
    for call in (read, send):
        with pytest.raises(RejectedError, match="Ask an administrator"):
            call(host.url())
    assert host.connections == 0


def test_a_host_that_is_not_listed_is_named_in_the_form_and_at_the_wire(host: Host, settings: Any) -> None:
    made = request(host.url())
    settings.HTTP_REQUEST_HOSTS = ["api.example.com"]
    said = f"127.0.0.1:{host.port} is not among the hosts that an administrator has allowed."
    assert said in problems(host.url())["url"]
    assert said in problems(host.url(), key="http_read")["url"]
    with pytest.raises(RejectedError, match=r"Nothing was sent\. Ask an administrator to add it") as refused:
        WebClient(None).write(made)
    assert refused.value.message.startswith(said)
    assert host.connections == 0


def test_the_lease_is_asked_before_the_call(host: Host) -> None:
    class LostError(Exception):
        pass

    def lost() -> None:
        raise LostError

    with pytest.raises(LostError):
        WebClient(None, before_call=lost).write(request(host.url()))
    assert host.connections == 0


# --- what an answer means -------------------------------------------------------------------------------------------

UNEXPECTED = [
    ("301 Moved", RejectedError, OutcomeUnknownError),
    ("400 Bad", RejectedError, RejectedError),
    ("401 Who", RejectedError, RejectedError),
    ("403 No", RejectedError, RejectedError),
    ("404 Nothing", RejectedError, RejectedError),
    ("408 Late", TemporaryError, OutcomeUnknownError),
    ("409 Conflict", RejectedError, RejectedError),
    ("429 Slow down", TemporaryError, TemporaryError),
    ("500 Oops", TemporaryError, OutcomeUnknownError),
    ("503 Not now", TemporaryError, OutcomeUnknownError),
]


@pytest.mark.parametrize(("status", "when_reading", "when_sending"), UNEXPECTED)
def test_an_unexpected_answer_means_what_it_can_mean_and_its_words_are_told(
    start: Start, settings: Any, status: str, when_reading: type[Exception], when_sending: type[Exception]
) -> None:
    headers = {"Content-Type": "application/problem+json", "Retry-After": "7"}
    host = listed(start, settings, b'{"detail": "No such item"}', status=status, headers=headers)
    for call, expected in ((read, when_reading), (send, when_sending)):
        with pytest.raises(expected) as raised:
            call(host.url())
        error: Any = raised.value
        assert type(error) is expected
        assert f'answered {status[:3]}: {{"detail": "No such item"}}' in error.message
        assert error.response.status == int(status[:3])
        if isinstance(error, TemporaryError):
            assert error.retry_after == 7


def test_a_yes_that_was_not_expected_is_no_refusal_of_a_send(start: Start, settings: Any) -> None:
    host = listed(start, settings, b"done")
    with pytest.raises(OutcomeUnknownError, match="Whether it did what was asked is not known"):
        send(host.url(), expected="201")
    with pytest.raises(RejectedError):
        read(host.url(), expected="204")


@pytest.mark.parametrize("status", ["404 Nothing", "302 Found", "500 Oops", "429 Slow down"])
def test_an_answer_that_is_expected_is_an_output(start: Start, settings: Any, status: str) -> None:
    host = listed(start, settings, b"", status=status)
    for call in (read, send):
        assert call(host.url(), expected="200-299, 302, 404-599")["status"] == int(status[:3])


def test_a_page_of_html_is_not_told_as_words(start: Start, settings: Any) -> None:
    host = listed(start, settings, b"<h1>Oops</h1>", status="404 Nothing", headers={"Content-Type": "text/html"})
    with pytest.raises(RejectedError, match=r"answered 404\.$"):
        read(host.url())


def test_a_call_without_an_answer_may_be_repeated_only_where_it_reads(start: Start, settings: Any) -> None:
    host = start(lambda peer, heard: None)
    settings.HTTP_REQUEST_HOSTS = [host.rule]
    with pytest.raises(TemporaryError):
        read(host.url())
    with pytest.raises(OutcomeUnknownError):
        send(host.url())


def test_a_long_answer_is_cut_and_says_so(start: Start, settings: Any) -> None:
    headers = {"Content-Type": "application/json"}
    host = listed(start, settings, b'["' + b"a" * MAX_BYTES + b'"]', headers=headers)
    output = read(host.url())
    assert (len(output["text"]), output["json"], output["truncated"]) == (MAX_BYTES, None, True)


@pytest.mark.parametrize(
    ("body", "content_type", "text", "parsed"),
    [
        (b"{", "application/json", "{", None),
        (b"[1.10]", "application/vnd.api+json; charset=utf-8", "[1.10]", [Decimal("1.10")]),
        (b"[1]", "text/plain", "[1]", None),
        ("Grüße".encode("latin-1"), "text/plain; charset=ISO-8859-1", "Grüße", None),
        (b"\xff\x00", "application/octet-stream", "\ufffd\ufffd", None),
        (b'{"a": "\\u0000"}', "application/json", '{"a": "\\u0000"}', {"a": "\ufffd"}),
        (b'{"a": NaN}', "application/json", '{"a": NaN}', None),
    ],
)
def test_whatever_comes_back_can_be_stored(
    start: Start, settings: Any, body: bytes, content_type: str, text: str, parsed: Any
) -> None:
    output = read(listed(start, settings, body, headers={"Content-Type": content_type}).url())
    assert (output["text"], output["json"]) == (text, parsed)
    assert loads(dumps(output)) == output


def test_cookies_are_not_kept(start: Start, settings: Any) -> None:
    host = listed(start, settings, b"", headers={"Set-Cookie": "session=abc", "X-One": "a"})
    assert read(host.url())["headers"] == {"content_length": "0", "x_one": "a"}


@pytest.mark.parametrize(
    ("text", "yes", "no"),
    [
        ("", [200, 204, 299], [199, 300]),
        ("200", [200], [201]),
        ("200-299, 404", [204, 404], [403, 405]),
        (" 201 , 409-410 ", [201, 409, 410], [200, 411]),
    ],
)
def test_statuses_are_read_as_people_write_them(text: str, yes: list[int], no: list[int]) -> None:
    assert [statuses.are_met(text, status) for status in yes + no] == [True] * len(yes) + [False] * len(no)
    assert not text or statuses.problem(text) == ""


@pytest.mark.parametrize("text", ["2xx", "20", "600", "200-", "300-200", "200,,201", "200 201"])
def test_what_is_no_list_of_statuses_is_told(text: str) -> None:
    assert statuses.problem(text).startswith('Write statuses as in "200, 404"')
