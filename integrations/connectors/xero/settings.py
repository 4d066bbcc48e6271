"""Xero's settings from the environment: its hosts, this installation's app there, the limits of its plan."""

from integrations.framework.connector_settings import ConnectorSettings, Host, Setting

DECLARED = ConnectorSettings(
    key="xero",
    hosts=(
        Host("XERO_LOGIN_BASE", "https://login.xero.com", in_sandbox="", asks_consent=True),
        Host("XERO_IDENTITY_BASE", "https://identity.xero.com", in_sandbox=""),
        Host("XERO_API_BASE", "https://api.xero.com", in_sandbox=""),
        # Where people open their books.
        Host("XERO_WEB_BASE", "https://go.xero.com", in_sandbox="", is_for_links=True),
    ),
    settings=(
        Setting("XERO_CLIENT_ID", is_needed=True),
        Setting("XERO_CLIENT_SECRET", is_needed=True, is_secret=True),
        # The signing keys of Xero's webhook, new and old together during a change of keys. Empty: not set up. Xero's
        # own keys have 88 characters.
        Setting("XERO_WEBHOOK_KEYS", (), is_secret=True, least_length=32),
        Setting(
            "XERO_SCOPES",
            (
                "openid",
                "profile",
                "email",
                "offline_access",
                "accounting.contacts",
                "accounting.invoices",
                "accounting.payments",
                "accounting.banktransactions",
                "accounting.attachments",
                "accounting.settings",
                "accounting.reports.balancesheet.read",
                "accounting.reports.profitandloss.read",
                "projects",
            ),
        ),
        Setting("XERO_MINUTE_LIMIT", 60),
        Setting("XERO_CONCURRENT_LIMIT", 5),
        Setting("XERO_DAY_LIMIT", 1000),
    ),
)
