"""Programs that all send the same call of the API at once; prints what each was answered as JSON.

`python -m tests.workflows.submitters ADDRESS TOKEN COUNT`, with Pinxero's settings in the environment.
"""

import json
import sys
from threading import Barrier, Thread

import django


def main() -> None:
    address, token, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    django.setup()
    from django.db import connections
    from django.test import Client

    from workflows.models import Event, Run

    together, answers = Barrier(count), []

    def submit() -> None:
        try:
            together.wait(30)
            answer = Client().post(
                address,
                '{"title": "Oak table"}',
                content_type="application/json",
                headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "order-1042"},
            )
            answers.append([answer.status_code, answer.json().get("run")])
        finally:
            connections.close_all()

    threads = [Thread(target=submit) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    told = {"answers": answers, "runs": Run.objects.count(), "events": Event.objects.count()}
    print(json.dumps(told))  # noqa: T201 - the test reads it


if __name__ == "__main__":
    main()
