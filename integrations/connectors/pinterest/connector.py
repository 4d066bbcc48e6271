"""Pinterest: one consent is one account, which is one connection.

https://developers.pinterest.com/docs/getting-started/connect-app/
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from integrations.connectors.pinterest.actions.boards import CreateBoard, ListBoards, UpdateBoard
from integrations.connectors.pinterest.actions.deletions import DeleteBoard, DeletePin
from integrations.connectors.pinterest.actions.pins import CreatePin, GetPin, ListPins
from integrations.connectors.pinterest.actions.sections import CreateSection, ListSections
from integrations.connectors.pinterest.client import PinterestClient
from integrations.connectors.pinterest.triggers import NewBoard, NewPin
from integrations.core.errors import IntegrationError, ReconnectError, TemporaryError
from integrations.core.messages import Response
from integrations.framework.base import Account, Connector, OAuthEndpoints
from integrations.transport.http import ApiClient, ask


class PinterestConnector(Connector):
    """Accounts at Pinterest."""

    key = "pinterest"
    name = "Pinterest"
    account_noun = "account"
    client_class = PinterestClient
    kept_headers = frozenset({"x-pinterest-rid", "x-ratelimit-remaining", "x-ratelimit-reset"})
    operations = (
        NewPin,
        NewBoard,
        CreateBoard,
        ListPins,
        DeleteBoard,
        ListSections,
        ListBoards,
        CreatePin,
        CreateSection,
        UpdateBoard,
        GetPin,
        DeletePin,
    )

    def oauth(self) -> OAuthEndpoints:
        # Apps made before 25 September 2025 get tokens that expire permanently after a year without this.
        asks = {"continuous_refresh": "true"} if settings.PINTEREST_CONTINUOUS_REFRESH else {}
        return OAuthEndpoints(
            token_url=f"{settings.PINTEREST_API_BASE}/oauth/token",
            client_id=settings.PINTEREST_CLIENT_ID,
            client_secret=settings.PINTEREST_CLIENT_SECRET,
            extra_token_fields=asks,
        )

    def accounts(self, access_token: str) -> list[Account]:
        """The one account the token belongs to."""
        response = ask(self.name, "GET", f"{settings.PINTEREST_API_BASE}/user_account", access_token)
        account = _account(response)
        return [
            Account(
                external_id=str(account["id"]),
                name=str(account.get("business_name") or account.get("username") or account["id"]),
                details=_details(account),
            )
        ]

    def details(self, api: ApiClient) -> dict[str, Any]:
        return _details(api.read("/user_account").json())

    def token_rejected(self, status: int, body: Mapping[str, Any]) -> bool:
        """Pinterest's refusals are `{code, message}` without OAuth's `error`; 400 and 401 both mean a new consent."""
        return status in {400, 401}


def _account(response: Response) -> dict[str, Any]:
    if response.status == 200:
        try:
            account = response.json()
        except ValueError:
            account = None
        if isinstance(account, dict) and account.get("id"):
            return account
    error: IntegrationError = TemporaryError(
        f"Pinterest answered {response.status} without saying which account it is."
    )
    if response.status in {401, 403}:
        error = ReconnectError("Pinterest does not accept the access that was given. Connect Pinterest again.")
    error.response = response
    raise error


def _details(account: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "username": account.get("username") or "",
        "account_type": account.get("account_type") or "",
        "board_count": account.get("board_count") or 0,
        "pin_count": account.get("pin_count") or 0,
    }


connector = PinterestConnector()
