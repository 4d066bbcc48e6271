"""Mappings and conditions per second: the pure part, one process, no database."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

from bench.bench_stage import FIELDS, BenchStage, event
from bench.measures import Row

_TREE = {
    "group": "all",
    "items": [
        {"left": "{{ trigger.title }}", "type": "text", "operator": "contains", "right": "chair"},
        {
            "group": "any",
            "items": [
                {"left": "{{ trigger.price }}", "type": "number", "operator": "greater_than", "right": "100"},
                {"left": "{{ trigger.board_name }}", "type": "text", "operator": "equals", "right": "Winter"},
            ],
        },
    ],
}


def measure(stage: BenchStage) -> Iterator[Row]:
    """Six fields at a time, and a condition of three comparisons in two groups."""
    from workflows.language import conditions, mapping

    data: dict[str, Any] = {
        "trigger": {**event(7), "price": Decimal(120)},
        "steps": {},
        "run": {"id": 7, "date": "2026-11-23", "url": "https://pinxero.example/runs/7/"},
        "workflow": {"name": "Bench", "version": 1},
    }
    tree = _complete(_TREE)

    def fields() -> None:
        for source in FIELDS.values():
            mapping.evaluate(source, data)

    def bare() -> None:
        pin, run = data["trigger"], data["run"]
        _ = (
            pin["title"].upper(),
            round(Decimal(re.search(r"\d+", pin["title"])[0]) * Decimal("1.15"), 2),
            run["date"],
            pin.get("board_name") or "none",
            f"Pin {pin['id']} of {pin['board_name']}",
            pin["link"],
        )

    count = stage.size(2_000, 200)
    yield Row(
        "mapping: six fields", "/s", _rates(fields, count), _rates(bare, count * 10), note="floor: Python by hand"
    )
    yield Row("condition: three comparisons", "/s", _rates(lambda: conditions.evaluate(tree, data), count))


def _complete(tree: dict[str, Any]) -> dict[str, Any]:
    if "group" in tree:
        return {**tree, "items": [_complete(each) for each in tree["items"]]}
    return {**tree, "right_until": None, "case_sensitive": False}


def _rates(do: Callable[[], object], count: int) -> list[float]:
    rates = []
    for _ in range(5):
        began = time.perf_counter()
        for _ in range(count):
            do()
        rates.append(count / (time.perf_counter() - began))
    return rates
