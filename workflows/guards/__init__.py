"""A team's guards: checks of their own at the moment of sending, beside its policy. All are off until it sets them.

May use `books`, the engine and what is below. The engine calls them through `gates.GATES`, which `apps.ready` fills.
Each guard is a module with one pure decision function and its reading of data. Begin with `guarding.py`.
"""
