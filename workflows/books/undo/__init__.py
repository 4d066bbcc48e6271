"""Undo: taking back what a step wrote, as a write of its own.

May use the other modules of `books` and what is below. For every action there is another one that takes back what it
wrote, which `apps.ready` registers; the engine performs it like any other. Begin with `looking.py`.
"""
