"""Random trees of steps against a second, simple interpreter: which steps run, in which order, with which outputs.

The interpreter below knows nothing of rows, leases or plans: it goes through the tree as a person would with a pencil.
Then the same trees once more with workers that die and providers that ask for patience: the books stay the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from integrations.core.errors import Hold, RejectedError, TemporaryError
from integrations.models import Connection
from tests.base import Cast
from tests.workflows.conftest import settle
from tests.workflows.planting import (
    Spec,
    begin,
    branch,
    keep_if,
    loop,
    made,
    named,
    over,
    path,
    ran,
    read,
    step,
    stop,
    write,
)
from tests.workflows.scripted import connector as scripted
from tests.workflows.scripted.connector import Provider
from workflows.engine.lease import Lease
from workflows.models import Run, StepRun
from workflows.publishing import publish

pytestmark = pytest.mark.django_db

#: Names that the provider refuses for good.
REFUSED = "refused"


# --- trees ----------------------------------------------------------------------------------------------------------


@dataclass
class Grower:
    """Draws trees in which every key is new."""

    draw: Callable[..., Any]
    used: int = 0

    def key(self, kind: str) -> str:
        self.used += 1
        return f"{kind}_{self.used}"

    def steps(self, depth: int, in_loop: bool, least: int = 0) -> list[Spec]:
        return [self.step(depth, in_loop) for _ in range(self.draw(st.integers(least, 3 if depth else 2)))]

    def step(self, depth: int, in_loop: bool) -> Spec:
        kinds = ["write", "read", "format", "filter"] + ["branch", "loop", "error"] * (2 if depth else 0)
        kind = self.draw(st.sampled_from([*kinds, "stop"] if self.draw(st.integers(0, 5)) == 0 else kinds))
        value = "{{ item }}" if in_loop else "{{ trigger.price }}"
        if kind == "write":
            name = self.draw(st.sampled_from(["ok", "ok", "ok", REFUSED]))
            return write(self.key("w"), f"{name} {value}", on_error=self.draw(st.sampled_from(["stop", "go_on"])))
        if kind == "error":
            steps = self.steps(depth - 1, in_loop, least=1)
            name = self.draw(st.sampled_from(["ok", REFUSED]))
            return write(self.key("e"), f"{name} {value}", on_error="error_path", error=steps)
        if kind == "read":
            return read(self.key("r"))
        if kind == "format":
            return named(self.key("n"), a=value, b="fixed")
        if kind == "filter":
            return keep_if(self.key("f"), over(value, self.draw(st.integers(0, 3))))
        if kind == "branch":
            paths = [
                path(self.key("p"), over(value, self.draw(st.integers(0, 5))), *self.steps(depth - 1, in_loop))
                for _ in range(self.draw(st.integers(1, 2)))
            ]
            if self.draw(st.booleans()):
                paths.append(path(self.key("p"), None, *self.steps(depth - 1, in_loop)))
            return branch(self.key("b"), *paths)
        if kind == "loop":
            policy = self.draw(st.sampled_from(["stop", "go_on"]))
            inside = self.steps(depth - 1, True, least=1)
            return loop(self.key("l"), "{{ trigger.lines }}", *inside, on_item_error=policy)
        return stop(self.key("s"), self.draw(st.sampled_from(["succeeded", "failed", "filtered"])), "The end")


@st.composite
def trees(draw: Callable[..., Any]) -> list[Spec]:
    grower = Grower(draw)
    return [read(grower.key("r")), *grower.steps(2, False, least=1), write(grower.key("w"), "ok last")]


def prune(specs: Sequence[Spec]) -> list[Spec]:
    kept = []
    for spec in specs:
        spec.children = prune(spec.children)
        kept.append(spec)
        if not goes_on(spec):
            break
    return kept


def goes_on(spec: Spec) -> bool:
    """Whether any way leads past the step."""
    if spec.kind == "stop":
        return False
    if spec.kind == "branch":
        has_else = any(each.condition is None for each in spec.children)
        return not has_else or any(all(map(goes_on, each.children)) for each in spec.children)
    return True


# --- with a pencil --------------------------------------------------------------------------------------------------


class Filtered(Exception):
    pass


class Failed(Exception):
    pass


@dataclass
class Stopped(Exception):
    how: str


@dataclass
class Pencil:
    """Goes through a tree; `ran` is what was begun, `books` what was written."""

    price: int
    lines: list[int]
    ran: list[str] = field(default_factory=list)
    books: list[str] = field(default_factory=list)
    tallies: dict[str, dict[str, int]] = field(default_factory=dict)

    def run(self, specs: Sequence[Spec]) -> str:
        try:
            self.go(specs, "", self.price)
        except Filtered:
            return "filtered"
        except Failed:
            return "failed"
        except Stopped as stopped:
            return stopped.how
        return "succeeded"

    def go(self, specs: Sequence[Spec], iteration: str, value: int) -> None:
        for spec in specs:
            self.one(spec, iteration, value)

    def one(self, spec: Spec, iteration: str, value: int) -> None:
        self.ran.append(f"{spec.key}@{iteration}" if iteration else spec.key)
        if spec.kind == "action" and spec.operation.endswith("write_thing"):
            self.written(spec, iteration, value)
        elif spec.kind == "filter" and value < int(spec.condition["right"]):  # type: ignore[index]
            raise Filtered
        elif spec.kind == "branch":
            for each in spec.children:
                if each.condition is None or value >= int(each.condition["right"]):
                    self.go(each.children, iteration, value)
                    return
        elif spec.kind == "loop":
            self.looped(spec, iteration)
        elif spec.kind == "stop":
            raise Stopped(spec.settings["as"])

    def written(self, spec: Spec, iteration: str, value: int) -> None:
        name = spec.inputs["name"].split(" ")[0]
        if name != REFUSED:
            said = spec.inputs["name"].replace("{{ item }}", str(value))
            self.books.append(said.replace("{{ trigger.price }}", str(value)))
        elif spec.on_error == "stop":
            raise Failed
        elif spec.on_error == "error_path":
            self.go(spec.children, iteration, value)

    def looped(self, spec: Spec, iteration: str) -> None:
        tally = self.tallies.setdefault(f"{spec.key}@{iteration}", {"done": 0, "failed": 0, "skipped": 0})
        for number, item in enumerate(self.lines, start=1):
            try:
                self.go(spec.children, f"{iteration}.{number}" if iteration else str(number), item)
            except Filtered:
                tally["skipped"] += 1
            except Stopped:
                tally["done"] += 1
                raise
            except Failed:
                tally["failed"] += 1
                if spec.settings["on_item_error"] == "stop":
                    raise
            else:
                tally["done"] += 1


# --- the real thing -------------------------------------------------------------------------------------------------


@dataclass
class Moody(Provider):
    """A provider that refuses some names for good, and before anything else asks for patience as the moods say."""

    moods: Iterator[bool] = field(default_factory=lambda: iter(()))

    def write(self, request: Any, key: str) -> Any:
        self.script = []
        if next(self.moods, False):
            raise TemporaryError("Later.", retry_after=0.01, hold=Hold.BUDGET)
        if b'"name":"refused' in request.body:
            raise RejectedError("No.")
        return super().write(request, key)


def compare(tree: list[Spec], cast: Cast, connection: Connection, price: int, lines: list[int]) -> None:
    workflow = made(cast, connection, *tree)
    publish.publish(workflow, by=cast.builder)
    pencil = Pencil(price, lines)
    status = pencil.run(tree)
    run = begin(workflow, price=price, lines=lines)
    settle_alive(run)
    run.refresh_from_db()
    assert [run.status, ran(run)] == [status, pencil.ran]
    assert [book["name"] for book in scripted.provider.books] == pencil.books
    for place, tally in pencil.tallies.items():
        row = step(run, *place.split("@"))
        if row.state == "succeeded" and status not in ("failed",):
            found = row.output
            assert {name: found[name] for name in tally} == tally
            assert found["count"] == len(lines)


def settle_alive(run: Run) -> None:
    """Settle, with another worker for each that died."""
    while True:
        try:
            settle(60)
            return
        except Killed:
            Run.objects.filter(pk=run.pk, status="running").update(lease_until="2020-01-01T00:00:00Z")


class Killed(BaseException):
    """The worker is gone from one moment to the next."""


#: Shrinking goes through the database again and again, far beyond a test's time; a tree is small enough to be read.
_FEW = settings(
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@_FEW
@given(tree=trees(), price=st.integers(0, 5), lines=st.lists(st.integers(0, 5), max_size=3))
def test_a_tree_runs_as_it_would_with_a_pencil(
    provider: Provider, connection: Connection, cast: Cast, tree: list[Spec], price: int, lines: list[int]
) -> None:
    scripted.provider = Moody()
    with transaction.atomic():
        compare(prune(tree), cast, connection, price, lines)
        transaction.set_rollback(True)


@_FEW
@given(
    tree=trees(),
    price=st.integers(0, 5),
    lines=st.lists(st.integers(0, 5), max_size=3),
    moods=st.lists(st.booleans(), max_size=12),
    # Three deaths in a row would park the run.
    deaths=st.sets(st.integers(1, 30), max_size=2),
)
def test_the_same_is_written_whatever_workers_and_providers_go_through(
    provider: Provider,
    connection: Connection,
    cast: Cast,
    monkeypatch: pytest.MonkeyPatch,
    tree: list[Spec],
    price: int,
    lines: list[int],
    moods: list[bool],
    deaths: set[int],
) -> None:
    scripted.provider = Moody(moods=iter(moods))
    records = 0

    def dying(do: Callable[..., None]) -> Callable[..., None]:
        def record(*args: Any, **kwargs: Any) -> None:
            nonlocal records
            records += 1
            if records * 2 in deaths:
                raise Killed
            do(*args, **kwargs)
            if records * 2 - 1 in deaths:
                raise Killed

        return record

    with monkeypatch.context() as patched, transaction.atomic():
        patched.setattr(Lease, "record", dying(Lease.record))
        compare(prune(tree), cast, connection, price, lines)
        assert not StepRun.objects.filter(state__in=["sent", "uncertain"]).exists()
        transaction.set_rollback(True)
