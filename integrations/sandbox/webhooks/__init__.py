"""Xero's webhook: changes to be reported, and the courier that delivers them.

May use the sandbox's models. Begin with `changes.py`.
"""
