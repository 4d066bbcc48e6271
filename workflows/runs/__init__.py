"""What people decide about runs: try again, skip, cancel, release, settle; one or many.

May use `engine` and what is below. Begin with `decisions.py`.
"""
