"""The proofs with a proxy: what they call the outcome of a trial, and that every write and fault is among them."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from bench import edits_of_others, twins
from bench.cases._trials import Outcome, counted, table, verdict
from bench.cases.matrix import COLUMNS, NOT_TRIED, SEND, chosen, writes
from bench.cases.matrix import case as matrix
from bench.cases.people import case as people
from bench.cases.people import judgement
from bench.fault_proxy import FAULTS, FaultProxy, Trial, recognise
from bench.writes import WRITES
from integrations.framework import registry
from integrations.framework.base import Effect

GOOD = {"trials": 10, "once": 8, "needs_review": 2, "refused": 0, "not_played": 0, "troubles": 0}
GOOD |= dict.fromkeys(("doubled", "lost", "adopted", "overwritten", "failed", "open"), 0)


def test_every_action_that_writes_is_tried() -> None:
    found = {each.full_key for each in registry.actions() if each.effect is not Effect.READS}
    assert found == set(WRITES) | {SEND} | NOT_TRIED
    assert writes() == [each.full_key for each in registry.actions() if each.full_key in set(WRITES) | {SEND}]


def test_every_scene_is_about_a_write_that_is_tried() -> None:
    scenes = [*twins.SCENES, *edits_of_others.SCENES]
    assert {scene.operation for scene in scenes} <= set(WRITES)
    told = [(scene.operation, scene.name, scene.faults) for scene in scenes]
    assert sorted(set(told)) == sorted(told)


@pytest.mark.parametrize(
    ("status", "count", "expected"),
    [
        ("succeeded", 1, "once"),
        ("succeeded", 0, "lost"),
        ("succeeded", 2, "doubled"),
        ("needs_review", 0, "needs_review"),
        ("needs_review", 1, "needs_review"),
        ("needs_review", 2, "doubled"),
        ("failed", 0, "failed"),
        ("failed", 1, "lost"),
        ("crashed", 1, "lost"),
        ("waiting", 1, "open"),
    ],
)
def test_a_trial_is_judged_by_the_books(status: str, count: int, expected: str) -> None:
    assert verdict(status, count) == expected


@pytest.mark.parametrize(
    ("status", "ours", "theirs", "more", "expected"),
    [
        ("succeeded", 1, 0, {}, "once"),
        ("succeeded", 1, 1, {}, "once"),
        ("succeeded", 0, 1, {}, "adopted"),
        ("succeeded", 1, 1, {"names_theirs": True}, "adopted"),
        ("succeeded", 0, 1, {"may_find": True}, "once"),
        ("succeeded", 0, 0, {"may_find": True}, "lost"),
        ("succeeded", 1, 1, {"is_one": True}, "doubled"),
        ("succeeded", 2, 0, {}, "doubled"),
        ("needs_review", 0, 1, {}, "needs_review"),
        ("needs_review", 0, 0, {"is_kept": False}, "overwritten"),
        ("failed", 0, 1, {}, "refused"),
        ("failed", 1, 0, {}, "lost"),
    ],
)
def test_a_scene_is_judged_by_whose_work_is_in_the_books(
    status: str, ours: int, theirs: int, more: dict[str, bool], expected: str
) -> None:
    usual = {"is_kept": True, "names_theirs": False, "may_find": False, "is_one": False}
    assert judgement(status, ours=ours, theirs=theirs, **{**usual, **more}) == expected


@pytest.mark.parametrize("case", [matrix, people])
def test_a_flawless_result_is_a_proof_and_anything_wrong_is_told(case: object) -> None:
    assert case.shortcomings(GOOD) == []  # type: ignore[attr-defined]
    for name in ("doubled", "lost", "adopted", "overwritten", "failed", "open", "not_played", "troubles"):
        assert case.shortcomings({**GOOD, name: 1}) == [f"{name} is 1"]  # type: ignore[attr-defined]
    told = case.shortcomings({**GOOD, "once": 0})  # type: ignore[attr-defined]
    assert told == ["nothing was written, so nothing was proved"]


def test_a_small_size_still_has_every_row_and_every_column() -> None:
    rows = [f"row {number}" for number in range(31)]
    columns = [f"column {number}" for number in range(20)]
    pairs = chosen(rows, columns, 31)
    assert {row for row, _ in pairs} == set(rows)
    assert {column for _, column in pairs} == set(columns)
    assert len(pairs) == 31
    assert len(set(chosen(rows, columns, 1000))) == 31 * 20
    assert chosen(rows, columns, 1000, only="row 7") == [("row 7", column) for column in columns]


def test_the_figures_and_the_table_tell_of_each_trial() -> None:
    outcomes = [
        Outcome("`a`", "lost", "once"),
        Outcome("`a`", "done", "needs_review"),
        Outcome("`b`", "done", "doubled", was_played=False),
    ]
    figures = counted(outcomes, [Trial("PXT0001", trouble="It broke.")])
    assert {
        name: figures[name] for name in ("trials", "once", "needs_review", "doubled", "not_played", "troubles")
    } == {
        "trials": 3,
        "once": 1,
        "needs_review": 1,
        "doubled": 1,
        "not_played": 1,
        "troubles": 1,
    }
    assert table(outcomes, ["lost", "done"]).splitlines() == [
        "| operation | lost | done |",
        "|---|---|---|",
        "| `a` | 1 | ? |",
        "| `b` |  | DOUBLED |",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/Contacts {'EmailAddress': 'pxt0012@matrix.example'}", "PXT0012"),
        ("/Invoices/7D0F3A7E-5A0C-4D5C-9A1E-2F6A5A1D0001/Email {}", "PXT0007"),
        ("/boards/123456789012345678", "PXT0008"),
        ("/boards/123456789012345679", ""),
    ],
)
def test_a_write_is_recognised_by_what_goes_over_the_wire(text: str, expected: str) -> None:
    known = {"7d0f3a7e-5a0c-4d5c-9a1e-2f6a5a1d0001": "PXT0007", "123456789012345678": "PXT0008"}
    assert recognise(text, known) == expected


class _Upstream(BaseHTTPRequestHandler):
    """Takes everything and counts."""

    taken = 0

    def do_PUT(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        type(self).taken += 1
        self.send_response(200)
        self.send_header("Content-Length", "12")
        self.end_headers()
        self.wfile.write(b'{"taken": 1}')

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    upstream = HTTPServer(("127.0.0.1", 0), _Upstream)
    threading.Thread(target=upstream.serve_forever, args=(0.02,), daemon=True).start()
    made = FaultProxy()
    made.upstream, made.scale = f"http://127.0.0.1:{upstream.server_address[1]}", 100.0
    _Upstream.taken = 0
    yield made
    made.shutdown()
    upstream.shutdown()


def _put(proxy: FaultProxy) -> str:
    """What a client hears."""
    connection = http.client.HTTPConnection("127.0.0.1", proxy.server_address[1], timeout=0.5)
    try:
        connection.request("PUT", "/things", b"about PXT0001")
        answer = connection.getresponse()
        return f"{answer.status} {answer.read().decode()[:12]}"
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("fault", "heard", "taken"),
    [
        ("none", '200 {"taken": 1}', 1),
        ("lost: reset", "ConnectionResetError", 0),
        ("lost: silence", "TimeoutError", 0),
        ("lost: 500", "500 ", 0),
        ("lost: 503 page", "503 <!DOCTYPE ht", 0),
        ("lost: 429", "429 ", 0),
        ("lost: 401", '401 {"Type":null', 0),
        ("lost: 200 page", "200 <!DOCTYPE ht", 0),
        ("done: reset", "ConnectionResetError", 1),
        ("done: silence", "TimeoutError", 1),
        ("done: 500", "500 ", 1),
        ("done: 504 page", "504 <!DOCTYPE ht", 1),
        ("done: 429", "429 ", 1),
        ("done: 401", '401 {"Type":null', 1),
        ("done: cut off", "IncompleteRead", 1),
        ("done: 200 page", "200 <!DOCTYPE ht", 1),
        ("done: 200 empty", "200 ", 1),
        ("done late", "TimeoutError", 1),
    ],
)
def test_each_fault_is_what_its_name_says_once_and_then_no_more(
    proxy: FaultProxy, fault: str, heard: str, taken: int
) -> None:
    acts: list[int] = []
    proxy.add(Trial("PXT0001", (fault,), lambda: acts.append(_Upstream.taken)))
    assert _put(proxy) == heard
    assert _put(proxy) == '200 {"taken": 1}'
    assert _Upstream.taken == taken + 1
    assert acts == [taken]


def test_the_faults_that_are_tested_are_all_there_are() -> None:
    assert set(COLUMNS) == set(FAULTS) | {"lost: twice", "done: then 500"}
