"""Log filters: remove secrets from every line, and tracebacks that nobody needs."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator

from django.conf import settings

#: Secret parts of addresses, also where one stands inside another's query.
_ADDRESS = re.compile(r"(/hooks/in/|(?:/|%2F)invitations(?:/|%2F))[^/\s?\"'%]+")
_OUR_FAULT = 500
#: Shorter texts are not secrets, and would match in every second line.
_SHORTEST = 8
_MASK = "[secret]"


class WithoutSecrets(logging.Formatter):
    """Masks the secrets of the settings in the finished line, including its traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """The line without them."""
        text = super().format(record)
        for secret in sorted(set(_secrets()), key=len, reverse=True):
            if len(secret) >= _SHORTEST:
                text = text.replace(secret, _MASK)
        return text


def _secrets() -> Iterator[str]:
    """The settings that the connectors declare as secret, and the installation's own keys and passwords."""
    for declared in settings.CONNECTOR_SETTINGS:
        for setting in declared.secrets:
            yield from setting.values(settings)
    yield from settings.TOKEN_KEYS
    yield settings.EMAIL_HOST_PASSWORD or ""
    yield settings.OIDC_CLIENT_SECRET


class HideSecretAddresses(logging.Filter):
    """Removes the tokens from the secret addresses that start workflows or invite people."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes, without tokens."""
        message = record.getMessage()
        hidden = _ADDRESS.sub(r"\1...", message)
        if hidden != message:
            record.msg, record.args = hidden, None
        return True


class TracebackOfFaultsOnly(logging.Filter):
    """Removes the traceback from what Django logs about a refusal: a forbidden page, an unreadable request.

    These are not bugs, and any visitor could fill the log with them.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Every line passes; below 500 without a traceback."""
        status = getattr(record, "status_code", None)
        if isinstance(status, int) and status < _OUR_FAULT:
            record.exc_info, record.exc_text = None, None
        return True
