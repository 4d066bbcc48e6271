"""Settings of workflows' e-mails from the environment, besides the installation's mail server in EMAIL_URL."""

from integrations.framework.connector_settings import ConnectorSettings, Setting

DECLARED = ConnectorSettings(
    key="mail",
    # Domains to which the e-mail step may send; empty allows any.
    settings=(Setting("EMAIL_RECIPIENT_DOMAINS", ()),),
)
