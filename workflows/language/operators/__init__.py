"""The typed operators of conditions: each one's values, meaning and wording.

May use the language's values. Begin with `comparison.py`, then `typed.py`.
"""
