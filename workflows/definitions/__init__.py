"""What people write: a workflow's rows, edited, arranged, checked, described, and compiled into a plan.

May use `lookup_tables`, `language` and the models; runs nothing. Begin with `compiler.py`, then `kinds/`.
"""
