"""Lookup tables: looking up, editing in versions, CSV import and export.

May use `files`, `language` and the models. Begin with `lookup.py`.
"""
