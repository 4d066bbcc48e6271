"""`make bench`: one command, one table, on SQLite and, where `BENCH_POSTGRES` names a server, on PostgreSQL.

    make bench                                               everything on SQLite
    make bench BENCH_POSTGRES=postgres://root@127.0.0.1:5432  and on PostgreSQL
    make bench ONLY=runs,latency QUICK=1                      some of it, small sizes

Each database gets a process of its own and a database of its own, made and dropped here.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT))

from bench.measures import Row  # noqa: E402

MEASURES = ("expressions", "runs", "workers", "latency", "polls", "pages", "audit", "memory")
_SQLITE = "pinxero.sqlite3"
_HEAD = ["what", "median", "min to max", "floor", "× floor", "aim", "note"]


def main() -> int:
    """Measure and print the table."""
    options = _options()
    if options.database:
        return _measure_here(options)
    print(
        f"Python {platform.python_version()}, {os.cpu_count()} cores, {platform.system()} {platform.machine()}",
        flush=True,
    )
    databases = ["sqlite"] + ([options.postgres.rstrip("/")] if options.postgres else [])
    for database in databases:
        kind = "SQLite" if database == "sqlite" else "PostgreSQL"
        with tempfile.TemporaryDirectory(prefix="pinxero-bench-") as folder, _database(database, Path(folder)) as url:
            if database == "sqlite" and options.begin_with:
                shutil.copyfile(options.begin_with, Path(folder) / _SQLITE)
            # A new process per measure, so that what one leaves in memory does not affect the next.
            print(f"\n| {kind}: " + " | ".join(_HEAD) + " |\n|" + "---|" * len(_HEAD), flush=True)
            for name in options.only:
                command = [sys.executable, __file__, "--database", url, "--folder", folder, "--only", name]
                subprocess.run(command + (["--quick"] if options.quick else []), cwd=CHECKOUT, check=True)
    return 0


@contextmanager
def _database(database: str, folder: Path) -> Iterator[str]:
    if database == "sqlite":
        yield f"sqlite:///{folder / _SQLITE}"
        return
    import psycopg
    from psycopg import sql

    name = sql.Identifier(f"pinxero_bench_{os.getpid()}")
    with psycopg.connect(f"{database}/postgres", autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    try:
        yield f"{database}/pinxero_bench_{os.getpid()}"
    finally:
        with psycopg.connect(f"{database}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _measure_here(options: argparse.Namespace) -> int:
    from bench.bench_stage import BenchStage

    with BenchStage(Path(options.folder), options.database, is_quick=options.quick) as stage:
        for name in options.only:
            began = time.monotonic()
            for row in importlib.import_module(f"bench.measures.{name}").measure(stage):
                assert isinstance(row, Row)
                print("| " + " | ".join(row.cells()) + " |", flush=True)
            if os.environ.get("BENCH_TIMES"):
                print(json.dumps({name: round(time.monotonic() - began, 1)}), file=sys.stderr)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", type=_names, default=list(MEASURES), help=f"Some of {', '.join(MEASURES)}.")
    parser.add_argument("--quick", action="store_true", help="Small sizes: shows that it works, not how fast.")
    parser.add_argument("--postgres", default=os.environ.get("BENCH_POSTGRES", ""), help="postgres://user@host:port")
    parser.add_argument(
        "--begin-with", default="", help="A migrated SQLite database to copy: nothing is left to migrate."
    )
    parser.add_argument("--database", default="", help=argparse.SUPPRESS)
    parser.add_argument("--folder", default="", help=argparse.SUPPRESS)
    return parser.parse_args()


def _names(text: str) -> list[str]:
    names = [each for each in text.split(",") if each]
    unknown = set(names) - set(MEASURES)
    if unknown:
        raise argparse.ArgumentTypeError(f"{', '.join(sorted(unknown))} is none of {', '.join(MEASURES)}")
    return names or list(MEASURES)


if __name__ == "__main__":
    sys.exit(main())
