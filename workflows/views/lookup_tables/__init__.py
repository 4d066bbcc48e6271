"""The pages of lookup tables: showing and editing them.

May use `forms` and services. Begin with `tables.py`.
"""
