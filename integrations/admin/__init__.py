"""Teams, members and connections in the admin, to look things up.

May use every room of `integrations`. Begin with `teams.py`.
"""
