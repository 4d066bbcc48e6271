"""E-mail through the installation's own mail server: a connector without a provider.

May use `framework`, `schema`, `core`. Begin with `actions.py`, then `message.py`.
"""
