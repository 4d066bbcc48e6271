"""What Pinxero notices at Xero.

May use `fields`, `search`, `samples` and the client. Begin with `watched_lists.py`, the base of nearly all of them.
"""
