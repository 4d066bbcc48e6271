"""Calls to Pinterest's API for one account.

https://developers.pinterest.com/docs/api/v5/
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from integrations.core.errors import Hold, IntegrationError, ReconnectError, RejectedError, TemporaryError
from integrations.core.messages import Response
from integrations.core.retry_after import LONGEST_UNNAMED, read_wait, retry_after
from integrations.transport.call_budget import Limits
from integrations.transport.http import ApiClient

#: The largest page that Pinterest allows.
PAGE_SIZE = 250
_NOT_PERMITTED = 29


@dataclass(frozen=True)
class Listing:
    """The records of a list in the provider's order. `is_cut`: there are more than were asked for."""

    records: list[dict[str, Any]]
    is_cut: bool


class PinterestClient(ApiClient):
    """One account at Pinterest."""

    provider_name = "Pinterest"

    def base(self, path: str) -> str:
        return str(settings.PINTEREST_API_BASE)

    def limits(self) -> Limits:
        # An app with Trial access has 1,000 calls a day in all; no limit on simultaneous calls is documented.
        return Limits(per_minute=settings.PINTEREST_MINUTE_LIMIT, at_once=0, per_day=settings.PINTEREST_DAY_LIMIT)

    def retry_error(self, response: Response) -> IntegrationError:
        """A 429 is a used-up limit, or a block of suspected spam: for the latter, waiting does not help."""
        _, message = _code_and_message(response)
        if "spam" in message.lower():
            return RejectedError(f"Pinterest blocked this as spam: {message}", reasons=[message], status=429)
        wait = retry_after(response.headers) or _until_reset(response.headers.get("x-ratelimit-reset", "")) or 60
        # It does not say which limit was reached, the minute's or the day's.
        return TemporaryError(
            "Pinterest's limit of calls is reached.", retry_after=min(wait, LONGEST_UNNAMED), hold=Hold.BUDGET
        )

    def refusal(self, response: Response) -> IntegrationError:
        code, message = _code_and_message(response)
        if response.status == 401:
            return ReconnectError(
                "Pinterest no longer accepts the access that was given, as after a changed password. "
                "Reconnect Pinterest."
            )
        if response.status == 409:
            # "Could not get exclusive access to the board": somebody else is changing it, and nothing was changed.
            return TemporaryError(f"Pinterest is busy with the board just now: {message}")
        hint = ""
        if code == _NOT_PERMITTED and "trial access" in message.lower():
            hint = (
                " The Pinterest app of this installation has Trial access only: ask Pinterest for Standard access, or "
                "use its sandbox host."
            )
        elif response.status == 403:
            hint = " If a permission is missing, reconnect Pinterest and agree to all that it lists."
        elif response.status == 404 and self._sees_no_secrets():
            hint = " If it is secret: the permissions for secret boards and pins were not granted to this connection."
        said = message or f"it gave no reason (status {response.status})."
        return RejectedError(
            f"Pinterest refused it: {said}{hint}", reasons=[message] if message else [], status=response.status
        )

    def _sees_no_secrets(self) -> bool:
        granted = self.connection.grant.scopes
        return bool(granted) and not {"boards:read_secret", "pins:read_secret"} <= set(granted)

    def listing(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        most: int,
        wanted: Callable[[dict[str, Any]], bool] = lambda record: True,
    ) -> Listing:
        """The `wanted` records of a list, from all its pages, but no more than `most`."""
        found: list[dict[str, Any]] = []
        for page in self.pages(path, query):
            found += [record for record in page if wanted(record)]
            if len(found) > most:
                return Listing(found[:most], True)
        return Listing(found, False)

    def pages(self, path: str, query: Mapping[str, str] | None = None) -> Iterator[list[dict[str, Any]]]:
        """Every page of a list, as lists of records. An empty page may not be the last."""
        for items, _ in self.marked_pages(path, query):
            yield items

    def marked_pages(
        self, path: str, query: Mapping[str, str] | None = None, *, start: str = ""
    ) -> Iterator[tuple[list[dict[str, Any]], str]]:
        """The same, each with the bookmark of the next page, empty after the last; `start` is such a bookmark."""
        told = {**(query or {}), "page_size": str(PAGE_SIZE), **({"bookmark": start} if start else {})}
        seen: set[str] = {start}
        while True:
            body = self.read(path, told).json()
            items = body.get("items") if isinstance(body, dict) else None
            if not isinstance(items, list) or not all(isinstance(item, dict) and item.get("id") for item in items):
                raise TemporaryError("Pinterest's answer holds no list.")
            bookmark = str(body.get("bookmark") or "")
            yield items, bookmark
            if not bookmark:
                return
            if bookmark in seen:
                raise TemporaryError("Pinterest's list repeats itself instead of coming to an end.")
            seen.add(bookmark)
            told["bookmark"] = bookmark


def _code_and_message(response: Response) -> tuple[int | None, str]:
    try:
        body = response.json()
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return None, ""
    code = body.get("code")
    return code if isinstance(code, int) else None, str(body.get("message") or "").strip()


def _until_reset(text: str) -> float | None:
    """Seconds until a limit is reset; `text` is in seconds, or a Unix time."""
    wait = text.strip()
    if wait.isdigit() and int(wait) > 1_000_000_000:
        return read_wait(str(int(wait) - time.time()))
    return read_wait(wait)
