"""Declared inputs: what an operation asks for, cleaned once, shown as a form and JSON Schema; documents for people.

May use `core`; opens no socket and uses no table. Begin with `schema.py`.
"""
