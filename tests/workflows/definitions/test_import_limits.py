"""Files of workflows that are far too large are refused at once, with a sentence, and nothing is made of them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from workflows.definitions import export_import


def step(number: int = 0, **more: Any) -> dict[str, Any]:
    return {"key": f"s{number}", "name": "S", "kind": "format", "values": {"a": "1"}, **more}


def file(*steps: dict[str, Any], **more: Any) -> str:
    plan = {"trigger": {"operation": "", "connection": None, "inputs": {}}, "steps": list(steps)}
    told = {"pinxero": "workflow", "format": export_import.FORMAT, "name": "X", "connections": {}, "workflows": {}}
    return json.dumps({**told, "plan": plan, **more})


def nested(depth: int) -> dict[str, Any]:
    made = step()
    for number in range(1, depth):
        made = {"key": f"l{number}", "name": "L", "kind": "loop", "items": "x", "limit": 1, "steps": [made]}
    return made


def rows(count: int) -> dict[str, Any]:
    lines = [{"description": "x"}] * count
    made = {"key": "a", "name": "A", "kind": "action", "operation": "xero.create_invoice", "connection": None}
    return {**made, "inputs": {"lines": lines}}


NAMED = {str(number): {"provider": "xero", "name": "y"} for number in range(101)}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (file(*(step(number) for number in range(10_000))), "The file has more than 300 steps, or they stand too deep"),
        (file(nested(300)), "The file has more than 300 steps, or they stand too deep"),
        ("[" * 200_000, "This is no JSON file"),
        (file(rows(10_001)), "The steps of the file have more than 10,000 values together."),
        (file(step(values={f"v{n}": "" for n in range(10_001)})), "more than 10,000 values together."),
        (file(*(step(n, values={f"v{m}": "" for m in range(40)}) for n in range(299))), "more than 10,000 values"),
        (file(step(), connections=NAMED), "The file names more than 100 connections; no workflow uses that many."),
        (file(step(), workflows=NAMED), "The file names more than 100 workflows; no workflow uses that many."),
    ],
    ids=["10,000 steps", "deep", "brackets", "rows", "values", "values of many", "connections", "workflows"],
)
def test_a_file_that_is_too_large_is_refused_at_once(text: str, said: str) -> None:
    started = time.perf_counter()
    with pytest.raises(export_import.ImportFileError) as refused:
        export_import.read(text)
    assert said in str(refused.value)
    assert time.perf_counter() - started < 2


def test_the_largest_that_anybody_builds_is_read() -> None:
    steps = [step(number, values={f"v{each}": "x" for each in range(16)}) for number in range(300)]
    assert len(export_import.read(file(*steps)).plan["steps"]) == 300
    assert len(export_import.read(file(rows(1_000))).plan["steps"][0]["inputs"]["lines"]) == 1_000
