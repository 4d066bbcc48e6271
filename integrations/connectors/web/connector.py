"""HTTP requests as a connector: no provider, no connection, and off until an administrator lists hosts."""

from __future__ import annotations

from django.conf import settings

from integrations.connectors.web.actions import HttpRead, HttpSend
from integrations.connectors.web.client import WebClient
from integrations.framework.base import Connector


class WebConnector(Connector):
    """Calls to hosts that an administrator has listed."""

    key = "web"
    name = "HTTP request"
    account_noun = "host"
    client_class = WebClient
    needs_connection = False
    operations = (HttpRead, HttpSend)

    def closed(self) -> str:
        if settings.HTTP_REQUEST_HOSTS:
            return ""
        return (
            "HTTP requests are switched off. An administrator switches them on by listing the hosts that may be called "
            "in the setting HTTP_REQUEST_HOSTS."
        )


connector = WebConnector()
