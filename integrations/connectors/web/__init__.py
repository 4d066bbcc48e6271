"""HTTP requests to hosts that an administrator has listed: a connector without a provider.

May use `framework`, `schema`, `core`. Begin with `actions.py`.
"""
