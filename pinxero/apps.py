"""The project's own app: dashboard, sign-in, system checks, commands that set Pinxero up."""

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig as DjangoAdminConfig


class AdminConfig(DjangoAdminConfig):
    """The admin with Pinxero's own sign-in."""

    default_site = "pinxero.admin_site.AdminSite"


class PinxeroConfig(AppConfig):
    name = "pinxero"
    verbose_name = "Pinxero"

    def ready(self) -> None:
        """Register the system checks."""
        from pinxero import checks  # noqa: F401
