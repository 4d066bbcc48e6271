"""Executes runs: claim under a lease, walk the plan, write down before and after, decide what is next.

May use `publishing`, `triggers` and what is below. Begin with `execute.py`, then `interpreter.py`.
"""
