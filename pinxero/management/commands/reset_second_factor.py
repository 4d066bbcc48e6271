"""Switch somebody's second factor off, for whoever has lost both the phone and the recovery codes."""

from __future__ import annotations

from typing import Any

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from integrations.audit.actions import Audited
from integrations.teams import leaving
from pinxero.sign_in import recording


class Command(BaseCommand):
    """Their sessions end too, for a lost phone may be a stolen one."""

    help = (
        "Switch a person's second factor off, recovery codes included. They are signed out everywhere; where their "
        "role needs a second factor, the next sign-in asks them to set up a new one. Make sure that it is them who ask."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username", help="the name they sign in with")

    def handle(self, *args: Any, username: str, **options: Any) -> None:
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError(f"There is nobody called {username}.")
        with transaction.atomic():
            count, _ = Authenticator.objects.filter(user=user).delete()
            if not count:
                raise CommandError(f"{username} has no second factor; nothing was changed.")
            how = {"How": "By the command reset_second_factor"}
            recording.about_person(Audited.SECOND_FACTOR_OFF, user, by=None, after=how)
        leaving.sign_out_everywhere(user)
        self.stdout.write(f"{username} signs in by password alone now, and is signed out everywhere.")
