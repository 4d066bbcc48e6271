"""One package per provider, and what starts or does something without one.

Each may use `framework` and what is below it, and nothing of another connector. Begin with `pinterest/connector.py`.
"""

#: Dotted packages; each holds `connector.py` with a `connector` object, and `settings.py` where it needs some. The only
#: list of connectors there is.
CONNECTORS = [
    "integrations.connectors.pinterest",
    "integrations.connectors.xero",
    "integrations.connectors.start",
    "integrations.connectors.web",
    "integrations.connectors.mail",
]
