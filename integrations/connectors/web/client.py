"""Calls to hosts that an administrator has listed, by `integrations.transport.safe_fetch`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from django.conf import settings

from integrations.connectors.web import statuses
from integrations.core.errors import IntegrationError, OutcomeUnknownError, RejectedError, TemporaryError
from integrations.core.messages import Request, Response
from integrations.core.retry_after import retry_after
from integrations.transport import header_secrets, safe_fetch
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient

#: How much of an answer is kept; the rest is cut off, and the step says so.
MAX_BYTES = 256 * 1024
_WORDS = 300
#: Statuses that do not show whether the call was refused.
_NO_VERDICT = frozenset({408, 425})


@dataclass(frozen=True)
class WebResponse(Response):
    """An answer that may have been cut."""

    is_cut: bool = False


class WebClient(ApiClient):
    """Calls without a connection. A request's `path` is the whole URL."""

    provider_name: ClassVar[str] = "The host"

    def headers(self) -> dict[str, str]:
        return {}

    def limits(self) -> Limits:
        return Limits(per_minute=0, at_once=0, per_day=0)

    def url(self, request: Request) -> str:
        return request.path

    def ask(self, request: Request) -> WebResponse:
        """A call that only reads. Raises RejectedError and TemporaryError."""
        return self._settled(request, is_write=False)

    def write(self, request: Request, *, idempotency_key: str = "", had_401: bool = False) -> WebResponse:
        """A call that changes something. The key is in the request already; whether a host honours it is up to the
        host."""
        return self._settled(request, is_write=True)

    def _settled(self, request: Request, *, is_write: bool) -> WebResponse:
        if self.before_call is not None:
            self.before_call()
        target = safe_fetch.allowed(request.path, hosts=settings.HTTP_REQUEST_HOSTS)
        headers, used = header_secrets.put_in(request.headers, target)
        answer = safe_fetch.send(
            request.method,
            request.path,
            headers=headers,
            body=request.body,
            hosts=settings.HTTP_REQUEST_HOSTS,
            max_bytes=MAX_BYTES,
            is_write=is_write,
        )
        response = WebResponse(
            status=answer.status,
            headers={
                name: header_secrets.take_out(value.encode("latin-1", "replace"), used).decode("latin-1")
                for name, value in answer.headers.items()
            },
            body=header_secrets.take_out(answer.body, used),
            took=answer.took,
            is_cut=answer.is_cut,
        )
        if statuses.are_met(request.expected, response.status):
            return response
        error = _meaning(response, target.netloc, is_write=is_write)
        error.response = replace(response)
        raise error


def _meaning(response: Response, host: str, *, is_write: bool) -> IntegrationError:
    """The error for an answer that the step does not expect.

    After a write only a 4xx says that nothing was done; a redirect may mean success.
    """
    status, words = response.status, " ".join(response.text.split())
    said = f"{host} answered {status}" + (f": {words[:_WORDS]}" if words and _is_readable(response) else ".")
    if status == 429:
        return TemporaryError(said, retry_after=retry_after(response.headers))
    if status >= 500 or status in _NO_VERDICT or (is_write and status < 400):
        if is_write:
            return OutcomeUnknownError(f"{said} Whether it did what was asked is not known.")
        return TemporaryError(said, retry_after=retry_after(response.headers))
    return RejectedError(said, reasons=[words[:_WORDS]] if words else [], status=status)


def _is_readable(response: Response) -> bool:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "text/plain" or kind.endswith("json")
