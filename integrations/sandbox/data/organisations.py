"""The sandbox's two organisations and their settings: accounts, tax rates, currencies, tracking, items.

Invented, and deliberately different: a mapping that works in one must not work in the other by chance.
"""

import uuid
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

# Accounts: code, name, type, class, tax type, and a system account's name.
_AccountRow = tuple[str, str, str, str, str, str]

_NZ_ACCOUNTS: tuple[_AccountRow, ...] = (
    ("090", "Business Bank Account", "BANK", "ASSET", "NONE", ""),
    ("091", "Business Savings Account", "BANK", "ASSET", "NONE", ""),
    ("092", "Business Account USD", "BANK", "ASSET", "NONE", ""),
    ("200", "Sales", "REVENUE", "REVENUE", "OUTPUT2", ""),
    ("260", "Other Revenue", "REVENUE", "REVENUE", "OUTPUT2", ""),
    ("270", "Interest Income", "REVENUE", "REVENUE", "NONE", ""),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "EXPENSE", "INPUT2", ""),
    ("400", "Advertising", "EXPENSE", "EXPENSE", "INPUT2", ""),
    ("401", "Inventory Adjustments", "DIRECTCOSTS", "EXPENSE", "NONE", ""),
    ("404", "Bank Fees", "EXPENSE", "EXPENSE", "NONE", ""),
    ("429", "General Expenses", "EXPENSE", "EXPENSE", "INPUT2", ""),
    ("453", "Office Expenses", "EXPENSE", "EXPENSE", "INPUT2", ""),
    ("610", "Accounts Receivable", "CURRENT", "ASSET", "NONE", "DEBTORS"),
    ("630", "Inventory", "INVENTORY", "ASSET", "NONE", ""),
    ("710", "Office Equipment", "FIXED", "ASSET", "INPUT2", ""),
    ("800", "Accounts Payable", "CURRLIAB", "LIABILITY", "NONE", "CREDITORS"),
    ("820", "GST", "CURRLIAB", "LIABILITY", "NONE", "GST"),
    ("877", "Tracking Transfers", "CURRLIAB", "LIABILITY", "NONE", "TRACKINGTRANSFERS"),
    ("880", "Owner A Drawings", "EQUITY", "EQUITY", "NONE", ""),
    ("960", "Retained Earnings", "EQUITY", "EQUITY", "NONE", "RETAINEDEARNINGS"),
)
_GB_ACCOUNTS: tuple[_AccountRow, ...] = (
    ("1200", "Current Account", "BANK", "ASSET", "NONE", ""),
    ("1210", "Deposit Account", "BANK", "ASSET", "NONE", ""),
    ("1220", "Current Account EUR", "BANK", "ASSET", "NONE", ""),
    ("4000", "Sales of Products", "SALES", "REVENUE", "OUTPUT2", ""),
    ("4010", "Consulting", "SALES", "REVENUE", "OUTPUT2", ""),
    ("4900", "Other Income", "OTHERINCOME", "REVENUE", "EXEMPTOUTPUT", ""),
    ("5000", "Materials Purchased", "DIRECTCOSTS", "EXPENSE", "INPUT2", ""),
    ("6200", "Marketing", "OVERHEADS", "EXPENSE", "INPUT2", ""),
    ("7400", "Travel", "OVERHEADS", "EXPENSE", "ZERORATEDINPUT", ""),
    ("7500", "Printing and Stationery", "OVERHEADS", "EXPENSE", "INPUT2", ""),
    ("1001", "Stock", "INVENTORY", "ASSET", "NONE", ""),
    ("0030", "Office Furniture", "FIXED", "ASSET", "INPUT2", ""),
    ("1100", "Trade Debtors", "CURRENT", "ASSET", "NONE", "DEBTORS"),
    ("2100", "Trade Creditors", "CURRLIAB", "LIABILITY", "NONE", "CREDITORS"),
    ("2200", "VAT", "CURRLIAB", "LIABILITY", "NONE", "GST"),
    ("2300", "Tracking Transfers", "CURRLIAB", "LIABILITY", "NONE", "TRACKINGTRANSFERS"),
    ("3000", "Share Capital", "EQUITY", "EQUITY", "NONE", ""),
    ("3200", "Retained Earnings", "EQUITY", "EQUITY", "NONE", "RETAINEDEARNINGS"),
)
_FOREIGN_BANKS = {"092": "USD", "1220": "EUR"}

# Tax rates: type, name, rate, and the account classes they may be used with.
_TaxRow = tuple[str, str, str, str]
_ALL = "ASSET EQUITY EXPENSE LIABILITY REVENUE"
_NZ_TAXES: tuple[_TaxRow, ...] = (
    ("OUTPUT2", "15% GST on Income", "15", "ASSET EQUITY LIABILITY REVENUE"),
    ("INPUT2", "15% GST on Expenses", "15", "ASSET EQUITY EXPENSE LIABILITY"),
    ("ZERORATED", "Zero Rated", "0", _ALL),
    ("NONE", "No GST", "0", _ALL),
)
_GB_TAXES: tuple[_TaxRow, ...] = (
    ("OUTPUT2", "20% (VAT on Income)", "20", "ASSET EQUITY LIABILITY REVENUE"),
    ("INPUT2", "20% (VAT on Expenses)", "20", "ASSET EQUITY EXPENSE LIABILITY"),
    ("RROUTPUT", "5% (VAT on Income)", "5", "ASSET EQUITY LIABILITY REVENUE"),
    ("RRINPUT", "5% (VAT on Expenses)", "5", "ASSET EQUITY EXPENSE LIABILITY"),
    ("ZERORATEDOUTPUT", "Zero Rated Income", "0", "REVENUE"),
    ("ZERORATEDINPUT", "Zero Rated Expenses", "0", "ASSET EXPENSE"),
    ("EXEMPTOUTPUT", "Exempt Income", "0", "REVENUE"),
    ("EXEMPTINPUT", "Exempt Expenses", "0", "ASSET EXPENSE"),
    ("NONE", "No VAT", "0", _ALL),
)
_CLASSES = {
    "ASSET": "CanApplyToAssets",
    "EQUITY": "CanApplyToEquity",
    "EXPENSE": "CanApplyToExpenses",
    "LIABILITY": "CanApplyToLiabilities",
    "REVENUE": "CanApplyToRevenue",
}
_CURRENCIES = {
    "NZD": "New Zealand Dollar",
    "GBP": "British Pound",
    "USD": "United States Dollar",
    "AUD": "Australian Dollar",
    "EUR": "Euro",
}
CREATED = "2026-01-05"


@dataclass(frozen=True)
class Organisation:
    tenant: str
    name: str
    country: str
    currency: str
    timezone: str  # the IANA zone of its dates
    xero_timezone: str
    is_demo: bool
    short_code: str
    currencies: tuple[str, ...]
    account_rows: tuple[_AccountRow, ...]
    tax_rows: tuple[_TaxRow, ...]
    default_sales_tax: str
    default_purchases_tax: str
    period_lock_date: str = ""
    end_of_year_lock_date: str = ""

    def id_of(self, *names: str) -> str:
        """The same id for the same record in every sandbox."""
        return str(uuid.uuid5(uuid.UUID(self.tenant), "/".join(names)))

    def profile(self) -> dict[str, Any]:
        """The Organisation resource; dates are plain days here and get Xero's format in answers."""
        version = {"NZ": "NZ", "GB": "UK"}[self.country]
        profile = {
            "Name": self.name,
            "LegalName": self.name,
            "PaysTax": True,
            "Version": version,
            "OrganisationType": "COMPANY",
            "BaseCurrency": self.currency,
            "CountryCode": self.country,
            "IsDemoCompany": self.is_demo,
            "OrganisationStatus": "ACTIVE",
            "FinancialYearEndDay": 31,
            "FinancialYearEndMonth": 3,
            "SalesTaxBasis": "PAYMENTS" if self.country == "NZ" else "ACCRUAL",
            "SalesTaxPeriod": "TWOMONTHS" if self.country == "NZ" else "QUARTERLY",
            "DefaultSalesTax": "Tax Exclusive",
            "DefaultPurchasesTax": "Tax Exclusive",
            "PeriodLockDate": self.period_lock_date,
            "EndOfYearLockDate": self.end_of_year_lock_date,
            "CreatedDateUTC": CREATED,
            "OrganisationEntityType": "COMPANY",
            "Timezone": self.xero_timezone,
            "ShortCode": self.short_code,
            "OrganisationID": self.tenant,
            "Edition": "BUSINESS",
            "Class": "DEMO" if self.is_demo else "PREMIUM",
            "Addresses": [],
            "Phones": [],
            "ExternalLinks": [],
            "PaymentTerms": {},
        }
        return {name: value for name, value in profile.items() if value != ""}

    def accounts(self) -> list[dict[str, Any]]:
        return [self._account(row) for row in self.account_rows]

    def _account(self, row: _AccountRow) -> dict[str, Any]:
        code, name, kind, account_class, tax_type, system = row
        account = {
            "AccountID": self.id_of("account", code),
            "Code": code,
            "Name": name,
            "Status": "ACTIVE",
            "Type": kind,
            "TaxType": tax_type,
            "Class": account_class,
            "EnablePaymentsToAccount": False,
            "ShowInExpenseClaims": False,
            "HasAttachments": False,
            "AddToWatchlist": False,
        }
        if kind == "BANK":
            account |= {"BankAccountNumber": f"01-0001-{code.zfill(7)}-00", "BankAccountType": "BANK"}
            account["CurrencyCode"] = _FOREIGN_BANKS.get(code, self.currency)
        if system:
            account["SystemAccount"] = system
        return account

    def tax_rates(self) -> list[dict[str, Any]]:
        return [self._tax_rate(row) for row in self.tax_rows]

    def _tax_rate(self, row: _TaxRow) -> dict[str, Any]:
        tax_type, name, rate, classes = row
        component = {"Name": "GST" if self.country == "NZ" else "VAT", "Rate": Decimal(rate)}
        usable = {_CLASSES[name]: name in classes.split() for name in _CLASSES}
        return {
            "Name": name,
            "TaxType": tax_type,
            "Status": "ACTIVE",
            "TaxComponents": [component | {"IsCompound": False, "IsNonRecoverable": False}],
            **usable,
            "DisplayTaxRate": Decimal(rate),
            "EffectiveRate": Decimal(rate),
        }

    def currency_list(self) -> list[dict[str, Any]]:
        return [{"Code": code, "Description": _CURRENCIES[code]} for code in self.currencies]

    def branding_themes(self) -> list[dict[str, Any]]:
        return [
            {
                "BrandingThemeID": self.id_of("theme", name),
                "Name": name,
                "SortOrder": position,
                "CreatedDateUTC": CREATED,
            }
            for position, name in enumerate(("Standard", "Special Projects"))
        ]

    def tracking_categories(self) -> list[dict[str, Any]]:
        options = ("Eastside", "North", "South", "West Coast") if self.is_demo else ("London", "Leeds")
        name = "Region" if self.is_demo else "Office"
        category = {"Name": name, "Status": "ACTIVE", "TrackingCategoryID": self.id_of("tracking", name)}
        category["Options"] = [  # type: ignore[assignment]
            {
                "TrackingOptionID": self.id_of("tracking", name, option),
                "Name": option,
                "Status": "ACTIVE",
                "HasValidationErrors": False,
                "IsDeleted": False,
                "IsArchived": False,
                "IsActive": True,
            }
            for option in options
        ]
        return [category]

    def items(self) -> list[dict[str, Any]]:
        sales, costs = ("200", "310") if self.is_demo else ("4000", "5000")
        rows = (
            ("PRINT-A4", "Art print A4", "Art print, A4, framed", "24.50", "9.75"),
            ("PHOTO-HALF", "Photography, half day", "Half a day of photography", "420.00", ""),
            ("CARD-SET", "Recipe card set", "Set of 12 recipe cards", "15.95", "6.10"),
        )
        items: list[dict[str, Any]] = [
            {
                "Code": code,
                "Name": name,
                "Description": description,
                "IsSold": True,
                "IsPurchased": bool(cost),
                "IsTrackedAsInventory": False,
                "SalesDetails": {"UnitPrice": Decimal(price), "AccountCode": sales, "TaxType": self.default_sales_tax},
                "PurchaseDetails": {
                    "UnitPrice": Decimal(cost),
                    "AccountCode": costs,
                    "TaxType": self.default_purchases_tax,
                }
                if cost
                else {},
            }
            for code, name, description, price, cost in rows
        ]
        return [*items, self._tracked_item(sales, costs)]

    def _tracked_item(self, sales: str, costs: str) -> dict[str, Any]:
        return {
            "Code": "STOOL-OAK",
            "Name": "Oak stool",
            "Description": "Three-legged stool, oiled oak",
            "IsSold": True,
            "IsPurchased": True,
            "IsTrackedAsInventory": True,
            "InventoryAssetAccountCode": "630" if self.is_demo else "1001",
            "SalesDetails": {
                "UnitPrice": Decimal("89.00"),
                "AccountCode": sales,
                "TaxType": self.default_sales_tax,
            },
            "PurchaseDetails": {
                "UnitPrice": Decimal("32.00"),
                "COGSAccountCode": costs,
                "TaxType": self.default_purchases_tax,
            },
            "QuantityOnHand": Decimal("0.00"),
            "TotalCostPool": Decimal("0.00"),
        }


DEMO = Organisation(
    tenant="7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001",
    name="Demo Company (NZ)",
    country="NZ",
    currency="NZD",
    timezone="Pacific/Auckland",
    xero_timezone="NEWZEALANDSTANDARDTIME",
    is_demo=True,
    short_code="!Dm0Nz",
    currencies=("NZD", "USD", "AUD"),
    account_rows=_NZ_ACCOUNTS,
    tax_rows=_NZ_TAXES,
    default_sales_tax="OUTPUT2",
    default_purchases_tax="INPUT2",
)
NORTHWIND = Organisation(
    tenant="b1c9e2d4-3f60-4c1b-8b7e-6d2c4e9f0002",
    name="Northwind Ltd",
    country="GB",
    currency="GBP",
    timezone="Europe/London",
    xero_timezone="GMTSTANDARDTIME",
    is_demo=False,
    short_code="!Nw7Gb",
    currencies=("GBP", "EUR"),
    account_rows=_GB_ACCOUNTS,
    tax_rows=_GB_TAXES,
    default_sales_tax="OUTPUT2",
    default_purchases_tax="INPUT2",
    period_lock_date="2025-12-31",
    end_of_year_lock_date="2025-03-31",
)
ORGANISATIONS = {organisation.tenant: organisation for organisation in (DEMO, NORTHWIND)}
