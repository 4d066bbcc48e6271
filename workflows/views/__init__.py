"""Pages of workflows and runs: they ask, and call services for every change.

May use `forms`, `presenters` and services. Begin with `workflow_list.py`; the editor and the runs have rooms inside.
"""
