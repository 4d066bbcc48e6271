"""Who has to allow a write before it is sent: a team's policy, requests for approval and what people decide on them.

May use `books`, the engine and what is below. The engine calls it through `gates.GATES`, which `apps.ready` fills.
Begin with `asking.py`, then `rules.py`.
"""
