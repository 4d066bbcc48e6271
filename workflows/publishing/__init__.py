"""Making a version of a draft, and switching workflows on and off.

May use `triggers` and `definitions`. Begin with `publish.py`.
"""
