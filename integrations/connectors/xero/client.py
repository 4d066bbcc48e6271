"""Calls to Xero's accounting API for one organisation.

https://developer.xero.com/documentation/api/accounting/overview
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from typing import Any

from django.conf import settings

from integrations.core.errors import Hold, IntegrationError, Reach, ReconnectError, RejectedError, TemporaryError
from integrations.core.messages import Response
from integrations.core.retry_after import LONGEST_OF_A_MINUTE, retry_after
from integrations.transport.call_budget import Limits, header_number
from integrations.transport.http import ApiClient

#: The largest page Xero allows; fewer pages use fewer of the day's 1,000 calls.
PAGE_SIZE = 1000
_USUAL_PAGE_SIZE = 100
#: The one path outside the accounting API.
PROJECTS = "/Projects"
_MOST_PAGES = 1000
#: A record in a 400 may repeat one message many times; nobody reads more than this.
_MOST_REASONS = 50


class XeroClient(ApiClient):
    """One organisation in Xero, as the connection names it in `external_id` (the tenant id)."""

    provider_name = "Xero"

    def base(self, path: str) -> str:
        api = "projects.xro" if path == PROJECTS or path.startswith(f"{PROJECTS}/") else "api.xro"
        return f"{settings.XERO_API_BASE}/{api}/2.0"

    def headers(self) -> dict[str, str]:
        # Without Accept the answer would be XML.
        return {"Accept": "application/json", "xero-tenant-id": self.connection.external_id}

    def limits(self) -> Limits:
        return Limits(
            per_minute=settings.XERO_MINUTE_LIMIT,
            at_once=settings.XERO_CONCURRENT_LIMIT,
            per_day=settings.XERO_DAY_LIMIT,
        )

    def day_remaining(self, response: Response) -> int | None:
        return header_number(response.headers, "x-daylimit-remaining")

    def is_stale_token(self, response: Response) -> bool:
        """A missing scope gives the same 401 as an expired token, but a fresh token does not help."""
        return "AuthorizationUnsuccessful" not in _detail(response)

    def retry_error(self, response: Response) -> TemporaryError:
        """The four kinds of https://developer.xero.com/documentation/guides/oauth2/limits/ ; the body is plain text."""
        problem = response.headers.get("x-rate-limit-problem", "").lower().replace("-", "").strip()
        told = retry_after(response.headers)
        if told is not None and problem != "day":
            told = min(told, LONGEST_OF_A_MINUTE)
        if problem == "concurrent":
            # It has no Retry-After; workers that hit it together must not retry together.
            wait = 1 + secrets.randbelow(1000) / 1000
            return TemporaryError(
                "Xero answers only five calls of an organisation at once.", retry_after=told or wait, hold=Hold.BUDGET
            )
        if problem == "day":
            return TemporaryError(
                "Xero's limit of calls a day for this organisation is reached.",
                retry_after=told or 3600,
                hold=Hold.BUDGET,
            )
        whose = "this installation" if problem.startswith("app") else "this organisation"
        return TemporaryError(
            f"Xero's limit of calls a minute for {whose} is reached.", retry_after=told or 60, hold=Hold.BUDGET
        )

    def refusal(self, response: Response) -> IntegrationError:
        name = self.connection.name
        if response.status == 401 and not self.is_stale_token(response):
            return ReconnectError(
                f"Xero did not allow this with the permissions given for {name}. "
                "Reconnect Xero and agree to all the permissions it lists.",
                # The consent itself is still valid: other operations that it allows go on.
                scope=Reach.CONNECTION,
            )
        if response.status == 401:
            return ReconnectError("Xero no longer accepts the access that was given. Reconnect Xero.")
        if response.status == 403 and _concerns_the_organisation(response):
            return ReconnectError(
                f"Xero refused access to {name}: it was disconnected there, or the person who connected it may no "
                "longer use it. Reconnect this organisation.",
                scope=Reach.CONNECTION,
            )
        reasons = reasons_of(response)
        said = " ".join(_as_sentence(reason) for reason in reasons) or f"It gave no reason (status {response.status})."
        return RejectedError(f"Xero refused it: {said}", reasons=reasons, status=response.status)

    def pages(
        self,
        path: str,
        plural: str,
        query: Mapping[str, str] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        page_size: int | None = PAGE_SIZE,
    ) -> Iterator[list[dict[str, Any]]]:
        """Every page of a paged list, as lists of records; one call per page.

        `page_size` is None where Xero does not accept one (quotes) and returns a hundred.
        """
        for page in range(1, _MOST_PAGES + 1):
            told = {**(query or {}), "page": str(page)}
            if page_size is not None:
                told["pageSize"] = str(page_size)
            body = self.read(path, told, headers).json()
            found = records(body, plural)
            yield found
            pagination = body.get("pagination") if isinstance(body, dict) else None
            if isinstance(pagination, dict) and isinstance(pagination.get("pageCount"), int):
                if page >= pagination["pageCount"]:
                    return
            elif len(found) < (page_size or _USUAL_PAGE_SIZE):
                return
        raise TemporaryError(f"Xero's list of {plural.lower()} did not come to an end.")


def records(body: Any, plural: str) -> list[dict[str, Any]]:
    """The records in Xero's envelope. Raises TemporaryError if the answer has another shape."""
    found = body.get(plural) if isinstance(body, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise TemporaryError(f"Xero's answer holds no list of {plural.lower()}.")
    return found


def reasons_of(response: Response) -> list[str]:
    """All of Xero's messages in a refusal, each once, in their order."""
    body = _body(response)
    if not isinstance(body, dict):
        text = response.text.strip()
        is_page = "<html" in text[:1000].lower() or text.startswith("<")
        return [text[:500]] if text and not is_page else []
    reasons = list(dict.fromkeys(validation_messages(body)))[:_MOST_REASONS]
    if reasons:
        return reasons
    if isinstance(body.get("modelState"), dict):
        # Projects: {"modelState": {field: [text]}}.
        told = [str(text) for texts in body["modelState"].values() if isinstance(texts, list) for text in texts]
        return list(dict.fromkeys(told))[:_MOST_REASONS] or [str(body.get("message") or "")]
    # The accounting API sends Message; the gateway in front of it sends Title and Detail.
    words = [str(body[name]).strip() for name in ("Message", "Detail") if body.get(name)]
    return words or [str(body["Title"])] if words or body.get("Title") else []


def validation_messages(value: Any, depth: int = 0) -> Iterator[str]:
    """The messages of every `ValidationErrors` in a record, however deeply nested."""
    if depth > 20:
        return
    if isinstance(value, list):
        for each in value:
            yield from validation_messages(each, depth + 1)
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name == "ValidationErrors" and isinstance(inner, list):
                for error in inner:
                    message = error.get("Message") if isinstance(error, dict) else error
                    if message:
                        yield str(message).strip()
            else:
                yield from validation_messages(inner, depth + 1)


def _concerns_the_organisation(response: Response) -> bool:
    return "AuthenticationUnsuccessful" in _detail(response)


def _detail(response: Response) -> str:
    body = _body(response)
    return str(body.get("Detail") or "") if isinstance(body, dict) else ""


def _body(response: Response) -> Any:
    try:
        return response.json()
    except ValueError:
        return None


def _as_sentence(reason: str) -> str:
    return reason if reason.endswith((".", "!", "?")) else f"{reason}."
