"""The pages of runs: the list, one run, the iterations of a loop.

May use `forms`, `presenters` and services. Begin with `run.py`.
"""
