"""What a worker process does: its tasks, chores, and the supervisor that keeps its queue alive.

May use `runs`, `engine` and what is below. Begin with `supervisor.py`, then `tasks.py`.
"""
