"""The access to Xero is taken away twice in the middle, and given back: every run goes on, and nothing is done twice.

First the consent is revoked, which kills its tokens; later the organisation alone is disconnected, which leaves them.
Each time the proof waits until runs wait for the connection, stays away for a while, and then consents again by the
service that the page after a consent calls. Nobody presses anything for the runs.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping
from typing import Any

from bench.cases import Result, breaks
from bench.cases._pins import PinsCase, compared, count_ended, count_runs, wait_for
from bench.stage import TENANT, Stage

#: Half a minute on Pinxero's clock, in which nothing may be sent with the revoked tokens.
_AWAY_SECONDS = 30
_CONTROL_SECONDS = 20.0


class Revoked(PinsCase):
    """Runs wait for a connection, and go on by themselves when it is connected again."""

    size = 500
    must_be_some = ("waited_after_revoking", "waited_after_disconnecting", "refused")
    controls = {"no_wake": "runs that waited for a connection go on when it is back"}

    def environment(self, options: argparse.Namespace) -> dict[str, str]:
        return breaks("revoked", options.control) if options.control else {}

    def break_on_purpose(self, control: str) -> None:
        from workflows.worker import sweeper

        sweeper.wake_reconnected = lambda: 0

    def play(self, stage: Stage, options: argparse.Namespace) -> Result:
        from bench.witness import ledger

        pins = stage.add_pins(options.size)
        wait_for("a third of the runs done", lambda: count_ended() >= options.size // 3, longest=options.longest)
        stage.control("POST", "revoke", provider="xero")
        after_revoking = _stay_away(stage)
        started = time.monotonic()
        _consent_again(stage)
        if not options.control:
            wait_for("two thirds of the runs done", lambda: count_ended() >= 2 * options.size // 3, longest=600)
            stage.control("POST", "revoke", tenant=TENANT)
            after_disconnecting = _stay_away(stage)
            _consent_again(stage)
        stage.wait_until_done(options.size, longest=_CONTROL_SECONDS if options.control else options.longest)
        return {
            **compared(stage, pins),
            "waited_after_revoking": after_revoking,
            "waited_after_disconnecting": 0 if options.control else after_disconnecting,
            "refused": sum(1 for entry in ledger(stage) if entry["status"] in (401, 403)),
            "seconds_after_consent": round(time.monotonic() - started, 1),
        }

    def caught(self, result: Mapping[str, Any], control: str) -> str:
        return f"{result['open_runs']} runs were left waiting" if result["open_runs"] else ""


def _stay_away(stage: Stage) -> int:
    """Leave the connection as it is until runs wait for it, and a while longer; returns how many wait then."""
    wait_for("a run waiting for the connection", lambda: count_runs(wait_reason="connection") > 0)
    time.sleep(_AWAY_SECONDS / stage.time_scale)
    return count_runs(wait_reason="connection")


def _consent_again(stage: Stage) -> None:
    """Pass new tokens to the service that the page after a consent calls."""
    from django.contrib.auth.models import User

    from integrations.connections import service
    from integrations.framework import registry
    from integrations.transport.token_set import TokenSet

    told = stage.control("POST", "tokens", provider="xero")
    tokens = TokenSet(
        access_token=told["access_token"],
        refresh_token=told["refresh_token"],
        expires_in=float(told["expires_in"]),
        refresh_expires_in=None,
        scopes=told["scope"].replace(",", " ").split(),
    )
    accounts = registry.connector("xero").accounts(tokens.access_token)
    person = User.objects.create(username="proof")
    try:
        service.add_grant(
            team=stage.team,
            provider="xero",
            external_user_id=told["user_id"],
            label="Proof",
            tokens=tokens,
            asked_scopes=tokens.scopes or [],
            accounts=[account for account in accounts if account.external_id == TENANT],
            by=person,
        )
    finally:
        # The next proof refuses a database with users in it, as somebody's own.
        person.delete()


case = Revoked()
