"""The few names the queue may call. Each may run twice, late or for nothing."""

from __future__ import annotations


def work() -> None:
    """Look whether there is work, and do it."""
    from workflows import beats
    from workflows.engine.drain import drain

    try:
        drain()
    finally:
        beats.note(beats.FINISHED)


def beat() -> None:
    """Show that a worker runs tasks."""
    from workflows import beats

    beats.note(beats.WORKER)
    beats.note(beats.FINISHED)


def keep_house() -> None:
    """Do the daily and the every-minute chores."""
    from workflows.housekeeping import keep_house as do

    do()


def go_on_with_batches() -> None:
    """Go on with what is done to many runs."""
    from workflows import batches, beats

    try:
        batches.work()
    finally:
        beats.note(beats.FINISHED)
