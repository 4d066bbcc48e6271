"""The sandbox's own pages, for a person who inspects it or adds something by hand.

May use every room of the sandbox. Begin with `overview.py`.
"""
