"""Whether an account and a tax rate exist, are active, and fit the document and each other.

https://developer.xero.com/documentation/api/accounting/taxrates
"""

from __future__ import annotations

from collections.abc import Iterator

from integrations.connectors.xero.checks.lists import (
    ACCOUNTS,
    FLAGS,
    TAX_RATES,
    account_with,
    is_active,
    rate_of,
    shown,
)
from integrations.core.sameness import same
from integrations.framework.checks import Facts, Finding, stops, warns
from integrations.framework.reference import Record

_CLASSES = {
    "ASSET": "an asset",
    "EQUITY": "an equity",
    "EXPENSE": "an expense",
    "LIABILITY": "a liability",
    "REVENUE": "a revenue",
}


def account_findings(
    facts: Facts, path: str, code: str, *, usual: frozenset[str], document: str, for_stock: str | None = None
) -> Iterator[Finding]:
    """What is wrong with the account of a line. `usual` are the classes that are expected on such a `document` (as "a
    bill"); `for_stock` is the inventory account of a tracked item that is bought, which must then be this one."""
    account = account_with(facts, code)
    if account is None:
        yield _missing(facts, path, code)
    elif not is_active(account):
        yield stops(
            "account_archived",
            path,
            f"The account {shown(account)} is archived in {facts.name}.",
            "Choose another account, or restore it in Xero.",
        )
    elif account.get("SystemAccount") or account.get("Type") == "BANK":
        what = "a bank account" if account.get("Type") == "BANK" else "one of Xero's own accounts"
        yield stops(
            "account_unusable",
            path,
            f"The account {shown(account)} is {what}, which a line cannot use.",
            "Choose another account.",
        )
    elif for_stock is not None and for_stock != code:
        yield stops(
            "account_not_of_stock",
            path,
            f"The item is tracked, so its purchases go to its inventory account {for_stock}, not to {shown(account)}.",
            "Leave the account empty.",
        )
    elif for_stock is None and account.get("Type") == "INVENTORY":
        yield stops(
            "account_of_stock",
            path,
            f"The account {shown(account)} holds stock: only purchases of tracked items go there.",
            "Choose another account.",
        )
    elif usual and account.get("Class") not in usual:
        kind = _CLASSES.get(str(account.get("Class")), "an unusual")
        yield warns(
            "account_unusual",
            path,
            f"The account {shown(account)} is {kind} account, which is unusual on {document}.",
            "Check that this account is meant.",
        )


def typed_account(facts: Facts, path: str, code: str, kind: str, called: str) -> Iterator[Finding]:
    """An account that must be of one of Xero's types, as "INVENTORY"; `called` as in "an inventory account"."""
    account = account_with(facts, code)
    if account is None:
        yield _missing(facts, path, code)
    elif not is_active(account) or account.get("Type") != kind:
        why = f"not {called}" if is_active(account) else "archived"
        yield stops(
            "account_unfit", path, f"The account {shown(account)} is {why}.", f"Choose {called} that is active."
        )


def tax_findings(facts: Facts, path: str, tax_type: str, code: str) -> Iterator[Finding]:
    """What is wrong with a tax rate, given the code of the account that it stands on ("" if it is unknown)."""
    rate = rate_of(facts, tax_type)
    if rate is None:
        named = next((each for each in facts.listed(TAX_RATES) if same(each.get("Name"), tax_type)), None)
        advice = f"Use {named['TaxType']}, the code of that rate." if named else "Choose one of this organisation."
        yield stops("tax_missing", path, f'There is no tax rate "{tax_type}" in {facts.name}.', advice)
        return
    if not is_active(rate):
        status = str(rate["Status"]).lower()
        yield stops("tax_inactive", path, f"The tax rate {rate['Name']} is {status} in {facts.name}.", _OTHER)
        return
    account = account_with(facts, code) if code else None
    if account is not None and not _fits(rate, account):
        yield stops(
            "tax_unfit",
            path,
            f"The tax rate {rate['Name']} cannot be used with the account {shown(account)}.",
            _fitting(facts, account),
        )


_OTHER = "Choose another tax rate, or leave it empty to take that of the account."


def _fits(rate: Record, account: Record) -> bool:
    flag = FLAGS.get(str(account.get("Class")))
    return flag is None or bool(rate.get(flag))


def _fitting(facts: Facts, account: Record) -> str:
    names = [str(each["Name"]) for each in facts.listed(TAX_RATES) if is_active(each) and _fits(each, account)]
    return f"With that account these can be used: {', '.join(names[:8])}." if names else _OTHER


def _missing(facts: Facts, path: str, code: str) -> Finding:
    named = next((each for each in facts.listed(ACCOUNTS) if same(each.get("Name"), code) and each.get("Code")), None)
    advice = f"Use {named['Code']}, the code of that account." if named else "Choose an account of this organisation."
    return stops("account_missing", path, f'There is no account with the code "{code}" in {facts.name}.', advice)
