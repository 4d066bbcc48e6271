"""The people of a team: inviting them, their roles and until when, and ending what they hold.

May use `teams` and `audit` and what is below them. Begin with `members.py`.
"""
