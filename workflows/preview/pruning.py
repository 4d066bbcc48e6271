"""A plan up to one of its steps: "preview up to here"."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

PlanStep = dict[str, Any]
_LISTS = ("paths", "steps", "error_steps")


def up_to(steps: Sequence[PlanStep], key: str) -> list[PlanStep]:
    """The steps up to this one and with what is inside it; all of them if it is not among them.

    Where it is on a path, the branch keeps its other paths, so that it chooses as it would.
    """
    return _up_to(steps, key) or list(steps)


def _up_to(steps: Sequence[PlanStep], key: str) -> list[PlanStep] | None:
    for index, step in enumerate(steps):
        if step["key"] == key:
            return list(steps[: index + 1])
        for name in _LISTS:
            inner = _up_to(step.get(name, ()), key)
            if inner is None:
                continue
            whole = [*inner, *step[name][len(inner) :]] if name == "paths" else inner
            return [*steps[:index], {**step, name: whole}]
    return None


def fails_before(steps: Sequence[PlanStep], key: str) -> str:
    """The step whose error path leads to this one: it has to fail for this one to be reached. "" if none has to."""
    for step in steps:
        if _up_to(step.get("error_steps", ()), key) is not None:
            inner = fails_before(step["error_steps"], key)
            return inner or str(step["key"])
        for name in ("paths", "steps"):
            if found := fails_before(step.get(name, ()), key):
                return found
    return ""
