"""The API for programs: start a workflow, and read the results.

May use every service; pages do not use it. Begin with `views.py`; `protocol.py` has authentication, limits and JSON.
"""
