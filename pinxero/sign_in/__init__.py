"""Signing in to Pinxero itself: accounts, the second factor, slowing strangers down, reset links.

May use `integrations.teams` and `integrations.audit`; nothing of workflows. Begin with `accounts.py`.
"""
