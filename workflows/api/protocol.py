"""How the API speaks: who calls, what they may, how often, and JSON with every digit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import status
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import APIException, AuthenticationFailed, ParseError
from rest_framework.pagination import CursorPagination
from rest_framework.parsers import BaseParser
from rest_framework.permissions import BasePermission
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from integrations.access import Can
from integrations.jsonfield import dumps, loads_answer
from workflows.api_tokens import Bearer, bearer

LONGEST_BODY = 1024 * 1024


class BearerAuthentication(BaseAuthentication):
    """`Authorization: Bearer pxt_...`; `request.auth` is the Bearer."""

    def authenticate(self, request: Request) -> tuple[Any, Bearer] | None:
        """The person and whom the token stands for; None without a token."""
        scheme, _, text = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        found = bearer(text.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise AuthenticationFailed("The token is not valid: unknown, revoked, out of date, or its owner has left.")
        return found.user, found

    def authenticate_header(self, request: Request) -> str:
        """What a caller without a token is told to send."""
        return "Bearer"


class BearerScheme(OpenApiAuthenticationExtension):
    """How the schema tells of the token."""

    target_class = BearerAuthentication
    name = "token"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """A bearer token."""
        return {"type": "http", "scheme": "bearer"}


class MayRead(BasePermission):
    """A token of somebody who may look."""

    can: ClassVar[Can] = Can.LOOK
    message = "This token does not allow this."

    def has_permission(self, request: Request, view: Any) -> bool:
        """Whether the token's scope and its owner's role allow it."""
        return isinstance(request.auth, Bearer) and request.auth.may(self.can)


class MayStart(MayRead):
    """A token that may start workflows, of somebody who may build them."""

    can = Can.BUILD


class PerToken(SimpleRateThrottle):
    """So many calls a minute with one token."""

    scope = "token"
    rate = "300/min"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """One count per token."""
        return f"api-throttle:{request.auth.token.pk}" if isinstance(request.auth, Bearer) else None


class ExactJSONParser(BaseParser):
    """JSON whose numbers keep every digit."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Mapping[str, Any] | None = None) -> Any:
        """The body as data. Raises ParseError."""
        try:
            return loads_answer(stream.read())
        except ValueError as error:
            raise ParseError(f"The body is no JSON that can be read: {str(error)[:200]}") from error


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
    """The body is longer than is taken."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is longer than 1 MB."


class NewestFirst(CursorPagination):
    """Pages of rows, the newest first; `page_size` may be asked for, up to 200."""

    ordering = "-id"
    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
