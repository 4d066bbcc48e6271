"""The pages on which a team says what may be written, and decides on what waits: policy, approvals, guards.

May use `forms`, `presenters` and services, as the other pages do. Begin with `policy.py`.
"""
