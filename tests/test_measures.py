"""The benchmark's table and its parts, in their smallest sizes: that it measures, not how fast."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.measures import Row
from tests import migrated

CHECKOUT = Path(__file__).resolve().parents[1]


def test_a_row_tells_its_median_its_spread_and_how_many_times_the_floor_it_is() -> None:
    row = Row("run", "ms", [12.0, 9.0, 10.0], [2.0, 4.0, 3.0], aim="≤ 3 × floor")
    assert row.cells() == ["run", "10.0 ms", "9.00 to 12.0", "3.00", "3.3", "≤ 3 × floor", ""]


def test_a_rate_tells_how_many_times_slower_than_the_floor_it_is() -> None:
    assert Row("mapping", "/s", [100.0], [400.0]).ratio == 4


def test_a_single_figure_has_no_spread_and_no_ratio_without_a_floor() -> None:
    assert Row("memory", "MiB", [1234.5]).cells() == ["memory", "1,234 MiB", "", "", "", "", ""]


@pytest.mark.parametrize("name", ["expressions", "runs", "polls"])
def test_a_measure_runs_from_the_command_and_prints_rows_of_the_table(name: str, tmp_path: Path) -> None:
    begin_with = tmp_path / "migrated.sqlite3"
    migrated.copy_to(begin_with)
    done = subprocess.run(
        [sys.executable, "bench/bench.py", "--only", name, "--quick", "--begin-with", str(begin_with)],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "BENCH_POSTGRES": "", "DJANGO_SETTINGS_MODULE": ""},
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    assert len(rows) >= 3
    assert all(line.count("|") == 8 for line in rows)
