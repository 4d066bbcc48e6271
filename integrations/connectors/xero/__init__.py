"""Xero: one consent may reach many organisations; each is a connection.

May use `framework`, `schema`, `core`. Begin with `connector.py`; then `actions/documents/invoices.py`, the usual write.
"""
