"""Workflows and runs in the admin: to look things up, each with a link to its own page.

May use presenters and models; nothing uses it. Begin with `execution.py`.
"""

from workflows.admin import definition, execution, lookup

__all__ = ["definition", "execution", "lookup"]
