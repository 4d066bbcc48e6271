"""Tools for development: they start Pinxero's processes beside the sandbox and control them from outside.

Uses nothing that needs Django to be set up. Begin with `processes.py`.
"""
