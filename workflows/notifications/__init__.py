"""Telling people: notices in the app, e-mails about them, and the safeguards that cause some.

May use `runtime` and the models. Begin with `notify.py`.
"""
