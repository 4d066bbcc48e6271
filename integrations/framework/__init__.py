"""The vocabulary of connectors, and the register of all of them.

May use everything below: `transport`, `teams`, `schema`, `core`. Begin with `base.py`, then `registry.py`.
"""
