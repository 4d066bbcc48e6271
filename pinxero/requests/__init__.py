"""What happens to every request and answer: limits of bodies, headers, hidden characters, origins, log lines,
static files.

May use `integrations.core` and `integrations.audit`. Begin with `body_limits.py`.
"""
