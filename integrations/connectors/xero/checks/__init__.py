"""What Xero would refuse of a write, or what is doubtful about it, found before it is sent.

May use `fields`, `search` and the client; actions declare which checks theirs are. Begin with `documents.py`.
"""
