"""Recipes: ready-made workflows to start from, each a file with gaps that a person fills in.

May use `definitions` and what is below. Begin with `library.py`, which says what a file looks like, then `making.py`.
"""
