"""The audit trail on the command line: check that it is as it was written, and give its end to somebody outside."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from integrations.audit import signing, verify
from integrations.audit.record import INSTALLATION
from integrations.models import Team


class Command(BaseCommand):
    """`verify` ends with 1 if anything is wrong, 0 if all is as it was written."""

    help = (
        "verify: read the audit trail and name the first entry of each chain that is not as it was written. "
        "anchor: print the number and hash of each chain's last entry; keep them where nobody who can write to this "
        "database can change them, and give them to verify with --anchors. public-key: print the key with which those "
        "of PINXERO_ANCHOR_DIR are signed."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("what", choices=["verify", "anchor", "public-key"])
        parser.add_argument("--team", help="only this team's chain: its name, or its number if it was deleted")
        parser.add_argument(
            "--anchors",
            type=Path,
            help="a file with what `audit anchor` has printed, at any times, or a directory of daily anchors; where "
            "PINXERO_ANCHOR_DIR is set, that is read without it",
        )
        parser.add_argument("--key", default="", help="the public key that must have signed each of them")

    def handle(self, *args: Any, what: str, team: str | None, anchors: Path | None, key: str, **options: Any) -> None:
        try:
            self._do(what, team, anchors, key)
        except signing.SigningError as error:
            raise CommandError(str(error)) from error

    def _do(self, what: str, team: str | None, anchors: Path | None, key: str) -> None:
        if what == "public-key":
            self.stdout.write(signing.public_hex(signing.private_key()))
            return
        chains = verify.chains() if team is None else [_chain(team)]
        if what == "anchor":
            for line in signing.lines(each for each in verify.anchors() if each.chain in chains):
                self.stdout.write(line)
            return
        path = anchors or signing.directory()
        known = signing.read(path, key) if path is not None and (anchors or path.exists()) else []
        chains = sorted({*chains, *(each.chain for each in known if team is None)})
        results = [verify.verify(chain, known) for chain in chains]
        names = dict(Team.objects.values_list("pk", "name"))
        for result in results:
            self._say(result, names)
        if any(result.wrong for result in results):
            sys.exit(1)

    def _say(self, result: verify.Verified, names: dict[int, str]) -> None:
        name = "The installation" if result.chain == INSTALLATION else names.get(result.chain)
        name = name or f"Team {result.chain}, which was deleted"
        if result.wrong is None:
            many = "1 entry, as it was" if result.count == 1 else f"{result.count:,} entries, as they were"
            self.stdout.write(f"{name}: {many} written.")
        else:
            self.stderr.write(f"{name}: entry {result.wrong.number} {result.wrong.text}.")


def _chain(team: str) -> int:
    found = Team.objects.filter(name=team).values_list("pk", flat=True).first()
    if found is not None:
        return int(found)
    if team.isdecimal():
        return int(team)
    raise CommandError(f"There is no team called {team}.")
