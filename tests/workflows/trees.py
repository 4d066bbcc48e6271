"""Plans of every shape, as publishing would have compiled them: for what has to hold for any workflow."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from workflows.definitions import kinds
from workflows.models import Step

NAMES = st.text("abcdefghij ÄÖ<>&'\"", min_size=1, max_size=20).map(str.strip).filter(bool)
SOURCES = st.sampled_from(["plain", "{{ trigger.title }}", "{{ trigger.price * 2 }} each", "12.50", "<b>x</b>"])


@st.composite
def comparisons(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "left": draw(SOURCES),
        "type": "text",
        "operator": draw(st.sampled_from(["contains", "equals"])),
        "right": draw(SOURCES),
        "right_until": None,
        "case_sensitive": draw(st.booleans()),
    }


def conditions() -> st.SearchStrategy[dict[str, Any]]:
    def group(items: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
        return st.fixed_dictionaries(
            {"group": st.sampled_from(["all", "any", "not"]), "items": st.lists(items, min_size=1, max_size=3)}
        )

    return group(st.recursive(comparisons(), group, max_leaves=4))


@st.composite
def plans(draw: st.DrawFn, connection: int) -> dict[str, Any]:
    """A plan of the scripted provider with every kind of step, nested at random."""
    taken = [0]

    def head(kind: str) -> dict[str, Any]:
        taken[0] += 1
        return {"key": f"{kind}_{taken[0]}", "name": draw(NAMES), "kind": kind}

    def action(depth: int) -> dict[str, Any]:
        made = head("action") | {
            "operation": "scripted.write_thing",
            "connection": connection,
            "inputs": {"name": draw(SOURCES)},
            "on_error": draw(st.sampled_from(Step.OnError.values if depth < 2 else ["stop", "go_on"])),
            "max_attempts": draw(st.integers(1, 20)),
        }
        if made["on_error"] == "error_path":
            made["error_steps"] = steps(depth + 1)
        return made

    def branch(depth: int) -> dict[str, Any]:
        made = head("branch")
        made["paths"] = [path(depth, is_last=number == 1) for number in range(2)]
        return made

    def path(depth: int, *, is_last: bool) -> dict[str, Any]:
        made = head("path")
        made["conditions"] = None if is_last else draw(conditions())
        made["steps"] = steps(depth + 1)
        return made

    def settings(kind: str) -> dict[str, Any]:
        given = {
            "loop": {"items": "{{ trigger.list }}", "limit": draw(st.integers(1, 1000)), "on_item_error": "go_on"},
            "delay": draw(
                st.sampled_from(
                    [
                        {"how": "for", "amount": "2", "unit": "hours"},
                        {"how": "until", "moment": "{{ trigger.day }}"},
                        {"how": "until_working_day", "at": "10:30"},
                    ]
                )
            ),
            "lookup": {"table": "Boards", "missing": draw(st.sampled_from(["fail", "default"]))},
            "call": {"workflow": None, "waits": draw(st.booleans())},
            "stop": {"as": draw(st.sampled_from(["succeeded", "failed", "filtered"]))},
        }
        return kinds.read_settings(kind, given.get(kind, {}))

    def simple(kind: str, depth: int) -> dict[str, Any]:
        made = head(kind) | settings(kind)
        if kind == "loop":
            made["steps"] = steps(depth + 1)
        elif kind == "format":
            made["values"] = draw(st.dictionaries(st.sampled_from(["total", "label", "day"]), SOURCES, min_size=1))
        elif kind in ("lookup", "call", "stop"):
            inputs = {"lookup": {"value": draw(SOURCES)}, "call": {"order": draw(SOURCES)}, "stop": {"message": "x"}}
            made["inputs"] = inputs[kind]
        return made

    def one(depth: int) -> dict[str, Any]:
        kind = draw(
            st.sampled_from(
                ["action", "filter", "format", "delay", "lookup", "call", "stop"]
                + (["branch", "loop"] if depth < 2 else [])
            )
        )
        if kind == "action":
            return action(depth)
        if kind == "filter":
            return head("filter") | {"conditions": draw(conditions())}
        return branch(depth) if kind == "branch" else simple(kind, depth)

    def steps(depth: int) -> list[dict[str, Any]]:
        return [one(depth) for _ in range(draw(st.integers(1, 3 if depth else 4)))]

    trigger = {"operation": "scripted.new_thing", "connection": connection, "inputs": {}}
    return {"trigger": trigger, "steps": steps(0)}
