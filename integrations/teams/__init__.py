"""Who may do what: roles, leaving a team, and how recently somebody signed in.

May use `core` and the models. Begin with `access.py`.
"""
