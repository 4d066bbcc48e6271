"""Samples of the operations' output: Xero's shape, invented data.

Uses nothing. Begin with `records.py`; `noticed.py` has what triggers give, `fitting.py` makes it follow their inputs.
"""
