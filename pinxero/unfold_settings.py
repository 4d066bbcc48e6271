"""Unfold's settings for the admin: name, colours, sidebar, environment ribbon. Callables are given by name, so that
nothing is imported before Django is ready; they live in `pinxero/navigation.py`."""

from typing import Any

# A calm teal; 600 carries white text at more than 4.5 : 1, 400 and 500 are used on dark backgrounds.
_PRIMARY = {
    "50": "oklch(97.8% .016 190)",
    "100": "oklch(94.5% .04 190)",
    "200": "oklch(89.5% .07 190)",
    "300": "oklch(83% .1 189)",
    "400": "oklch(76% .115 187)",
    "500": "oklch(66% .112 188)",
    "600": "oklch(50.5% .088 193)",
    "700": "oklch(44% .076 194)",
    "800": "oklch(38.5% .065 195)",
    "900": "oklch(33.5% .054 196)",
    "950": "oklch(24% .042 198)",
}

UNFOLD: dict[str, Any] = {
    "SITE_TITLE": "Pinxero",
    "SITE_HEADER": "Pinxero",
    "SITE_SUBHEADER": "pinxero.navigation.team_name",
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "pinxero.navigation.favicon"},
    ],
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "BORDER_RADIUS": "8px",
    "COLORS": {"primary": _PRIMARY},
    "ENVIRONMENT": "pinxero.navigation.environment",
    "GLOBAL_CALLBACK": "pinxero.navigation.around_every_page",
    "DASHBOARD_CALLBACK": "pinxero.dashboard.dashboard",
    "STYLES": ["pinxero.navigation.style_sheet"],
    "SCRIPTS": ["pinxero.navigation.frame_script"],
    "ACCOUNT": {"navigation": "pinxero.navigation.account_links"},
    # The palette would list every registered model; only the pages have a search, because they know the team.
    "COMMAND": {"search_models": False, "show_history": False, "search_callback": None},
    "SIDEBAR": {
        "show_search": False,
        "command_search": False,
        "show_all_applications": False,
        "navigation": "pinxero.navigation.sidebar",
    },
}
