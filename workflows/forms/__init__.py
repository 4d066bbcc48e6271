"""Forms: the plain ones of pages, and those made from an operation's Schema or a kind of step.

May use `presenters` and services. Begin with `schema_form.py`.
"""
