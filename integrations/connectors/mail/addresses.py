"""E-mail addresses as people type them, and the domains that an administrator allows."""

from __future__ import annotations

import re

from django.conf import settings

from integrations.core.email_headers import is_literal_address

MOST = 20
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])")


def split(text: str) -> list[str]:
    """The addresses in a text, separated by commas, semicolons or line breaks, each once."""
    parts = (part.strip() for part in re.split(r"[,;\n]", text))
    return list(dict.fromkeys(part for part in parts if part))


def problem(address: str) -> str:
    """Why nothing can be sent there, as a sentence; empty if it can. Only plain addresses, without names."""
    if not is_address(address):
        return f"{address[:100]!r} is no e-mail address such as jane@example.com."
    if not is_allowed(address):
        return (
            f"{address} is not in a domain that workflows may write to. "
            "Ask an administrator to add it to the setting EMAIL_RECIPIENT_DOMAINS."
        )
    return ""


def is_address(text: str) -> bool:
    """Whether it is a plain address: no name, no quotes, no encoded word, nothing beyond ASCII."""
    local, _, domain = text.rpartition("@")
    fits = len(local) <= 64 and len(domain) <= 253 and is_literal_address(text)
    return fits and bool(_LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain.lower()))


def is_allowed(address: str) -> bool:
    """Whether an administrator lets workflows send there: without a list to anybody, else to the listed domains.

    `example.com` is that domain alone, `*.example.com` every domain below it.
    """
    listed = [entry.strip().lower() for entry in settings.EMAIL_RECIPIENT_DOMAINS if entry.strip()]
    domain = address.rpartition("@")[2].lower()
    return not listed or any(
        domain.endswith(entry[1:]) if entry.startswith("*.") else domain == entry for entry in listed
    )
