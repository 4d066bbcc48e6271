"""Reconciliation: what was written, held against what the providers have now, nightly and when a person asks.

May use `books` and what is below. What begins one writes rows; a worker does the rest. Begin with `working.py`.
"""
