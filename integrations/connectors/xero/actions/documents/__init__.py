"""Invoices, bills, quotes, orders and credit notes: created, changed, sent, annotated, voided.

May use `fields`, `search`, `samples` and the client. Begin with `creating.py`, then `invoices.py`.
"""
