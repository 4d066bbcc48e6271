"""Changes that need more care than one row: copies, deletions that can be undone, two people saving the same.

May use the rest of `definitions`. Begin with `revisions.py`.
"""
