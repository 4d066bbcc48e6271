"""Xero's side of the sandbox: connections, contacts, items, projects, and what they have in common.

May use `exchange` and the sandbox's models. Begin with `gate.py`, then `contacts.py`.
"""
