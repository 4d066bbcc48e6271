"""What Pinterest takes from the environment: its hosts, this installation's app there, the limits of its tier."""

from integrations.framework.connector_settings import ConnectorSettings, Host, Setting

DECLARED = ConnectorSettings(
    key="pinterest",
    hosts=(
        Host("PINTEREST_OAUTH_BASE", "https://www.pinterest.com", in_sandbox="", asks_consent=True),
        Host("PINTEREST_API_BASE", "https://api.pinterest.com/v5", in_sandbox="/v5"),
    ),
    settings=(
        Setting("PINTEREST_CLIENT_ID", is_needed=True),
        Setting("PINTEREST_CLIENT_SECRET", is_needed=True, is_secret=True),
        Setting(
            "PINTEREST_SCOPES",
            (
                "user_accounts:read",
                "boards:read",
                "boards:write",
                "pins:read",
                "pins:write",
                "boards:read_secret",
                "boards:write_secret",
                "pins:read_secret",
                "pins:write_secret",
            ),
        ),
        Setting("PINTEREST_CONTINUOUS_REFRESH", True),
        Setting("PINTEREST_MINUTE_LIMIT", 1000),
        Setting("PINTEREST_DAY_LIMIT", 1000),
    ),
    # The pictures of pins.
    file_hosts=("*.pinimg.com",),
)
