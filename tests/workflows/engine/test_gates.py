"""Gates before a write: what they stop is not sent, what a person lets go is sent once, and only as it was held."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.workflows.conftest import Make, drain, settle, start, the_run, the_write, unknown
from tests.workflows.scripted.connector import Provider
from workflows.engine import step_support
from workflows.engine.writes import gates
from workflows.engine.writes.gates import Intent
from workflows.models import WriteHold
from workflows.publishing.activation import NotAllowedNowError
from workflows.runs import decisions

pytestmark = pytest.mark.django_db


def _hold(intent: Intent) -> None:
    gates.hold(intent, "too_large", "It is larger than this workflow may write.")


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Intent]]:
    """A gate that holds everything; the intents that it was asked about."""
    asked: list[Intent] = []

    def holding(intent: Intent) -> None:
        asked.append(intent)
        _hold(intent)

    monkeypatch.setattr(gates, "GATES", [holding])
    return asked


def test_a_held_write_is_not_sent_and_the_run_says_why(
    provider: Provider, make_workflow: Make, gate: list[Intent]
) -> None:
    start(provider, make_workflow)
    drain()
    run, write = the_run(), the_write()
    assert [run.status, run.wait_reason, run.error] == [
        "waiting", "hold", "It is larger than this workflow may write."
    ]  # fmt: skip
    assert provider.sent == []
    assert [write.state, write.first_sent_at, write.idempotency_key] == ["pending", None, None]
    assert write.request["body"].startswith("{")
    assert WriteHold.objects.get().fingerprint == gate[0].fingerprint


def test_what_a_person_lets_go_is_sent_once_and_held_no_second_time(
    provider: Provider, make_workflow: Make, gate: list[Intent]
) -> None:
    start(provider, make_workflow)
    drain()
    decisions.release(the_run(), by=None, reason="It was ordered.")
    drain()
    assert the_run().status == "succeeded"
    assert len(provider.sent) == 1
    assert WriteHold.objects.get().released_at is not None
    assert gate[0].request == gate[1].request


def test_trying_again_does_not_pass_a_hold(provider: Provider, make_workflow: Make, gate: list[Intent]) -> None:
    start(provider, make_workflow)
    drain()
    with pytest.raises(NotAllowedNowError, match="The run is held"):
        decisions.retry(the_run(), by=None)
    drain()
    assert the_run().status == "waiting"
    assert provider.sent == []


def test_a_repeated_send_asks_the_gates_as_well(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(gates, "GATES", [lambda intent: asked.append(intent.is_repeat)])
    start(provider, make_workflow)
    provider.script = [lambda: (_ for _ in ()).throw(unknown())]
    settle()
    assert the_run().status == "succeeded"
    assert asked == [False, True]


def test_a_gate_that_refuses_fails_the_step_and_nothing_is_sent(
    provider: Provider, make_workflow: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(intent: Intent) -> None:
        raise step_support.fail(intent.context, intent.step_run, "The policy refuses this.")

    monkeypatch.setattr(gates, "GATES", [refuse])
    start(provider, make_workflow)
    settle()
    assert the_run().error == "Write thing: The policy refuses this."
    assert provider.sent == []
