"""Data shared by the whole sandbox: its two organisations, numbers that are used once, files behind links.

Uses nothing. Begin with `organisations.py`.
"""
