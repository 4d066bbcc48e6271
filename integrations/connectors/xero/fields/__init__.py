"""The inputs of operations and how they are sent: fields of contacts and documents, lines, choices, totals, lock dates.

May use `search` and the client. Begin with `lines.py`.
"""
