"""What a workflow would do, and exactly what it would write: the engine's own walk, but nothing is written.

May use `engine` and what is below. Begin with `service.py`, then `performer.py`: who performs steps in place of the
engine's handlers; `predictions` says which values are not certain.
"""
