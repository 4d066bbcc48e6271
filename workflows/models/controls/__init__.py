"""The tables of what a team allows before a write is sent: its policy, requests for approval, holds and guards.

May use the other tables of `workflows` and what is below. Begin with `approval.py`.
"""
