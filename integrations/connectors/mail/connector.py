"""E-mail as a connector: no provider and no consent, only the mail server that the installation already has."""

from __future__ import annotations

from django.conf import settings

from integrations.connectors.mail.actions import SendEmail
from integrations.connectors.mail.client import MailClient
from integrations.framework.base import Connector


class MailConnector(Connector):
    """Sends mails through Django's e-mail settings."""

    key = "mail"
    name = "E-mail"
    account_noun = "mail server"
    client_class = MailClient
    needs_connection = False
    operations = (SendEmail,)

    def closed(self) -> str:
        if settings.IS_PRODUCTION and settings.EMAIL_BACKEND.endswith(("console.EmailBackend", "dummy.EmailBackend")):
            return (
                "E-mails cannot be sent yet: no mail server is named. "
                "Ask an administrator to set EMAIL_URL, as submission://user:password@mail.example.com:587."
            )
        return ""


connector = MailConnector()
