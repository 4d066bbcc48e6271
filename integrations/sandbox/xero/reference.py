"""Settings of an organisation that are only read here: profile, accounts, tax rates, currencies, themes ..."""

from datetime import UTC, datetime
from typing import Any

from integrations.sandbox.data.organisations import CREATED, ORGANISATIONS
from integrations.sandbox.exchange import fault_dial
from integrations.sandbox.exchange.answers import Answer
from integrations.sandbox.exchange.exchange import Call
from integrations.sandbox.xero import answers, where

Record = dict[str, Any]
_DAYS = ("PeriodLockDate", "EndOfYearLockDate", "CreatedDateUTC")
_UNCHANGED_SINCE = datetime.fromisoformat(CREATED).replace(tzinfo=UTC)
_FIELDS: dict[str, where.Fields] = {
    "Accounts": dict.fromkeys(
        ("Code", "Name", "Status", "Type", "TaxType", "Class", "SystemAccount", "BankAccountType", "CurrencyCode"),
        "text",
    )
    | {"AccountID": "guid", "EnablePaymentsToAccount": "flag"},
    "TaxRates": dict.fromkeys(("Name", "TaxType", "Status"), "text")
    | {"EffectiveRate": "number", "CanApplyToRevenue": "flag", "CanApplyToExpenses": "flag"},
    "Currencies": dict.fromkeys(("Code", "Description"), "text"),
    "BrandingThemes": {"Name": "text", "BrandingThemeID": "guid"},
}


def get_organisation(call: Call) -> Answer:
    return answers.envelope("Organisations", [_printed(ORGANISATIONS[call.tenant].profile())])


def list_accounts(call: Call) -> Answer:
    return _listed(call, "Accounts", _changing(ORGANISATIONS[call.tenant].accounts()))


def get_account(call: Call, key: str) -> Answer:
    return _one("Accounts", _changing(ORGANISATIONS[call.tenant].accounts()), "AccountID", key)


def list_tax_rates(call: Call) -> Answer:
    return _listed(call, "TaxRates", _rates(call))


def get_tax_rate(call: Call, key: str) -> Answer:
    return _one("TaxRates", _rates(call), "TaxType", key)


def list_currencies(call: Call) -> Answer:
    return _listed(call, "Currencies", ORGANISATIONS[call.tenant].currency_list())


def get_branding_theme(call: Call, key: str) -> Answer:
    return _one("BrandingThemes", ORGANISATIONS[call.tenant].branding_themes(), "BrandingThemeID", key)


def list_branding_themes(call: Call) -> Answer:
    return _listed(call, "BrandingThemes", ORGANISATIONS[call.tenant].branding_themes())


def _rates(call: Call) -> list[Record]:
    deleted = fault_dial.current().deleted_tax_rates
    return [
        {**rate, "Status": "DELETED"} if rate["TaxType"] in deleted else rate
        for rate in ORGANISATIONS[call.tenant].tax_rates()
    ]


def _changing(records: list[Record]) -> list[Record]:
    archived = fault_dial.current().archived_accounts
    state = {True: {"Status": "ARCHIVED"}, False: {}}
    return [
        {**record, **state[record["Code"] in archived], "UpdatedDateUTC": answers.xero_date(CREATED)}
        for record in records
    ]


def _one(plural: str, records: list[Record], id_name: str, key: str) -> Answer:
    found = [_printed(record) for record in records if record[id_name].lower() == key.lower()]
    if not found:
        raise answers.not_found()
    return answers.envelope(plural, found)


def _listed(call: Call, plural: str, records: list[Record]) -> Answer:
    """A whole list without pages, as Xero returns it, with `where`, `order` by one field, and If-Modified-Since."""
    fields, query = _FIELDS[plural], call.request.GET
    if _is_older_than_asked(call, records):
        records = []
    text = query.get("where", "").strip()
    if text:
        try:
            condition = where.parse(text, fields)
        except where.WhereError as error:
            raise answers.query_parse_error(str(error)) from error
        records = [record for record in records if condition(record)]
    order = query.get("order", "").split()
    if order:
        known = {name.lower(): name for name in fields}
        if order[0].lower() not in known:
            raise answers.query_parse_error(f"Cannot order by '{order[0]}'")
        name = known[order[0].lower()]
        records = sorted(records, key=lambda record: str(record.get(name, "")).lower(), reverse=order[1:] == ["DESC"])
    return answers.envelope(plural, [_printed(record) for record in records])


def _is_older_than_asked(call: Call, records: list[Record]) -> bool:
    header = call.request.headers.get("If-Modified-Since")
    if not header or not any("UpdatedDateUTC" in record for record in records):
        return False
    try:
        moment = datetime.fromisoformat(header)
    except ValueError:
        return False
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > _UNCHANGED_SINCE


def _printed(record: Record) -> Record:
    return {name: answers.xero_date(value) if name in _DAYS else value for name, value in record.items()}
