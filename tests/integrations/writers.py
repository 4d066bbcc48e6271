"""Processes that read and write encrypted values as Pinxero's do, until their input ends; prints what each saw as JSON.

`python -m tests.integrations.writers JOBS`, with Pinxero's settings in the environment. A job is a list: what is done,
the id of a row, and the keys of TOKEN_KEYS in this process's own order. A line "ready" says that all are at work.
"""

import json
import multiprocessing
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import django


def main() -> None:
    jobs = json.loads(sys.argv[1])
    django.setup()
    from django.db import connections

    connections.close_all()
    fork = multiprocessing.get_context("fork")
    begun, is_over, results = fork.Barrier(len(jobs) + 1), fork.Event(), fork.SimpleQueue()
    for job in jobs:
        fork.Process(target=work, args=(job, begun, is_over, results), daemon=True).start()
    begun.wait(30)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    sys.stdin.read()
    is_over.set()
    print(json.dumps([results.get() for _ in jobs]))  # noqa: T201 - the test reads it


def work(job: list[Any], begun: Any, is_over: Any, results: Any) -> None:
    from django.conf import settings

    what, row_id, settings.TOKEN_KEYS = job
    rounds, last, error = 0, None, ""
    try:
        steps = _JOBS[what](row_id)
        last = next(steps)
        begun.wait(30)
        while not is_over.is_set():
            last = next(steps)
            rounds += 1
            time.sleep(0.03)
    except Exception as problem:
        error = f"{type(problem).__name__}: {problem}"
    results.put({"what": what, "id": row_id, "rounds": rounds, "last": last, "error": error})


def refresh(grant_id: int) -> Iterator[str]:
    """Renew a grant again and again, as a worker does whose token was refused."""
    from integrations.core.errors import TemporaryError
    from integrations.models import Grant
    from integrations.transport import token_refresh

    token = ""
    while True:
        with suppress(TemporaryError):  # on a busy machine somebody else's renewal may take long
            token = token_refresh.access_token(grant_id, unless=Grant.objects.get(pk=grant_id).access_token)
        yield token


def sign(hook_id: int) -> Iterator[list[str]]:
    """Give an address a new secret and a new token, and find what was written."""
    from workflows.models import InboundHook
    from workflows.triggers import inbound_webhooks

    number = 0
    while True:
        hook = InboundHook.objects.get(pk=hook_id)
        number += 1
        inbound_webhooks.set_signature(hook, signature="hex", header="X-S", secret=f"secret {number} of {hook_id}")
        inbound_webhooks.rotate(hook)
        read = InboundHook.objects.get(pk=hook_id)
        assert read.secret == f"secret {number} of {hook_id}"
        assert inbound_webhooks.find(read.token) == hook
        yield [read.token, read.secret]


def rename(grant_id: int) -> Iterator[list[str]]:
    """Store a whole row as it was read, tokens and all, unopened and opened in turn."""
    from integrations.models import Grant

    before = Grant.objects.get(pk=grant_id)
    tokens = [before.access_token, before.refresh_token]
    while True:
        for is_opened in (False, True):
            grant = Grant.objects.get(pk=grant_id)
            if is_opened:
                assert [grant.access_token, grant.refresh_token] == tokens
            grant.label = f"{time.monotonic()}"
            grant.save()
            yield tokens


def use_up(authenticator_id: int) -> Iterator[int]:
    """Sign in with one recovery code after the other; gives how many are left."""
    from allauth.mfa.models import Authenticator

    printed = Authenticator.objects.get(pk=authenticator_id).wrap().get_unused_codes()
    left = list(printed)
    while True:
        codes = Authenticator.objects.get(pk=authenticator_id).wrap()
        assert codes.get_unused_codes() == left
        if left:
            assert codes.validate_code(left.pop(0))
        yield len(left)
        time.sleep(0.2)


_JOBS: dict[str, Callable[[int], Iterator[Any]]] = {
    "refresh": refresh,
    "sign": sign,
    "rename": rename,
    "use_up": use_up,
}

if __name__ == "__main__":
    main()
