"""Workers in processes of their own that all want the same grant's token at once; prints what they got as JSON.

`python -m tests.integrations.refreshers GRANT WORKERS ROUNDS`, with Pinxero's settings in the environment. Before every
round the stored token is made to expire; with `--refused` it is kept and every worker says that it was refused.
"""

import json
import multiprocessing
import sys
from typing import Any

import django


def main() -> None:
    grant_id, workers, rounds = (int(each) for each in sys.argv[1:4])
    is_refused = "--refused" in sys.argv
    django.setup()
    from django.db import connections

    from integrations.models import Grant

    fork = multiprocessing.get_context("fork")
    start, end = fork.Barrier(workers + 1), fork.Barrier(workers + 1)
    results: Any = fork.SimpleQueue()
    connections.close_all()
    unless = fork.Array("c", 8192) if is_refused else None
    processes = [
        fork.Process(target=work, args=(grant_id, rounds, start, end, results, unless), daemon=True)
        for _ in range(workers)
    ]
    for process in processes:
        process.start()
    answers = []
    for _ in range(rounds):
        if unless is not None:
            unless.value = Grant.objects.get(pk=grant_id).access_token.encode()
        else:
            Grant.objects.filter(pk=grant_id).update(expires_at="2020-01-01T00:00:00+00:00")
        start.wait(30)
        answers.append([results.get() for _ in range(workers)])
        end.wait(30)
    for process in processes:
        process.join(10)
    print(json.dumps(answers))  # noqa: T201 - the test reads it


def work(grant_id: int, rounds: int, start: Any, end: Any, results: Any, unless: Any) -> None:
    from integrations.transport import token_refresh

    for _ in range(rounds):
        start.wait(30)
        refused = unless.value.decode() if unless is not None else None
        try:
            results.put(token_refresh.access_token(grant_id, unless=refused))
        except Exception as error:
            results.put(f"{type(error).__name__}: {error}")
        end.wait(30)


if __name__ == "__main__":
    main()
