"""Which bank account is meant: by its id, as picked from the list, or by its code or name, as in a file or a shop."""

from __future__ import annotations

from integrations.connectors.xero.client import records
from integrations.connectors.xero.search.contacts import is_guid
from integrations.core.errors import RejectedError
from integrations.core.sameness import same
from integrations.transport.http import ApiClient

BANK_ACCOUNT_HELP = "Pick one, or give its code or name from an earlier step."


def bank_account(api: ApiClient, told: str) -> str:
    """The id of the active bank account that is meant. An id is returned without a call. Raises RejectedError if no
    account, or more than one, has that code or name."""
    if is_guid(told):
        return told
    # Xero's list of accounts has no pages.
    query = {"where": 'Status=="ACTIVE" AND Type=="BANK"'}
    accounts = records(api.read("/Accounts", query).json(), "Accounts")
    for name in ("Code", "Name"):
        found = [each for each in accounts if each.get(name) and same(each[name], told)]
        if len(found) == 1:
            return str(found[0]["AccountID"])
        if found:
            raise RejectedError(
                f'Xero has {len(found)} bank accounts with the {name.lower()} "{told}"; nothing was written. Pick one '
                "from the list in the step."
            )
    known = ", ".join(sorted(_known(each.get("Code"), each.get("Name")) for each in accounts)[:10])
    raise RejectedError(
        f'Xero has no active bank account with the code or name "{told}"; nothing was written. It has: '
        f"{known or 'none'}."
    )


def _known(code: object, name: object) -> str:
    return f"{code} {name}" if code else str(name)
