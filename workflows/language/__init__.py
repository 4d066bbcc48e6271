"""The mapping language: text with references and functions, conditions, and the plain data of both.

May use `integrations.core` and `schema`; touches no table. Begin with `mapping.py`, then `nodes.py`.
"""
