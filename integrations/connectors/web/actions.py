"""HTTP requests to hosts that an administrator has listed.

Two actions, because an action has one effect: reading can be repeated without harm, sending cannot. What a host does
with a request cannot be looked up in general, so a send without a clear answer waits for a person. It has an
`Idempotency-Key` that stays the same if that person has it sent again: a host that supports such keys
(draft-ietf-httpapi-idempotency-key-header) then does it only once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db.models import TextChoices

from integrations.connectors.web import bodies, samples, statuses
from integrations.connectors.web.bodies import BodyField, BodyKind
from integrations.connectors.web.client import WebClient, WebResponse
from integrations.core.errors import RejectedError
from integrations.core.exact_json import loads
from integrations.core.messages import Request, Response
from integrations.framework.base import Action, Effect, Writing
from integrations.schema.schema import Schema, field
from integrations.transport import header_secrets, safe_fetch
from integrations.transport.http import ApiClient
from integrations.transport.url_rules import Target, parse

#: Headers that always hold secrets.
_SECRET = re.compile(r"(^|[-_])(authorization|cookie|token|secret|password|api-?key|access-?key)s?([-_]|$)", re.I)
_ADDRESS_HELP = "Begins with https://. The host has to be one that an administrator has listed."
_EXPECTED_HELP = "Any other answer fails the step. For example 200, 404 or 200-299."


class ReadMethod(TextChoices):
    """Methods that change nothing (RFC 9110, 9.2.1)."""

    GET = "GET", "GET"
    HEAD = "HEAD", "HEAD: status and headers only"


class SendMethod(TextChoices):
    """Methods that change something."""

    POST = "POST", "POST"
    PUT = "PUT", "PUT"
    PATCH = "PATCH", "PATCH"
    DELETE = "DELETE", "DELETE"


class HeaderRow(Schema):
    """One header."""

    name: str = field("Name", max_length=100)
    value: str = field("Value", default="", max_length=4000, usual=True)
    secret: str = field(
        "Secret instead of a value",
        default="",
        max_length=60,
        help="The name under which an administrator keeps a password or token for this host.",
    )


class QueryRow(Schema):
    """One query parameter of a URL."""

    name: str = field("Name", max_length=200)
    value: str = field("Value", default="", max_length=2000)


class HttpRead(Action):
    """Ask a host that an administrator has listed, by GET or HEAD."""

    key = "http_read"
    name = "HTTP request (read)"
    words = ("API", "webhook", "URL", "REST", "GET", "web address", "fetch")
    effect = Effect.READS
    sample = samples.ANSWER

    class Inputs(Schema):
        url: str = field("Address", max_length=2000, help=_ADDRESS_HELP)
        method: ReadMethod = field("Method", default=ReadMethod.GET)
        query: list[QueryRow] = field("Query", default=[], help="What stands behind the question mark.")
        headers: list[HeaderRow] = field("Headers", default=[])
        expected: str = field("Expected statuses", default=statuses.USUAL, max_length=200, help=_EXPECTED_HELP)

        def check(self) -> Mapping[str, str]:
            return _problems(self.url, self.query, self.headers, self.expected)

    def run(self, api: ApiClient, inputs: Inputs) -> dict[str, Any]:
        assert isinstance(api, WebClient)
        request = Request(
            method=inputs.method,
            path=_address(inputs.url, inputs.query),
            headers=_headers(inputs.headers, {"Accept": "application/json, */*"}),
            expected=inputs.expected,
        )
        return _output_of(api.ask(request))


class HttpSend(Action):
    """Send something to a host that an administrator has listed, as by POST."""

    key = "http_send"
    name = "HTTP request (send)"
    words = ("API", "webhook", "URL", "REST", "POST", "web address", "call")
    effect = Effect.UPDATES
    sample = samples.ANSWER
    has_lookup = False
    no_undo = "What another host did with a request cannot be taken back from here."

    class Inputs(Schema):
        url: str = field("Address", max_length=2000, help=_ADDRESS_HELP)
        method: SendMethod = field("Method", default=SendMethod.POST)
        body_kind: BodyKind = field("Body", default=BodyKind.JSON)
        body_fields: list[BodyField] = field("Fields", default=[], help="For a body of JSON or a form.")
        text: str = field("Text", default="", max_length=200_000, long=True, help="For a body that is sent as it is.")
        content_type: str = field(
            "Type of the text", default="text/plain; charset=utf-8", max_length=200, help="As application/json."
        )
        query: list[QueryRow] = field("Query", default=[], help="What stands behind the question mark.")
        headers: list[HeaderRow] = field("Headers", default=[])
        expected: str = field("Expected statuses", default=statuses.USUAL, max_length=200, help=_EXPECTED_HELP)

        def check(self) -> Mapping[str, str]:
            found = _problems(self.url, self.query, self.headers, self.expected)
            return {**found, **_body_problems(self)}

    def request(self, inputs: Inputs, writing: Writing) -> Request:
        body, content_type = _body(inputs)
        ours = {"Accept": "application/json, */*", "Idempotency-Key": writing.marker}
        if content_type:
            ours["Content-Type"] = content_type
        return Request(
            method=inputs.method,
            path=_address(inputs.url, inputs.query),
            body=body,
            headers=_headers(inputs.headers, ours),
            expected=inputs.expected,
        )

    def output(self, response: Response) -> dict[str, Any]:
        return _output_of(response)

    def identify(self, output: Mapping[str, Any]) -> str:
        """The id in a JSON answer, if it has one."""
        answer = output["json"]
        found = answer.get("id") if isinstance(answer, Mapping) else None
        return str(found) if isinstance(found, str | int) and not isinstance(found, bool) else ""

    def describe(self, output: Mapping[str, Any]) -> str:
        return f"HTTP request, answered {output['status']}"


# --- what goes out --------------------------------------------------------------------------------------------------


def _address(url: str, query: Sequence[QueryRow]) -> str:
    """The whole URL, with the query rows added to its own query. Raises RejectedError."""
    target = parse(url)
    more = bodies.in_query([(row.name, row.value) for row in query])
    return target.url + (f"{'&' if '?' in target.path else '?'}{more}" if more else "")


def _headers(rows: Sequence[HeaderRow], ours: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The headers that people gave, and those of ours that they did not give."""
    given = [(row.name, header_secrets.stand_in(row.secret) if row.secret else row.value) for row in rows]
    named = {name.lower() for name, _ in given}
    return (*(line for line in ours.items() if line[0].lower() not in named), *given)


def _body(inputs: HttpSend.Inputs) -> tuple[bytes, str]:
    if inputs.body_kind == BodyKind.JSON:
        return bodies.of_json(inputs.body_fields), "application/json"
    if inputs.body_kind == BodyKind.FORM:
        return bodies.of_form(inputs.body_fields), "application/x-www-form-urlencoded"
    if inputs.body_kind == BodyKind.TEXT:
        return inputs.text.encode(), inputs.content_type
    return b"", ""


# --- what is wrong with it ------------------------------------------------------------------------------------------


def _problems(url: str, query: Sequence[QueryRow], headers: Sequence[HeaderRow], expected: str) -> dict[str, str]:
    found: dict[str, str] = {}
    target: Target | None = None
    try:
        target = parse(_address(url, query))
        if settings.HTTP_REQUEST_HOSTS:
            safe_fetch.allowed(url, hosts=settings.HTTP_REQUEST_HOSTS)
    except RejectedError as error:
        found["url"] = _sentence(error)
    for index, row in enumerate(headers):
        found |= _header_problem(index, row, target)
    if said := statuses.problem(expected):
        found["expected"] = said
    return found


def _header_problem(index: int, row: HeaderRow, target: Target | None) -> dict[str, str]:
    place = f"headers.{index}"
    try:
        safe_fetch.checked_headers([(row.name, row.value)])
    except RejectedError as error:
        return {f"{place}.name": _sentence(error)}
    if row.secret:
        if row.value:
            return {f"{place}.secret": "Give a value or a secret, not both."}
        try:
            header_secrets.check(row.secret, target)
        except RejectedError as error:
            return {f"{place}.secret": _sentence(error)}
        return {}
    if _SECRET.search(row.name):
        return {
            f"{place}.value": f"{row.name} is a password or the like, which colleagues could read here. Ask an "
            "administrator to keep it in the setting HTTP_REQUEST_SECRETS, and give the name of that secret."
        }
    return {}


def _sentence(error: RejectedError) -> str:
    """The message without "Nothing was sent.", which makes no sense in a form."""
    return error.message.replace(" Nothing was sent.", "")


def _body_problems(inputs: HttpSend.Inputs) -> dict[str, str]:
    if inputs.body_kind == BodyKind.JSON:
        return {f"body_fields.{place}": said for place, said in bodies.problems_of_json(inputs.body_fields).items()}
    if inputs.body_kind == BodyKind.TEXT:
        try:
            safe_fetch.checked_headers([("Content-Type", inputs.content_type)])
        except RejectedError as error:
            return {"content_type": _sentence(error)}
        if "json" in inputs.content_type.lower():
            try:
                loads(inputs.text)
            except ValueError:
                return {
                    "text": "This is no JSON. A value within it is written with the function json, as in "
                    '{"title": {{ trigger.title | json }}}.'
                }
    return {}


# --- what comes back ------------------------------------------------------------------------------------------------


def _output_of(response: Response) -> dict[str, Any]:
    """Status, headers, text, and the text parsed if it is JSON, with exact numbers."""
    text = _text(response)
    parsed: Any = None
    if text and "json" in response.headers.get("content-type", "").lower():
        try:
            parsed = response.json()
        except ValueError:
            parsed = None
    return {
        "status": response.status,
        "headers": {name.replace("-", "_"): value for name, value in response.headers.items() if name != "set-cookie"},
        "text": text,
        "json": parsed,
        "truncated": isinstance(response, WebResponse) and response.is_cut,
    }


def _text(response: Response) -> str:
    found = re.search(r"charset=\"?(iso-8859-1|latin-?1|windows-1252)", response.headers.get("content-type", ""), re.I)
    if found is None:
        return response.text
    return Response(response.status, body=response.body.decode("cp1252", "replace").encode()).text
