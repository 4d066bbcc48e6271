"""A PostgreSQL server for one proof, in a temporary folder, that may be restarted at will."""

from __future__ import annotations

import atexit
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path
from typing import Any

_LONGEST_SECONDS = 120


class Cluster:
    """A server created and started by `start`; it ends with this process."""

    def __init__(self) -> None:
        self.programs = find_programs()
        self.folder = Path(tempfile.mkdtemp(prefix="pinxero-postgresql-"))
        self.data = self.folder / "data"
        self.port = _free_port()
        self.user = _unprivileged()
        if self.user is not None:
            os.chown(self.folder, self.user.pw_uid, self.user.pw_gid)

    @property
    def url(self) -> str:
        """Its DATABASE_URL."""
        return f"postgres://proof@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Create and start it. Raises SystemExit with PostgreSQL's own message if it does not start."""
        atexit.register(self.stop)
        self._run("initdb", "-D", str(self.data), "-A", "trust", "-U", "proof", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses=127.0.0.1 -p {self.port} -k {self.folder}"
        self._control("start", "-o", options, "-l", str(self.folder / "log"))

    def restart(self, *, mode: str) -> None:
        """Restart it: `fast` ends all transactions, `immediate` is a crash from which it recovers."""
        self._control("restart", "-m", mode, "-l", str(self.folder / "log"))

    def stop(self) -> None:
        """Stop it and delete its folder."""
        if (self.data / "postmaster.pid").exists():
            self._control("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, what: str, *words: str) -> None:
        self._run("pg_ctl", what, "-D", str(self.data), "-w", "-t", str(_LONGEST_SECONDS), *words)

    def _run(self, program: str, *words: str) -> None:
        as_user: dict[str, Any] = {}
        if self.user is not None:
            as_user = {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}
        # Not with a pipe: the server would keep it open as long as it runs.
        with (self.folder / "said").open("w+") as said:
            done = subprocess.run(
                [str(self.programs / program), *words],
                cwd=self.folder,
                env={"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8", "HOME": str(self.folder)},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                timeout=_LONGEST_SECONDS + 30,
                check=False,
                **as_user,
            )
            said.seek(0)
            if done.returncode:
                raise SystemExit(f"PostgreSQL's {program} failed: {said.read()[-2000:]}")


def find_programs() -> Path:
    """The folder with PostgreSQL's server programs. Raises SystemExit if this machine has none."""
    on_path = shutil.which("initdb")
    places = [Path(on_path).parent] if on_path else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=_version, reverse=True)
    for place in places:
        if all((place / name).exists() for name in ("initdb", "pg_ctl", "postgres")):
            return place
    raise SystemExit(
        "This proof restarts a PostgreSQL of its own, and there are no server programs (initdb, pg_ctl, postgres) on "
        "the path or below /usr/lib/postgresql. Install PostgreSQL's server; it need not run."
    )


def _version(place: Path) -> float:
    try:
        return float(place.parent.name)
    except ValueError:
        return 0.0


def _unprivileged() -> pwd.struct_passwd | None:
    """The user to run it as, since PostgreSQL refuses root; None for the current user."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise SystemExit("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as.")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
