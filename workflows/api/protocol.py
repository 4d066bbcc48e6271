"""The rules of every API call: authentication, permissions, rate limits, and JSON with exact numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, NotFound, ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from integrations.core.exact_json import dumps, loads_answer
from integrations.teams.access import Can
from workflows.api.tokens import Bearer, bearer

LONGEST_BODY = 1024 * 1024


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer pxt_...`; `request.auth` is the Bearer."""

    def authenticate(self, request: Request) -> tuple[Any, Bearer] | None:
        """The user and the Bearer; None without a token."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        found = bearer(text.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise AuthenticationFailed("The token is not valid: unknown, revoked, expired, or its owner has left.")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        """What a caller without a token is told to send."""
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema describes the token."""

    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}


class MayRead(BasePermission):
    """A token of somebody who may read."""

    can: ClassVar[Can] = Can.LOOK
    message = "This token does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the token's scope and its owner's role allow it."""
        return isinstance(request.auth, Bearer) and request.auth.may(self.can)


class MayStart(MayRead):
    """A token that may start workflows, of somebody who may build them."""

    can = Can.BUILD


class PerToken(SimpleRateThrottle):
    """A limit of calls per minute and token."""

    scope = "token"
    rate = "300/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """One count per token."""
        return f"api-throttle:{request.auth.token.pk}" if isinstance(request.auth, Bearer) else None


class ExactJSONParser(BaseParser):
    """JSON whose numbers keep all their digits."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The body as data. Raises ParseError."""
        try:
            return loads_answer(stream.read())
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {str(error)[:200]}") from error


class ExactJSONRenderer(BaseRenderer):
    """JSON with money as numbers, exactly."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        """The answer's bytes."""
        return b"" if data is None else dumps(data).encode()


class TooLongError(APIException):
    """The body is longer than allowed."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is longer than 1 MB."


class UnreadableQueryError(APIException):
    """Something in the query is unknown or cannot be read. Ignoring it would answer another question."""

    status_code = status.HTTP_400_BAD_REQUEST

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__({"detail": "The address cannot be read.", "problems": dict(problems)})


Reader = Callable[[str], str]
#: The query parameters of an address, each with a check that returns a problem, or "" if there is none.
Query = Mapping[str, Reader]


def check_query(request: Request, known: Query) -> None:
    """Raises UnreadableQueryError unless every query parameter is known, given once and readable."""
    problems: dict[str, str] = {}
    for name, values in request.query_params.lists():
        shown = name[:60]
        if name not in known:
            takes = f"It takes: {', '.join(sorted(known))}." if known else "It takes no parameters."
            problems[shown] = f"This address does not know “{shown}”. {takes}"
        elif len(values) > 1:
            problems[shown] = "It is given more than once. Give it only once."
        elif said := known[name](values[0]):
            problems[shown] = said
    if problems:
        raise UnreadableQueryError(problems)


def whole(least: int, most: int) -> Reader:
    """Reads a whole number between two."""

    def read(text: str) -> str:
        fits = text.isascii() and text.isdecimal() and len(text) < 20 and least <= int(text) <= most
        return "" if fits else f"It takes a whole number from {least} to {most}; this is “{text[:60]}”."

    return read


def one_of(*allowed: str) -> Reader:
    """Reads one of these words."""
    return lambda text: "" if text in allowed else f"It takes one of {', '.join(allowed)}; this is “{text[:60]}”."


class NewestFirst(CursorPagination):
    """Pages of rows, the newest first; `page_size` may be asked for, up to 200."""

    query: ClassVar[Query] = {"cursor": lambda text: "", "page_size": whole(1, 200)}

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200

    def decode_cursor(self, request: Request) -> Any:
        """Where the page begins. Raises UnreadableQueryError for an invalid cursor."""
        try:
            return super().decode_cursor(request)
        except NotFound as error:
            said = "This cursor is not valid. Use the addresses given as next and previous."
            raise UnreadableQueryError({self.cursor_query_param: said}) from error
