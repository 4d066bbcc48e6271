"""The functions that the queue may call. Each may run twice, late, or when there is nothing to do."""

from __future__ import annotations


def work() -> None:
    """Do the work that is due."""
    from workflows.engine.work_loop import drain
    from workflows.runtime import heartbeats

    try:
        drain()
    finally:
        heartbeats.note(heartbeats.FINISHED)


def heartbeat() -> None:
    """Record that a worker runs tasks."""
    from workflows.runtime import heartbeats

    heartbeats.note(heartbeats.WORKER)
    heartbeats.note(heartbeats.FINISHED)


def do_chores() -> None:
    """Do the daily and the every-minute chores."""
    from workflows.worker.housekeeping import do_chores as do

    do()


def continue_batches() -> None:
    """Continue the batches of decisions about many runs."""
    from workflows.runs import bulk_actions
    from workflows.runtime import heartbeats

    try:
        bulk_actions.work()
    finally:
        heartbeats.note(heartbeats.FINISHED)


def continue_backtests() -> None:
    """Continue the backtests."""
    from workflows.preview import backtest
    from workflows.runtime import heartbeats

    try:
        backtest.work()
    finally:
        heartbeats.note(heartbeats.FINISHED)


def continue_reconciliations() -> None:
    """Continue the reconciliations."""
    from workflows.reconciliation import working
    from workflows.runtime import heartbeats

    try:
        working.work()
    finally:
        heartbeats.note(heartbeats.FINISHED)
